//! The bundles that stopped Istio 1.31 when it started, or let it go on with a CA of its own.

use pki::BundleFiles;
use rcgen::{
    CustomExtension, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose,
    NameConstraints, SanType,
};
use time::Duration;

use super::table::{block, cast, check, damaged, edited};
use crate::common::{NOW, files, made, made_with};

const CA: &str = BundleFiles::CA_CERT;
const KEY: &str = BundleFiles::CA_KEY;
const CHAIN: &str = BundleFiles::CERT_CHAIN;
const ROOT: &str = BundleFiles::ROOT_CERT;

#[test]
fn the_unspoilt_bundle_is_accepted_by_everyone() {
    check(vec![("good", cast().good(), "", &[])]);
}

#[test]
fn sets_of_files_that_are_not_whole() {
    let it = cast();
    let none = || it.without(&BundleFiles::NAMES);
    let missing = &["missing-file"];
    check(vec![
        ("no ca-cert", it.without(&[CA]), "SR", missing),
        ("no ca-key", it.without(&[KEY]), "SR", missing),
        ("no cert-chain", it.without(&[CHAIN]), "SR", missing),
        ("no root-cert", it.without(&[ROOT]), "SRAEZT", &["missing-file", "no-path-to-root"]),
        ("only root", it.without(&[CA, KEY, CHAIN]), "SR", missing),
        ("only key", it.without(&[CA, CHAIN, ROOT]), "SR", missing),
        ("no file", none(), "SR", &["no-bundle"]),
        (
            "only istio-generated",
            edited(none(), "istio-generated", |_| String::new()),
            "SR",
            &["no-bundle", "stray-file"],
        ),
        ("stray tls.crt", it.with("tls.crt", |_| it.ca.pem.clone()), "SR", &["tls-layout"]),
        ("empty tls.crt", it.with("tls.crt", |_| String::new()), "SR", &["tls-layout"]),
    ]);
}

#[test]
fn cluster_ca_files_that_cannot_be_read() {
    let it = cast();
    let relabelled = |pem: &str| pem.replace(" CERTIFICATE", " X509 CERTIFICATE");
    let unreadable = &["unreadable-pem"];
    check(vec![
        ("empty", it.with(CA, |_| String::new()), "SR", unreadable),
        ("no PEM", it.with(CA, |_| "hello\n".to_owned()), "SR", unreadable),
        ("byte order mark", it.with(CA, |pem| format!("\u{feff}{pem}")), "SR", unreadable),
        (
            "key block first",
            it.with(CA, |pem| it.ca.key_pem() + pem),
            "SR",
            &["private-key-handed-out", "extra-block"],
        ),
        ("X509 CERTIFICATE", it.with(CA, relabelled), "SR", &["foreign-block"]),
        (
            "root first",
            it.with(CA, |pem| it.root.pem.clone() + pem),
            "SR",
            &["key-mismatch", "extra-block", "unrelated-certificate"],
        ),
    ]);
}

#[test]
fn keys_that_cannot_be_read_or_do_not_fit() {
    let it = cast();
    let before = |label: &str| it.with(KEY, |pem| block(label, "MAUCAQECAQI=") + pem);
    let alone = |label: &str| it.with(KEY, |_| block(label, "MAUCAQECAQI="));
    let unreadable = &["unreadable-key"];
    let proc_type = |_: &str| {
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n\
         MAUCAQECAQI=\n-----END RSA PRIVATE KEY-----\n"
            .to_owned()
    };
    check(vec![
        ("empty", it.with(KEY, |_| String::new()), "SR", unreadable),
        ("EC PARAMETERS first", before("EC PARAMETERS"), "SR", unreadable),
        ("CERTIFICATE", it.with(KEY, |_| it.ca.pem.clone()), "SR", unreadable),
        ("PUBLIC KEY", alone("PUBLIC KEY"), "SR", unreadable),
        ("OPENSSH PRIVATE KEY", alone("OPENSSH PRIVATE KEY"), "SR", unreadable),
        ("ENCRYPTED PRIVATE KEY", alone("ENCRYPTED PRIVATE KEY"), "SR", unreadable),
        ("unknown label", alone("SECRET"), "SR", unreadable),
        ("Proc-Type", it.with(KEY, proc_type), "SR", unreadable),
        ("another key", it.with(KEY, |_| it.foreign.key_pem()), "SR", &["key-mismatch"]),
    ]);
}

#[test]
fn roots_that_are_not_found() {
    let it = cast();
    let path = &["no-path-to-root"];
    let both = &["unreadable-pem", "no-path-to-root"];
    let indented = |pem: &str| pem.replace("-----BEGIN", " -----BEGIN");
    let trusted = |pem: &str| pem.replace(" CERTIFICATE", " TRUSTED CERTIFICATE");
    let glued = |pem: &str| it.foreign.pem.trim_end().to_owned() + pem;
    let tier = made("tier", Some(&it.root), |_| {});
    let below = made("below", Some(&tier), |_| {});
    let namesake = made("root", None, |_| {});
    let tier_in_ca =
        edited(files(&below, &[&below], &[&it.root]), CA, |pem| pem.to_owned() + &tier.pem);
    check(vec![
        ("empty", it.with(ROOT, |_| String::new()), "SRAEZT", both),
        ("DER", it.with(ROOT, |_| "0\u{82}\u{1}".to_owned()), "SRAEZT", both),
        ("byte order mark", it.with(ROOT, |pem| format!("\u{feff}{pem}")), "SRAEZT", both),
        ("indented", it.with(ROOT, indented), "SRAEZT", both),
        (
            "TRUSTED CERTIFICATE",
            it.with(ROOT, trusted),
            "SRAEZT",
            &["foreign-block", "no-path-to-root"],
        ),
        ("two glued roots", it.with(ROOT, glued), "SRAEZT", both),
        ("another root", it.roots(&[&it.foreign]), "SRAEZT", path),
        ("a root of the same name", it.roots(&[&namesake]), "SRAEZT", path),
        ("no tier", files(&below, &[&below], &[&it.root]), "SRAEZT", path),
        ("tier in ca-cert.pem only", tier_in_ca, "SRAEZT", &["no-path-to-root", "extra-block"]),
    ]);
}

#[test]
fn cas_that_are_none_or_limited() {
    use ExtendedKeyUsagePurpose::{ClientAuth, CodeSigning};
    let root = |edit: fn(&mut rcgen::CertificateParams)| {
        let root = made("root", None, edit);
        let ca = made("ca", Some(&root), |_| {});
        files(&ca, &[&ca], &[&root])
    };
    let ca = |edit: fn(&mut rcgen::CertificateParams)| {
        let root = made("root", None, |_| {});
        let ca = made("ca", Some(&root), edit);
        files(&ca, &[&ca], &[&root])
    };
    fn unknown(params: &mut rcgen::CertificateParams) {
        let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
        extension.set_criticality(true);
        params.custom_extensions = vec![extension];
    }
    let usage = &["extended-key-usage-on-ca"];
    check(vec![
        ("leaf", ca(|it| it.is_ca = IsCa::ExplicitNoCa), "SAEZT", &["not-a-ca"]),
        ("no basic constraints", ca(|it| it.is_ca = IsCa::NoCa), "SAEZT", &["not-a-ca"]),
        ("root is a leaf", root(|it| it.is_ca = IsCa::ExplicitNoCa), "SRAEZT", &["not-a-ca"]),
        ("root has none", root(|it| it.is_ca = IsCa::NoCa), "SRAEZT", &["not-a-ca"]),
        (
            "root without keyCertSign",
            root(|it| it.key_usages = vec![KeyUsagePurpose::CrlSign]),
            "SRAEZT",
            &["no-key-cert-sign"],
        ),
        ("clientAuth", ca(|it| it.extended_key_usages = vec![ClientAuth]), "SRAEZT", usage),
        ("codeSigning", ca(|it| it.extended_key_usages = vec![CodeSigning]), "SRAEZT", usage),
        ("on root", root(|it| it.extended_key_usages = vec![ClientAuth]), "SRAT", usage),
        ("unknown extension", ca(unknown), "SRAEZT", &["unknown-critical-extension"]),
        ("unknown on root", root(unknown), "SRAEZT", &["unknown-critical-extension"]),
    ]);
}

#[test]
fn a_root_that_excludes_the_dns_name_of_the_cluster_ca() {
    let dns = |excluded: &str| {
        let root = made("root", None, |it| {
            it.name_constraints = Some(NameConstraints {
                permitted_subtrees: Vec::new(),
                excluded_subtrees: vec![GeneralSubtree::DnsName(excluded.to_owned())],
            });
        });
        let ca = made("ca", Some(&root), |it| {
            let name = "istiod.istio-system.svc".try_into().unwrap();
            it.subject_alt_names = vec![SanType::DnsName(name)];
        });
        files(&ca, &[&ca], &[&root])
    };
    check(vec![
        ("excluded", dns("istio-system.svc"), "SRAEZT", &["name-constraints"]),
        ("something else", dns("example.com"), "", &[]),
    ]);
}

#[test]
fn dates() {
    let it = cast();
    let ca = |from: i64, to: i64| {
        let ca = made("ca", Some(&it.root), |it| {
            (it.not_before, it.not_after) =
                (NOW + Duration::hours(from), NOW + Duration::hours(to));
        });
        files(&ca, &[&ca], &[&it.root])
    };
    let root = |from: i64, to: i64| {
        let root = made("root", None, |it| {
            (it.not_before, it.not_after) =
                (NOW + Duration::hours(from), NOW + Duration::hours(to));
        });
        let ca = made("ca", Some(&root), |it| it.not_after = NOW + Duration::hours(to));
        files(&ca, &[&ca], &[&root])
    };
    let outside = &["outside-validity"];
    check(vec![
        ("expired", ca(-48, -1), "SRAEZT", outside),
        ("not yet", ca(1, 8000), "SRAEZT", outside),
        ("root expired", root(-48, -1), "SRAEZT", outside),
        ("root not yet", root(1, 8000), "SRAEZT", outside),
    ]);
}

#[test]
fn chains_that_cannot_be_read() {
    let it = cast();
    let key = || KeyPair::from_pem(&it.ca.key_pem()).unwrap();
    let expired = |it: &mut rcgen::CertificateParams| it.not_after = NOW - Duration::HOUR;
    let old = made_with("ca", Some(&it.root), key(), expired);
    let glued = |pem: &str| pem.trim_end().to_owned() + pem;
    let lacks = &["unreadable-pem", "chain-lacks-cluster-ca"];
    check(vec![
        ("garbage", it.with(CHAIN, |_| "garbage\n".to_owned()), "SAEZT", lacks),
        ("glued", it.with(CHAIN, glued), "SAEZT", lacks),
        ("bad DER first", it.with(CHAIN, |pem| damaged() + pem), "S", &["unreadable-pem"]),
        (
            "bad DER second",
            it.with(CHAIN, |pem| pem.to_owned() + &damaged()),
            "S",
            &["unreadable-pem"],
        ),
        (
            "expired twin first",
            it.chain(&[&old, &it.ca]),
            "SE",
            &["outside-validity", "expired-twin", "chain-order", "unrelated-certificate"],
        ),
    ]);
}

#[test]
fn what_only_the_second_stage_of_the_start_refuses() {
    let it = cast();
    check(vec![
        ("bad DER", it.with(ROOT, |pem| pem.to_owned() + &damaged()), "ST", &["unreadable-pem"]),
        (
            "a key in root-cert.pem",
            it.with(ROOT, |pem| pem.to_owned() + &it.root.key_pem()),
            "S",
            &["private-key-handed-out"],
        ),
        (
            "another kind of block",
            it.with(ROOT, |pem| pem.to_owned() + &block("PUBLIC KEY", "MAUCAQECAQI=")),
            "S",
            &["foreign-block"],
        ),
    ]);
}
