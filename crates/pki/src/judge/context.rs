//! What the rules must know besides the files.

use std::fmt;
use std::str::FromStr;

use time::{Duration, OffsetDateTime};

use crate::Error;

/// The mesh and the moment a bundle is judged for.
#[derive(Clone, Debug)]
pub struct Context {
    /// When it is to be used.
    pub now: OffsetDateTime,
    /// The Istio it is given to.
    pub istio: IstioVersion,
    /// The mesh's trust domain, for example `cluster.local`.
    pub trust_domain: String,
    /// Whether istiod runs with `ISTIO_MULTIROOT_MESH=true`.
    pub multi_root: bool,
    /// Whether ztunnel takes part.
    pub ambient: bool,
    /// The bytes of root-cert.pem that a running istiod has now and is to take the bundle from
    /// without a restart; `None` to judge for a start.
    pub current: Option<Vec<u8>>,
    /// A certificate that ends within this time is refused; zero for none.
    pub fail_within: Duration,
    /// A certificate that ends within this time is warned of; zero for none.
    pub warn_within: Duration,
    /// How long workload certificates live: `SECRET_TTL` of the agents, 24 hours unless changed.
    pub workload_lifetime: Duration,
}

impl Context {
    /// A start of istiod with one root allowed, without ztunnel and without limits on what ends
    /// soon; workload certificates live for 24 hours.
    pub fn new(now: OffsetDateTime, istio: IstioVersion, trust_domain: impl Into<String>) -> Self {
        Self {
            now,
            istio,
            trust_domain: trust_domain.into(),
            multi_root: false,
            ambient: false,
            current: None,
            fail_within: Duration::ZERO,
            warn_within: Duration::ZERO,
            workload_lifetime: Duration::DAY,
        }
    }
}

/// An Istio release. Compares by number; a suffix such as `-rc.0` is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IstioVersion {
    /// The 1 of 1.31.0.
    pub major: u32,
    /// The 31 of 1.31.0.
    pub minor: u32,
    /// The 0 of 1.31.0.
    pub patch: u32,
}

impl IstioVersion {
    /// Later than every release: for a bundle that is not yet meant for one.
    pub const NEWEST: Self = Self::new(u32::MAX, 0, 0);

    /// A release by its numbers.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }
}

impl fmt::Display for IstioVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for IstioVersion {
    type Err = Error;

    /// Reads `1.31`, `1.31.0` and `1.31.0-rc.0`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let refuse = || Error::IstioVersion { found: text.to_owned() };
        let release = text.split('-').next().unwrap_or(text);
        let numbers: Vec<u32> = release
            .split('.')
            .map(|number| number.parse().map_err(|_| refuse()))
            .collect::<Result<_, _>>()?;
        match numbers[..] {
            [major, minor] => Ok(Self::new(major, minor, 0)),
            [major, minor, patch] => Ok(Self::new(major, minor, patch)),
            _ => Err(refuse()),
        }
    }
}
