//! What can go wrong outside of judging: input that is not what it claims, or an order that no
//! certificate can fulfil.

use time::OffsetDateTime;

use crate::validity::rfc3339;
use crate::{Report, SignatureFlaw, Validity};

/// The error of this crate. The caller knows which file the bytes came from and says so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No PEM block at all.
    #[error("no PEM block, expected `{expected}`")]
    NoPem {
        /// The label looked for.
        expected: &'static str,
    },
    /// Something that looks like PEM and cannot be read.
    #[error("unreadable PEM at line {line}: {reason}")]
    BrokenPem {
        /// Line in the input, from 1.
        line: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A PEM block of another kind.
    #[error("line {line} starts a `{found}`, expected a `{expected}`")]
    PemLabel {
        /// Line in the input, from 1.
        line: usize,
        /// The label looked for.
        expected: &'static str,
        /// The label there.
        found: String,
    },
    /// Bytes that are not an X.509 certificate (RFC 5280 section 4.1).
    #[error("not a certificate: {reason}")]
    MalformedCertificate {
        /// What the parser says.
        reason: String,
    },
    /// Bytes that are no revocation list (RFC 5280 section 5.1).
    #[error("not a revocation list: {reason}")]
    MalformedCrl {
        /// What the parser says.
        reason: String,
    },
    /// Revocation lists that cannot be made, or do not do for a mesh.
    #[error(transparent)]
    Crl(Box<crate::CrlError>),
    /// Files that istiod would take, in a form that a bundle does not have.
    #[error("a bundle has only the four files, and no place for `{name}`; {fix}")]
    OtherLayout {
        /// The file that shows it.
        name: &'static str,
        /// What to do.
        fix: &'static str,
    },
    /// Bytes that are not a PKCS#10 request (RFC 2986 section 4).
    #[error("not a certificate request: {reason}")]
    MalformedRequest {
        /// What the parser says.
        reason: String,
    },
    /// The request is not signed with the key it asks a certificate for.
    #[error("the request does not prove that its sender has the private key: {flaw}")]
    RequestSignature {
        /// What is wrong with the signature.
        flaw: SignatureFlaw,
    },
    /// The request's signature cannot be checked.
    #[error(
        "the request has a key of kind {found} that is too weak or unknown here, or a signature \
         that does not fit it; expected RSA from 2048 bits, P-256, P-384, P-521 or Ed25519"
    )]
    UnknownRequestKey {
        /// The kind in the request.
        found: String,
    },
    /// The request's key is not of the kind the issuer was told to certify.
    #[error("the request has a key of kind {found}, expected {expected}")]
    RequestKey {
        /// The kind asked for.
        expected: String,
        /// The kind in the request.
        found: String,
    },
    /// A key under a passphrase.
    #[error("the private key is encrypted; decrypt it first, istiod cannot read it either")]
    EncryptedKey,
    /// The key stays shut.
    #[error("the passphrase does not open the private key")]
    WrongPassphrase,
    /// A key under a passphrase in a way that is not read here.
    #[error(
        "the private key is encrypted in a way that is not read here ({reason}); rewrite it with \
         `openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256`"
    )]
    KeyEncryption {
        /// The form or the cipher; never key bytes.
        reason: String,
    },
    /// The first block is no private key.
    #[error(
        "line {line} starts a `{found}`, expected a `PRIVATE KEY`, `RSA PRIVATE KEY` or \
         `EC PRIVATE KEY` as the first block"
    )]
    NotAPrivateKey {
        /// Line in the input, from 1.
        line: usize,
        /// The label there.
        found: String,
    },
    /// A damaged key, or one of a kind that is not loaded.
    #[error("the private key is damaged or not RSA (from 2048 bits), P-256, P-384, P-521, Ed25519")]
    UnsupportedKey {
        /// What the crypto library says; never key bytes.
        #[source]
        source: rcgen::Error,
    },
    /// The crypto library failed.
    #[error("the crypto library failed")]
    Crypto(#[source] rcgen::Error),
    /// DER could not be written or read.
    #[error("DER failed")]
    Der(#[from] der::Error),
    /// Text that is no fingerprint.
    #[error("`{found}` is not a fingerprint, expected `sha256:` and 64 lower-case hex digits")]
    Fingerprint {
        /// The text.
        found: String,
    },
    /// Text that is no SPIFFE ID.
    #[error("`{found}` is not a SPIFFE ID: {rule}")]
    SpiffeId {
        /// The text.
        found: String,
        /// The rule of the standard it breaks.
        rule: &'static str,
    },
    /// Text that names no profile.
    #[error("`{found}` is not a profile, expected makefile or hardened")]
    Profile {
        /// The text.
        found: String,
    },
    /// Text that names no key algorithm.
    #[error("`{found}` is not a key algorithm, expected p256, p384, rsa2048, rsa3072 or rsa4096")]
    KeyAlgorithm {
        /// The text.
        found: String,
    },
    /// Text that is no Istio version.
    #[error("`{found}` is not an Istio version, expected for example `1.31` or `1.31.0`")]
    IstioVersion {
        /// The text.
        found: String,
    },
    /// Text that is no validity.
    #[error("`{found}` is not a validity, expected two RFC 3339 times with `/` between")]
    ValidityText {
        /// The text.
        found: String,
    },
    /// A validity that ends before it starts.
    #[error("validity ends {} before it starts {}", rfc3339(*.not_after), rfc3339(*.not_before))]
    ReversedValidity {
        /// The start.
        not_before: OffsetDateTime,
        /// The end.
        not_after: OffsetDateTime,
    },
    /// A time that X.509 cannot carry (RFC 5280 section 4.1.2.5).
    #[error("{} cannot stand in a certificate, expected the years 1970 to 9999", rfc3339(*.found))]
    TimeRange {
        /// The time.
        found: OffsetDateTime,
    },
    /// A name that is empty or too long (RFC 5280 appendix A.1).
    #[error("{attribute} `{found}` has {} characters, expected 1 to {limit}", .found.chars().count())]
    NameLength {
        /// Which part of the name.
        attribute: &'static str,
        /// The upper bound.
        limit: usize,
        /// The value.
        found: String,
    },
    /// A host name no certificate can carry.
    #[error("`{found}` is not a DNS name")]
    DnsName {
        /// The value.
        found: String,
    },
    /// A certificate that may not sign others.
    #[error("`{subject}` is not a CA: its basic constraints do not say so (RFC 5280 4.2.1.9)")]
    NotACa {
        /// Its subject.
        subject: String,
    },
    /// A CA whose key usage leaves out keyCertSign.
    #[error("`{subject}` may not sign certificates: key usage has {found}, expected keyCertSign")]
    NoKeyCertSign {
        /// Its subject.
        subject: String,
        /// The usages it has.
        found: String,
    },
    /// A certificate and a key that do not belong together.
    #[error("the private key does not belong to `{subject}`: it is {found}, expected {expected}")]
    KeyMismatch {
        /// Subject of the certificate.
        subject: String,
        /// Kind of the certificate's key and the start of its hash.
        expected: String,
        /// The same of the given key.
        found: String,
    },
    /// A certificate outside its validity.
    #[error("`{subject}` is valid {validity}, not at {}", rfc3339(*.now))]
    NotValidAt {
        /// Its subject.
        subject: String,
        /// When it is valid.
        validity: Validity,
        /// The time asked for.
        now: OffsetDateTime,
    },
    /// A path length constraint that forbids what is to be issued (RFC 5280 section 4.2.1.9).
    #[error("`{subject}` allows {found} CAs below it, at least {needed} are needed")]
    PathLength {
        /// Subject of the issuer.
        subject: String,
        /// Its constraint.
        found: u32,
        /// The CAs that would follow.
        needed: u32,
    },
    /// A path length no certificate here can carry.
    #[error("a path length of {found} cannot be written, expected at most 255")]
    TooDeep {
        /// The path length.
        found: u32,
    },
    /// A child that would be valid only after its issuer is not.
    #[error("the new certificate would start {}, after its issuer ends {}",
        rfc3339(*.start), rfc3339(*.issuer_end))]
    OutlivedIssuer {
        /// Start of the child.
        start: OffsetDateTime,
        /// End of the issuer.
        issuer_end: OffsetDateTime,
    },
    /// A signature that does not hold.
    #[error("`{subject}` is not signed by `{issuer}`: {flaw}")]
    Signature {
        /// Subject of the signed certificate.
        subject: String,
        /// Subject of the supposed issuer.
        issuer: String,
        /// What is wrong.
        flaw: SignatureFlaw,
    },
    /// A CA from which no path leads to a root.
    #[error("`{subject}` does not chain to a root: no certificate `{issuer}` given that signed it")]
    NoPathToRoot {
        /// Where the path ends.
        subject: String,
        /// The issuer it names.
        issuer: String,
    },
    /// Two CAs on one path with the same name, which breaks path building.
    #[error("`{subject}` would have the name of a CA above it; expected a name of its own")]
    SameName {
        /// The name.
        subject: String,
    },
    /// A file needed is not there.
    #[error("`{name}` is missing")]
    MissingFile {
        /// Its name.
        name: &'static str,
    },
    /// Something in one of a bundle's files.
    #[error("`{name}`")]
    InFile {
        /// The file's name.
        name: String,
        /// What is wrong with it.
        #[source]
        source: Box<Self>,
    },
    /// A cluster CA that no mesh would accept.
    #[error("the bundle is refused\n{0}")]
    Refused(Report),
    /// A private key in the bytes of a certificate file.
    #[error("`{name}` holds a private key; it is handed out, so take the key out and replace it")]
    KeyInPublicFile {
        /// The file's name.
        name: String,
    },
}
