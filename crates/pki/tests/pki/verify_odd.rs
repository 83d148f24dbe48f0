//! Served chains with an odd certificate in them, and what is wrong with each.

use pretty_assertions::assert_eq;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, IsCa,
    KeyIdMethod, KeyUsagePurpose, SanType,
};

use crate::common::{Made, NOW, httpbin, made};
use crate::verify::{hierarchy, named, refusal, uri, verify, workload};

#[test]
fn the_leaf_must_be_a_workload_certificate() {
    let root = made("root", None, |_| {});
    let ca = made("ca", Some(&root), |_| {});
    let above = [&ca, &root];
    let is_ca = workload(&ca, |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    assert_eq!(
        refusal(&is_ca, &above),
        "the first certificate served is the CA `CN=workload`, expected a leaf"
    );
    let two = workload(&ca, |params| params.subject_alt_names.push(uri("spiffe://td/other")));
    assert_eq!(
        refusal(&two, &above),
        "the workload certificate names [spiffe://cluster.local/ns/foo/sa/httpbin, \
         spiffe://td/other], expected exactly `spiffe://cluster.local/ns/foo/sa/httpbin`"
    );
    let none = workload(&ca, |params| {
        params.subject_alt_names = vec![SanType::DnsName("httpbin.foo".try_into().unwrap())];
    });
    assert_eq!(
        refusal(&none, &above),
        "the workload certificate names [], expected exactly \
         `spiffe://cluster.local/ns/foo/sa/httpbin`"
    );
    let no_subject = workload(&ca, |params| {
        params.distinguished_name = rcgen::DistinguishedName::new();
    });
    // rcgen marks the name critical then, as RFC 5280 wants.
    assert!(verify(&no_subject, &above).unwrap().leaf().san_is_critical());
    let not_critical = workload(&ca, |params| {
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.subject_alt_names = Vec::new();
        // GeneralNames with one uniformResourceIdentifier, in an extension that is not critical.
        let uri = httpbin().to_string();
        let length = u8::try_from(uri.len()).unwrap();
        let content = [&[0x30, length + 2, 0x86, length], uri.as_bytes()].concat();
        params.custom_extensions =
            vec![CustomExtension::from_oid_content(&[2, 5, 29, 17], content)];
    });
    assert_eq!(
        refusal(&not_critical, &above),
        "the workload certificate has no subject and its alternative name is not critical, \
         expected a critical one"
    );
    let signs = workload(&ca, |params| params.key_usages.push(KeyUsagePurpose::CrlSign));
    assert_eq!(
        refusal(&signs, &above),
        "the served leaf has digitalSignature, keyEncipherment, cRLSign, expected \
         digitalSignature and neither keyCertSign nor cRLSign"
    );
    let unlimited = workload(&ca, |params| params.key_usages = Vec::new());
    assert_eq!(
        refusal(&unlimited, &above),
        "the served leaf has no key usage, expected digitalSignature and neither \
         keyCertSign nor cRLSign"
    );
    let server = workload(&ca, |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    assert_eq!(
        refusal(&server, &above),
        "the served leaf is for [serverAuth], expected serverAuth and clientAuth"
    );
}

#[test]
fn every_issuer_must_be_allowed_to_sign_certificates() {
    let odd = |params: &mut CertificateParams| {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    };
    let root = made("root", None, |_| {});
    let ca = made("ca", Some(&root), odd);
    assert_eq!(
        refusal(&workload(&ca, |_| {}), &[&ca, &root]),
        format!(
            "{} is on the path with key usage digitalSignature, expected keyCertSign",
            named(&ca)
        )
    );
    let root = made("root", None, odd);
    let ca = made("ca", Some(&root), |_| {});
    assert_eq!(
        refusal(&workload(&ca, |_| {}), &[&ca, &root]),
        format!(
            "{} is on the path with key usage digitalSignature, expected keyCertSign",
            named(&root)
        )
    );
    // No key usage at all allows everything.
    let root = made("root", None, |params| params.key_usages = Vec::new());
    let ca = made("ca", Some(&root), |params| params.key_usages = Vec::new());
    verify(&workload(&ca, |_| {}), &[&ca, &root]).unwrap();
    // A leaf that signs a leaf.
    let root = made("root", None, |_| {});
    let no_ca = made("ca", Some(&root), |params| params.is_ca = IsCa::NoCa);
    assert_eq!(
        refusal(&workload(&no_ca, |_| {}), &[&no_ca, &root]),
        "the served chain of a leaf by `CN=ca` does not verify: an issuer on the path is no CA"
    );
}

#[test]
fn purposes_of_a_ca_must_be_a_meshs() {
    let limited = |purposes: Vec<ExtendedKeyUsagePurpose>| {
        move |params: &mut CertificateParams| params.extended_key_usages = purposes
    };
    use ExtendedKeyUsagePurpose::{Any, ClientAuth, ServerAuth};
    let root = made("root", None, |_| {});
    for purposes in [vec![ServerAuth], vec![ClientAuth], vec![Any]] {
        let ca = made("ca", Some(&root), limited(purposes));
        assert_eq!(
            refusal(&workload(&ca, |_| {}), &[&ca, &root]),
            "the served chain of a leaf by `CN=ca` does not verify: a certificate's extended key \
             usage lacks serverAuth or clientAuth"
        );
    }
    let both = made("ca", Some(&root), limited(vec![ServerAuth, ClientAuth]));
    verify(&workload(&both, |_| {}), &[&both, &root]).unwrap();
    let root = made("root", None, limited(vec![ClientAuth]));
    let ca = made("ca", Some(&root), |_| {});
    assert_eq!(
        refusal(&workload(&ca, |_| {}), &[&ca, &root]),
        format!(
            "{} is limited to [clientAuth], expected serverAuth and clientAuth or no limit",
            named(&root)
        )
    );
}

#[test]
fn key_identifiers_must_agree_as_envoy_wants() {
    let root = made("root", None, |_| {});
    let mut relabelled = Made {
        params: root.params.clone(),
        key: rcgen::KeyPair::from_pem(&root.key_pem()).unwrap(),
        pem: root.pem.clone(),
    };
    relabelled.params.key_identifier_method = KeyIdMethod::PreSpecified(vec![7; 20]);
    let ca = made("ca", Some(&relabelled), |_| {});
    let root_id = root.certificate().subject_key_id().unwrap().to_vec();
    let root_id: String = root_id.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        refusal(&workload(&ca, |_| {}), &[&ca, &root]),
        format!("{} names issuer key id {}, expected {root_id}", named(&ca), "07".repeat(20))
    );
}

#[test]
fn an_unknown_critical_extension_is_refused() {
    let root = made("root", None, |_| {});
    let mut unknown = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
    unknown.set_criticality(true);
    let ca = made("ca", Some(&root), |params| params.custom_extensions = vec![unknown]);
    assert_eq!(
        refusal(&workload(&ca, |_| {}), &[&ca, &root]),
        "the served chain of a leaf by `CN=ca` does not verify: a certificate has a critical \
         extension that is not understood"
    );
}

#[test]
fn path_lengths_count_on_the_root_too() {
    let constrained = |length| {
        move |params: &mut CertificateParams| {
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(length));
        }
    };
    let root = made("root", None, constrained(1));
    let ca = made("ca", Some(&root), constrained(0));
    verify(&workload(&ca, |_| {}), &[&ca, &root]).unwrap();

    // webpki does not look at a root's path length.
    let root = made("root", None, constrained(0));
    let ca = made("ca", Some(&root), constrained(0));
    assert_eq!(
        refusal(&workload(&ca, |_| {}), &[&ca, &root]),
        format!("{} allows 0 CAs below it, found 1", named(&root))
    );
    let root = made("root", None, |_| {});
    let tier = made("tier", Some(&root), constrained(0));
    let ca = made("ca", Some(&tier), constrained(0));
    assert_eq!(
        refusal(&workload(&ca, |_| {}), &[&ca, &tier, &root]),
        "the served chain of a leaf by `CN=ca` does not verify: a CA allows fewer CAs below it \
         than there are"
    );
}

#[test]
fn the_chain_istiod_serves_is_proved_for_its_name() {
    let root = made("root", None, |_| {});
    let ca = made("ca", Some(&root), |_| {});
    let istiod = workload(&ca, |params| {
        let dns = |name: &str| SanType::DnsName(name.try_into().unwrap());
        params.subject_alt_names = vec![dns("istio-pilot.a.svc"), dns("istiod.a.svc")];
    });
    let hierarchy = hierarchy(&[&ca, &root]);
    let served = [&istiod, &ca].map(|made| made.certificate().der().to_vec());
    let chain = hierarchy.verify_server(&served, "istiod.a.svc", NOW).unwrap();
    assert_eq!(chain.leaf(), &istiod.certificate());
    assert_eq!(chain.intermediates(), [ca.certificate()]);
    assert_eq!(
        hierarchy.verify_server(&served, "istiod.b.svc", NOW).unwrap_err().to_string(),
        "the server certificate is for [istio-pilot.a.svc, istiod.a.svc], expected `istiod.b.svc`"
    );
    // It is no workload, and a workload is no istiod.
    assert_eq!(
        hierarchy.verify(&served, &httpbin(), NOW).unwrap_err().to_string(),
        "the workload certificate names [], expected exactly \
         `spiffe://cluster.local/ns/foo/sa/httpbin`"
    );
    let served = [&workload(&ca, |_| {}), &ca].map(|made| made.certificate().der().to_vec());
    assert_eq!(
        hierarchy.verify_server(&served, "istiod.a.svc", NOW).unwrap_err().to_string(),
        "the server certificate is for [], expected `istiod.a.svc`"
    );
    let later = NOW + time::Duration::days(366);
    assert_eq!(
        hierarchy.verify(&served, &httpbin(), later).unwrap_err().to_string(),
        "the served leaf is valid 2026-11-23T12:00:00Z/2027-11-24T12:00:00Z, not at \
         2027-11-25T12:00:00Z"
    );
}
