//! The CAs that sign CAs: the root, and the tiers between it and the cluster CAs.

use time::OffsetDateTime;

use crate::proof::{prove_issuer, prove_path_length};
use crate::tbs::{Draft, Issuer, Role};
use crate::{
    CaRequest, Certificate, ClusterCa, ClusterCaParams, DistinguishedName, Error, Hierarchy,
    PrivateKey, RootCaParams, TierCaParams, TrustBundle,
};

mod authority;

use authority::Authority;

/// A self-signed CA at the top. Signs cluster CAs and tiers.
#[derive(Debug)]
pub struct RootCa(Authority);

/// A CA between the root and the cluster CAs. Signs cluster CAs and further tiers.
#[derive(Debug)]
pub struct TierCa(Authority);

/// Either of the two, for who issues from whichever is there.
#[derive(Debug)]
pub enum IssuingCa {
    /// At the top.
    Root(RootCa),
    /// Below it.
    Tier(TierCa),
}

impl RootCa {
    /// Makes a key and a self-signed certificate for it, without a path length limit.
    ///
    /// # Errors
    /// [`Error::NameLength`], [`Error::TimeRange`], [`Error::Crypto`].
    pub fn generate(params: &RootCaParams) -> Result<Self, Error> {
        Self::self_sign(PrivateKey::generate(params.key)?, params)
    }

    /// Makes a self-signed certificate for a key that is there, whatever its kind: `params.key` is
    /// not looked at.
    ///
    /// # Errors
    /// As [`RootCa::generate`].
    pub fn self_sign(key: PrivateKey, params: &RootCaParams) -> Result<Self, Error> {
        let subject = DistinguishedName::authority(&params.organization, &params.common_name)?;
        let draft = Draft {
            profile: params.profile,
            subject: &subject,
            public_key: key.public_key_der(),
            validity: params.validity,
            role: Role::Ca { path_len: None, dns_name: None },
        };
        // RFC 5280 section 4.2.1.1 lets a self-signed certificate go without an AKI.
        let certificate =
            draft.signed_by(&Issuer { name: &subject, key_id: None, signer: &key })?;
        Self::of(certificate, key)
    }

    fn of(certificate: Certificate, key: PrivateKey) -> Result<Self, Error> {
        let trust_bundle = TrustBundle::new(vec![certificate.clone()])?;
        Ok(Self(Authority { certificate, key, above: Vec::new(), trust_bundle }))
    }

    /// Loads a root made by anyone. The first PEM block of each counts. Proves that it is a CA,
    /// may sign certificates, is self-signed, is valid at `now`, leaves room for a cluster CA,
    /// and that the key is its own.
    ///
    /// # Errors
    /// The proof that failed: [`Error::NotACa`], [`Error::NoKeyCertSign`], [`Error::Signature`],
    /// [`Error::NotValidAt`], [`Error::PathLength`], [`Error::KeyMismatch`]; or what
    /// [`Certificate::from_pem`] and [`PrivateKey::from_pem`] say.
    pub fn from_pem(certificate: &[u8], key: &[u8], now: OffsetDateTime) -> Result<Self, Error> {
        Self::with_key(Certificate::from_pem(certificate)?, PrivateKey::from_pem(key)?, now)
    }

    /// As [`RootCa::from_pem`], with a key that was read, or opened, before.
    ///
    /// # Errors
    /// The proof that failed.
    pub fn with_key(
        certificate: Certificate,
        key: PrivateKey,
        now: OffsetDateTime,
    ) -> Result<Self, Error> {
        prove_issuer(&certificate, Some(&key), now)?;
        if let Err(flaw) = certificate.check_signature(&certificate) {
            let subject = certificate.subject().to_string();
            return Err(Error::Signature { issuer: subject.clone(), subject, flaw });
        }
        if !certificate.is_self_issued() {
            return Err(Error::NoPathToRoot {
                subject: certificate.subject().to_string(),
                issuer: certificate.issuer().to_string(),
            });
        }
        prove_path_length(&certificate, 1)?;
        Self::of(certificate, key)
    }

    /// The request that Istio's Makefile keeps beside its root and makes it from: the root's own
    /// subject, key and extensions. A root is not needed to be asked for; make looks for the file.
    ///
    /// # Errors
    /// [`Error::Der`], [`Error::Crypto`].
    pub fn request(&self) -> Result<CaRequest, Error> {
        CaRequest::repeating(&self.0.certificate, &self.0.key)
    }

    fn authority(&self) -> &Authority {
        &self.0
    }
}

impl TierCa {
    /// Loads a tier made by anyone. `chain` holds the tiers above (PEM, any order, may hold
    /// certificates that are not needed), `root` the trust bundle. Proves of it and of every CA
    /// above what [`RootCa::from_pem`] proves of a root.
    ///
    /// # Errors
    /// As [`RootCa::from_pem`], and [`Error::NoPathToRoot`].
    pub fn from_pem(
        certificate: &[u8],
        key: &[u8],
        chain: &[u8],
        root: &[u8],
        now: OffsetDateTime,
    ) -> Result<Self, Error> {
        let certificate = Certificate::from_pem(certificate)?;
        let key = PrivateKey::from_pem(key)?;
        let chain = Certificate::all_from_pem(chain)?;
        Self::with_key(certificate, key, &chain, TrustBundle::from_pem(root)?, now)
    }

    /// As [`TierCa::from_pem`], with a key that was read, or opened, before.
    ///
    /// # Errors
    /// The proof that failed.
    pub fn with_key(
        certificate: Certificate,
        key: PrivateKey,
        chain: &[Certificate],
        trust_bundle: TrustBundle,
        now: OffsetDateTime,
    ) -> Result<Self, Error> {
        prove_issuer(&certificate, Some(&key), now)?;
        prove_path_length(&certificate, 1)?;
        let hierarchy = Hierarchy::new(certificate, chain, trust_bundle)?;
        hierarchy.prove_issuers(1, now)?;
        let Hierarchy { cluster_ca: certificate, tiers: above, trust_bundle, .. } = hierarchy;
        Ok(Self(Authority { certificate, key, above, trust_bundle }))
    }

    fn authority(&self) -> &Authority {
        &self.0
    }
}

impl IssuingCa {
    fn authority(&self) -> &Authority {
        match self {
            Self::Root(root) => root.authority(),
            Self::Tier(tier) => tier.authority(),
        }
    }
}

macro_rules! signs_cas {
    ($ca:ident) => {
        impl $ca {
            /// The CA's own certificate.
            pub fn certificate(&self) -> &Certificate {
                &self.authority().certificate
            }

            /// The trust bundle in which chains under this CA end.
            pub fn trust_bundle(&self) -> &TrustBundle {
                &self.authority().trust_bundle
            }

            /// The tiers above this CA, nearest first, without the root.
            pub fn tiers_above(&self) -> &[Certificate] {
                &self.authority().above
            }

            /// The CA's private key. Secret: for writing it to where the administrator keeps it.
            pub fn expose_private_key(&self) -> &PrivateKey {
                &self.authority().key
            }

            /// Makes a key and certifies it as a cluster CA (path length 0).
            ///
            /// With the hardened profile the certificate ends no later than its issuer. With the
            /// makefile profile the wanted end is kept, since the Makefile never looks at the
            /// root's; `issuer-ends-first` then advises.
            ///
            /// # Errors
            /// [`Error::NameLength`], [`Error::SameName`], [`Error::DnsName`],
            /// [`Error::OutlivedIssuer`], [`Error::PathLength`], [`Error::TimeRange`],
            /// [`Error::Crypto`].
            pub fn issue_cluster_ca(&self, params: &ClusterCaParams) -> Result<ClusterCa, Error> {
                self.authority().issue_cluster_ca(PrivateKey::generate(params.key)?, params)
            }

            /// Certifies a key that is there as a cluster CA, whatever its kind: `params.key` is
            /// not looked at.
            ///
            /// # Errors
            /// As `issue_cluster_ca`.
            pub fn issue_cluster_ca_for(
                &self,
                key: PrivateKey,
                params: &ClusterCaParams,
            ) -> Result<ClusterCa, Error> {
                self.authority().issue_cluster_ca(key, params)
            }

            /// Certifies the key of a request as a cluster CA. The key stays where it was made;
            /// everything but the public key comes from `params`, never from the request.
            ///
            /// # Errors
            /// [`Error::RequestKey`] if the request's key is not of the kind in `params`, else as
            /// `issue_cluster_ca`.
            pub fn certify(
                &self,
                request: &CaRequest,
                params: &ClusterCaParams,
            ) -> Result<Certificate, Error> {
                self.authority().certify_request(request, params)
            }

            /// Makes a key and certifies it as a tier below this CA.
            ///
            /// # Errors
            /// As `issue_cluster_ca`; [`Error::PathLength`] also for a tier that could issue no
            /// cluster CA.
            pub fn issue_tier_ca(&self, params: &TierCaParams) -> Result<TierCa, Error> {
                self.issue_tier_ca_for(PrivateKey::generate(params.key)?, params)
            }

            /// Certifies a key that is there as a tier, whatever its kind: `params.key` is not
            /// looked at.
            ///
            /// # Errors
            /// As `issue_tier_ca`.
            pub fn issue_tier_ca_for(
                &self,
                key: PrivateKey,
                params: &TierCaParams,
            ) -> Result<TierCa, Error> {
                self.authority().issue_tier_ca(key, params).map(TierCa)
            }
        }
    };
}

signs_cas!(RootCa);
signs_cas!(TierCa);
signs_cas!(IssuingCa);
