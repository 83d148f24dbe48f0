//! The extensions of a certificate (RFC 5280 section 4.2) as values of this crate's own.

use std::fmt;

use x509_parser::extensions::{GeneralName, ParsedExtension, X509Extension};

/// One extension. Its content is printed by [`Extension::text`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Dotted object identifier.
    pub oid: String,
    /// Whether a reader that does not know it must refuse the certificate.
    pub critical: bool,
    pub(crate) content: Content,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    AuthorityKeyId { key_id: Option<Vec<u8>>, names_issuer: bool },
    BasicConstraints { ca: bool, path_len: Option<u32> },
    ExtendedKeyUsage(Vec<String>),
    KeyUsage(u16),
    NameConstraints { permitted: Vec<String>, excluded: Vec<String> },
    SubjectAltName(Vec<String>),
    SubjectKeyId(Vec<u8>),
    Other(Vec<u8>),
}

/// One purpose of a key (RFC 5280 section 4.2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of RFC 5280 section 4.2.1.3")]
pub enum KeyUsageBit {
    DigitalSignature = 0,
    NonRepudiation = 1,
    KeyEncipherment = 2,
    DataEncipherment = 3,
    KeyAgreement = 4,
    KeyCertSign = 5,
    CrlSign = 6,
    EncipherOnly = 7,
    DecipherOnly = 8,
}

impl KeyUsageBit {
    const ALL: [(Self, &'static str); 9] = [
        (Self::DigitalSignature, "digitalSignature"),
        (Self::NonRepudiation, "nonRepudiation"),
        (Self::KeyEncipherment, "keyEncipherment"),
        (Self::DataEncipherment, "dataEncipherment"),
        (Self::KeyAgreement, "keyAgreement"),
        (Self::KeyCertSign, "keyCertSign"),
        (Self::CrlSign, "cRLSign"),
        (Self::EncipherOnly, "encipherOnly"),
        (Self::DecipherOnly, "decipherOnly"),
    ];
}

/// The key usage extension. Prints as the names of RFC 5280, for example
/// `keyCertSign, cRLSign`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUsage {
    /// Whether the extension is critical.
    pub critical: bool,
    pub(crate) bits: u16,
}

impl KeyUsage {
    /// Whether the usage is among those named.
    pub fn has(&self, usage: KeyUsageBit) -> bool {
        self.bits & (1 << usage as u16) != 0
    }
}

impl fmt::Display for KeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = KeyUsageBit::ALL
            .into_iter()
            .filter(|(bit, _)| self.has(*bit))
            .map(|(_, name)| name)
            .collect();
        f.write_str(if names.is_empty() { "none" } else { "" })?;
        f.write_str(&names.join(", "))
    }
}

/// The extended key usage extension. Prints as the purposes' names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtendedKeyUsage {
    /// Whether the extension is critical.
    pub critical: bool,
    /// Names as OpenSSL has them (`serverAuth`, `clientAuth`, `anyExtendedKeyUsage`), or OIDs.
    pub purposes: Vec<String>,
}

impl ExtendedKeyUsage {
    /// Whether the purpose is named; `anyExtendedKeyUsage` counts only when asked for itself.
    pub fn has(&self, purpose: &str) -> bool {
        self.purposes.iter().any(|named| named == purpose)
    }
}

impl fmt::Display for ExtendedKeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.purposes.join(", "))
    }
}

pub(crate) fn read_extensions(extensions: &[X509Extension<'_>]) -> Result<Vec<Extension>, String> {
    let mut read: Vec<Extension> = Vec::with_capacity(extensions.len());
    for extension in extensions {
        let oid = extension.oid.to_id_string();
        // RFC 5280 section 4.2: at most one of each; Go refuses the certificate too.
        if read.iter().any(|earlier| earlier.oid == oid) {
            return Err(format!("extension {oid} is there twice"));
        }
        let content = match extension.parsed_extension() {
            ParsedExtension::ParseError { .. } => {
                return Err(format!("extension {oid} cannot be read"));
            }
            parsed => content(parsed, extension.value),
        };
        read.push(Extension { oid, critical: extension.critical, content });
    }
    Ok(read)
}

fn content(parsed: &ParsedExtension<'_>, raw: &[u8]) -> Content {
    match parsed {
        ParsedExtension::AuthorityKeyIdentifier(id) => Content::AuthorityKeyId {
            key_id: id.key_identifier.as_ref().map(|id| id.0.to_vec()),
            names_issuer: id.authority_cert_issuer.is_some(),
        },
        ParsedExtension::BasicConstraints(constraints) => Content::BasicConstraints {
            ca: constraints.ca,
            path_len: constraints.path_len_constraint,
        },
        ParsedExtension::ExtendedKeyUsage(usage) => {
            let known = [
                (usage.any, "anyExtendedKeyUsage"),
                (usage.server_auth, "serverAuth"),
                (usage.client_auth, "clientAuth"),
                (usage.code_signing, "codeSigning"),
                (usage.email_protection, "emailProtection"),
                (usage.time_stamping, "timeStamping"),
                (usage.ocsp_signing, "OCSPSigning"),
            ];
            let named = known.into_iter().filter(|(set, _)| *set).map(|(_, name)| name.to_owned());
            Content::ExtendedKeyUsage(
                named.chain(usage.other.iter().map(|oid| oid.to_id_string())).collect(),
            )
        }
        ParsedExtension::KeyUsage(usage) => Content::KeyUsage(usage.flags),
        ParsedExtension::NameConstraints(constraints) => {
            let list = |trees: &Option<Vec<x509_parser::extensions::GeneralSubtree<'_>>>| {
                trees.iter().flatten().map(|tree| general_name(&tree.base)).collect()
            };
            Content::NameConstraints {
                permitted: list(&constraints.permitted_subtrees),
                excluded: list(&constraints.excluded_subtrees),
            }
        }
        ParsedExtension::SubjectAlternativeName(names) => {
            Content::SubjectAltName(names.general_names.iter().map(general_name).collect())
        }
        ParsedExtension::SubjectKeyIdentifier(id) => Content::SubjectKeyId(id.0.to_vec()),
        _ => Content::Other(raw.to_vec()),
    }
}

fn general_name(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(dns) => format!("DNS:{dns}"),
        GeneralName::URI(uri) => format!("URI:{uri}"),
        GeneralName::RFC822Name(mail) => format!("email:{mail}"),
        GeneralName::IPAddress(address) => format!("IP:{}", crate::hex::lower(address)),
        other => other.to_string(),
    }
}
