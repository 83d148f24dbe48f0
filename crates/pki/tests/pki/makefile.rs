//! The makefile profile against captures of the real Makefile, field by field.

use std::path::Path;

use pki::{
    BundleFiles, CaRequest, Certificate, Hierarchy, KeyAlgorithm, PrivateKey, Profile, RootCa,
};
use pretty_assertions::assert_eq;

use crate::common::{cluster_params, context, days, root_params};

fn capture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/makefile").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The text without what differs at every run; the length of each blanked value stays.
fn shape(certificate: &Certificate) -> String {
    let ids = [certificate.subject_key_id(), certificate.authority_key_id()];
    let mut text = certificate.text();
    for id in ids.into_iter().flatten() {
        let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        text = text.replace(&hex, &format!("{} bytes", id.len()));
    }
    let keep =
        |line: &&str| !["serial: ", "not ", "fingerprint: "].iter().any(|it| line.starts_with(it));
    text.lines().filter(keep).collect::<Vec<_>>().join("\n")
}

fn like_the_makefile() -> (RootCa, pki::ClusterCa) {
    let mut params = root_params(Profile::Makefile);
    params.key = KeyAlgorithm::Rsa4096;
    let root = RootCa::generate(&params).unwrap();
    let mut params = cluster_params(Profile::Makefile);
    params.key = KeyAlgorithm::Rsa4096;
    let cluster_ca = root.issue_cluster_ca(&params).unwrap();
    (root, cluster_ca)
}

#[test]
fn root_and_cluster_ca_are_field_for_field_what_the_makefile_makes() {
    let (root, cluster_ca) = like_the_makefile();
    let captured = Certificate::from_pem(&capture("root-cert.pem")).unwrap();
    assert_eq!(shape(root.certificate()), shape(&captured));
    let captured = Certificate::from_pem(&capture("cluster1/ca-cert.pem")).unwrap();
    assert_eq!(shape(cluster_ca.certificate()), shape(&captured));
    // The shape compared is no empty one.
    assert_eq!(
        shape(&captured),
        "\
version: 3
signature algorithm: sha256WithRSAEncryption
issuer: CN=Root CA,O=Istio
issuer encoding: O UTF8String, CN UTF8String
subject: L=cluster1,CN=Intermediate CA,O=Istio
subject encoding: O UTF8String, CN UTF8String, L UTF8String
public key: rsa 4096
subjectKeyIdentifier: 20 bytes
basicConstraints critical: CA true, path length 0
keyUsage critical: digitalSignature, nonRepudiation, keyEncipherment, keyCertSign
subjectAltName: DNS:istiod.istio-system.svc
authorityKeyIdentifier: 20 bytes"
    );
}

#[test]
fn serials_have_the_length_of_the_makefiles_and_are_random() {
    let serials: Vec<_> = std::iter::repeat_with(|| {
        RootCa::generate(&root_params(Profile::Makefile)).unwrap().certificate().serial_hex()
    })
    .take(8)
    .collect();
    let captured = Certificate::from_pem(&capture("root-cert.pem")).unwrap();
    for serial in &serials {
        assert!(serial.len() <= 40, "{serial}");
        assert_eq!(serials.iter().filter(|other| *other == serial).count(), 1);
    }
    assert_eq!(captured.serial_hex().len(), 40);
}

#[test]
fn key_ids_are_computed_as_openssl_computes_them() {
    // The capture's own key gives the capture's own key id: SHA-1 of the key's bits.
    let captured = Certificate::from_pem(&capture("root-cert.pem")).unwrap();
    let key_bits = {
        let der = captured.public_key_der();
        // An RSA 4096 SubjectPublicKeyInfo ends with the BIT STRING's 526 octets of RSAPublicKey.
        &der[der.len() - 526..]
    };
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, key_bits);
    assert_eq!(captured.subject_key_id(), Some(digest.as_ref()));
    let ours = RootCa::generate(&root_params(Profile::Makefile)).unwrap();
    let der = ours.certificate().public_key_der();
    // A P-256 one ends with 65 octets of point.
    let digest = aws_lc_rs::digest::digest(
        &aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY,
        &der[der.len() - 65..],
    );
    assert_eq!(ours.certificate().subject_key_id(), Some(digest.as_ref()));
}

#[test]
fn the_four_files_are_laid_out_like_the_makefiles() {
    let root = RootCa::generate(&root_params(Profile::Makefile)).unwrap();
    let cluster_ca = root.issue_cluster_ca(&cluster_params(Profile::Makefile)).unwrap();
    let certificate = cluster_ca.certificate().clone();
    let bundle = cluster_ca.bundle().unwrap();
    let names: Vec<_> = bundle.files().names().collect();
    assert_eq!(names, BundleFiles::NAMES);
    let chain = Certificate::all_from_pem(bundle.files().get("cert-chain.pem").unwrap()).unwrap();
    assert_eq!(chain, [certificate, root.certificate().clone()]);
    let captured = Certificate::all_from_pem(&capture("cluster1/cert-chain.pem")).unwrap();
    assert_eq!(captured.len(), chain.len());
    // PEM is written as OpenSSL writes it.
    let captured = capture("cluster1/ca-cert.pem");
    let written = Certificate::from_pem(&captured).unwrap().to_pem();
    assert_eq!(written.as_bytes(), captured);
}

#[test]
fn the_makefile_may_outlive_the_root_and_the_hardened_profile_may_not() {
    for (profile, expected) in [(Profile::Makefile, 3651), (Profile::Hardened, 3650)] {
        let root = RootCa::generate(&root_params(profile)).unwrap();
        let mut params = cluster_params(profile);
        params.validity = days(0, 3651);
        let cluster_ca = root.issue_cluster_ca(&params).unwrap();
        assert_eq!(cluster_ca.certificate().validity(), days(0, expected), "{profile}");
    }
}

#[test]
fn the_captured_hierarchy_reads_without_its_key() {
    let mut files = BundleFiles::new();
    for name in ["ca-cert.pem", "cert-chain.pem", "root-cert.pem"] {
        files.insert(name, capture(&format!("cluster1/{name}")));
    }
    let hierarchy = Hierarchy::from_files(&files).unwrap();
    assert_eq!(hierarchy.root(), &Certificate::from_pem(&capture("root-cert.pem")).unwrap());
    assert_eq!(hierarchy.tiers(), []);
    assert_eq!(hierarchy.trust_bundle().to_pem().as_bytes(), capture("root-cert.pem"));
    // The judge says the one thing that is missing, and advises on the Makefile's habits.
    let mut context = context();
    context.now = hierarchy.root().validity().not_before() + time::Duration::days(1);
    assert_eq!(
        files.judge(&context).unwrap().rule_ids(),
        ["missing-file", "root-in-chain", "issuer-ends-first", "no-crl-sign"]
    );
}

#[test]
fn the_makefiles_own_request_is_certified_though_it_asks_for_extensions() {
    let request = CaRequest::from_pem(&capture("cluster2/cluster-ca.csr")).unwrap();
    let root = RootCa::generate(&root_params(Profile::Makefile)).unwrap();
    let mut params = cluster_params(Profile::Makefile);
    params.key = KeyAlgorithm::Rsa4096;
    let certificate = root.certify(&request, &params).unwrap();
    assert_eq!(certificate.public_key_der(), request.public_key_der());
    assert!(certificate.is_signed_by(root.certificate()));
    // Named by the issuer's decision, not by the request, which says cluster2.
    assert_eq!(certificate.subject().to_string(), "L=cluster1,CN=Intermediate CA,O=Istio");
}

#[test]
fn keys_are_written_as_the_makefiles_openssl_writes_them() {
    let key = PrivateKey::generate(KeyAlgorithm::Rsa2048).unwrap();
    let pem = key.to_pem().unwrap();
    assert_eq!(pem.lines().next(), Some("-----BEGIN PRIVATE KEY-----"));
    assert_eq!(
        PrivateKey::from_pem(pem.as_bytes()).unwrap().public_key_der(),
        key.public_key_der()
    );
}
