//! Bundles to write: made anew for every test, from a fixed time on.

use pki::{Bundle, ClusterCaParams, KeyAlgorithm, Profile, RootCa, RootCaParams, Validity};
use time::{Duration, OffsetDateTime, macros::datetime};

const NOW: OffsetDateTime = datetime!(2026-11-24 12:00 UTC);

type Result<T> = std::result::Result<T, pki::Error>;

/// A root under its own name.
pub(crate) fn root(common_name: &str) -> Result<RootCa> {
    RootCa::generate(&RootCaParams {
        profile: Profile::Hardened,
        common_name: common_name.to_owned(),
        organization: "Example".to_owned(),
        validity: Validity::new(NOW, NOW + Duration::days(3650))?,
        key: KeyAlgorithm::EcdsaP256,
    })
}

/// A new cluster CA under the root.
pub(crate) fn bundle(root: &RootCa, cluster: &str) -> Result<Bundle> {
    root.issue_cluster_ca(&ClusterCaParams {
        profile: Profile::Hardened,
        common_name: "Intermediate CA".to_owned(),
        organization: "Example".to_owned(),
        cluster: cluster.to_owned(),
        dns_name: "istiod.istio-system.svc".to_owned(),
        validity: Validity::new(NOW, NOW + Duration::days(730))?,
        key: KeyAlgorithm::EcdsaP256,
    })?
    .bundle()
}
