//! Private keys, under a passphrase or not.

use pki::{CaRequest, Error, PrivateKey};

use crate::quote;

/// The passphrase of the seeds.
const PASSPHRASE: &[u8] = b"fuzz";

/// A key is read again of what is written, signs for itself, and is shown by nothing.
pub fn hold(data: &[u8]) {
    let lines = quote::key_lines(data);
    let plain = PrivateKey::from_pem(data);
    let sealed = PrivateKey::from_encrypted_pem(data, PASSPHRASE);
    assert!(plain.is_err() || sealed.is_err(), "a key with and without a passphrase");
    let is_encrypted = PrivateKey::is_encrypted(data);
    assert!(plain.is_err() || matches!(is_encrypted, Ok(false)));
    assert!(sealed.is_err() || matches!(is_encrypted, Ok(true)));
    if matches!(is_encrypted, Ok(true)) {
        assert!(matches!(plain, Err(Error::EncryptedKey)));
    }
    for read in [plain, sealed] {
        match read {
            Ok(read) => key(&read),
            Err(error) => quote::assert_no_key(data, &lines, &told(&error)),
        }
    }
}

fn key(key: &PrivateKey) {
    let Ok(pem) = key.to_pem() else { panic!("a key cannot be written") };
    let again = PrivateKey::from_pem(pem.as_bytes());
    let again = again.unwrap_or_else(|error| panic!("what was written is not read: {error}"));
    assert_eq!(again.public_key_der(), key.public_key_der());
    assert_eq!(again.to_pkcs8_der(), key.to_pkcs8_der());
    let kind = key.kind();
    assert!(!kind.contains("unreadable"), "{kind}");
    assert_eq!(format!("{key:?}"), format!("PrivateKey({kind}, elided)"));
    let request = CaRequest::generate(key).unwrap_or_else(|error| panic!("no request: {error}"));
    assert_eq!(request.public_key_der(), key.public_key_der());
    assert_eq!(request.public_key_kind(), kind);
}

/// An error with its causes.
fn told(error: &Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut cause = std::error::Error::source(error);
    while let Some(found) = cause {
        text.push_str(&found.to_string());
        cause = found.source();
    }
    text
}
