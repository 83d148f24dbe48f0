//! A certificate chain as a server sent it in a TLS handshake: bytes in order, nothing dropped.

use std::fmt;

use pki::Certificate;
use rustls_pki_types::CertificateDer;

use crate::Error;

/// The certificates of a TLS `Certificate` message, leaf first, each as DER.
#[derive(Clone, PartialEq, Eq)]
pub struct ServedChain(Vec<CertificateDer<'static>>);

impl ServedChain {
    pub(crate) fn new(ders: Vec<CertificateDer<'static>>) -> Self {
        Self(ders)
    }

    pub(crate) fn empty() -> Self {
        Self(Vec::new())
    }

    /// The DER of each certificate, leaf first: what `pki::Hierarchy::verify` takes.
    pub fn ders(&self) -> &[CertificateDer<'static>] {
        &self.0
    }

    /// The certificates, parsed.
    ///
    /// # Errors
    /// [`Error::ServedCertificate`] with the position of the first one that is not an X.509
    /// certificate.
    pub fn certificates(&self) -> Result<Vec<Certificate>, Error> {
        let parse = |(index, der): (usize, &CertificateDer<'static>)| {
            Certificate::from_der(der)
                .map_err(|e| Error::ServedCertificate { position: index + 1, source: Box::new(e) })
        };
        self.0.iter().enumerate().map(parse).collect()
    }
}

impl fmt::Debug for ServedChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.certificates() {
            Ok(certificates) => f
                .debug_list()
                .entries(certificates.iter().map(|c| c.fingerprint().to_string()))
                .finish(),
            Err(error) => write!(f, "ServedChain({} certificates, {error})", self.0.len()),
        }
    }
}
