//! The Secret that a bundle is plugged in as.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use pki::{Bundle, BundleFiles, Fingerprint};

use crate::{Difference, Manifest, SecretRef};

/// The field manager of every write, and the value of the label
/// `app.kubernetes.io/managed-by`.
pub const FIELD_MANAGER: &str = "cacerts";

const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// The four files of a bundle, and where they go. `Debug` prints names and lengths only.
#[derive(Debug)]
pub struct CacertsSecret {
    at: SecretRef,
    files: BundleFiles,
    cluster_ca: Fingerprint,
    root: Fingerprint,
}

impl CacertsSecret {
    /// Annotation with the fingerprint of the cluster CA's certificate.
    pub const CLUSTER_CA_ANNOTATION: &'static str = "cacerts/cluster-ca";
    /// Annotation with the fingerprint of the root that the cluster CA chains to.
    pub const ROOT_ANNOTATION: &'static str = "cacerts/root";
    /// Both.
    pub const ANNOTATIONS: [&'static str; 2] = [Self::CLUSTER_CA_ANNOTATION, Self::ROOT_ANNOTATION];

    /// Takes the bundle's four files as they are, byte for byte.
    pub fn new(bundle: &Bundle, at: SecretRef) -> Self {
        let mut files = BundleFiles::new();
        for name in BundleFiles::NAMES {
            if let Some(bytes) = bundle.files().get(name) {
                files.insert(name, bytes);
            }
        }
        Self {
            at,
            files,
            cluster_ca: bundle.certificate().fingerprint(),
            root: bundle.hierarchy().root().fingerprint(),
        }
    }

    /// Where it goes.
    pub fn at(&self) -> &SecretRef {
        &self.at
    }

    /// The object to apply. It has no `type`: istiod reads none, the API server sets `Opaque`, and
    /// a Secret that has another type already would refuse the change.
    pub fn manifest(&self) -> Manifest {
        let data = self
            .files
            .names()
            .filter_map(|name| Some((name.to_owned(), ByteString(self.files.get(name)?.to_vec()))));
        Manifest::new(Secret {
            metadata: ObjectMeta {
                name: Some(SecretRef::NAME.to_owned()),
                namespace: Some(self.at.namespace().to_owned()),
                labels: Some(owned([(MANAGED_BY, FIELD_MANAGER.to_owned())])),
                annotations: Some(owned([
                    (Self::CLUSTER_CA_ANNOTATION, self.cluster_ca.to_string()),
                    (Self::ROOT_ANNOTATION, self.root.to_string()),
                ])),
                ..ObjectMeta::default()
            },
            data: Some(data.collect()),
            ..Secret::default()
        })
    }

    /// What applying this over `live` would change.
    pub fn difference(&self, live: &Secret) -> Difference {
        let mut difference = Difference::between(&crate::from_secret(live), &self.files);
        difference.metadata = !self.is_marked(&live.metadata);
        difference
    }

    /// Whether the label and the annotations of this bundle are all there.
    pub(crate) fn is_marked(&self, metadata: &ObjectMeta) -> bool {
        let has = |map: &Option<BTreeMap<String, String>>, key, value: &str| {
            map.as_ref().and_then(|map| map.get(key)).is_some_and(|found| found == value)
        };
        has(&metadata.labels, MANAGED_BY, FIELD_MANAGER)
            && has(&metadata.annotations, Self::CLUSTER_CA_ANNOTATION, &self.cluster_ca.to_string())
            && has(&metadata.annotations, Self::ROOT_ANNOTATION, &self.root.to_string())
    }
}

fn owned<const N: usize>(pairs: [(&str, String); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
