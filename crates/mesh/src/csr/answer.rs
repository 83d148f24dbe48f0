//! istiod's answer to a certificate request: the leaf, what istiod appends to it, and the trust
//! bundle, told apart as the agent tells them apart.

use std::fmt;

use pki::{Certificate, TrustBundle};
use zeroize::Zeroizing;

use crate::Error;

/// A chain as istiod hands it to a workload.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedChain {
    leaf: Certificate,
    appended: Vec<Certificate>,
    roots: TrustBundle,
}

impl IssuedChain {
    /// Reads the elements of the answer. The last one is `root-cert.pem` as a whole; the ones
    /// before are the leaf and the certificates of `cert-chain.pem`, one each since Istio 1.26 and
    /// all in one before.
    ///
    /// # Errors
    /// [`Error::PrivateKeyServed`], [`Error::IssuedChain`], [`Error::IssuedCertificate`].
    pub(crate) fn from_elements(elements: &[Zeroizing<String>]) -> Result<Self, Error> {
        for (index, element) in elements.iter().enumerate() {
            if let Some(label) = private_key_label(element) {
                return Err(Error::PrivateKeyServed { position: index + 1, label });
            }
        }
        let [signed @ .., last] = elements else {
            return Err(Error::IssuedChain { reason: "it is empty".to_owned() });
        };
        let mut chain = Vec::new();
        for (index, element) in signed.iter().enumerate() {
            let position = index + 1;
            let certificates = Certificate::all_from_pem(element.as_bytes())
                .map_err(|e| Error::IssuedCertificate { position, source: Box::new(e) })?;
            chain.extend(certificates);
        }
        let position = elements.len();
        let roots = TrustBundle::from_pem(last.as_bytes())
            .map_err(|e| Error::IssuedCertificate { position, source: Box::new(e) })?;
        let mut chain = chain.into_iter();
        let leaf = chain.next().ok_or_else(|| Error::IssuedChain {
            reason: format!("no certificate comes before the trust bundle (element {position})"),
        })?;
        Ok(Self { leaf, appended: chain.collect(), roots })
    }

    /// The signed certificate.
    pub fn leaf(&self) -> &Certificate {
        &self.leaf
    }

    /// What istiod appends from `cert-chain.pem`, in its order.
    pub fn appended(&self) -> &[Certificate] {
        &self.appended
    }

    /// The last element: what the workload will trust.
    pub fn roots(&self) -> &TrustBundle {
        &self.roots
    }

    /// The chain that an agent hands to its proxy, which then serves it: all of the answer.
    pub fn as_agent_sends(&self) -> Vec<Certificate> {
        let before = std::iter::once(&self.leaf).chain(&self.appended);
        before.chain(self.roots.certificates()).cloned().collect()
    }
}

/// The label of a PEM block that is a private key, if the text has one.
fn private_key_label(pem: &str) -> Option<String> {
    pem.lines().find_map(|line| {
        let label = line.trim().strip_prefix("-----BEGIN ")?.strip_suffix("-----")?;
        label.contains("PRIVATE KEY").then(|| label.to_owned())
    })
}

impl fmt::Debug for IssuedChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prints = self.as_agent_sends();
        f.debug_list().entries(prints.iter().map(|c| c.fingerprint().to_string())).finish()
    }
}
