//! webpki's signature algorithms, each asked the same question once.
//!
//! Several rules and webpki itself follow the same signatures, and clusters share a root: an
//! ECDSA verification takes longer than all else there is to a certificate. What held is remembered
//! by a digest over everything that went into it; what did not hold is asked again.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

use aws_lc_rs::digest::{Context, SHA256};
use rustls_pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};

/// Every algorithm of webpki.
pub(crate) static ALGORITHMS: LazyLock<Vec<&dyn SignatureVerificationAlgorithm>> =
    LazyLock::new(|| REMEMBERING.iter().map(|algorithm| algorithm as _).collect());

static REMEMBERING: LazyLock<Vec<Remembering>> = LazyLock::new(|| {
    webpki::ALL_VERIFICATION_ALGS.iter().map(|algorithm| Remembering(*algorithm)).collect()
});

thread_local! {
    static HELD: RefCell<HashSet<[u8; 32]>> = RefCell::default();
}

/// More than the signatures of any bundle. Beyond it, everything is forgotten.
const LIMIT: usize = 4096;

struct Remembering(&'static dyn SignatureVerificationAlgorithm);

impl Remembering {
    /// A digest over every byte that decides, each part with its length before it.
    fn question(&self, parts: [&[u8]; 3]) -> [u8; 32] {
        let mut digest = Context::new(&SHA256);
        let (key_kind, kind) = (self.0.public_key_alg_id(), self.0.signature_alg_id());
        for part in [key_kind.as_ref(), kind.as_ref()].into_iter().chain(parts) {
            digest.update(&part.len().to_be_bytes());
            digest.update(part);
        }
        let mut question = [0; 32];
        question.copy_from_slice(digest.finish().as_ref());
        question
    }
}

impl SignatureVerificationAlgorithm for Remembering {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let question = self.question([public_key, message, signature]);
        if HELD.with_borrow(|held| held.contains(&question)) {
            return Ok(());
        }
        self.0.verify_signature(public_key, message, signature)?;
        HELD.with_borrow_mut(|held| {
            if held.len() >= LIMIT {
                held.clear();
            }
            held.insert(question);
        });
        Ok(())
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.0.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.0.signature_alg_id()
    }

    fn fips(&self) -> bool {
        self.0.fips()
    }
}

impl fmt::Debug for Remembering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyAlgorithm, PrivateKey, signature::PublicKey, signature::Signer as _};
    use der::Decode as _;

    fn held() -> usize {
        HELD.with_borrow(HashSet::len)
    }

    #[test]
    fn what_held_is_asked_once_and_no_other_question_is_taken_for_it() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let other = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let point = |key: &PrivateKey| {
            PublicKey::from_der(key.public_key_der()).unwrap().key.raw_bytes().to_vec()
        };
        let signature = key.sign(b"message").unwrap();
        let p256 = ALGORITHMS
            .iter()
            .find(|it| {
                it.signature_alg_id().as_ref() == rustls_pki_types::alg_id::ECDSA_SHA256.as_ref()
            })
            .unwrap();
        let ask = |key: &PrivateKey, message: &[u8], signature: &[u8]| {
            p256.verify_signature(&point(key), message, signature).is_ok()
        };
        let before = held();
        assert!(ask(&key, b"message", &signature));
        assert!(ask(&key, b"message", &signature));
        assert_eq!(held(), before + 1);
        // Each part alone makes it another question, and the end of one is not the next one's start.
        assert!(!ask(&other, b"message", &signature));
        assert!(!ask(&key, b"messages", &signature));
        assert!(!ask(&key, b"message", &signature[1..]));
        let moved = [b"e", signature.as_slice()].concat();
        assert!(!ask(&key, b"messag", &moved));
        assert_eq!(held(), before + 1);
    }

    #[test]
    fn every_algorithm_of_webpki_is_there_under_its_own_identifiers() {
        let ids = |algorithms: &[&dyn SignatureVerificationAlgorithm]| -> Vec<_> {
            algorithms.iter().map(|it| (it.public_key_alg_id(), it.signature_alg_id())).collect()
        };
        assert_eq!(ids(&ALGORITHMS), ids(webpki::ALL_VERIFICATION_ALGS));
    }

    #[test]
    fn no_more_is_remembered_than_the_limit() {
        HELD.with_borrow_mut(|held| {
            held.clear();
            held.extend((0..LIMIT).map(|number| {
                let mut question = [0; 32];
                question[..8].copy_from_slice(&number.to_be_bytes());
                question
            }));
        });
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let signature = key.sign(b"message").unwrap();
        let point = PublicKey::from_der(key.public_key_der()).unwrap();
        let holds = |it: &&&dyn SignatureVerificationAlgorithm| {
            it.verify_signature(point.key.raw_bytes(), b"message", &signature).is_ok()
        };
        assert!(ALGORITHMS.iter().any(|it| holds(&it)));
        assert_eq!(held(), 1);
    }
}
