//! Requests: what they ask for is there to be seen, and what cannot be proved is refused.

use pki::{CaRequest, Error, KeyAlgorithm, PrivateKey, Profile};
use pretty_assertions::assert_eq;

use crate::common::{cluster_params, root};

#[test]
fn a_request_asks_for_what_its_ca_would_have() {
    for profile in [Profile::Hardened, Profile::Makefile] {
        let params = cluster_params(profile);
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP384).unwrap();
        let request = CaRequest::for_cluster(&key, &params).unwrap();
        let read = CaRequest::from_pem(request.to_pem().unwrap().as_bytes()).unwrap();
        assert_eq!(read, request);
        assert_eq!(*read.subject(), params.subject().unwrap());
        assert_eq!(read.public_key_fingerprint(), key.public_key_fingerprint());
        let ca = root(profile).issue_cluster_ca_for(key, &params).unwrap();
        let asked: Vec<_> = read.extensions().iter().map(|asked| asked.text()).collect();
        let made: Vec<_> = ca.certificate().extensions().iter().map(|made| made.text()).collect();
        // The last names the issuer's key.
        assert_eq!(asked, made[..made.len() - 1]);
    }
}

#[test]
fn a_request_for_a_name_that_no_certificate_has_is_not_made() {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let mut params = cluster_params(Profile::Hardened);
    params.dns_name = "a..b".to_owned();
    let error = CaRequest::for_cluster(&key, &params).unwrap_err();
    assert!(matches!(&error, Error::DnsName { found } if found == "a..b"), "{error:?}");
}

#[test]
fn every_request_of_another_tool_is_read_or_refused_by_name() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/requests");
    let mut refused = Vec::new();
    let mut read = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "csr") {
            continue;
        }
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        match CaRequest::from_pem(&std::fs::read(&path).unwrap()) {
            Ok(_) => read += 1,
            Err(Error::UnknownRequestKey { found }) => refused.push(format!("{name}: {found}")),
            Err(Error::RequestSignature { flaw }) => refused.push(format!("{name}: {flaw:?}")),
            Err(other) => panic!("{name}: {other:?}"),
        }
    }
    refused.sort();
    assert_eq!(
        refused,
        [
            "pss: algorithm 1.2.840.113549.1.1.10",
            "rsa1024: rsa 1024",
            "secp256k1: ecdsa on curve 1.3.132.0.10",
            "sha1: Sha1",
        ]
    );
    assert_eq!(read, 9);
}
