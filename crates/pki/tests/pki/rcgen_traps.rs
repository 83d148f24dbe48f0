//! The four ways in which rcgen alone would have shipped a bug; each shows the trap, then that
//! this crate does not step into it.

use pki::{CaRequest, Certificate, Profile, RootCa};
use pretty_assertions::{assert_eq, assert_ne};

use crate::common::{NOW, cluster_params, days, root, root_params};
use crate::openssl::openssl;

#[test]
fn a_request_with_a_subject_key_id_is_certified() {
    let request = include_str!("../../../../fixtures/makefile/cluster2/cluster-ca.csr");
    let trap = rcgen::CertificateSigningRequestParams::from_pem(request).unwrap_err();
    assert_eq!(trap, rcgen::Error::UnsupportedExtension);

    let mut params = cluster_params(Profile::Makefile);
    params.key = pki::KeyAlgorithm::Rsa4096;
    let request = CaRequest::from_pem(request.as_bytes()).unwrap();
    let root = root(Profile::Makefile);
    assert!(root.certify(&request, &params).unwrap().is_signed_by(root.certificate()));
}

#[test]
fn repeated_attributes_of_a_root_survive_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    openssl(folder, "ecparam -name prime256v1 -genkey -noout -out key.pem").unwrap();
    openssl(
        folder,
        "req -x509 -new -key key.pem -days 3650 -subj /DC=com/DC=example/OU=PKI/OU=Mesh/CN=Corp \
         -addext keyUsage=critical,keyCertSign,cRLSign -out cert.pem",
    )
    .unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let certificate = Certificate::from_pem(read("cert.pem").as_bytes()).unwrap();
    let name = "CN=Corp,OU=Mesh,OU=PKI,DC=example,DC=com";
    assert_eq!(certificate.subject().to_string(), name);

    let key = rcgen::KeyPair::from_pem(&rewritten(folder)).unwrap();
    let trap = rcgen::Issuer::from_ca_cert_pem(&read("cert.pem"), key).unwrap();
    let child = rcgen::CertificateParams::default()
        .signed_by(&rcgen::KeyPair::generate().unwrap(), &trap)
        .unwrap();
    let child = Certificate::from_der(child.der()).unwrap();
    assert_ne!(child.issuer().der(), certificate.subject().der());

    let now = certificate.validity().not_before();
    let root =
        RootCa::from_pem(read("cert.pem").as_bytes(), read("key.pem").as_bytes(), now).unwrap();
    let mut params = cluster_params(Profile::Hardened);
    params.validity = certificate.validity();
    let child = root.issue_cluster_ca(&params).unwrap();
    assert_eq!(child.certificate().issuer().der(), certificate.subject().der());
    assert_eq!(child.certificate().issuer().to_string(), name);
}

/// rcgen reads an EC key for sure as PKCS#8.
fn rewritten(folder: &std::path::Path) -> String {
    openssl(folder, "pkey -in key.pem").unwrap()
}

#[test]
fn a_key_certified_twice_gets_two_serials() {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let serial =
        || Certificate::from_der(params.self_signed(&key).unwrap().der()).unwrap().serial_hex();
    assert_eq!(serial(), serial(), "the trap: rcgen's serial is a hash of the key");

    let request = CaRequest::generate(root(Profile::Hardened).expose_private_key()).unwrap();
    for (profile, longest) in [(Profile::Hardened, 17), (Profile::Makefile, 20)] {
        let root = root(profile);
        let serial = || root.certify(&request, &cluster_params(profile)).unwrap().serial_hex();
        let (first, second) = (serial(), serial());
        assert_ne!(first, second);
        // RFC 5280 section 4.1.2.2: positive, 20 octets at most. A leading zero octet may lead.
        assert!((8..=longest).contains(&(first.len() / 2)), "{first}");
        assert!(u8::from_str_radix(&first[..2], 16).unwrap() < 0x80, "{first}");
    }
}

#[test]
fn nothing_of_a_certificate_is_left_to_a_default() {
    let trap = rcgen::CertificateParams::default()
        .self_signed(&rcgen::KeyPair::generate().unwrap())
        .unwrap();
    let trap = Certificate::from_der(trap.der()).unwrap();
    assert_eq!(trap.validity().to_string(), "1975-01-01T00:00:00Z/4096-01-01T00:00:00Z");
    assert_eq!(trap.authority_key_id(), None);
    assert_eq!(trap.subject().to_string(), "CN=rcgen self signed cert");

    let root = RootCa::generate(&root_params(Profile::Hardened)).unwrap();
    let child = root.issue_cluster_ca(&cluster_params(Profile::Hardened)).unwrap();
    let child = child.certificate();
    assert_eq!(child.validity(), days(-1, 730));
    assert!(child.validity().contains(NOW));
    assert_eq!(child.authority_key_id(), root.certificate().subject_key_id());
    assert_eq!(root.certificate().subject_key_id().map(<[u8]>::len), Some(20));
    // The trap's last part: with the Makefile's key usages rcgen signs no revocation list. The
    // hardened profile has cRLSign, and the rules say so of the Makefile.
    let usage = root.certificate().key_usage().unwrap();
    assert_eq!(usage.to_string(), "keyCertSign, cRLSign");
}
