//! The administrator's side: a root, and one cluster CA under it, in a folder of their own.
//!
//! It needs no cluster, so that it can go on while one comes up.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, ensure};
use clap::Args;
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

/// What CA to make, as a person says it.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct CaArgs {
    /// The CA's profile: makefile (what Istio's Makefile makes) or hardened
    #[arg(long, default_value = "makefile", value_name = "PROFILE")]
    pub(crate) profile: Profile,
    /// The keys of root and cluster CA in the hardened profile: p256 (the default), p384, rsa2048,
    /// rsa3072 or rsa4096
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<KeyAlgorithm>,
}

impl CaArgs {
    /// The keys to make.
    ///
    /// # Errors
    /// The profile has no such keys.
    pub(crate) fn algorithm(self) -> Result<KeyAlgorithm> {
        match self.profile {
            Profile::Makefile => {
                ensure!(
                    self.key.is_none_or(|key| key == KeyAlgorithm::Rsa4096),
                    "the makefile profile is RSA 4096, as Istio's Makefile has it: --key is for \
                     --profile hardened"
                );
                Ok(KeyAlgorithm::Rsa4096)
            }
            Profile::Hardened => Ok(self.key.unwrap_or(KeyAlgorithm::EcdsaP256)),
        }
    }
}

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
/// The folder cannot be written or holds a CA already, or the profile has no such keys.
pub(crate) fn make(
    folder: &Path,
    cluster: &str,
    ca: CaArgs,
    now: OffsetDateTime,
) -> Result<Administrator> {
    let (profile, key) = (ca.profile, ca.algorithm()?);
    let root = RootCa::generate(&RootCaParams {
        profile,
        common_name: ROOT_NAME.to_owned(),
        organization: ORGANIZATION.to_owned(),
        validity: Validity::new(now, now + LIFE)?,
        key,
    })?;
    // Generating an RSA key takes a second: both at once.
    let (bundle, renewed) = std::thread::scope(|scope| {
        let issue = || issue(&root, cluster, profile, key, now);
        let renewed = scope.spawn(issue);
        let bundle = issue()?;
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

fn issue(
    root: &RootCa,
    cluster: &str,
    profile: Profile,
    key: KeyAlgorithm,
    now: OffsetDateTime,
) -> Result<Bundle> {
    let ends = (now + LIFE).min(root.certificate().validity().not_after());
    let cluster_ca = root.issue_cluster_ca(&ClusterCaParams {
        profile,
        common_name: INTERMEDIATE_NAME.to_owned(),
        organization: ORGANIZATION.to_owned(),
        cluster: cluster.to_owned(),
        dns_name: ISTIOD_NAME.to_owned(),
        validity: Validity::new(now, ends)?,
        key,
    })?;
    Ok(cluster_ca.bundle()?)
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

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn each_profile_has_its_keys() {
        let algorithm = |profile, key| CaArgs { profile, key }.algorithm();
        let (makefile, hardened) = (Profile::Makefile, Profile::Hardened);
        let [p256, p384, .., rsa4096] = KeyAlgorithm::ALL;
        assert_eq!(algorithm(makefile, None).unwrap(), rsa4096);
        assert_eq!(algorithm(makefile, Some(rsa4096)).unwrap(), rsa4096);
        assert_eq!(algorithm(hardened, None).unwrap(), p256);
        assert_eq!(algorithm(hardened, Some(p384)).unwrap(), p384);
        assert_eq!(
            algorithm(makefile, Some(p256)).unwrap_err().to_string(),
            "the makefile profile is RSA 4096, as Istio's Makefile has it: --key is for --profile \
             hardened"
        );
    }
}
