//! What an administrator decides about a new CA. Nothing has a default: a CA lives for years.

use crate::{DistinguishedName, Error, KeyAlgorithm, Profile, Validity};

/// A new root.
#[derive(Clone, Debug)]
pub struct RootCaParams {
    /// What goes into the certificate.
    pub profile: Profile,
    /// CN of the subject; the Makefile's is `Root CA`.
    pub common_name: String,
    /// O of the subject; the Makefile's is `Istio`.
    pub organization: String,
    /// When the certificate is valid; the Makefile's lives 3650 days.
    pub validity: Validity,
    /// The kind of key; the Makefile's is RSA 4096.
    pub key: KeyAlgorithm,
}

/// A new CA between the root and the cluster CAs. Istio's Makefile has none.
#[derive(Clone, Debug)]
pub struct TierCaParams {
    /// What goes into the certificate.
    pub profile: Profile,
    /// CN of the subject; must differ from every CA above.
    pub common_name: String,
    /// O of the subject.
    pub organization: String,
    /// How many CAs may follow below; 1 for a tier that issues cluster CAs. At least 1.
    pub path_len: u32,
    /// When the certificate is valid.
    pub validity: Validity,
    /// The kind of key.
    pub key: KeyAlgorithm,
}

/// A new cluster CA: the intermediate with which one cluster's istiod signs.
#[derive(Clone, Debug)]
pub struct ClusterCaParams {
    /// What goes into the certificate, and whether cert-chain.pem ends with the root.
    pub profile: Profile,
    /// CN of the subject; the Makefile's is `Intermediate CA`.
    pub common_name: String,
    /// O of the subject; the Makefile's is `Istio`.
    pub organization: String,
    /// L of the subject: the cluster's name, so that each cluster's CA has a name of its own.
    pub cluster: String,
    /// The one DNS name among the subject's alternative names; the Makefile's is
    /// `istiod.istio-system.svc`.
    pub dns_name: String,
    /// When the certificate is valid; the Makefile's lives 3650 days.
    pub validity: Validity,
    /// The kind of key; for a request, the kind its key must be.
    pub key: KeyAlgorithm,
}

impl ClusterCaParams {
    /// The name to be certified.
    ///
    /// # Errors
    /// [`Error::NameLength`]; [`Error::DnsName`] for the name beside it.
    pub fn subject(&self) -> Result<DistinguishedName, Error> {
        check_dns_name(&self.dns_name)?;
        DistinguishedName::cluster(&self.organization, &self.common_name, &self.cluster)
    }
}

/// RFC 1123 section 2.1: labels of letters, digits and hyphens.
fn check_dns_name(name: &str) -> Result<(), Error> {
    let label_ok = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if name.len() <= 253 && name.split('.').all(label_ok) {
        return Ok(());
    }
    Err(Error::DnsName { found: name.to_owned() })
}
