//! The cluster CA: the intermediate that istiod signs workload certificates with.

use time::OffsetDateTime;

use crate::proof::prove_issuer;
use crate::{
    Bundle, BundleFiles, Certificate, Context, Error, Hierarchy, IstioVersion, PrivateKey, Refusal,
    TrustBundle,
};

/// An intermediate with its key and the way to its root. It certifies workloads, through istiod,
/// and has no method that signs a CA.
#[derive(Debug)]
pub struct ClusterCa {
    hierarchy: Hierarchy,
    key: PrivateKey,
    chain_ends_with_root: bool,
}

impl ClusterCa {
    pub(crate) fn of(hierarchy: Hierarchy, key: PrivateKey, chain_ends_with_root: bool) -> Self {
        Self { hierarchy, key, chain_ends_with_root }
    }

    /// Puts together what others made: PEM of the certificate (first block), its key, the chain
    /// (tiers in any order; the cluster CA and the root may be among them) and the trust bundle.
    /// Proves that it and every CA above may sign, is valid at `now` and leaves room, that the
    /// key is its own, and that the signatures lead to the trust bundle. The bundle made of it
    /// has the root in cert-chain.pem if `chain` has it.
    ///
    /// # Errors
    /// As [`crate::RootCa::from_pem`], and [`Error::NoPathToRoot`].
    pub fn from_pem(
        certificate: &[u8],
        key: &[u8],
        chain: &[u8],
        root: &[u8],
        now: OffsetDateTime,
    ) -> Result<Self, Error> {
        let certificate = Certificate::from_pem(certificate)?;
        let key = PrivateKey::from_pem(key)?;
        prove_issuer(&certificate, Some(&key), now)?;
        let chain = Certificate::all_from_pem(chain)?;
        let hierarchy = Hierarchy::new(certificate, &chain, TrustBundle::from_pem(root)?)?;
        hierarchy.prove_issuers(0, now)?;
        let chain_ends_with_root = chain.contains(hierarchy.root());
        Ok(Self { hierarchy, key, chain_ends_with_root })
    }

    /// The CA's certificate.
    pub fn certificate(&self) -> &Certificate {
        self.hierarchy.cluster_ca()
    }

    pub(crate) fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// The public half.
    pub fn hierarchy(&self) -> &Hierarchy {
        &self.hierarchy
    }

    /// Lays the CA out as the four files istiod reads, and has every rule judge them: a root or
    /// tier made by others can have what only the rules look for. They are judged for the first
    /// moment at which the whole chain is valid, and for the newest Istio. Consumes the CA, since
    /// the key goes along.
    ///
    /// # Errors
    /// [`Error::Refused`] with the report.
    pub fn bundle(self) -> Result<Bundle, Error> {
        let Self { hierarchy, key, chain_ends_with_root } = self;
        let root = hierarchy.root();
        let repeats_root = chain_ends_with_root && root != hierarchy.cluster_ca();
        let chain = [hierarchy.cluster_ca()].into_iter().chain(hierarchy.tiers());
        let starts = chain.clone().chain([root]).map(|ca| ca.validity().not_before());
        let mut files = BundleFiles::new();
        files.insert(BundleFiles::CA_CERT, hierarchy.cluster_ca().to_pem());
        files.insert(BundleFiles::CA_KEY, key.to_pem()?.as_bytes());
        files.insert(
            BundleFiles::CERT_CHAIN,
            chain
                .clone()
                .chain(repeats_root.then_some(root))
                .map(Certificate::to_pem)
                .collect::<String>(),
        );
        files.insert(BundleFiles::ROOT_CERT, hierarchy.trust_bundle().to_pem());
        let starts = starts.max().unwrap_or(OffsetDateTime::UNIX_EPOCH);
        // The mesh is not known here. Its trust domain matters only under a CA with constraints on
        // URIs, which none made here has: such a foreign CA is judged for Istio's default.
        let context = Context::new(starts, IstioVersion::NEWEST, "cluster.local");
        files.into_bundle(&context).map_err(|refusal| match refusal {
            Refusal::Refused(report) => Error::Refused(report),
            Refusal::NotJudged(error) => error,
        })
    }
}
