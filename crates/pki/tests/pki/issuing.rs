//! Issuing: what the hardened profile writes, and every order that is refused.

use pki::{
    CaRequest, Certificate, Error, IssuingCa, KeyAlgorithm, PrivateKey, Profile, RootCa,
    TierCaParams,
};
use pretty_assertions::assert_eq;
use time::Duration;
use time::macros::datetime;

use crate::common::{NOW, bundle, cluster_params, days, root, root_params};

fn tier(path_len: u32, name: &str) -> TierCaParams {
    TierCaParams {
        profile: Profile::Hardened,
        common_name: name.to_owned(),
        organization: "Istio".to_owned(),
        path_len,
        validity: days(-1, 1000),
        key: KeyAlgorithm::EcdsaP256,
    }
}

/// The text's lines about extensions, without key identifiers.
fn extensions(certificate: &Certificate) -> Vec<String> {
    let texts = certificate.extensions().iter().map(|extension| extension.text());
    texts.filter(|text| !text.contains("KeyIdentifier")).collect()
}

#[test]
fn the_hardened_profile_signs_and_nothing_else() {
    let root = root(Profile::Hardened);
    let cluster_ca = root.issue_cluster_ca(&cluster_params(Profile::Hardened)).unwrap();
    assert_eq!(
        extensions(root.certificate()),
        ["basicConstraints critical: CA true", "keyUsage critical: keyCertSign, cRLSign"]
    );
    assert_eq!(
        extensions(cluster_ca.certificate()),
        [
            "basicConstraints critical: CA true, path length 0",
            "keyUsage critical: keyCertSign, cRLSign",
            "subjectAltName: DNS:istiod.istio-system.svc"
        ]
    );
    assert_eq!(cluster_ca.certificate().authority_key_id(), root.certificate().subject_key_id());
    let chain = cluster_ca.bundle().unwrap();
    let chain = chain.files().get("cert-chain.pem").unwrap();
    assert_eq!(Certificate::all_from_pem(chain).unwrap().len(), 1, "intermediates only");
}

#[test]
fn the_signature_fits_the_key_that_signs() {
    for (algorithm, name) in [
        (KeyAlgorithm::EcdsaP256, "ecdsa-with-SHA256"),
        (KeyAlgorithm::EcdsaP384, "ecdsa-with-SHA384"),
        (KeyAlgorithm::Rsa2048, "sha256WithRSAEncryption"),
    ] {
        let mut params = root_params(Profile::Hardened);
        params.key = algorithm;
        let root = RootCa::generate(&params).unwrap();
        let child = root.issue_cluster_ca(&cluster_params(Profile::Hardened)).unwrap();
        assert_eq!(child.certificate().signature_algorithm(), name);
        assert!(child.certificate().is_signed_by(root.certificate()));
        assert_eq!(root.certificate().is_signed_by(child.certificate()), false);
    }
}

#[test]
fn dates_are_written_as_utc_time_until_2049_and_generalized_time_from_2050() {
    let mut params = root_params(Profile::Hardened);
    params.validity =
        pki::Validity::new(datetime!(2049-12-31 23:59:59 UTC), datetime!(2050-01-01 0:00 UTC))
            .unwrap();
    let root = RootCa::generate(&params).unwrap();
    assert_eq!(root.certificate().validity(), params.validity);
    let has = |text: &[u8]| root.certificate().der().windows(text.len()).any(|it| it == text);
    assert_eq!((has(b"\x17\x0d491231235959Z"), has(b"\x18\x0f20500101000000Z")), (true, true));
    params.validity =
        pki::Validity::new(datetime!(1969-12-31 23:59:59 UTC), datetime!(2050-01-01 0:00 UTC))
            .unwrap();
    assert_eq!(
        RootCa::generate(&params).unwrap_err().to_string(),
        "1969-12-31T23:59:59Z cannot stand in a certificate, expected the years 1970 to 9999"
    );
}

#[test]
fn names_that_x509_cannot_carry_are_refused() {
    let mut params = root_params(Profile::Hardened);
    params.common_name = "x".repeat(65);
    assert_eq!(
        RootCa::generate(&params).unwrap_err().to_string(),
        format!("common name `{}` has 65 characters, expected 1 to 64", "x".repeat(65))
    );
    params.common_name = "\u{e4}".repeat(64);
    RootCa::generate(&params).unwrap();
    params.organization = String::new();
    assert_eq!(
        RootCa::generate(&params).unwrap_err().to_string(),
        "organization `` has 0 characters, expected 1 to 64"
    );
    let root = root(Profile::Hardened);
    let mut params = cluster_params(Profile::Hardened);
    for name in ["", "a b", "-a.b", "a..b", "istiod.istio-system.svc.", "\u{e4}.b"] {
        params.dns_name = name.to_owned();
        assert_eq!(
            root.issue_cluster_ca(&params).unwrap_err().to_string(),
            format!("`{name}` is not a DNS name")
        );
    }
}

#[test]
fn names_are_escaped_as_rfc_4514_wants() {
    let mut params = root_params(Profile::Hardened);
    params.common_name = "a,b+c=\"d\" \u{fc}".to_owned();
    params.organization = "#x ".to_owned();
    let root = RootCa::generate(&params).unwrap();
    assert_eq!(root.certificate().subject().to_string(), "CN=a\\,b\\+c=\\\"d\\\" \u{fc},O=\\#x\\ ");
}

#[test]
fn no_two_cas_of_a_path_share_a_name() {
    let root = root(Profile::Hardened);
    let error = root.issue_tier_ca(&tier(1, "Root CA")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`CN=Root CA,O=Istio` would have the name of a CA above it; expected a name of its own"
    );
    let below = root.issue_tier_ca(&tier(2, "Tier CA")).unwrap();
    let error = below.issue_tier_ca(&tier(1, "Root CA")).unwrap_err();
    assert!(matches!(error, Error::SameName { subject } if subject == "CN=Root CA,O=Istio"));
}

#[test]
fn path_lengths_leave_room_or_the_ca_is_not_issued() {
    let root = root(Profile::Hardened);
    let upper = root.issue_tier_ca(&tier(2, "Upper")).unwrap();
    let lower = upper.issue_tier_ca(&tier(1, "Lower")).unwrap();
    let cluster_ca = lower.issue_cluster_ca(&cluster_params(Profile::Hardened)).unwrap();
    assert_eq!(
        cluster_ca.hierarchy().tiers(),
        [lower.certificate().clone(), upper.certificate().clone()]
    );
    let lengths = [&upper, &lower].map(|tier| tier.certificate().path_len());
    assert_eq!(lengths, [Some(2), Some(1)]);
    assert_eq!(
        lower.issue_tier_ca(&tier(1, "Lowest")).unwrap_err().to_string(),
        "`CN=Lower,O=Istio` allows 1 CAs below it, at least 2 are needed"
    );
    assert_eq!(
        root.issue_tier_ca(&tier(0, "Useless")).unwrap_err().to_string(),
        "`Useless` allows 0 CAs below it, at least 1 are needed"
    );
}

#[test]
fn whoever_is_given_an_issuing_ca_issues_from_a_root_and_a_tier_alike() {
    let root = root(Profile::Hardened);
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP384).unwrap();
    let public_key = key.public_key_der().to_vec();
    let upper = root.issue_tier_ca_for(key, &tier(2, "Upper")).unwrap();
    assert_eq!(upper.certificate().public_key_der(), public_key, "another key was certified");
    let upper_certificate = upper.certificate().clone();
    for (issuer, above) in
        [(IssuingCa::Root(root), vec![]), (IssuingCa::Tier(upper), vec![upper_certificate])]
    {
        let made = issuer.issue_cluster_ca(&cluster_params(Profile::Hardened)).unwrap();
        assert_eq!(made.hierarchy().tiers(), above);
        assert!(made.certificate().is_signed_by(issuer.certificate()));
        let lower = issuer.issue_tier_ca(&tier(1, "Lower")).unwrap();
        assert_eq!(lower.tiers_above(), above);
    }
}

#[test]
fn a_child_of_the_hardened_profile_ends_with_its_issuer() {
    let root = root(Profile::Hardened);
    let mut params = cluster_params(Profile::Hardened);
    params.validity = days(0, 9999);
    let child = root.issue_cluster_ca(&params).unwrap();
    assert_eq!(child.certificate().validity(), days(0, 3650));
    params.validity = days(3651, 9999);
    for profile in [Profile::Hardened, Profile::Makefile] {
        params.profile = profile;
        assert_eq!(
            root.issue_cluster_ca(&params).unwrap_err().to_string(),
            "the new certificate would start 2036-11-22T12:00:00Z, after its issuer ends \
             2036-11-21T12:00:00Z"
        );
    }
}

#[test]
fn a_request_yields_a_certificate_and_no_key() {
    let root = root(Profile::Hardened);
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let pem = CaRequest::generate(&key).unwrap().to_pem().unwrap();
    let request = CaRequest::from_pem(pem.as_bytes()).unwrap();
    let certificate = root.certify(&request, &cluster_params(Profile::Hardened)).unwrap();
    let (certificate, key) = (certificate.to_pem(), key.to_pem().unwrap());
    let root_pem = root.certificate().to_pem();
    let cluster_ca = pki::ClusterCa::from_pem(
        certificate.as_bytes(),
        key.as_bytes(),
        certificate.as_bytes(),
        root_pem.as_bytes(),
        NOW,
    )
    .unwrap();
    assert_eq!(
        cluster_ca.certificate().subject().to_string(),
        "L=cluster1,CN=Intermediate CA,O=Istio"
    );
}

#[test]
fn a_request_of_another_key_kind_or_without_proof_is_refused() {
    let root = root(Profile::Hardened);
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP384).unwrap();
    let request = CaRequest::generate(&key).unwrap();
    assert_eq!(
        root.certify(&request, &cluster_params(Profile::Hardened)).unwrap_err().to_string(),
        "the request has a key of kind ecdsa p384, expected ecdsa p256"
    );
    // One bit of the signature, which ends the request.
    let pem = request.to_pem().unwrap();
    let mut der = pem_rfc7468_decode(&pem);
    *der.last_mut().unwrap() ^= 1;
    let forged = pem::encode(&pem::Pem::new("CERTIFICATE REQUEST", der));
    assert_eq!(
        CaRequest::from_pem(forged.as_bytes()).unwrap_err().to_string(),
        "the request does not prove that its sender has the private key: the signature is not of \
         this key"
    );
    assert_eq!(
        CaRequest::from_pem(root.certificate().to_pem().as_bytes()).unwrap_err().to_string(),
        "line 1 starts a `CERTIFICATE`, expected a `CERTIFICATE REQUEST`"
    );
}

fn pem_rfc7468_decode(pem: &str) -> Vec<u8> {
    pem::parse(pem).unwrap().into_contents()
}

#[test]
fn the_text_of_a_certificate_is_one_line_a_field() {
    let certificate = bundle(Profile::Hardened).certificate().clone();
    let text = certificate.text();
    let fields: Vec<_> = text.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(
        fields,
        [
            "version",
            "serial",
            "signature algorithm",
            "issuer",
            "issuer encoding",
            "not before",
            "not after",
            "subject",
            "subject encoding",
            "public key",
            "subjectKeyIdentifier",
            "basicConstraints critical",
            "keyUsage critical",
            "subjectAltName",
            "authorityKeyIdentifier",
            "fingerprint"
        ]
    );
    assert_eq!(text, Certificate::from_der(certificate.der()).unwrap().text());
    assert_eq!(format!("{certificate:?}"), text);
    assert_eq!(certificate.validity().not_before(), NOW - Duration::DAY);
}

#[test]
fn a_name_with_the_end_of_a_line_in_it_stays_on_its_line() {
    let odd = crate::common::made("Root\u{85}CA", None, |params| {
        let uri = "spiffe://a\nsubject: CN=b".try_into().unwrap();
        params.subject_alt_names = vec![rcgen::SanType::URI(uri)];
    });
    let certificate = Certificate::from_pem(odd.pem.as_bytes()).unwrap();
    assert_eq!(certificate.subject().to_string(), "CN=Root\\u{85}CA");
    // What programs compare is as it stands there.
    assert_eq!(certificate.uri_sans(), ["spiffe://a\nsubject: CN=b"]);
    let text = certificate.text();
    assert!(text.contains("\nsubjectAltName: URI:spiffe://a\\nsubject: CN=b\n"), "{text}");
    assert_eq!(text.lines().count(), 11 + certificate.extensions().len());
}

#[test]
fn a_cluster_ca_under_an_odd_root_becomes_no_bundle() {
    let odd = crate::common::made("Corp Root", None, |params| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    });
    let root = RootCa::from_pem(odd.pem.as_bytes(), odd.key_pem().as_bytes(), NOW).unwrap();
    let cluster_ca = root.issue_cluster_ca(&cluster_params(Profile::Hardened)).unwrap();
    let Err(Error::Refused(report)) = cluster_ca.bundle() else { panic!("it is a bundle") };
    assert_eq!(report.rule_ids(), ["extended-key-usage-on-ca"]);
}
