//! A bundle istiod can be given: a hierarchy, its key, and the four files.

use crate::{BundleFiles, Certificate, Hierarchy, PrivateKey};

/// What a cluster CA is plugged in as. Exists only where the rules refused nothing.
#[derive(Debug)]
pub struct Bundle {
    hierarchy: Hierarchy,
    key: PrivateKey,
    files: BundleFiles,
}

impl Bundle {
    pub(crate) fn of(hierarchy: Hierarchy, key: PrivateKey, files: BundleFiles) -> Self {
        Self { hierarchy, key, files }
    }

    /// The public half.
    pub fn hierarchy(&self) -> &Hierarchy {
        &self.hierarchy
    }

    /// Certificate of the cluster CA.
    pub fn certificate(&self) -> &Certificate {
        self.hierarchy.cluster_ca()
    }

    /// The four files, byte for byte as they were given or made: istiod drops an update whose
    /// root-cert.pem differs by a newline. ca-key.pem among them is secret.
    pub fn files(&self) -> &BundleFiles {
        &self.files
    }

    /// As [`Bundle::files`], giving the bundle up.
    pub fn into_files(self) -> BundleFiles {
        self.files
    }

    /// The private key of the cluster CA. Secret.
    pub fn expose_private_key(&self) -> &PrivateKey {
        &self.key
    }
}
