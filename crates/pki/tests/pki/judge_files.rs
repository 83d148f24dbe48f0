//! Files that are missing, too many, unreadable, or hold a key where none belongs.

use pki::{BundleFiles, Judge, Profile, Verdict};
use pretty_assertions::assert_eq;

use crate::common::{bundle, files_of};
use crate::judge::{against, good, judged, serious, text};

const START: Judge = Judge::IstiodStart;
const RELOAD: Judge = Judge::IstiodReload;

#[test]
fn missing_files_are_named_and_no_file_at_all_is_worse_than_an_error() {
    for name in BundleFiles::NAMES {
        let mut files = good();
        files.remove(name).unwrap();
        let report = judged(&files);
        assert_eq!(serious(&report)[0], "missing-file");
        assert_eq!(report.findings[0].file.as_deref(), Some(name));
        assert_eq!(report.findings[0].judges, [START, RELOAD]);
    }
    let mut files = BundleFiles::new();
    assert_eq!(judged(&files).rule_ids(), ["no-bundle"]);
    files.insert("istio-generated", "");
    let report = judged(&files);
    assert_eq!(report.rule_ids(), ["no-bundle", "stray-file"]);
    assert_eq!(against(&report), [START, RELOAD]);
}

#[test]
fn a_stray_tls_certificate_is_refused_since_istiod_prefers_it() {
    for content in ["", "anything"] {
        let mut files = good();
        files.insert("tls.crt", content);
        let report = judged(&files);
        assert_eq!(report.rule_ids(), ["tls-layout"]);
        assert_eq!(against(&report), [START, RELOAD]);
    }
    // The other two names alone are ignored by istiod.
    let mut files = good();
    files.insert("ca.crt", "anything");
    assert_eq!(judged(&files).rule_ids(), ["stray-file"]);
}

#[test]
fn a_private_key_outside_its_file_is_the_worst_finding() {
    let key = text(&good(), BundleFiles::CA_KEY);
    for (name, judges) in [
        (BundleFiles::CERT_CHAIN, vec![]),
        (BundleFiles::ROOT_CERT, vec![START]),
        (BundleFiles::CA_CERT, vec![]),
        ("root-key.pem", vec![]),
    ] {
        let mut files = good();
        let before = files.get(name).map(<[u8]>::to_vec).unwrap_or_default();
        files.insert(name, [before.as_slice(), key.as_bytes()].concat());
        let report = judged(&files);
        assert_eq!(report.findings[0].rule.id, "private-key-handed-out", "{name}");
        assert!(report.refused());
        assert_eq!(report.findings[0].file.as_deref(), Some(name));
        assert_eq!(report.findings[0].judges, judges, "{name}");
    }
    // Also where it is no readable block any more.
    let mut files = good();
    let indented = key.replace('\n', "\n ");
    files.insert(BundleFiles::CERT_CHAIN, text(&files, BundleFiles::CERT_CHAIN) + " " + &indented);
    let report = judged(&files);
    assert_eq!(report.findings[0].rule.id, "private-key-handed-out");
    assert_eq!(report.findings[0].block, None);
}

#[test]
fn unreadable_pem_is_refused_with_line_and_reason() {
    let dashes = "the dashes do not start the line (indentation, a byte order mark, glued blocks)";
    let loading = [START, RELOAD].to_vec();
    type Break = fn(&str) -> String;
    let cases: [(&str, Break, String, Vec<Judge>); 6] = [
        ("empty", |_| String::new(), "no PEM block".to_owned(), loading.clone()),
        ("prose", |_| "hello\n".to_owned(), "no PEM block".to_owned(), loading.clone()),
        (
            "byte order mark",
            |pem| format!("\u{feff}{pem}"),
            format!("unreadable at line 1: {dashes}"),
            loading.clone(),
        ),
        (
            "indented",
            |pem| pem.replace("-----BEGIN", " -----BEGIN"),
            format!("unreadable at line 1: {dashes}"),
            loading.clone(),
        ),
        (
            "cut",
            |pem| pem[..pem.len() / 2].to_owned(),
            "unreadable at line 1: a BEGIN line without a readable block behind it".to_owned(),
            loading.clone(),
        ),
        (
            "not base64",
            |pem| pem.replacen("MI", "**", 1),
            "unreadable at line 1: a BEGIN line without a readable block behind it".to_owned(),
            loading,
        ),
    ];
    for (label, damage, found, judges) in cases {
        for name in [BundleFiles::CA_CERT, BundleFiles::ROOT_CERT] {
            let mut files = good();
            files.insert(name, damage(&text(&files, name)));
            let report = judged(&files);
            let finding = report.findings.iter().find(|it| it.rule.id == "unreadable-pem");
            let finding = finding.unwrap_or_else(|| panic!("{label} {name}: {report}"));
            assert_eq!((&finding.found, &finding.judges), (&found, &judges), "{label} {name}");
        }
    }
}

#[test]
fn a_damaged_certificate_is_refused_whereever_it_stands() {
    let damaged = "-----BEGIN CERTIFICATE-----\nMAUCAQECAQI=\n-----END CERTIFICATE-----\n";
    for (name, judges) in [
        (BundleFiles::CERT_CHAIN, vec![START]),
        (BundleFiles::ROOT_CERT, vec![START, Judge::TlsClient]),
    ] {
        let mut files = good();
        files.insert(name, text(&files, name) + damaged);
        let report = judged(&files);
        assert_eq!(serious(&report), ["unreadable-pem"], "{name}");
        assert_eq!(report.findings[0].block, Some(2));
        assert_eq!(against(&report), judges);
    }
    let mut files = good();
    files.insert(BundleFiles::CA_CERT, damaged);
    assert_eq!(against(&judged(&files)), [START, RELOAD]);
}

#[test]
fn glued_blocks_are_refused_though_go_reads_one_of_them() {
    let mut files = good();
    let root = text(&files, BundleFiles::ROOT_CERT);
    files.insert(BundleFiles::ROOT_CERT, root.trim_end().to_owned() + &root);
    let report = judged(&files);
    assert_eq!(serious(&report)[0], "unreadable-pem", "{report}");
    assert!(report.refused());
}

#[test]
fn blocks_of_another_kind_are_refused() {
    let request = include_str!("../../../../fixtures/makefile/cluster2/cluster-ca.csr");
    for (name, judges) in [(BundleFiles::CERT_CHAIN, vec![]), (BundleFiles::ROOT_CERT, vec![START])]
    {
        let mut files = good();
        files.insert(name, text(&files, name) + request);
        let report = judged(&files);
        assert_eq!(serious(&report), ["foreign-block"]);
        assert_eq!(report.findings[0].found.split(" at ").next(), Some("`CERTIFICATE REQUEST`"));
        assert_eq!(against(&report), judges, "{name}");
    }
    let mut files = good();
    let relabelled =
        text(&files, BundleFiles::CA_CERT).replace(" CERTIFICATE", " X509 CERTIFICATE");
    files.insert(BundleFiles::CA_CERT, relabelled);
    assert_eq!(serious(&judged(&files)), ["foreign-block"]);
}

#[test]
fn unreadable_keys_are_refused() {
    for (key, found) in [
        ("", "no PEM block, expected `PRIVATE KEY`"),
        (
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAUCAQECAQI=\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "the private key is encrypted; decrypt it first, istiod cannot read it either",
        ),
        (
            "-----BEGIN PRIVATE KEY-----\nMAUCAQECAQI=\n-----END PRIVATE KEY-----\n",
            "the private key is damaged or not RSA (from 2048 bits), P-256, P-384, P-521, Ed25519",
        ),
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----\nMAUCAQECAQI=\n-----END OPENSSH PRIVATE KEY-----\n",
            "line 1 starts a `OPENSSH PRIVATE KEY`, expected a `PRIVATE KEY`, `RSA PRIVATE KEY` or \
             `EC PRIVATE KEY` as the first block",
        ),
    ] {
        let mut files = good();
        files.insert(BundleFiles::CA_KEY, key);
        let report = judged(&files);
        assert_eq!(serious(&report), ["unreadable-key"]);
        assert_eq!(report.findings[0].found, found);
        assert_eq!(against(&report), [START, RELOAD]);
    }
}

#[test]
fn a_key_of_another_ca_is_refused() {
    let (mut ours, theirs) = (good(), good());
    ours.insert(BundleFiles::CA_KEY, theirs.get(BundleFiles::CA_KEY).unwrap());
    let report = judged(&ours);
    assert_eq!(serious(&report), ["key-mismatch"]);
    let Verdict::Refuses(findings) = report.verdict(START) else { panic!("it starts") };
    assert_eq!(
        findings[0].rule.istiod,
        ["the cert does not match the key: tls: private key does not match public key"]
    );
    assert_eq!(against(&report), [START, RELOAD]);
    // The root before the intermediate: istiod signs with the first.
    let mut files = files_of(&bundle(Profile::Hardened));
    let both = text(&files, BundleFiles::ROOT_CERT) + &text(&files, BundleFiles::CA_CERT);
    files.insert(BundleFiles::CA_CERT, both);
    assert_eq!(serious(&judged(&files))[0], "key-mismatch");
}

#[test]
fn only_the_first_block_of_certificate_and_key_counts() {
    let mut files = good();
    let root = text(&files, BundleFiles::ROOT_CERT);
    files.insert(BundleFiles::CA_CERT, text(&files, BundleFiles::CA_CERT) + &root);
    let report = judged(&files);
    assert_eq!(serious(&report), ["extra-block"]);
    assert!(!report.refused());
    let mut files = good();
    let key = text(&files, BundleFiles::CA_KEY);
    files.insert(BundleFiles::CA_KEY, key.clone() + &key);
    assert_eq!(serious(&judged(&files)), ["extra-block"]);
}
