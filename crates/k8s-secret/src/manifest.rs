//! The Kubernetes object that carries the files, kept from being shown by accident.

use std::fmt;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use pki::BundleFiles;
use serde::{Serialize, Serializer};
use zeroize::Zeroize;

use crate::Redacted;

/// The Secret as an object. Serialises to what `kubectl apply -f` takes, private key included;
/// `Display` and `Debug` print the redacted text instead ([`Redacted`]). Wiped when dropped.
pub struct Manifest(Secret);

impl Manifest {
    pub(crate) fn new(secret: Secret) -> Self {
        Self(secret)
    }

    /// The object itself. Secret: its own `Debug` prints the bytes of the key.
    pub fn expose_secret(&self) -> &Secret {
        &self.0
    }

    #[cfg(feature = "client")]
    pub(crate) fn metadata_mut(
        &mut self,
    ) -> &mut k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
        &mut self.0.metadata
    }
}

impl Serialize for Manifest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Redacted(&self.0).fmt(f)
    }
}

impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Redacted(&self.0).fmt(f)
    }
}

impl Drop for Manifest {
    fn drop(&mut self) {
        for ByteString(bytes) in self.0.data.iter_mut().flat_map(|data| data.values_mut()) {
            bytes.zeroize();
        }
        for text in self.0.string_data.iter_mut().flat_map(|data| data.values_mut()) {
            text.zeroize();
        }
    }
}

/// Every key of the Secret as a file, whoever wrote it and whatever it is called. `stringData`,
/// which only manifests have, wins over `data`, as on the API server.
pub fn from_secret(secret: &Secret) -> BundleFiles {
    let mut files = BundleFiles::new();
    for (name, ByteString(bytes)) in secret.data.iter().flatten() {
        files.insert(name, bytes);
    }
    for (name, text) in secret.string_data.iter().flatten() {
        files.insert(name, text);
    }
    files
}
