//! The part of a request or an answer that a person reads: a title, and a line for each field,
//! before the PEM, where openssl and every other reader of PEM passes it over.
//!
//! Nothing is proved by it: what can be proved is held against the PEM by who reads it.

/// The fields of one statement, in their order.
pub(crate) struct Statement {
    title: &'static str,
    fields: Vec<(String, String)>,
}

/// What a certificate says is short; a longer file is something else.
pub(crate) const LIMIT: u64 = 1 << 20;

impl Statement {
    /// Writes one above its PEM.
    ///
    /// # Errors
    /// The value that would not be read back as it is.
    pub(crate) fn write(
        title: &str,
        fields: &[(&str, String)],
        pem: &str,
    ) -> Result<String, String> {
        let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or_default() + 1;
        let mut text = format!("{title}\n\n");
        for (name, value) in fields {
            if *value != visible(value) || value.trim() != value || value.is_empty() {
                return Err(format!("the {name} {value:?} cannot be shown as it is"));
            }
            let name = format!("{name}:");
            text.push_str(&format!("{name:<width$} {value}\n"));
        }
        Ok(format!("{text}\n{pem}"))
    }

    /// Reads the statement of a file; `None` for a file that starts with something else.
    ///
    /// # Errors
    /// What is no statement of this version.
    pub(crate) fn read(title: &'static str, text: &str) -> Result<Option<Self>, String> {
        let mut lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
        let Some(first) = lines.find(|line| !line.is_empty()) else { return Ok(None) };
        if first != title {
            let (kind, _) = title.rsplit_once(' ').unwrap_or((title, ""));
            return match first.strip_prefix(kind) {
                Some(version) => Err(format!(
                    "it is a `{}`, of another version: expected `{title}`",
                    visible(&format!("{kind}{version}"))
                )),
                None => Ok(None),
            };
        }
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in lines.take_while(|line| !line.starts_with("-----")) {
            if line.is_empty() {
                continue;
            }
            let Some((name, value)) = line.split_once(':') else {
                return Err(format!("`{}` is no field of a {title}", visible(line)));
            };
            if visible(line) != line {
                return Err(format!("`{}` has characters that are not shown", visible(line)));
            }
            if fields.iter().any(|(other, _)| other == name) {
                return Err(format!("`{name}` is there twice"));
            }
            fields.push((name.to_owned(), value.trim().to_owned()));
        }
        Ok(Some(Self { title, fields }))
    }

    /// Takes a field out.
    ///
    /// # Errors
    /// That it is missing.
    pub(crate) fn take(&mut self, name: &str) -> Result<String, String> {
        match self.fields.iter().position(|(other, _)| other == name) {
            Some(at) => Ok(self.fields.remove(at).1),
            None => Err(format!("the {} has no `{name}`", self.title)),
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// A field that nobody took: what is not understood is not signed.
    pub(crate) fn end(self) -> Result<(), String> {
        match self.fields.first() {
            Some((name, _)) => Err(format!("`{name}` is no field of a {}", self.title)),
            None => Ok(()),
        }
    }
}

/// The text with what a terminal does not show, or shows elsewhere, written out: control characters
/// and those that turn the direction of writing or have no width.
pub(crate) fn visible(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
            || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if hidden(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    const TITLE: &str = "cacerts request 1";

    fn refused(text: &str) -> String {
        let read = || {
            let mut statement = Statement::read(TITLE, text)?.ok_or("no statement")?;
            statement.take("cluster")?;
            statement.end()
        };
        read().unwrap_err()
    }

    #[test]
    fn what_was_written_is_read_back() {
        let fields = [("cluster", "c1".to_owned()), ("organization", "Käse: & Co".to_owned())];
        let text = Statement::write(TITLE, &fields, "-----BEGIN X-----\na: b\n").unwrap();
        assert_eq!(
            text,
            "cacerts request 1\n\ncluster:      c1\norganization: Käse: & Co\n\n-----BEGIN X-----\n\
             a: b\n"
        );
        for text in [text.clone(), text.replace('\n', "\r\n"), format!("\u{feff}\n{text}")] {
            let mut read = Statement::read(TITLE, &text).unwrap().unwrap();
            assert_eq!(read.take("organization").unwrap(), "Käse: & Co");
            assert_eq!(read.take("cluster").unwrap(), "c1");
            read.end().unwrap();
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        assert_eq!(refused("cacerts request 1\n"), "the cacerts request 1 has no `cluster`");
        let line = "cacerts request 1\ncluster: c1\n";
        assert_eq!(refused(&format!("{line}cluster: c2\n")), "`cluster` is there twice");
        let expected = "`path length` is no field of a cacerts request 1";
        assert_eq!(refused(&format!("{line}path length: 3\n")), expected);
        let expected = "`please` is no field of a cacerts request 1";
        assert_eq!(refused(&format!("{line}please\n")), expected);
        let expected =
            "it is a `cacerts request 2`, of another version: expected `cacerts request 1`";
        assert_eq!(refused("cacerts request 2\n"), expected);
        assert!(Statement::read(TITLE, "-----BEGIN CERTIFICATE REQUEST-----").unwrap().is_none());
        assert!(Statement::read(TITLE, "").unwrap().is_none());
    }

    #[test]
    fn what_a_terminal_would_not_show_is_refused_on_both_ways() {
        for hidden in ["a\x1b[2Jb", "a\u{202e}b", "a\u{200b}b", "a\rb"] {
            let expected = format!("the cluster {hidden:?} cannot be shown as it is");
            let fields = [("cluster", hidden.to_owned())];
            assert_eq!(Statement::write(TITLE, &fields, ""), Err(expected));
        }
        assert_eq!(
            refused("cacerts request 1\ncluster: a\x1b[2Jb\n"),
            "`cluster: a\\u{1b}[2Jb` has characters that are not shown"
        );
    }
}
