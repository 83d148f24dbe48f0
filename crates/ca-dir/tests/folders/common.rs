//! What the tests have in common: a CA to write, and a look at what lies in a folder.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use pki::{Bundle, ClusterCaParams, KeyAlgorithm, Profile, RootCa, RootCaParams, Validity};
use time::{Duration, OffsetDateTime, macros::datetime};

pub(crate) const NOW: OffsetDateTime = datetime!(2026-11-24 12:00 UTC);

pub(crate) fn root() -> RootCa {
    RootCa::generate(&RootCaParams {
        profile: Profile::Hardened,
        common_name: "Root CA".to_owned(),
        organization: "Example".to_owned(),
        validity: Validity::new(NOW, NOW + Duration::days(3650)).unwrap(),
        key: KeyAlgorithm::EcdsaP256,
    })
    .unwrap()
}

pub(crate) fn bundle(root: &RootCa) -> Bundle {
    root.issue_cluster_ca(&ClusterCaParams {
        profile: Profile::Hardened,
        common_name: "Intermediate CA".to_owned(),
        organization: "Example".to_owned(),
        cluster: "cluster1".to_owned(),
        dns_name: "istiod.istio-system.svc".to_owned(),
        validity: Validity::new(NOW, NOW + Duration::days(365)).unwrap(),
        key: KeyAlgorithm::EcdsaP256,
    })
    .unwrap()
    .bundle()
    .unwrap()
}

pub(crate) fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

pub(crate) fn mode(path: impl AsRef<Path>) -> u32 {
    path.as_ref().metadata().unwrap().permissions().mode() & 0o777
}
