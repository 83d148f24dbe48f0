//! The public half of a plugged-in CA: what verification and reports need, and never a key.

use time::OffsetDateTime;

use crate::proof::{prove_issuer, prove_path_length};
use crate::{BundleFiles, Certificate, Error, TrustBundle, pem};

/// A cluster CA, the tiers above it, and the trust bundle its chain ends in. The chain of
/// signatures is proved, nothing else: dates and constraints are looked at by
/// [`Hierarchy::verify`] and by the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hierarchy {
    pub(crate) cluster_ca: Certificate,
    pub(crate) tiers: Vec<Certificate>,
    pub(crate) root: Certificate,
    pub(crate) trust_bundle: TrustBundle,
}

impl Hierarchy {
    /// Orders what is given: finds the tiers among `chain`, which may be in any order and hold
    /// more than is needed.
    ///
    /// # Errors
    /// [`Error::NoPathToRoot`].
    pub fn new(
        cluster_ca: Certificate,
        chain: &[Certificate],
        trust_bundle: TrustBundle,
    ) -> Result<Self, Error> {
        let anchors = trust_bundle.certificates();
        match path_to_root(&cluster_ca, chain, anchors, Certificate::is_signed_by) {
            Ok((tiers, root)) => Ok(Self { cluster_ca, tiers, root, trust_bundle }),
            Err(end) => Err(Error::NoPathToRoot {
                subject: end.subject().to_string(),
                issuer: end.issuer().to_string(),
            }),
        }
    }

    /// Reads ca-cert.pem (its first block, as istiod), cert-chain.pem and root-cert.pem. Works
    /// without ca-key.pem, and never looks at it.
    ///
    /// # Errors
    /// [`Error::MissingFile`], [`Error::KeyInPublicFile`], [`Error::InFile`] with what is wrong,
    /// [`Error::NoPathToRoot`].
    pub fn from_files(files: &BundleFiles) -> Result<Self, Error> {
        let cluster_ca = read(files, BundleFiles::CA_CERT, Certificate::from_pem)?;
        // istiod takes an empty file for no chain, which is right where the cluster CA is a root.
        let chain = read(files, BundleFiles::CERT_CHAIN, |pem| match pem {
            [] => Ok(Vec::new()),
            _ => Certificate::all_from_pem(pem),
        })?;
        let trust_bundle = read(files, BundleFiles::ROOT_CERT, TrustBundle::from_pem)?;
        Self::new(cluster_ca, &chain, trust_bundle)
    }

    /// The intermediate istiod signs with.
    pub fn cluster_ca(&self) -> &Certificate {
        &self.cluster_ca
    }

    /// The CAs between the cluster CA and the root, nearest to the cluster CA first.
    pub fn tiers(&self) -> &[Certificate] {
        &self.tiers
    }

    /// The certificate of the trust bundle that the cluster CA chains to.
    pub fn root(&self) -> &Certificate {
        &self.root
    }

    /// Everything the mesh trusts.
    pub fn trust_bundle(&self) -> &TrustBundle {
        &self.trust_bundle
    }

    /// Whether the certificate is the cluster CA, a tier, or one of the trust bundle.
    pub fn contains(&self, certificate: &Certificate) -> bool {
        self.cluster_ca == *certificate
            || self.tiers.contains(certificate)
            || self.trust_bundle.contains(certificate)
    }

    /// Proves every CA above the cluster CA; `below` CAs follow under the lowest tier.
    pub(crate) fn prove_issuers(&self, below: u32, now: OffsetDateTime) -> Result<(), Error> {
        let above = self.tiers.iter().chain((self.root != self.cluster_ca).then_some(&self.root));
        for (needed, issuer) in (below.saturating_add(1)..).zip(above) {
            prove_issuer(issuer, None, now)?;
            prove_path_length(issuer, needed)?;
        }
        Ok(())
    }
}

fn read<T>(
    files: &BundleFiles,
    name: &'static str,
    parse: impl Fn(&[u8]) -> Result<T, Error>,
) -> Result<T, Error> {
    let bytes = files.get(name).ok_or(Error::MissingFile { name })?;
    if pem::mentions_private_key(bytes) {
        return Err(Error::KeyInPublicFile { name: name.to_owned() });
    }
    parse(bytes).map_err(|source| Error::InFile { name: name.to_owned(), source: Box::new(source) })
}

/// Whether the second certificate is the issuer of the first.
pub(crate) type SignedBy = fn(&Certificate, &Certificate) -> bool;

/// More signatures than this are not checked for one path. Go, as webpki, gives up after 100: what
/// needs more is no chain that anybody verifies, and a file of a Secret's size could ask for a million.
const MOST_CHECKS: usize = 1000;

/// Depth-first search upwards by name and signature, trying anchors before intermediates. Every
/// certificate is entered once, and no more than [`MOST_CHECKS`] signatures are checked, so that no
/// input makes it slow.
///
/// Returns the tiers, nearest first, and the anchor; or the certificate where the best try ended.
pub(crate) fn path_to_root(
    from: &Certificate,
    pool: &[Certificate],
    anchors: &[Certificate],
    is_signed_by: SignedBy,
) -> Result<(Vec<Certificate>, Certificate), Certificate> {
    let tried = pool.iter().map(|issuer| issuer == from).collect();
    Search { pool, anchors, is_signed_by, tried, checks: 0 }.climb(from)
}

struct Search<'a> {
    pool: &'a [Certificate],
    anchors: &'a [Certificate],
    is_signed_by: SignedBy,
    /// Which of the pool were entered, each repetition for itself.
    tried: Vec<bool>,
    checks: usize,
}

impl Search<'_> {
    fn climb(&mut self, at: &Certificate) -> Result<(Vec<Certificate>, Certificate), Certificate> {
        let (pool, anchors) = (self.pool, self.anchors);
        if anchors.contains(at) {
            return Ok((Vec::new(), at.clone()));
        }
        if let Some(anchor) = anchors.iter().find(|anchor| self.holds(at, anchor)) {
            return Ok((Vec::new(), anchor.clone()));
        }
        let mut end = at.clone();
        for (position, issuer) in pool.iter().enumerate() {
            if self.tried[position] || !self.holds(at, issuer) {
                continue;
            }
            self.tried[position] = true;
            match self.climb(issuer) {
                Ok((mut tiers, anchor)) => {
                    tiers.insert(0, issuer.clone());
                    return Ok((tiers, anchor));
                }
                Err(further) => end = further,
            }
        }
        Err(end)
    }

    /// Whether the second is the issuer of the first, as far as it is still looked at.
    fn holds(&mut self, child: &Certificate, issuer: &Certificate) -> bool {
        if child.issuer() != issuer.subject() || self.checks == MOST_CHECKS {
            return false;
        }
        self.checks += 1;
        (self.is_signed_by)(child, issuer)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use pretty_assertions::assert_eq;

    use super::*;

    /// CAs that all have one name, so that each may be the issuer of each.
    fn namesakes(count: usize) -> Vec<Certificate> {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let mut made = |serial: usize| {
            params.serial_number = Some(u64::try_from(serial).unwrap().into());
            Certificate::from_der(params.self_signed(&key).unwrap().der()).unwrap()
        };
        (1..=count).map(&mut made).collect()
    }

    #[test]
    fn a_search_among_many_namesakes_ends_soon() {
        static CHECKS: AtomicUsize = AtomicUsize::new(0);
        // The one that is made last has signed none but the last before it, and so on.
        let is_next: SignedBy = |child, issuer| {
            CHECKS.fetch_add(1, Ordering::Relaxed);
            let number = |it: &Certificate| usize::from_str_radix(&it.serial_hex(), 16).unwrap();
            number(issuer) + 1 == number(child)
        };
        let search = |count: usize| {
            CHECKS.store(0, Ordering::Relaxed);
            let mut all = namesakes(count + 2);
            let from = all.pop().unwrap();
            let root = all.remove(0);
            let found = path_to_root(&from, &all, &[root], is_next);
            (found.is_ok(), CHECKS.load(Ordering::Relaxed))
        };
        // Of 20 tiers, the one that is needed is tried last, each time behind the root.
        assert_eq!(search(20), (true, 20 + (1..=20).sum::<usize>() + 1));
        assert_eq!(search(200), (false, MOST_CHECKS));
    }
}
