//! The layout of cert-manager: `tls.crt`, `tls.key` and `ca.crt`, which istiod takes for the four
//! files (Istio pilot/pkg/bootstrap/istio_ca.go, `detectSigningCABundleAndCRL`).

use super::Finding;
use crate::BundleFiles;

pub(super) const TLS_CERT: &str = "tls.crt";
const TLS_KEY: &str = "tls.key";
const TLS_CA: &str = "ca.crt";

/// The four files that istiod reads in a set that has `tls.crt` and none of them; `None` for every
/// other set. Files of other names are kept.
pub(super) fn four_files(given: &BundleFiles) -> Option<BundleFiles> {
    let cert = given.get(TLS_CERT)?;
    if BundleFiles::NAMES.iter().any(|name| given.get(name).is_some()) {
        return None;
    }
    let mut files = BundleFiles::new();
    for name in given.names().filter(|name| ![TLS_CERT, TLS_KEY, TLS_CA].contains(name)) {
        files.insert(name, given.get(name).unwrap_or_default());
    }
    files.insert(BundleFiles::CA_CERT, cert);
    if let Some(key) = given.get(TLS_KEY) {
        files.insert(BundleFiles::CA_KEY, key);
    }
    let root = given.get(TLS_CA);
    // istiod puts them together as they are: without a newline at the end they are glued.
    files.insert(BundleFiles::CERT_CHAIN, [cert, root.unwrap_or_default()].concat());
    if let Some(root) = root {
        files.insert(BundleFiles::ROOT_CERT, root);
    }
    Some(files)
}

/// Names the file that was given.
pub(super) fn rename(finding: &mut Finding) {
    let given = match finding.file.as_deref() {
        Some(BundleFiles::CA_CERT) => TLS_CERT,
        Some(BundleFiles::CA_KEY) => TLS_KEY,
        Some(BundleFiles::CERT_CHAIN) => "tls.crt with ca.crt",
        Some(BundleFiles::ROOT_CERT) => TLS_CA,
        _ => return,
    };
    finding.file = Some(given.to_owned());
}
