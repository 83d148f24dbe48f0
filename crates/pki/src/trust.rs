//! The trust bundle: the certificates a mesh takes as the end of a chain.

use crate::{Certificate, Error};

/// One or more CA certificates, in the order they were given; a repetition is kept, since Istio
/// compares the bytes of root-cert.pem. Prints back what it read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustBundle(Vec<Certificate>);

impl TrustBundle {
    /// Takes certificates as they are, in this order.
    ///
    /// # Errors
    /// [`Error::NotACa`] for a certificate that is no CA, [`Error::NoPem`] if there is none.
    pub fn new(certificates: Vec<Certificate>) -> Result<Self, Error> {
        if certificates.is_empty() {
            return Err(Error::NoPem { expected: crate::pem::CERTIFICATE });
        }
        match certificates.iter().find(|certificate| !certificate.is_ca()) {
            Some(other) => Err(Error::NotACa { subject: other.subject().to_string() }),
            None => Ok(Self(certificates)),
        }
    }

    /// Reads root-cert.pem: certificates only, text between them is allowed.
    ///
    /// # Errors
    /// As [`TrustBundle::new`] and [`Certificate::all_from_pem`].
    pub fn from_pem(data: &[u8]) -> Result<Self, Error> {
        Self::new(Certificate::all_from_pem(data)?)
    }

    /// The certificates as PEM, in their order.
    pub fn to_pem(&self) -> String {
        self.0.iter().map(Certificate::to_pem).collect()
    }

    /// The certificates, in their order.
    pub fn certificates(&self) -> &[Certificate] {
        &self.0
    }

    /// Whether the bundle has this certificate, compared by DER.
    pub fn contains(&self, certificate: &Certificate) -> bool {
        self.0.contains(certificate)
    }
}
