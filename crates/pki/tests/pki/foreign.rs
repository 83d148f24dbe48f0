//! CAs made by others: what loading proves.

use pki::{Certificate, ClusterCa, RootCa, TierCa, TrustBundle};
use pretty_assertions::assert_eq;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyUsagePurpose};
use time::Duration;

use crate::common::{Made, NOW, made};

fn load(root: &Made) -> Result<RootCa, pki::Error> {
    RootCa::from_pem(root.pem.as_bytes(), root.key_pem().as_bytes(), NOW)
}

#[track_caller]
fn refusal(edit: impl FnOnce(&mut CertificateParams)) -> String {
    load(&made("Corp Root", None, edit)).unwrap_err().to_string()
}

fn length(length: u8) -> impl FnOnce(&mut CertificateParams) {
    move |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(length))
}

#[test]
fn a_good_root_loads() {
    let root = made("Corp Root", None, |_| {});
    assert_eq!(load(&root).unwrap().certificate(), &root.certificate());
    // A root for one level of CAs has room for a cluster CA.
    load(&made("Corp Root", None, length(1))).unwrap();
    // No key usage allows every usage.
    load(&made("Corp Root", None, |params| params.key_usages = Vec::new())).unwrap();
}

#[test]
fn a_root_that_is_no_ca_is_refused() {
    let expected =
        "`CN=Corp Root` is not a CA: its basic constraints do not say so (RFC 5280 4.2.1.9)";
    assert_eq!(refusal(|params| params.is_ca = IsCa::ExplicitNoCa), expected);
    assert_eq!(refusal(|params| params.is_ca = IsCa::NoCa), expected);
}

#[test]
fn a_root_that_may_not_sign_certificates_is_refused() {
    assert_eq!(
        refusal(|params| params.key_usages = vec![KeyUsagePurpose::CrlSign]),
        "`CN=Corp Root` may not sign certificates: key usage has cRLSign, expected keyCertSign"
    );
}

#[test]
fn a_root_outside_its_validity_is_refused() {
    assert_eq!(
        refusal(|params| params.not_after = NOW - Duration::HOUR),
        "`CN=Corp Root` is valid 2026-11-23T12:00:00Z/2026-11-24T11:00:00Z, not at \
         2026-11-24T12:00:00Z"
    );
    assert_eq!(
        refusal(|params| params.not_before = NOW + Duration::HOUR),
        "`CN=Corp Root` is valid 2026-11-24T13:00:00Z/2027-11-24T12:00:00Z, not at \
         2026-11-24T12:00:00Z"
    );
}

#[test]
fn a_root_without_room_for_a_cluster_ca_is_refused() {
    assert_eq!(refusal(length(0)), "`CN=Corp Root` allows 0 CAs below it, at least 1 are needed");
}

#[test]
fn a_root_with_a_foreign_key_is_refused() {
    let (root, other) = (made("Corp Root", None, |_| {}), made("Other", None, |_| {}));
    let error = RootCa::from_pem(root.pem.as_bytes(), other.key_pem().as_bytes(), NOW).unwrap_err();
    let key = |made: &Made| {
        let load = load(made).unwrap();
        let der = load.certificate().public_key_der().to_vec();
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &der);
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    assert_eq!(
        error.to_string(),
        format!(
            "the private key does not belong to `CN=Corp Root`: it is ecdsa p256 sha256:{}, \
             expected ecdsa p256 sha256:{}",
            key(&other),
            key(&root)
        )
    );
}

#[test]
fn an_intermediate_is_no_root() {
    let root = made("Corp Root", None, |_| {});
    let ca = made("Tier", Some(&root), |_| {});
    assert_eq!(
        load(&ca).unwrap_err().to_string(),
        "`CN=Tier` is not signed by `CN=Tier`: the signature is not of this key"
    );
    // Neither is one that only claims to have signed itself.
    let fake = made("Corp Root", Some(&root), |_| {});
    assert_eq!(
        load(&fake).unwrap_err().to_string(),
        "`CN=Corp Root` is not signed by `CN=Corp Root`: the signature is not of this key"
    );
}

#[test]
fn a_tier_and_a_cluster_ca_load_with_everything_above_them() {
    let root = made("Corp Root", None, |_| {});
    let upper = made("Upper", Some(&root), length(2));
    let lower = made("Lower", Some(&upper), length(1));
    let ca = made("ca", Some(&lower), length(0));
    let chain = format!("{}{}{}", root.pem, lower.pem, upper.pem);
    let tier = TierCa::from_pem(
        lower.pem.as_bytes(),
        lower.key_pem().as_bytes(),
        chain.as_bytes(),
        root.pem.as_bytes(),
        NOW,
    )
    .unwrap();
    assert_eq!(tier.tiers_above(), [upper.certificate()]);
    let load = |chain: &str| {
        ClusterCa::from_pem(
            ca.pem.as_bytes(),
            ca.key_pem().as_bytes(),
            chain.as_bytes(),
            root.pem.as_bytes(),
            NOW,
        )
    };
    let loaded = load(&chain).unwrap();
    assert_eq!(loaded.hierarchy().tiers(), [lower.certificate(), upper.certificate()]);
    // A tier that is missing is missed.
    assert_eq!(
        load(&lower.pem).unwrap_err().to_string(),
        "`CN=Lower` does not chain to a root: no certificate `CN=Upper` given that signed it"
    );
}

#[test]
fn every_ca_above_is_proved_too() {
    let load = |root: &Made, tier: &Made, ca: &Made| {
        let error = ClusterCa::from_pem(
            ca.pem.as_bytes(),
            ca.key_pem().as_bytes(),
            tier.pem.as_bytes(),
            root.pem.as_bytes(),
            NOW,
        );
        error.unwrap_err().to_string()
    };
    let root = made("Corp Root", None, |_| {});
    let tier = made("Tier", Some(&root), length(0));
    let ca = made("ca", Some(&tier), |_| {});
    assert_eq!(load(&root, &tier, &ca), "`CN=Tier` allows 0 CAs below it, at least 1 are needed");
    let tier = made("Tier", Some(&root), |params| params.is_ca = IsCa::NoCa);
    let ca = made("ca", Some(&tier), |_| {});
    assert_eq!(
        load(&root, &tier, &ca),
        "`CN=Tier` is not a CA: its basic constraints do not say so (RFC 5280 4.2.1.9)"
    );
    let root = made("Corp Root", None, |params| params.not_after = NOW - Duration::HOUR);
    let tier = made("Tier", Some(&root), |_| {});
    let ca = made("ca", Some(&tier), |_| {});
    assert_eq!(
        load(&root, &tier, &ca),
        "`CN=Corp Root` is valid 2026-11-23T12:00:00Z/2026-11-24T11:00:00Z, not at \
         2026-11-24T12:00:00Z"
    );
}

#[test]
fn a_sha1_signature_is_named_as_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let run = |command: &str| crate::openssl::openssl(folder, command).unwrap();
    run("genrsa -out key.pem 2048");
    run("req -x509 -new -key key.pem -sha1 -days 3650 -subj /CN=Old -out cert.pem");
    let certificate =
        Certificate::from_pem(&std::fs::read(folder.join("cert.pem")).unwrap()).unwrap();
    let key = std::fs::read(folder.join("key.pem")).unwrap();
    let now = certificate.validity().not_before();
    assert_eq!(
        RootCa::from_pem(certificate.to_pem().as_bytes(), &key, now).unwrap_err().to_string(),
        "`CN=Old` is not signed by `CN=Old`: the signature is over a SHA-1 digest, which is refused"
    );
}

#[test]
fn a_trust_bundle_prints_back_the_same_certificates_in_the_same_order() {
    let (one, two) = (made("one", None, |_| {}), made("two", None, |_| {}));
    for pems in [[&one.pem, &two.pem, &two.pem], [&two.pem, &one.pem, &two.pem]] {
        let pem = pems.map(|pem| pem.replace("\r\n", "\n")).concat();
        let bundle = TrustBundle::from_pem(pem.as_bytes()).unwrap();
        assert_eq!(bundle.to_pem(), pem);
        assert!(bundle.contains(&one.certificate()));
        assert_eq!(bundle.certificates().len(), 3);
    }
    let leaf = made("leaf", Some(&one), |params| params.is_ca = IsCa::NoCa);
    assert_eq!(
        TrustBundle::from_pem(leaf.pem.as_bytes()).unwrap_err().to_string(),
        "`CN=leaf` is not a CA: its basic constraints do not say so (RFC 5280 4.2.1.9)"
    );
    assert_eq!(
        TrustBundle::from_pem(b"").unwrap_err().to_string(),
        "no PEM block, expected `CERTIFICATE`"
    );
}

#[test]
fn a_root_signed_with_its_own_key_under_another_name_is_no_root() {
    let other = made("Other", None, |_| {});
    let key = || rcgen::KeyPair::from_pem(&other.key_pem()).unwrap();
    let odd = crate::common::made_with("Corp Root", Some(&other), key(), |_| {});
    assert_eq!(
        load(&odd).unwrap_err().to_string(),
        "`CN=Corp Root` does not chain to a root: no certificate `CN=Other` given that signed it"
    );
}

#[test]
fn a_small_rsa_key_is_not_taken_for_a_wrong_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let run = |command: &str| crate::openssl::openssl(folder, command).unwrap();
    run("req -x509 -newkey rsa:1024 -nodes -keyout key.pem -days 9 -subj /CN=Small -out cert.pem");
    let small = Certificate::from_pem(&std::fs::read(folder.join("cert.pem")).unwrap()).unwrap();
    assert_eq!(small.public_key_kind(), "rsa 1024");
    assert_eq!(small.check_signature(&small), Err(pki::SignatureFlaw::UnknownAlgorithm));
    run("req -x509 -newkey rsa:2048 -nodes -keyout key.pem -days 9 -subj /CN=Big -out cert.pem");
    let big = Certificate::from_pem(&std::fs::read(folder.join("cert.pem")).unwrap()).unwrap();
    assert_eq!(big.check_signature(&big), Ok(()));
    assert_eq!(big.check_signature(&small), Err(pki::SignatureFlaw::UnknownAlgorithm));
    assert_eq!(small.check_signature(&big), Err(pki::SignatureFlaw::WrongKey));
}

#[test]
fn a_certificate_with_an_extension_twice_is_none() {
    let twice = |params: &mut CertificateParams| {
        let extension = || rcgen::CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
        params.custom_extensions = vec![extension(), extension()];
    };
    assert_eq!(refusal(twice), "not a certificate: extension 1.2.3.4 is there twice");
}

#[test]
fn a_certificate_block_with_headers_is_refused_since_go_leaves_it_out() {
    let pem = made("Corp Root", None, |_| {}).pem.replace("\r\n", "\n");
    let with_header = pem.replacen("-----\n", "-----\nName: value\n\n", 1);
    assert_eq!(
        Certificate::from_pem(with_header.as_bytes()).unwrap_err().to_string(),
        "unreadable PEM at line 1: the block has headers"
    );
    Certificate::from_pem(pem.as_bytes()).unwrap();
}

#[test]
fn a_name_that_holds_what_is_none_makes_no_certificate() {
    let der = pem::parse(made("ca", None, |_| {}).pem).unwrap().into_contents();
    let read = |der: &[u8]| Certificate::from_der(der).map_err(|error| error.to_string());
    assert_eq!(read(&der).unwrap().issuer().to_string(), "CN=ca");
    // The attribute is a SET and no SEQUENCE: x509-parser sees a name without any, and goes on.
    let attribute = b"\x30\x09\x06\x03\x55\x04\x03";
    let at = der.windows(attribute.len()).position(|window| window == attribute).unwrap();
    let odd = [&der[..at], b"\x31", &der[at + 1..]].concat();
    let expected = "not a certificate: a name holds what is none (RFC 5280 section 4.1.2.4)";
    assert_eq!(read(&odd).unwrap_err(), expected);
}
