//! The administrator's side: a root, and one cluster CA under it, in a folder of their own.
//!
//! It needs no cluster, so that it can go on while one comes up.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use pki::{Bundle, ClusterCaParams, KeyAlgorithm, Profile, RootCa, RootCaParams, Validity, probe};
use time::{Duration, OffsetDateTime};

use crate::view::Truth;

/// What Istio's Makefile takes for both certificates (`ROOTCA_DAYS`, `INTERMEDIATE_DAYS`).
const LIFE: Duration = Duration::days(3650);
/// Its names (`tools/certs/common.mk`).
const ORGANIZATION: &str = "Istio";
const ROOT_NAME: &str = "Root CA";
const INTERMEDIATE_NAME: &str = "Intermediate CA";
const ISTIOD_NAME: &str = "istiod.istio-system.svc";

/// What the administrator made. The root's key is on disk alone.
pub(crate) struct Administrator {
    pub(crate) bundle: Bundle,
    /// A second cluster CA under the same root: another key, the same layout.
    pub(crate) renewed: Bundle,
    pub(crate) truth: Truth,
    /// Somebody else's CA of the same names: what claims and sabotages take for a foreign one.
    pub(crate) stranger: Bundle,
    folder: PathBuf,
}

/// Makes a root and a cluster CA and writes both below `folder`, as the Makefile does.
///
/// # Errors
/// The folder cannot be written, or holds a CA already.
pub(crate) fn make(
    folder: &Path,
    cluster: &str,
    profile: Profile,
    now: OffsetDateTime,
) -> Result<Administrator> {
    let root = RootCa::generate(&RootCaParams {
        profile,
        common_name: ROOT_NAME.to_owned(),
        organization: ORGANIZATION.to_owned(),
        validity: Validity::new(now, now + LIFE)?,
        key: key_of(profile),
    })?;
    // Generating an RSA key takes a second: both at once.
    let (bundle, renewed) = std::thread::scope(|scope| {
        let renewed = scope.spawn(|| issue(&root, cluster, profile, now));
        let bundle = issue(&root, cluster, profile, now)?;
        let renewed = renewed.join().map_err(|_panic| anyhow!("issuing a cluster CA panicked"))?;
        anyhow::Ok((bundle, renewed?))
    })?;
    ca_dir::write_root(folder, &root)?;
    let cluster_folder = folder.join(cluster);
    ca_dir::write_bundle(&cluster_folder, &bundle)?;
    let truth = Truth::new(bundle.files(), cluster_folder)?;
    let stranger = probe::foreign_bundle(&truth.hierarchy, now)?;
    Ok(Administrator { bundle, renewed, truth, stranger, folder: folder.to_owned() })
}

fn issue(root: &RootCa, cluster: &str, profile: Profile, now: OffsetDateTime) -> Result<Bundle> {
    let ends = (now + LIFE).min(root.certificate().validity().not_after());
    let cluster_ca = root.issue_cluster_ca(&ClusterCaParams {
        profile,
        common_name: INTERMEDIATE_NAME.to_owned(),
        organization: ORGANIZATION.to_owned(),
        cluster: cluster.to_owned(),
        dns_name: ISTIOD_NAME.to_owned(),
        validity: Validity::new(now, ends)?,
        key: key_of(profile),
    })?;
    Ok(cluster_ca.bundle()?)
}

fn key_of(profile: Profile) -> KeyAlgorithm {
    match profile {
        Profile::Makefile => KeyAlgorithm::Rsa4096,
        Profile::Hardened => KeyAlgorithm::EcdsaP256,
    }
}

impl Administrator {
    /// Removes both keys from the disk; the certificates stay with the run's reports.
    ///
    /// # Errors
    /// A key cannot be removed.
    pub(crate) fn remove_keys(&self) -> Result<()> {
        for key in [self.folder.join(ca_dir::ROOT_KEY), self.truth.folder.join("ca-key.pem")] {
            std::fs::remove_file(&key)
                .with_context(|| format!("cannot remove the key {}", key.display()))?;
        }
        Ok(())
    }
}
