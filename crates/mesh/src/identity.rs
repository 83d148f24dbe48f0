//! The certificate and key that a client of the caller's making presents.

use std::fmt;
use std::sync::Arc;

use pki::{Certificate, PrivateKey};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use crate::{Error, tls};

/// A client certificate with its chain and key, ready for TLS.
#[derive(Clone)]
pub struct ClientIdentity(Arc<CertifiedKey>);

impl ClientIdentity {
    /// `chain` starts with the client's own certificate; `key` must belong to it.
    ///
    /// # Errors
    /// [`Error::Identity`] when the chain is empty, the key is of no kind TLS knows, or the two do
    /// not belong together.
    pub fn new(chain: &[Certificate], key: &PrivateKey) -> Result<Self, Error> {
        let refused = |reason: String| Error::Identity { reason };
        if chain.is_empty() {
            return Err(refused("the chain has no certificate".to_owned()));
        }
        let key = PrivatePkcs8KeyDer::from(key.to_pkcs8_der().to_vec());
        let chain = chain.iter().map(|c| CertificateDer::from(c.der().to_vec())).collect();
        CertifiedKey::from_der(chain, key.into(), &tls::provider())
            .map(|certified| Self(Arc::new(certified)))
            .map_err(|e| refused(e.to_string()))
    }

    pub(crate) fn certified_key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0)
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientIdentity({} certificates, key elided)", self.0.cert.len())
    }
}
