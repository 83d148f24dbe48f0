//! Private keys under a passphrase: PKCS#8 `EncryptedPrivateKeyInfo` (RFC 5958 section 3) with PBES2
//! (RFC 8018 section 6.2). The older form, RFC 1421 headers over PKCS#1 or SEC1, is not opened.

use aws_lc_rs::rand;
use der::{Decode, Encode};
use pkcs8::pkcs5::pbes2::{Kdf, Parameters};
use pkcs8::pkcs5::{EncryptionScheme, scrypt};
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use rustls_pki_types::PrivatePkcs8KeyDer;
use zeroize::Zeroizing;

use super::PrivateKey;
use crate::{Error, pem};

const LABEL: &str = "ENCRYPTED PRIVATE KEY";

/// Parameters of scrypt (RFC 7914 section 2). N = 2^14 takes 16 MiB: OpenSSL refuses more than 32.
/// What is lost in memory, p = 5 makes up for in time.
const LOG_N: u8 = 14;
const R: u32 = 8;
const P: u32 = 5;

/// What opening a key may cost, whoever wrote it: ten times what its parameters are today is a matter
/// of seconds, and a file of 200 bytes can ask for a day. A fuzzer has less time.
const MOST_ITERATIONS: u32 = if cfg!(fuzzing) { 10_000 } else { 10_000_000 };
/// Blocks of 128 octets that scrypt mixes, N r p, of which it keeps N r at a time: 512 MiB.
const MOST_BLOCKS: u64 = if cfg!(fuzzing) { 1 << 12 } else { 1 << 22 };

impl PrivateKey {
    /// Whether the first PEM block is a key under a passphrase, of whatever form.
    ///
    /// # Errors
    /// [`Error::NoPem`], [`Error::BrokenPem`].
    pub fn is_encrypted(pem: &[u8]) -> Result<bool, Error> {
        let block = pem::first_block(pem, "PRIVATE KEY")?;
        Ok(block.label == LABEL || block.has_headers)
    }

    /// Reads the first PEM block, an `ENCRYPTED PRIVATE KEY` under scrypt, or under PBKDF2 with
    /// SHA-2; the cipher is AES. What takes more than seconds or 512 MiB is refused.
    ///
    /// # Errors
    /// [`Error::WrongPassphrase`], [`Error::KeyEncryption`] for another form or cipher, or at such
    /// a cost, [`Error::PemLabel`], or as [`PrivateKey::from_pem`].
    pub fn from_encrypted_pem(pem: &[u8], passphrase: &[u8]) -> Result<Self, Error> {
        let block = pem::first_block(pem, LABEL)?;
        if block.has_headers {
            let reason = "the form of RFC 1421, with headers".to_owned();
            return Err(Error::KeyEncryption { reason });
        }
        if block.label != LABEL {
            let (line, expected) = (block.line, LABEL);
            return Err(Error::PemLabel { line, expected, found: block.label });
        }
        let unreadable = |reason: String| Error::KeyEncryption { reason };
        let key = EncryptedPrivateKeyInfoRef::try_from(block.contents.as_slice())
            .map_err(|reason| unreadable(reason.to_string()))?;
        affordable(&key.encryption_algorithm).map_err(unreadable)?;
        let opened = key.encryption_algorithm.decrypt(passphrase, key.encrypted_data.as_bytes());
        let opened = match opened {
            Ok(opened) => Zeroizing::new(opened),
            // The padding is wrong: what a wrong key leads to.
            Err(pkcs8::pkcs5::Error::DecryptFailed) => return Err(Error::WrongPassphrase),
            Err(reason) => return Err(unreadable(reason.to_string())),
        };
        // One wrong passphrase in 256 leaves a padding that looks right, and no PKCS#8 before it.
        if PrivateKeyInfoRef::from_der(&opened).is_err() {
            return Err(Error::WrongPassphrase);
        }
        Self::from_encoded(&PrivatePkcs8KeyDer::from(opened.as_slice()).into())
    }

    /// The key as PEM, PKCS#8 under AES-256-CBC with a key that scrypt makes of the passphrase;
    /// OpenSSL from 1.1 reads it. Safe to keep where the passphrase is not.
    ///
    /// # Errors
    /// [`Error::Crypto`] if the system's randomness fails, [`Error::Der`] if the key is too large.
    pub fn to_encrypted_pem(&self, passphrase: &[u8]) -> Result<String, Error> {
        let random = |bytes: &mut [u8]| match rand::fill(bytes) {
            Ok(()) => Ok(()),
            Err(aws_lc_rs::error::Unspecified) => Err(Error::Crypto(rcgen::Error::RingUnspecified)),
        };
        let (mut salt, mut iv) = ([0; 16], [0; 16]);
        random(&mut salt)?;
        random(&mut iv)?;
        let failed = |reason: String| Error::KeyEncryption { reason };
        let costs = scrypt::Params::new(LOG_N, R, P).map_err(|e| failed(e.to_string()))?;
        let scheme = Parameters::generate_scrypt_aes256cbc(costs, &salt, iv)
            .map_err(|e| failed(e.to_string()))?;
        let encrypted = scheme
            .encrypt(passphrase, self.pair.serialized_der())
            .map_err(|e| failed(e.to_string()))?;
        let encrypted = pkcs8::EncryptedPrivateKeyInfo {
            encryption_algorithm: scheme.into(),
            encrypted_data: der::asn1::OctetStringRef::new(&encrypted)?,
        };
        pem::encode(LABEL, &encrypted.to_der()?)
    }
}

/// Says what costs too much, or nothing at all.
fn affordable(scheme: &EncryptionScheme) -> Result<(), String> {
    match scheme.pbes2().map(|parameters| &parameters.kdf) {
        Some(Kdf::Pbkdf2(costs)) if costs.iteration_count > MOST_ITERATIONS => {
            let found = costs.iteration_count;
            Err(format!("PBKDF2 with {found} iterations, at most {MOST_ITERATIONS} are read"))
        }
        Some(Kdf::Scrypt(costs)) => {
            let (n, r, p) = (costs.cost_parameter, costs.block_size, costs.parallelization);
            let blocks = n.checked_mul(u64::from(r)).and_then(|nr| nr.checked_mul(u64::from(p)));
            match blocks {
                Some(1..=MOST_BLOCKS) => Ok(()),
                _ => Err(format!(
                    "scrypt with N {n}, r {r} and p {p}, at most {MOST_BLOCKS} are \
                                  read of their product"
                )),
            }
        }
        _ => Ok(()),
    }
}
