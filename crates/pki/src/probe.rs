//! The one place for certificates that no istiod issued: requests as an agent makes them,
//! workload certificates as istiod would issue them, and a foreign CA with the same names.
//!
//! Rules and harness use the same ones. Nothing here belongs into a mesh.

use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use crate::tbs::{Draft, Issuer, Role};
use crate::{
    Bundle, Certificate, DistinguishedName, Error, Hierarchy, KeyAlgorithm, PrivateKey, Profile,
    SpiffeId, TrustBundle, Validity,
};

/// Istio's server default `DEFAULT_WORKLOAD_CERT_TTL`.
const WORKLOAD_TTL: Duration = Duration::hours(24);
/// security/pkg/pki/util/generate_cert.go: `ClockSkewGracePeriod`.
const CLOCK_SKEW: Duration = Duration::minutes(2);
/// How long a foreign CA lives around `now`: it is made for one test.
const FOREIGN_LIFE: Duration = Duration::days(7);

/// A request for a workload certificate, with its key.
#[derive(Debug)]
pub struct WorkloadRequest {
    /// PKCS#10 as PEM, as `CreateCertificate` takes it.
    pub csr_pem: String,
    /// The key the certificate will be for.
    pub key: PrivateKey,
}

impl WorkloadRequest {
    /// A P-256 request that names the identity. istiod certifies the caller's identity, whatever
    /// the request names.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn generate(id: &SpiffeId) -> Result<Self, Error> {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        let uri = rcgen::string::Ia5String::try_from(id.as_str()).map_err(Error::Crypto)?;
        params.subject_alt_names = vec![rcgen::SanType::URI(uri)];
        let request = params.serialize_request(key.pair()).map_err(Error::Crypto)?;
        Ok(Self { csr_pem: crate::pem::encode("CERTIFICATE REQUEST", request.der())?, key })
    }
}

/// A workload certificate with its key and what istiod would send along.
#[derive(Debug)]
pub struct ProbeLeaf {
    /// The workload certificate.
    pub certificate: Certificate,
    /// Its key.
    pub key: PrivateKey,
    /// What a workload serves: the leaf, the certificates of cert-chain.pem, then the trust bundle.
    pub chain: Vec<Certificate>,
}

impl ProbeLeaf {
    /// The served chain as DER, leaf first.
    pub fn served(&self) -> Vec<Vec<u8>> {
        self.chain.iter().map(|certificate| certificate.der().to_vec()).collect()
    }

    /// The served chain as PEM, leaf first.
    pub fn chain_pem(&self) -> String {
        self.chain.iter().map(Certificate::to_pem).collect()
    }

    /// The key as PEM. Secret, for as long as the CA that signed the certificate is trusted.
    ///
    /// # Errors
    /// As [`PrivateKey::to_pem`].
    pub fn key_pem(&self) -> Result<Zeroizing<String>, Error> {
        self.key.to_pem()
    }
}

/// Issues a workload certificate from a bundle, shaped like istiod's
/// (security/pkg/pki/util/generate_cert.go): no subject, a critical URI, one day, ending no later
/// than the CA, P-256.
///
/// # Errors
/// [`Error::OutlivedIssuer`] if the CA ended before `now`, [`Error::Crypto`].
pub fn workload_leaf(
    bundle: &Bundle,
    id: &SpiffeId,
    now: OffsetDateTime,
) -> Result<ProbeLeaf, Error> {
    let chain = bundle
        .files()
        .get(crate::BundleFiles::CERT_CHAIN)
        .filter(|pem| !pem.is_empty())
        .map(Certificate::all_from_pem)
        .transpose()?
        .unwrap_or_default();
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    let (ca, ca_key) = (bundle.certificate(), bundle.expose_private_key());
    let certificate = leaf_under(ca, ca_key, &key, Role::Workload(id), now)?;
    let sent_along = chain.iter().chain(bundle.hierarchy().trust_bundle().certificates());
    let chain = std::iter::once(&certificate).chain(sent_along).cloned().collect();
    Ok(ProbeLeaf { certificate, key, chain })
}

/// The certificate of [`workload_leaf`], from the parts of something that is not a bundle yet, for a
/// workload's key or for istiod's own.
pub(crate) fn leaf_under(
    ca: &Certificate,
    ca_key: &PrivateKey,
    key: &PrivateKey,
    role: Role<'_>,
    now: OffsetDateTime,
) -> Result<Certificate, Error> {
    let issuer_end = ca.validity().not_after();
    let start = now - CLOCK_SKEW;
    if start > issuer_end {
        return Err(Error::OutlivedIssuer { start, issuer_end });
    }
    let draft = Draft {
        profile: Profile::Hardened,
        subject: &DistinguishedName::empty(),
        public_key: key.public_key_der(),
        validity: Validity::new(start, now.saturating_add(WORKLOAD_TTL))?.ending_by(issuer_end)?,
        role,
    };
    draft.signed_by(&Issuer { name: ca.subject(), key_id: ca.subject_key_id(), signer: ca_key })
}

/// A CA of a stranger that looks the same: the names of the cluster CA, of each tier and of the
/// root, other keys (P-256). What it signs must be refused by everything that trusts `like`.
///
/// # Errors
/// [`Error::Crypto`].
pub fn foreign_bundle(like: &Hierarchy, now: OffsetDateTime) -> Result<Bundle, Error> {
    let validity = Validity::new(now - FOREIGN_LIFE, now + FOREIGN_LIFE)?;
    let root_key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    let root_name = like.root().subject();
    let root = foreign_ca(root_name, &root_key, validity).signed_by(&Issuer {
        name: root_name,
        key_id: None,
        signer: &root_key,
    })?;
    let mut issuer = (root.clone(), root_key);
    let mut tiers = Vec::new();
    let names = like.tiers().iter().rev().chain([like.cluster_ca()]).map(Certificate::subject);
    for name in names.filter(|name| *name != root_name) {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
        let certificate = foreign_ca(name, &key, validity).signed_by(&Issuer {
            name: issuer.0.subject(),
            key_id: issuer.0.subject_key_id(),
            signer: &issuer.1,
        })?;
        tiers.push(certificate.clone());
        issuer = (certificate, key);
    }
    let (cluster_ca, key) = issuer;
    let hierarchy = Hierarchy::new(cluster_ca, &tiers, TrustBundle::new(vec![root])?)?;
    crate::ClusterCa::of(hierarchy, key, true).bundle()
}

fn foreign_ca<'a>(
    subject: &'a DistinguishedName,
    key: &'a PrivateKey,
    validity: Validity,
) -> Draft<'a> {
    Draft {
        profile: Profile::Hardened,
        subject,
        public_key: key.public_key_der(),
        validity,
        role: Role::Ca { path_len: None, dns_name: None },
    }
}
