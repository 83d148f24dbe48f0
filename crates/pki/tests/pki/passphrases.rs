//! Keys under a passphrase, and roots made for a key that is there.

use pki::{CaRequest, Error, KeyAlgorithm, PrivateKey, Profile, RootCa};
use pretty_assertions::assert_eq;

use crate::common::{NOW, root_params};

fn key() -> PrivateKey {
    PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap()
}

#[test]
fn a_key_under_a_passphrase_opens_with_it_alone() {
    let key = key();
    let pem = key.to_encrypted_pem(b"correct horse").unwrap();
    assert!(PrivateKey::is_encrypted(pem.as_bytes()).unwrap());
    assert!(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), "{pem}");

    let opened = PrivateKey::from_encrypted_pem(pem.as_bytes(), b"correct horse").unwrap();
    assert_eq!(opened.public_key_der(), key.public_key_der());

    let error = PrivateKey::from_encrypted_pem(pem.as_bytes(), b"battery staple").unwrap_err();
    assert_eq!(error.to_string(), "the passphrase does not open the private key");
    let error = PrivateKey::from_pem(pem.as_bytes()).unwrap_err();
    assert!(matches!(error, Error::EncryptedKey), "{error}");
}

#[test]
fn the_same_key_is_never_encrypted_alike_twice() {
    let key = key();
    let encrypt = || key.to_encrypted_pem(b"correct horse").unwrap();
    assert_ne!(encrypt(), encrypt());
}

#[test]
fn a_key_without_a_passphrase_says_so() {
    let pem = key().to_pem().unwrap();
    assert!(!PrivateKey::is_encrypted(pem.as_bytes()).unwrap());
    let error = PrivateKey::from_encrypted_pem(pem.as_bytes(), b"any").unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 1 starts a `PRIVATE KEY`, expected a `ENCRYPTED PRIVATE KEY`"
    );
}

#[test]
fn an_old_form_of_encryption_is_named_with_the_way_out() {
    let pem = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n\
               AAAA\n-----END RSA PRIVATE KEY-----\n";
    assert!(PrivateKey::is_encrypted(pem.as_bytes()).unwrap());
    let error = PrivateKey::from_encrypted_pem(pem.as_bytes(), b"any").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the private key is encrypted in a way that is not read here (the form of RFC 1421, with \
         headers); rewrite it with `openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256`"
    );
}

#[test]
fn a_root_made_for_a_key_that_is_there_has_that_key_and_loads_again() {
    let key = key();
    let (public, pem) = (key.public_key_der().to_vec(), key.to_pem().unwrap());
    let root = RootCa::self_sign(key, &root_params(Profile::Hardened)).unwrap();
    assert_eq!(root.certificate().public_key_der(), public);

    let again = PrivateKey::from_pem(pem.as_bytes()).unwrap();
    let again = RootCa::with_key(root.certificate().clone(), again, NOW).unwrap();
    assert_eq!(again.certificate(), root.certificate());
    let error = RootCa::with_key(root.certificate().clone(), self::key(), NOW).unwrap_err();
    assert!(matches!(error, Error::KeyMismatch { .. }), "{error}");
}

#[test]
fn a_roots_own_request_is_signed_by_its_key_and_reads_back() {
    let root = RootCa::generate(&root_params(Profile::Hardened)).unwrap();
    let request = root.request().unwrap();
    assert_eq!(request.public_key_der(), root.certificate().public_key_der());
    let again = CaRequest::from_pem(request.to_pem().unwrap().as_bytes()).unwrap();
    assert_eq!(again, request);
}

/// Of less than 128 octets.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, content.len().try_into().unwrap()], content].concat()
}

fn integer(value: u64) -> Vec<u8> {
    let octets = value.to_be_bytes();
    // One zero stays: without it, a number from 128 on would be negative.
    let zeros = octets.iter().take_while(|octet| **octet == 0).count().min(7);
    let sign = [0].repeat(usize::from(octets[zeros] >= 0x80));
    tlv(0x02, &[&sign, &octets[zeros..]].concat())
}

/// A file of a key under PBES2 with AES-256-CBC, whose content is nothing.
fn stretched_by(oid: &[u8], costs: &[Vec<u8>]) -> String {
    let salt = tlv(0x04, &[7; 16]);
    let costs = [&[salt], costs].concat().concat();
    let stretching = tlv(0x30, &[tlv(0x06, oid), tlv(0x30, &costs)].concat());
    let cipher = tlv(0x06, b"\x60\x86\x48\x01\x65\x03\x04\x01\x2a");
    let cipher = tlv(0x30, &[cipher, tlv(0x04, &[7; 16])].concat());
    let scheme = tlv(0x06, b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d");
    let scheme = [scheme, tlv(0x30, &[stretching, cipher].concat())].concat();
    let key = tlv(0x30, &[tlv(0x30, &scheme), tlv(0x04, &[7; 16])].concat());
    pem::encode(&pem::Pem::new("ENCRYPTED PRIVATE KEY", key))
}

#[test]
fn a_key_that_would_take_minutes_to_open_is_refused_at_once() {
    let pbkdf2 = |iterations| {
        let digest = tlv(0x30, &tlv(0x06, b"\x2a\x86\x48\x86\xf7\x0d\x02\x09"));
        stretched_by(b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c", &[integer(iterations), digest])
    };
    let scrypt = |n, r, p| {
        let costs = [integer(n), integer(r), integer(p)];
        stretched_by(b"\x2b\x06\x01\x04\x01\xda\x47\x04\x0b", &costs)
    };
    let open = |pem: &str| PrivateKey::from_encrypted_pem(pem.as_bytes(), b"any").unwrap_err();
    for affordable in [pbkdf2(1000), scrypt(16, 8, 1)] {
        assert!(matches!(open(&affordable), Error::WrongPassphrase), "{}", open(&affordable));
    }
    let of_scrypt = |n, r, p| {
        let found = format!("scrypt with N {n}, r {r} and p {p}");
        (scrypt(n, r, p), format!("{found}, at most 4194304 are read of their product"))
    };
    let of_pbkdf2 =
        |n| (pbkdf2(n), format!("PBKDF2 with {n} iterations, at most 10000000 are read"));
    for (pem, expected) in [
        of_pbkdf2(10_000_001),
        of_pbkdf2(0xffff_ffff),
        of_scrypt(1 << 19, 8, 2),
        // A terabyte.
        of_scrypt(1 << 30, 8, 1),
        of_scrypt(1 << 14, 8, 65535),
        of_scrypt(1 << 63, 65535, 65535),
        of_scrypt(0, 8, 1),
    ] {
        let Error::KeyEncryption { reason } = open(&pem) else { panic!("{}", open(&pem)) };
        assert_eq!(reason, expected);
    }
}
