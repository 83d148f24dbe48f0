//! The folder of a CA, with the files and names of Istio's Makefile.
//!
//! ```text
//! DIR/root-cert.pem            0644   the root certificate
//! DIR/root-key.pem             0600   the root's key; belongs on an offline machine
//! DIR/root-ca.conf             0644   what the Makefile tells openssl about the root
//! DIR/root-cert.csr            0644   the root's own request, which the Makefile keeps
//! DIR/NAME/                    0700   one cluster's CA
//!     ca-cert.pem              0644   the cluster CA's certificate
//!     ca-key.pem               0600   its key: what istiod signs with
//!     cert-chain.pem           0644   the certificates between a workload's and the root
//!     root-cert.pem            0644   the trust bundle
//! DIR/NAME/                    0700   a tier's: clusters' folders and further tiers lie in it
//!     tier-key.pem             0600   its key
//!     tier-cert.pem            0644   its certificate, then those of the tiers above
//!     tier-root.pem            0644   the root certificate
//! ```
//!
//! This is the only code that writes a key to disk. A cluster's folder, and a tier's, appears whole
//! or not at all, a key is created with mode 0600 and is never overwritten, and nothing that exists is
//! replaced. Files are written in make's order, so that make finds nothing to do. Reading a folder
//! judges nothing: it gives [`pki::BundleFiles`], whatever lies there.
//!
//! ```
//! use pki::{BundleFiles, KeyAlgorithm, Profile, RootCa, RootCaParams, Validity};
//! use time::{Duration, macros::datetime};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let dir = tempfile::tempdir()?;
//! let now = datetime!(2026-11-24 12:00 UTC);
//! let root = RootCa::generate(&RootCaParams {
//!     profile: Profile::Hardened,
//!     common_name: "Root CA".to_owned(),
//!     organization: "Example".to_owned(),
//!     validity: Validity::new(now, now + Duration::days(3650))?,
//!     key: KeyAlgorithm::EcdsaP256,
//! })?;
//! ca_dir::write_root(dir.path(), &root)?;
//! let again = ca_dir::read_root(dir.path(), now)?;
//! assert_eq!(again.certificate(), root.certificate());
//! # Ok(())
//! # }
//! ```

mod conf;
mod error;
mod files;
mod folder;
mod lock;
mod parts;
mod replace;
mod root_set;
mod staged;
mod tier_set;

pub use conf::root_conf;
pub use error::Error;
pub use folder::{
    ROOT_CERT, ROOT_KEY, SECRET_LIMIT, complete_bundle, read_bundle, read_root, write_bundle,
    write_root,
};
pub use lock::Lock;
pub use parts::{write_files, write_key, write_public};
pub use replace::{replace_in_bundle, replace_public};
pub use root_set::{ROOT_CONF, ROOT_CSR, RootSet, make_would_reissue};
pub use staged::StagedBundle;
pub use tier_set::{TIER_CERT, TIER_KEY, TIER_ROOT, TierSet};
