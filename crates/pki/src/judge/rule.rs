//! A rule: what it says, and to whom it matters.

use std::fmt;

use super::inspection::Inspection;
use super::{Finding, IstioVersion};

/// One of those who read a bundle or what istiod makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Judge {
    /// istiod when it starts, both stages: loading the CA, and its own serving certificate.
    IstiodStart,
    /// istiod when the files change under it: far laxer, and it reports success.
    IstiodReload,
    /// pilot-agent and the API server's webhook calls: Go, talking TLS to istiod.
    Agent,
    /// Envoy to Envoy: BoringSSL on a SPIFFE leaf.
    Envoy,
    /// ztunnel, judged by rustls-webpki.
    Ztunnel,
    /// Ordinary TLS clients, judged by OpenSSL.
    TlsClient,
}

impl Judge {
    /// All of them, in the order in which a bundle meets them.
    pub const ALL: [Self; 6] = [
        Self::IstiodStart,
        Self::IstiodReload,
        Self::Agent,
        Self::Envoy,
        Self::Ztunnel,
        Self::TlsClient,
    ];
    /// Without any of these four there is no mesh: what one of them refuses is never good.
    pub const MESH: [Self; 4] = [Self::IstiodStart, Self::IstiodReload, Self::Agent, Self::Envoy];
}

impl fmt::Display for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IstiodStart => "istiod at start",
            Self::IstiodReload => "istiod on reload",
            Self::Agent => "pilot-agent and the webhooks",
            Self::Envoy => "Envoy",
            Self::Ztunnel => "ztunnel",
            Self::TlsClient => "other TLS clients",
        })
    }
}

/// How much a finding weighs; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The bundle must not be used.
    Refuse,
    /// It works, and will surprise someone.
    Warn,
    /// It works; there is a better way.
    Advice,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Refuse => "refuse",
            Self::Warn => "warn",
            Self::Advice => "advice",
        })
    }
}

/// The Istio releases a rule holds for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// The first release, if not all.
    pub since: Option<IstioVersion>,
    /// The first release that is no longer among them, if there is one.
    pub before: Option<IstioVersion>,
}

impl Versions {
    /// Every release.
    pub const ALL: Self = Self { since: None, before: None };

    /// This release and all later ones.
    pub const fn since(major: u32, minor: u32) -> Self {
        Self { since: Some(IstioVersion::new(major, minor, 0)), ..Self::ALL }
    }

    /// Every release before this one.
    pub const fn before(major: u32, minor: u32) -> Self {
        Self { before: Some(IstioVersion::new(major, minor, 0)), ..Self::ALL }
    }

    /// Whether the release is among them.
    pub fn contain(&self, version: IstioVersion) -> bool {
        self.since.is_none_or(|first| first <= version)
            && self.before.is_none_or(|end| version < end)
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.since, self.before) {
            (Some(first), None) => write!(f, "since {first}"),
            (None, Some(end)) => write!(f, "before {end}"),
            (Some(first), Some(end)) => write!(f, "since {first}, before {end}"),
            (None, None) => f.write_str("all"),
        }
    }
}

/// The evidence of a rule about a release that cannot be run any more.
pub(super) const SOURCE_ONLY: &str = "source: read, not run";

/// A rule as data. Ids are stable: documents, JSON and tests name them.
pub struct Rule {
    /// Words with hyphens, never changed.
    pub id: &'static str,
    /// What a finding of it means.
    pub severity: Severity,
    /// Who refuses a bundle that breaks it; a finding may name fewer. Empty where nobody refuses
    /// and the harm comes otherwise.
    pub judges: &'static [Judge],
    /// The Istio releases it holds for.
    pub versions: Versions,
    /// What is wrong, in a sentence.
    pub what: &'static str,
    /// What happens to the mesh.
    pub why: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// Where the behaviour is decided: a file of Istio, or a standard.
    pub source: &'static str,
    /// How it was seen.
    pub evidence: &'static str,
    /// What istiod ends or logs with, in its words, as far as they are the same for every bundle;
    /// empty where it says nothing.
    pub istiod: &'static [&'static str],
    pub(super) check: fn(&Inspection<'_>) -> Vec<Flaw>,
}

/// What a rule's function finds; the rule itself makes a [`Finding`] of it.
pub(super) struct Flaw {
    pub(super) file: Option<String>,
    pub(super) block: Option<usize>,
    pub(super) found: String,
    pub(super) expected: String,
    /// `None` for the judges of the rule.
    pub(super) judges: Option<Vec<Judge>>,
}

impl Flaw {
    pub(super) fn new(found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            file: None,
            block: None,
            found: found.into(),
            expected: expected.into(),
            judges: None,
        }
    }

    pub(super) fn file(mut self, name: impl Into<String>) -> Self {
        self.file = Some(name.into());
        self
    }

    pub(super) fn block(mut self, position: usize) -> Self {
        self.block = Some(position);
        self
    }

    pub(super) fn judges(mut self, judges: &[Judge]) -> Self {
        self.judges = Some(judges.to_vec());
        self
    }
}

impl Rule {
    pub(super) fn apply(&'static self, inspection: &Inspection<'_>) -> Vec<Finding> {
        (self.check)(inspection)
            .into_iter()
            .map(|flaw| Finding {
                rule: self,
                file: flaw.file,
                block: flaw.block,
                found: flaw.found,
                expected: flaw.expected,
                judges: flaw.judges.unwrap_or_else(|| self.judges.to_vec()),
            })
            .collect()
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}
