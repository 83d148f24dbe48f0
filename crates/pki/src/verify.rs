//! Judges what a workload serves: does this chain prove this identity, under this hierarchy, now?
//!
//! Path building, signatures, dates, name constraints and extended key usages below the root are
//! webpki's. What webpki 0.103 leaves out is checked here on the path it found: the root's own
//! dates, key usage and path length, the key usage of intermediates, key identifiers, and all that
//! makes a leaf a workload certificate (SPIFFE X509-SVID sections 2 to 5).

use std::cell::RefCell;
use std::time::Duration;

use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use time::OffsetDateTime;
use webpki::{
    EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, KeyUsage as Purpose,
    RequiredEkuNotFoundContext, VerifiedPath,
};

use crate::signature::ALGORITHMS;
use crate::{Certificate, Hierarchy, SpiffeId};

mod error;
mod leaf;
mod path;

pub use error::VerifyError;

/// A chain that was proved, split into its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedChain {
    leaf: Certificate,
    intermediates: Vec<Certificate>,
    root: Certificate,
    served: Vec<Certificate>,
    strangers: Vec<usize>,
}

impl VerifiedChain {
    /// The workload certificate.
    pub fn leaf(&self) -> &Certificate {
        &self.leaf
    }

    /// The CAs between leaf and root, the cluster CA first; all of them were served. Empty where
    /// the cluster CA itself is in the trust bundle.
    pub fn intermediates(&self) -> &[Certificate] {
        &self.intermediates
    }

    /// The certificate of the trust bundle in which the chain ends.
    pub fn root(&self) -> &Certificate {
        &self.root
    }

    /// Everything that was served, in its order.
    pub fn served(&self) -> &[Certificate] {
        &self.served
    }

    /// Positions in [`VerifiedChain::served`], from 0, of certificates that do not belong to the
    /// hierarchy. They proved nothing, and a plugged-in mesh serves none.
    pub fn strangers(&self) -> &[usize] {
        &self.strangers
    }
}

impl Hierarchy {
    /// Proves a served chain (DER, leaf first) for one identity at one time, from what was served
    /// and the trust bundle alone. The leaf must be signed by this hierarchy's cluster CA. The
    /// number of certificates served is never looked at: repeated and further roots are normal.
    ///
    /// # Errors
    /// [`VerifyError`]: the first thing that is wrong, with both sides.
    pub fn verify<D: AsRef<[u8]>>(
        &self,
        served: &[D],
        expected: &SpiffeId,
        now: OffsetDateTime,
    ) -> Result<VerifiedChain, VerifyError> {
        self.verify_parsed(parse(served)?, expected, now)
    }

    /// As [`Hierarchy::verify`], of what was parsed before.
    pub(crate) fn verify_parsed(
        &self,
        served: Vec<Certificate>,
        expected: &SpiffeId,
        now: OffsetDateTime,
    ) -> Result<VerifiedChain, VerifyError> {
        self.verify_leaf(served, now, |leaf| leaf::check_workload(leaf, expected))
    }

    /// Proves the chain that istiod serves, for one DNS name, as an agent or webhook call would.
    /// Otherwise as [`Hierarchy::verify`].
    ///
    /// # Errors
    /// [`VerifyError`]: the first thing that is wrong, with both sides.
    pub fn verify_server<D: AsRef<[u8]>>(
        &self,
        served: &[D],
        dns_name: &str,
        now: OffsetDateTime,
    ) -> Result<VerifiedChain, VerifyError> {
        self.verify_server_parsed(parse(served)?, dns_name, now)
    }

    /// As [`Hierarchy::verify_server`], of what was parsed before.
    pub(crate) fn verify_server_parsed(
        &self,
        served: Vec<Certificate>,
        dns_name: &str,
        now: OffsetDateTime,
    ) -> Result<VerifiedChain, VerifyError> {
        self.verify_leaf(served, now, |leaf| leaf::check_server(leaf, dns_name))
    }

    fn verify_leaf(
        &self,
        served: Vec<Certificate>,
        now: OffsetDateTime,
        check: impl Fn(&Certificate) -> Result<(), VerifyError>,
    ) -> Result<VerifiedChain, VerifyError> {
        let Some((leaf, above)) = served.split_first() else {
            return Err(VerifyError::NothingServed);
        };
        check(leaf)?;
        leaf::check_dates(leaf, now)?;
        let (intermediates, root) = self.path(leaf, above, now)?;
        let issuer = intermediates.first().unwrap_or(&root);
        if *issuer != self.cluster_ca {
            return Err(VerifyError::OtherIssuer {
                expected: error::named(&self.cluster_ca),
                found: error::named(issuer),
            });
        }
        let strangers =
            (1..served.len()).filter(|&position| !self.contains(&served[position])).collect();
        Ok(VerifiedChain { leaf: leaf.clone(), intermediates, root, strangers, served })
    }

    /// Finds a path on which webpki and the checks of this crate agree.
    fn path(
        &self,
        leaf: &Certificate,
        above: &[Certificate],
        now: OffsetDateTime,
    ) -> Result<(Vec<Certificate>, Certificate), VerifyError> {
        let der = |certificate: &'_ Certificate| CertificateDer::from(certificate.der().to_vec());
        let leaf_der = der(leaf);
        let pool: Vec<_> = above.iter().map(der).collect();
        let roots: Vec<_> = self.trust_bundle.certificates().iter().map(der).collect();
        let anchors = roots
            .iter()
            .zip(self.trust_bundle.certificates())
            .map(|(der, root)| {
                webpki::anchor_from_trusted_cert(der).map_err(|reason| VerifyError::Root {
                    root: error::named(root),
                    reason: error::webpki_words(&reason),
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let time = UnixTime::since_unix_epoch(Duration::from_secs(
            u64::try_from(now.unix_timestamp()).unwrap_or(0),
        ));
        let end_entity = EndEntityCert::try_from(&leaf_der)
            .map_err(|reason| error::from_webpki(&reason, leaf, self, now))?;

        let refusal = RefCell::new(None);
        let check = |path: &VerifiedPath<'_>| match self.check_path(leaf, above, path, now) {
            Ok(_) => Ok(()),
            Err(error) => {
                refusal.borrow_mut().get_or_insert(error);
                // Any error makes webpki look for another path.
                Err(webpki::Error::UnknownIssuer)
            }
        };
        let verified = end_entity.verify_for_usage(
            &ALGORITHMS,
            &anchors,
            &pool,
            time,
            ServerAndClient,
            None,
            Some(&check),
        );
        match verified {
            Ok(path) => self.check_path(leaf, above, &path, now),
            Err(reason) => {
                Err(refusal.take().unwrap_or_else(|| error::from_webpki(&reason, leaf, self, now)))
            }
        }
    }

    /// Turns webpki's path back into certificates and checks what webpki did not.
    fn check_path(
        &self,
        leaf: &Certificate,
        above: &[Certificate],
        path: &VerifiedPath<'_>,
        now: OffsetDateTime,
    ) -> Result<(Vec<Certificate>, Certificate), VerifyError> {
        let intermediates: Vec<Certificate> = path
            .intermediate_certificates()
            .filter_map(|used| above.iter().find(|served| served.der() == &*used.der()))
            .cloned()
            .collect();
        let mut refusal = None;
        for root in self.trust_bundle.certificates() {
            if !is_anchor(root, path.anchor()) {
                continue;
            }
            match path::check(leaf, &intermediates, root, now) {
                Ok(()) => return Ok((intermediates, root.clone())),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        Err(refusal.unwrap_or_else(|| error::unknown_issuer(leaf, self)))
    }
}

fn parse<D: AsRef<[u8]>>(served: &[D]) -> Result<Vec<Certificate>, VerifyError> {
    let parse = |(position, der): (usize, &D)| {
        Certificate::from_der(der.as_ref())
            .map_err(|source| VerifyError::Unreadable { position, source })
    };
    served.iter().enumerate().map(parse).collect()
}

/// A workload is server and client with one certificate, so that every certificate below the root
/// must be good for both, or for anything.
struct ServerAndClient;

impl ExtendedKeyUsageValidator for ServerAndClient {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        let named = purposes
            .map(|purpose| Ok(purpose?.to_decoded_oid()))
            .collect::<Result<Vec<_>, webpki::Error>>()?;
        let lacking = [
            (Purpose::server_auth(), Purpose::SERVER_AUTH_REPR),
            (Purpose::client_auth(), Purpose::CLIENT_AUTH_REPR),
        ]
        .into_iter()
        .find(|(_, oid)| !named.is_empty() && !named.iter().any(|named| named == oid));
        match lacking {
            Some((required, _)) => {
                Err(webpki::Error::RequiredEkuNotFoundContext(RequiredEkuNotFoundContext {
                    required,
                    present: named,
                }))
            }
            None => Ok(()),
        }
    }
}

/// webpki keeps a root's name and key only, so twins (the same CA issued twice) look alike to it.
fn is_anchor(root: &Certificate, anchor: &TrustAnchor<'_>) -> bool {
    let der = CertificateDer::from(root.der());
    webpki::anchor_from_trusted_cert(&der).is_ok_and(|of_root| of_root == *anchor)
}
