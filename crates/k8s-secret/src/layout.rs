//! Which keys of a Secret istiod reads.

use pki::BundleFiles;

/// The key that decides.
pub(crate) const TLS_CERT: &str = "tls.crt";
const TLS_KEY: &str = "tls.key";
const TLS_CA: &str = "ca.crt";

/// What istiod makes of a Secret's keys. A key `tls.crt`, be it empty, makes it read the layout of
/// cert-manager and nothing else (Istio, `pilot/pkg/bootstrap/istio_ca.go`,
/// `detectSigningCABundleAndCRL`).
pub(crate) struct Layout<'a> {
    pub(crate) cluster_ca: Option<&'a [u8]>,
    pub(crate) key: Option<&'a [u8]>,
    /// The pieces that istiod puts together.
    chain: [Option<&'a [u8]>; 2],
    pub(crate) root: Option<&'a [u8]>,
}

impl<'a> Layout<'a> {
    pub(crate) fn of(files: &'a BundleFiles) -> Self {
        if files.get(TLS_CERT).is_some() {
            Self {
                cluster_ca: files.get(TLS_CERT),
                key: files.get(TLS_KEY),
                chain: [files.get(TLS_CERT), files.get(TLS_CA)],
                root: files.get(TLS_CA),
            }
        } else {
            Self {
                cluster_ca: files.get(BundleFiles::CA_CERT),
                key: files.get(BundleFiles::CA_KEY),
                chain: [files.get(BundleFiles::CERT_CHAIN), None],
                root: files.get(BundleFiles::ROOT_CERT),
            }
        }
    }

    pub(crate) fn chain(&self) -> Option<Vec<u8>> {
        let pieces: Vec<_> = self.chain.iter().flatten().copied().collect();
        (!pieces.is_empty()).then(|| pieces.concat())
    }
}
