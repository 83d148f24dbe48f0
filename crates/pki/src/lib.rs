//! X.509 for a mesh CA, and the rules that judge one.
//!
//! Bytes go in, certificates and reports come out. There is no file, clock, environment, process
//! or network here: `ca-dir` reads folders, `k8s-secret` reads Secrets, and the time is always an
//! argument.
//!
//! ```text
//! RootCa --issues--> ClusterCa --> Bundle --plugged in--> istiod --> served chain
//!                                                served chain --Hierarchy::verify--> VerifiedChain
//! BundleFiles --judge(&Context)--> Report --nothing refused--> Bundle
//! ```
//!
//! ```
//! use pki::{ClusterCaParams, KeyAlgorithm, Profile, RootCa, RootCaParams, SpiffeId, Validity};
//! use time::{Duration, macros::datetime};
//!
//! let now = datetime!(2026-11-24 12:00 UTC);
//! let root = RootCa::generate(&RootCaParams {
//!     profile: Profile::Hardened,
//!     common_name: "Root CA".into(),
//!     organization: "Example".into(),
//!     validity: Validity::new(now, now + Duration::days(3650))?,
//!     key: KeyAlgorithm::EcdsaP256,
//! })?;
//! let cluster_ca = root.issue_cluster_ca(&ClusterCaParams {
//!     profile: Profile::Hardened,
//!     common_name: "Intermediate CA".into(),
//!     organization: "Example".into(),
//!     cluster: "cluster1".into(),
//!     dns_name: "istiod.istio-system.svc".into(),
//!     validity: Validity::new(now, now + Duration::days(730))?,
//!     key: KeyAlgorithm::EcdsaP256,
//! })?;
//! let bundle = cluster_ca.bundle()?;
//!
//! // What a workload would serve, and what a verifier makes of it.
//! let id = SpiffeId::workload("cluster.local", "foo", "httpbin")?;
//! let leaf = pki::probe::workload_leaf(&bundle, &id, now)?;
//! let chain = bundle.hierarchy().verify(&leaf.served(), &id, now)?;
//! assert_eq!(chain.root(), root.certificate());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bundle;
mod certificate;
mod cluster;
mod crl;
mod error;
mod files;
mod fingerprint;
#[cfg(fuzzing)]
pub mod fuzzing;
mod hex;
mod hierarchy;
mod issuer;
mod judge;
mod key;
mod name;
mod params;
mod pem;
pub mod probe;
mod profile;
mod proof;
mod request;
mod signature;
mod spiffe;
mod tbs;
mod trust;
mod validity;
mod verify;

pub use bundle::Bundle;
pub use certificate::{Certificate, ExtendedKeyUsage, Extension, KeyUsage, KeyUsageBit};
pub use cluster::ClusterCa;
pub use crl::{Crl, CrlError, CrlNumber, CrlParams, CrlSet, Reason, Revocation, Serial};
pub use error::Error;
pub use files::BundleFiles;
pub use fingerprint::Fingerprint;
pub use hierarchy::Hierarchy;
pub use issuer::{IssuingCa, RootCa, TierCa};
pub use judge::{
    Context, Finding, IstioVersion, Judge, RULES, Refusal, Report, Rule, Severity, Verdict,
    Versions,
};
pub use key::{KeyAlgorithm, PrivateKey};
pub use name::DistinguishedName;
pub use params::{ClusterCaParams, RootCaParams, TierCaParams};
pub use profile::Profile;
pub use request::CaRequest;
pub use signature::SignatureFlaw;
pub use spiffe::SpiffeId;
pub use trust::TrustBundle;
pub use validity::Validity;
pub use verify::{VerifiedChain, VerifyError};
