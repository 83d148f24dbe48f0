//! What sets two bundles apart, told by fingerprints.

use std::fmt;

use pki::{BundleFiles, Certificate, Fingerprint};

use crate::layout::Layout;

/// The parts that differ, as istiod reads them: a Secret in the layout of cert-manager (`tls.crt`)
/// is compared by its own keys. Bytes are compared, not certificates, because istiod compares the
/// bytes of root-cert.pem. Prints one line a part.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// ca-cert.pem.
    pub cluster_ca: Option<Change>,
    /// cert-chain.pem.
    pub chain: Option<Change>,
    /// root-cert.pem.
    pub root: Option<Change>,
    /// ca-key.pem.
    pub key: Option<KeyChange>,
    /// A label or annotation of this crate is missing or tells of another bundle.
    pub metadata: bool,
}

/// A part before and after. Both sides can be equal: the same certificates in other bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What was there.
    pub from: Held,
    /// What comes.
    pub to: Held,
}

/// The content of a file that should hold certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// There is no such file.
    Absent,
    /// Certificates, in their order.
    Certificates(Vec<Fingerprint>),
    /// Something else, and why it cannot be read.
    Unreadable(String),
}

/// How ca-key.pem differs; nothing of it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyChange {
    /// There was none.
    Added,
    /// There were other bytes: another key, or the same one written in another way.
    Replaced,
    /// There is none any more.
    Removed,
}

impl Difference {
    /// Compares two sets of files.
    pub fn between(from: &BundleFiles, to: &BundleFiles) -> Self {
        let (from, to) = (Layout::of(from), Layout::of(to));
        Self {
            cluster_ca: change(from.cluster_ca, to.cluster_ca),
            chain: change(from.chain().as_deref(), to.chain().as_deref()),
            root: change(from.root, to.root),
            key: match (from.key, to.key) {
                (from, to) if from == to => None,
                (None, _) => Some(KeyChange::Added),
                (_, None) => Some(KeyChange::Removed),
                _ => Some(KeyChange::Replaced),
            },
            metadata: false,
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        !self.changes_data() && !self.metadata
    }

    /// Whether a file differs.
    pub fn changes_data(&self) -> bool {
        self.key.is_some()
            || [&self.cluster_ca, &self.chain, &self.root].iter().any(|part| part.is_some())
    }
}

fn change(from: Option<&[u8]>, to: Option<&[u8]>) -> Option<Change> {
    (from != to).then(|| Change { from: Held::of(from), to: Held::of(to) })
}

impl Held {
    fn of(bytes: Option<&[u8]>) -> Self {
        match bytes.map(Certificate::all_from_pem) {
            None => Self::Absent,
            Some(Ok(all)) => Self::Certificates(all.iter().map(Certificate::fingerprint).collect()),
            Some(Err(error)) => Self::Unreadable(error.to_string()),
        }
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("nothing"),
            Self::Certificates(all) => {
                let all: Vec<_> = all.iter().map(ToString::to_string).collect();
                f.write_str(&all.join(" + "))
            }
            Self::Unreadable(why) => write!(f, "unreadable ({why})"),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        if from == to {
            write!(f, "{to}, the same in other bytes")
        } else {
            write!(f, "{from} -> {to}")
        }
    }
}

impl fmt::Display for KeyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Added => "added",
            Self::Replaced => "replaced",
            Self::Removed => "removed",
        })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("cluster CA", BundleFiles::CA_CERT, &self.cluster_ca),
            ("chain", BundleFiles::CERT_CHAIN, &self.chain),
            ("root", BundleFiles::ROOT_CERT, &self.root),
        ];
        let mut lines: Vec<_> = parts
            .iter()
            .filter_map(|(part, file, change)| {
                change.as_ref().map(|change| format!("{part} ({file}): {change}"))
            })
            .collect();
        lines.extend(self.key.map(|key| format!("key ({}): {key}", BundleFiles::CA_KEY)));
        if self.metadata {
            lines.push("labels and annotations: those of another bundle, or none".to_owned());
        }
        if lines.is_empty() {
            lines.push("no difference".to_owned());
        }
        f.write_str(&lines.join("\n"))
    }
}
