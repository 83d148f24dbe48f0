//! The last line of defence against a leaked key: PEM of private keys is cut out of every text
//! that a report or a diagnosis quotes, as it stands, escaped as in JSON, or in base64 as in a
//! Secret. It is no parser: what it takes for a key is gone, whether or not it could be read.

use std::borrow::Cow;

const MARK: &str = "PRIVATE KEY-----";
const DASHES: &str = "-----";
/// `-----BEGIN` in base64: how PEM looks in a Secret. Certificates go too; nobody reads them so.
const ENCODED: &str = "LS0tLS1CRUdJTi";
const CUT: &str = "[private key removed]";
const CUT_ENCODED: &str = "[base64 of PEM removed]";

/// The text without private keys. A block that is cut off at either end is a key too.
pub(crate) fn without_keys(text: &str) -> Cow<'_, str> {
    if !text.contains(MARK) && !text.contains(ENCODED) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(without_encoded(&without_pem(text)))
}

fn without_pem(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(mark) = rest.find(MARK) {
        let after = mark + MARK.len();
        let label = rest[..mark].rfind(DASHES).unwrap_or(0);
        let end = if rest[label..mark].starts_with("-----END") {
            // Its beginning was cut off, so whatever may be base64 before it is the key.
            kept.push_str(rest[..label].trim_end_matches(is_body));
            after
        } else {
            kept.push_str(&rest[..label]);
            rest[after..].find(MARK).map_or(rest.len(), |end| after + end + MARK.len())
        };
        kept.push_str(CUT);
        rest = &rest[end..];
    }
    kept + rest
}

/// Base64, and the line ends between, escaped or not.
fn is_body(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+/=\\\r\n".contains(c)
}

fn without_encoded(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(ENCODED) {
        kept.push_str(&rest[..start]);
        kept.push_str(CUT_ENCODED);
        rest = rest[start..].trim_start_matches(|c: char| is_body(c) && !c.is_whitespace());
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::without_keys;

    #[test]
    fn a_key_is_cut_out_however_it_is_written() {
        let body = "MHcCAQEEIFakeFakeFake+/=";
        let rows = [
            (
                "plain",
                format!(
                    "a\n-----BEGIN EC PRIVATE KEY-----\n{body}\n-----END EC PRIVATE KEY-----\nb"
                ),
                "a\n[private key removed]\nb",
            ),
            (
                "escaped",
                format!(
                    r#"{{"k":"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"}}"#
                ),
                r#"{"k":"[private key removed]\n"}"#,
            ),
            (
                "without an end",
                format!("a -----BEGIN RSA PRIVATE KEY-----\n{body}\n{body}"),
                "a [private key removed]",
            ),
            (
                "without a beginning",
                format!("a:\n{body}\n{body}\n-----END RSA PRIVATE KEY-----\nb"),
                "a:[private key removed]\nb",
            ),
            (
                "in base64",
                "ca-key.pem: LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t, next".to_owned(),
                "ca-key.pem: [base64 of PEM removed], next",
            ),
            (
                "two of them",
                format!(
                    "-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY----- and \
                         -----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----"
                ),
                "[private key removed] and [private key removed]",
            ),
        ];
        for (row, text, expected) in rows {
            assert_eq!(without_keys(&text), expected, "{row}");
        }
    }

    #[test]
    fn certificates_and_words_are_left_as_they_are() {
        let text = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\nno private key";
        assert_eq!(without_keys(text), text);
    }
}
