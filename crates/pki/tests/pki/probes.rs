//! Probes look like what they stand for.

use pki::probe::{self, WorkloadRequest};
use pki::{CaRequest, Certificate, Profile, SpiffeId};
use pretty_assertions::assert_eq;
use time::Duration;

use crate::common::{NOW, bundle, cluster_params, days, httpbin, root};
use crate::openssl::openssl;

#[test]
fn a_probe_leaf_is_field_for_field_what_istiod_issues() {
    let bundle = bundle(Profile::Makefile);
    let leaf = probe::workload_leaf(&bundle, &httpbin(), NOW).unwrap();
    let certificate = &leaf.certificate;
    let key_id: String = bundle
        .certificate()
        .subject_key_id()
        .unwrap()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let text = certificate.text();
    let variable = ["serial: ", "fingerprint: "];
    let lines: Vec<_> =
        text.lines().filter(|line| !variable.iter().any(|it| line.starts_with(it))).collect();
    assert_eq!(
        lines.join("\n"),
        format!(
            "\
version: 3
signature algorithm: ecdsa-with-SHA256
issuer: L=cluster1,CN=Intermediate CA,O=Istio
issuer encoding: O UTF8String, CN UTF8String, L UTF8String
not before: 2026-11-24T11:58:00Z
not after: 2026-11-25T12:00:00Z
subject: 
subject encoding: 
public key: ecdsa p256
keyUsage critical: digitalSignature, keyEncipherment
extKeyUsage: serverAuth, clientAuth
basicConstraints critical: CA false
subjectAltName critical: URI:spiffe://cluster.local/ns/foo/sa/httpbin
authorityKeyIdentifier: {key_id}"
        )
    );
    // What istiod sends along: cert-chain.pem, then root-cert.pem.
    let root = bundle.hierarchy().root();
    let expected = [certificate, bundle.certificate(), root, root].map(Certificate::clone);
    assert_eq!(leaf.chain, expected);
    assert_eq!(leaf.served().len(), 4);
}

#[test]
fn a_probe_leaf_never_outlives_its_ca() {
    let mut params = cluster_params(Profile::Hardened);
    params.validity = days(-1, 1);
    let bundle = root(Profile::Hardened).issue_cluster_ca(&params).unwrap().bundle().unwrap();
    let at = |now| probe::workload_leaf(&bundle, &httpbin(), now);
    let late = at(NOW + Duration::hours(23)).unwrap();
    assert_eq!(late.certificate.validity().not_after(), NOW + Duration::DAY);
    assert_eq!(
        at(NOW + Duration::days(2)).unwrap_err().to_string(),
        "the new certificate would start 2026-11-26T11:58:00Z, after its issuer ends \
         2026-11-25T12:00:00Z"
    );
}

#[test]
fn a_workload_request_proves_its_key_and_names_its_identity() {
    let request = WorkloadRequest::generate(&httpbin()).unwrap();
    let read = CaRequest::from_pem(request.csr_pem.as_bytes()).unwrap();
    assert_eq!(read.public_key_der(), request.key.public_key_der());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("csr.pem"), &request.csr_pem).unwrap();
    let text = openssl(folder.path(), "req -in csr.pem -verify -noout -text").unwrap();
    assert!(text.contains("URI:spiffe://cluster.local/ns/foo/sa/httpbin"), "{text}");
}

#[test]
fn a_foreign_bundle_has_every_name_and_no_key_of_the_one_it_copies() {
    let ours = bundle(Profile::Makefile);
    let theirs = probe::foreign_bundle(ours.hierarchy(), NOW).unwrap();
    let pairs = [
        (ours.certificate(), theirs.certificate()),
        (ours.hierarchy().root(), theirs.hierarchy().root()),
    ];
    for (our, their) in pairs {
        assert_eq!(their.subject(), our.subject());
        assert!(their.public_key_der() != our.public_key_der());
        assert!(!their.is_signed_by(ours.hierarchy().root()));
    }
    let sleep = SpiffeId::workload("cluster.local", "foo", "sleep").unwrap();
    let leaf = probe::workload_leaf(&theirs, &sleep, NOW).unwrap();
    theirs.hierarchy().verify(&leaf.served(), &sleep, NOW).unwrap();
}
