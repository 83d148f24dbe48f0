//! Why a served chain proves nothing, always with what was expected and what was found.

use time::OffsetDateTime;

use crate::validity::rfc3339;
use crate::{Certificate, Error, Hierarchy, SpiffeId, Validity};

/// The first thing that is wrong with a served chain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// No certificate at all.
    #[error("no certificate was served, expected a workload certificate and its chain")]
    NothingServed,
    /// Bytes that are no certificate.
    #[error("certificate {} of the served chain cannot be read", .position + 1)]
    Unreadable {
        /// Position in the served chain, from 0.
        position: usize,
        /// What the parser says.
        #[source]
        source: Error,
    },
    /// The first certificate is a CA's.
    #[error("the first certificate served is the CA `{subject}`, expected a leaf")]
    LeafIsCa {
        /// Its subject.
        subject: String,
    },
    /// Another identity, none, or several.
    #[error("the workload certificate names [{}], expected exactly `{expected}`", .found.join(", "))]
    Identity {
        /// The identity asked for.
        expected: SpiffeId,
        /// Every URI among the subject alternative names.
        found: Vec<String>,
    },
    /// A server certificate for other names.
    #[error("the server certificate is for [{}], expected `{expected}`", .found.join(", "))]
    ServerName {
        /// The name asked for.
        expected: String,
        /// Every DNS name among the subject alternative names.
        found: Vec<String>,
    },
    /// RFC 5280 section 4.2.1.6.
    #[error(
        "the workload certificate has no subject and its alternative name is not critical, \
         expected a critical one"
    )]
    SanNotCritical,
    /// SPIFFE X509-SVID section 4.3.
    #[error(
        "the served leaf has {found}, expected digitalSignature and neither keyCertSign nor cRLSign"
    )]
    LeafKeyUsage {
        /// The usages it has.
        found: String,
    },
    /// SPIFFE X509-SVID section 4.4.
    #[error("the served leaf is for [{found}], expected serverAuth and clientAuth")]
    LeafExtendedKeyUsage {
        /// The purposes it has.
        found: String,
    },
    /// A certificate of the path outside its validity.
    #[error("{certificate} is valid {validity}, not at {}", rfc3339(*.now))]
    NotValidAt {
        /// Which one.
        certificate: String,
        /// When it is valid.
        validity: Validity,
        /// The time asked for.
        now: OffsetDateTime,
    },
    /// No path from the leaf over what was served to the trust bundle.
    #[error(
        "the served leaf was issued by `{issuer}`, and what was served does not lead from there to \
         a root of the trust bundle ({})", .roots.join("; ")
    )]
    NoPath {
        /// The leaf's issuer.
        issuer: String,
        /// The trust bundle.
        roots: Vec<String>,
    },
    /// A path exists, under another CA of the same roots.
    #[error("the served leaf was issued by {found}, expected {expected}")]
    OtherIssuer {
        /// The hierarchy's cluster CA.
        expected: String,
        /// The issuer on the path.
        found: String,
    },
    /// A name leads to a certificate whose key did not make the signature.
    #[error(
        "a signature of the served chain was not made by the CA it names; the leaf names \
         `{issuer}`, expected the keys of {expected}"
    )]
    Signature {
        /// The leaf's issuer.
        issuer: String,
        /// The hierarchy's cluster CA.
        expected: String,
    },
    /// An issuer on the path that is no CA.
    #[error("{ca} is on the path and is no CA, expected basic constraints with CA true")]
    NotACa {
        /// Which one.
        ca: String,
    },
    /// An issuer without keyCertSign.
    #[error("{ca} is on the path with key usage {found}, expected keyCertSign")]
    CaKeyUsage {
        /// Which one.
        ca: String,
        /// The usages it has.
        found: String,
    },
    /// An issuer limited to purposes a mesh goes beyond.
    #[error("{ca} is limited to [{found}], expected serverAuth and clientAuth or no limit")]
    CaExtendedKeyUsage {
        /// Which one.
        ca: String,
        /// The purposes it has.
        found: String,
    },
    /// An issuer with more CAs below than it allows.
    #[error("{ca} allows {allowed} CAs below it, found {found}")]
    PathLength {
        /// Which one.
        ca: String,
        /// Its path length constraint.
        allowed: u32,
        /// The CAs below it on the path.
        found: u32,
    },
    /// A key identifier that points to another key.
    #[error("{child} names issuer key id {found}, expected {expected}")]
    KeyId {
        /// Which one.
        child: String,
        /// The issuer's subject key identifier.
        expected: String,
        /// The authority key identifier.
        found: String,
    },
    /// A root webpki cannot take as an anchor.
    #[error("{root} cannot be a trust anchor: {reason}")]
    Root {
        /// Which one.
        root: String,
        /// Why.
        reason: String,
    },
    /// Anything else webpki refuses.
    #[error("the served chain of a leaf by `{issuer}` does not verify: {reason}")]
    Refused {
        /// The leaf's issuer.
        issuer: String,
        /// Why.
        reason: String,
    },
}

/// Subject and fingerprint: two CAs may share a name.
pub(super) fn named(certificate: &Certificate) -> String {
    format!("`{}` ({})", certificate.subject(), certificate.fingerprint())
}

pub(super) fn unknown_issuer(leaf: &Certificate, hierarchy: &Hierarchy) -> VerifyError {
    VerifyError::NoPath {
        issuer: leaf.issuer().to_string(),
        roots: hierarchy.trust_bundle().certificates().iter().map(named).collect(),
    }
}

pub(super) fn from_webpki(
    reason: &webpki::Error,
    leaf: &Certificate,
    hierarchy: &Hierarchy,
    now: OffsetDateTime,
) -> VerifyError {
    match reason {
        webpki::Error::UnknownIssuer => unknown_issuer(leaf, hierarchy),
        // The second: the CA of that name has a key of another kind.
        webpki::Error::InvalidSignatureForPublicKey
        | webpki::Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            VerifyError::Signature {
                issuer: leaf.issuer().to_string(),
                expected: named(hierarchy.cluster_ca()),
            }
        }
        // The leaf's own dates were checked before, so it is an intermediate's.
        webpki::Error::CertExpired { .. } | webpki::Error::CertNotValidYet { .. } => {
            let ca = hierarchy.cluster_ca();
            match [ca].into_iter().chain(hierarchy.tiers()).find(|ca| !ca.validity().contains(now))
            {
                Some(ca) => {
                    VerifyError::NotValidAt { certificate: named(ca), validity: ca.validity(), now }
                }
                None => refused(reason, leaf),
            }
        }
        _ => refused(reason, leaf),
    }
}

fn refused(reason: &webpki::Error, leaf: &Certificate) -> VerifyError {
    VerifyError::Refused { issuer: leaf.issuer().to_string(), reason: webpki_words(reason) }
}

/// webpki prints its variants' names; the ones a mesh can meet are said in words.
pub(super) fn webpki_words(reason: &webpki::Error) -> String {
    use webpki::Error::{
        CaUsedAsEndEntity, CertExpired, CertNotValidYet, EndEntityUsedAsCa,
        NameConstraintViolation, PathLenConstraintViolated, RequiredEkuNotFoundContext,
        UnsupportedCertVersion, UnsupportedCriticalExtension,
    };
    match reason {
        CertExpired { .. } => "an intermediate has expired".to_owned(),
        CertNotValidYet { .. } => "an intermediate is not valid yet".to_owned(),
        CaUsedAsEndEntity => "the leaf is a CA".to_owned(),
        EndEntityUsedAsCa => "an issuer on the path is no CA".to_owned(),
        PathLenConstraintViolated => "a CA allows fewer CAs below it than there are".to_owned(),
        RequiredEkuNotFoundContext(_) => {
            "a certificate's extended key usage lacks serverAuth or clientAuth".to_owned()
        }
        NameConstraintViolation => "a CA's name constraints exclude the leaf's names".to_owned(),
        UnsupportedCriticalExtension => {
            "a certificate has a critical extension that is not understood".to_owned()
        }
        UnsupportedCertVersion => "a certificate is not X.509 version 3".to_owned(),
        other => format!("webpki says {other:?}"),
    }
}
