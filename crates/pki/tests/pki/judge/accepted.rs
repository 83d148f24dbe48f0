//! The bundles with which Istio 1.31 starts, and what agent and Envoy then make of them.

use pki::BundleFiles;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, NameConstraints, SerialNumber,
};
use time::Duration;

use super::table::{Cast, Row, block, cast, check, edited};
use crate::common::{Made, NOW, files, made, made_with};

const KEY: &str = BundleFiles::CA_KEY;
const CHAIN: &str = BundleFiles::CERT_CHAIN;
const ROOT: &str = BundleFiles::ROOT_CERT;

type Edit = fn(&mut CertificateParams);

fn plain(_: &mut CertificateParams) {}

fn two(
    root: impl FnOnce(&mut CertificateParams),
    ca: impl FnOnce(&mut CertificateParams),
) -> BundleFiles {
    let root = made("root", None, root);
    let ca = made("ca", Some(&root), ca);
    files(&ca, &[&ca], &[&root])
}

fn length(length: u8) -> impl FnOnce(&mut CertificateParams) {
    move |it| it.is_ca = IsCa::Ca(BasicConstraints::Constrained(length))
}

#[test]
fn what_stands_in_the_chain() {
    let it = cast();
    let leaf = made("leaf", Some(&it.ca), |it| it.is_ca = IsCa::NoCa);
    let (root, ca) = (&it.root, &it.ca);
    let lacks = "chain-lacks-cluster-ca";
    check(vec![
        ("intermediate and root", it.chain(&[ca, root]), "", &["root-in-chain"]),
        ("root first", it.chain(&[root, ca]), "", &["chain-order", "root-in-chain"]),
        ("intermediate only", it.good(), "", &[]),
        (
            "root twice",
            it.chain(&[ca, root, root]),
            "",
            &["duplicate-certificate", "root-in-chain"],
        ),
        ("a leaf more", it.chain(&[ca, &leaf]), "", &["unrelated-certificate"]),
        ("a foreign CA more", it.chain(&[ca, &it.foreign]), "", &["unrelated-certificate"]),
        (
            "a key inside",
            it.with(CHAIN, |pem| pem.to_owned() + &it.root.key_pem()),
            "",
            &["private-key-handed-out"],
        ),
        ("empty", it.chain(&[]), "AEZT", &[lacks]),
        ("root only", it.chain(&[root]), "AEZT", &[lacks, "root-in-chain"]),
        ("foreign", it.chain(&[&it.foreign]), "AEZT", &[lacks, "unrelated-certificate"]),
    ]);
}

#[test]
fn levels_and_anchors() {
    let it = cast();
    let root = &it.root;
    let tier = made("tier", Some(root), plain);
    let ca = made("below", Some(&tier), plain);
    let short = made("tier", Some(root), length(0));
    let under_short = made("below", Some(&short), plain);
    let anchor = &["anchor-not-self-signed"];
    check(vec![
        ("three levels", files(&ca, &[&ca, &tier, root], &[root]), "", &["root-in-chain"]),
        ("no root in chain", files(&ca, &[&ca, &tier], &[root]), "", &[]),
        (
            "root first",
            files(&ca, &[root, &tier, &ca], &[root]),
            "",
            &["chain-order", "root-in-chain"],
        ),
        ("one level", files(root, &[root], &[root]), "", &[]),
        ("one level, empty chain", files(root, &[], &[root]), "", &[]),
        ("anchored at the intermediate", files(&it.ca, &[&it.ca], &[&it.ca]), "T", anchor),
        ("anchored at the tier", files(&ca, &[&ca], &[&tier]), "T", anchor),
        (
            "tier with path length 0",
            files(&under_short, &[&under_short, &short], &[root]),
            "AEZT",
            &["path-length"],
        ),
        ("root with path length 0", two(length(0), plain), "AT", &["path-length"]),
        ("path lengths that fit", two(length(1), length(0)), "", &[]),
    ]);
}

#[test]
fn usages() {
    use ExtendedKeyUsagePurpose::{Any, ClientAuth, ServerAuth};
    let usage =
        |usage: Vec<KeyUsagePurpose>| move |it: &mut CertificateParams| it.key_usages = usage;
    let purpose = |purpose: Vec<ExtendedKeyUsagePurpose>| {
        move |it: &mut CertificateParams| it.extended_key_usages = purpose
    };
    let limited = &["extended-key-usage-on-ca"];
    check(vec![
        (
            "no keyCertSign",
            two(plain, usage(vec![KeyUsagePurpose::CrlSign])),
            "AET",
            &["no-key-cert-sign"],
        ),
        ("no key usage", two(usage(vec![]), usage(vec![])), "", &[]),
        ("serverAuth", two(plain, purpose(vec![ServerAuth])), "EZT", limited),
        ("any", two(plain, purpose(vec![Any])), "EZT", limited),
        ("both", two(plain, purpose(vec![ServerAuth, ClientAuth])), "", &[]),
        (
            "root with serverAuth",
            two(purpose(vec![ServerAuth]), plain),
            "T",
            &["extended-key-usage-on-root"],
        ),
    ]);
}

/// A critical name constraints extension with one subtree on a URI's host, which rcgen has not.
fn uri(tag: u8, host: &str) -> impl FnOnce(&mut CertificateParams) + use<> {
    let length = host.len() as u8;
    let mut content = vec![0x30, length + 6, tag, length + 4, 0x30, length + 2, 0x86, length];
    content.extend(host.as_bytes());
    let mut extension = CustomExtension::from_oid_content(&[2, 5, 29, 30], content);
    extension.set_criticality(true);
    move |it| it.custom_extensions = vec![extension]
}

#[test]
fn name_constraints() {
    const PERMITTED: u8 = 0xa0;
    const EXCLUDED: u8 = 0xa1;
    let dns = |name: &str| {
        let permitted = vec![GeneralSubtree::DnsName(name.to_owned())];
        move |it: &mut CertificateParams| {
            it.name_constraints = Some(NameConstraints {
                permitted_subtrees: permitted,
                excluded_subtrees: Vec::new(),
            });
        }
    };
    let refused = &["name-constraints", "uri-constraints"];
    let on_ca = |tag, host| two(plain, uri(tag, host));
    let on_root = |tag, host| two(uri(tag, host), plain);
    check(vec![
        ("URI cluster.local", on_ca(PERMITTED, "cluster.local"), "Z", &["uri-constraints"]),
        ("on the root", on_root(PERMITTED, "cluster.local"), "Z", &["uri-constraints"]),
        ("URI .cluster.local", on_ca(PERMITTED, ".cluster.local"), "EZT", refused),
        ("another domain", on_ca(PERMITTED, "other.domain"), "EZT", refused),
        ("another domain on the root", on_root(PERMITTED, "other.domain"), "EZT", refused),
        ("excluded", on_ca(EXCLUDED, "cluster.local"), "EZT", refused),
        ("excluded, another domain", on_ca(EXCLUDED, "other.domain"), "Z", &["uri-constraints"]),
        ("DNS istio-system.svc", two(plain, dns("istio-system.svc")), "", &[]),
        ("another DNS domain", two(plain, dns("example.com")), "A", &["name-constraints"]),
        ("only one name", two(plain, dns("istiod.istio-system.svc")), "A", &["name-constraints"]),
    ]);
}

#[test]
fn names_and_key_ids() {
    let it = cast();
    let copy = |made: &Made| KeyPair::from_pem(&made.key_pem()).unwrap();
    let mut relabelled =
        Made { params: it.root.params.clone(), key: copy(&it.root), pem: it.root.pem.clone() };
    relabelled.params.key_identifier_method = KeyIdMethod::PreSpecified(vec![7; 20]);
    let misled = made("ca", Some(&relabelled), plain);
    let namesake = |it: &Cast, edit: Edit| {
        let ca = made("root", Some(&it.root), edit);
        files(&ca, &[&ca], &[&it.root])
    };
    let nameless: Edit =
        |it| it.distinguished_name.remove(DnType::CommonName).then_some(()).unwrap();
    let no_ids: Edit = |it| it.use_authority_key_identifier_extension = false;
    check(vec![
        ("foreign key id", files(&misled, &[&misled], &[&it.root]), "ET", &["key-id-mismatch"]),
        ("no key id", two(plain, no_ids), "", &[]),
        ("name of the root, no key id", namesake(&it, no_ids), "ET", &["same-name"]),
        ("name of the root", namesake(&it, plain), "", &[]),
        ("no name", two(plain, nameless), "", &[]),
        (
            "19 bytes of serial",
            two(plain, |it| it.serial_number = Some(SerialNumber::from(vec![0x7f; 19]))),
            "",
            &[],
        ),
        (
            "20 bytes of serial",
            two(plain, |it| it.serial_number = Some(SerialNumber::from(vec![0x7f; 20]))),
            "",
            &[],
        ),
        ("until 2055", two(|it| it.not_after = NOW + Duration::days(366 * 29), plain), "", &[]),
    ]);
}

#[test]
fn several_roots_and_odd_text() {
    let it = cast();
    let (root, foreign) = (&it.root, &it.foreign);
    let crlf = |pem: &str| pem.replace('\n', "\r\n");
    let everywhere =
        BundleFiles::NAMES.into_iter().fold(it.good(), |all, name| edited(all, name, crlf));
    let expired: Edit = |it| it.not_after = NOW - Duration::HOUR;
    let twin = made_with("root", None, KeyPair::from_pem(&root.key_pem()).unwrap(), expired);
    let old = made("old", None, expired);
    let twin_ca =
        made_with("ca", Some(root), KeyPair::from_pem(&it.ca.key_pem()).unwrap(), expired);
    let rows: Vec<Row<'_>> = vec![
        ("good and foreign", it.roots(&[root, foreign]), "", &[]),
        ("foreign and good", it.roots(&[foreign, root]), "", &[]),
        ("twice", it.roots(&[root, root]), "", &["duplicate-certificate"]),
        ("no newline", it.with(ROOT, |pem| pem.trim_end().to_owned()), "", &[]),
        ("comment", it.with(ROOT, |pem| format!("# root\n{pem}the end\n")), "", &[]),
        ("blank lines", it.with(ROOT, |pem| format!("\n\n{pem}\n\n")), "", &[]),
        ("CRLF everywhere", everywhere, "", &[]),
        ("expired twin first", it.roots(&[&twin, root]), "E", &["expired-twin"]),
        // Envoy is content, and the agents may turn them round.
        ("expired twin last", it.roots(&[root, &twin]), "", &["expired-twin"]),
        ("expired other root", it.roots(&[&old, root]), "", &["expired-extra"]),
        (
            "expired twin of the cluster CA last",
            it.chain(&[&it.ca, &twin_ca]),
            "",
            &["expired-twin", "unrelated-certificate"],
        ),
    ];
    check(rows);
}

#[test]
fn keys_in_every_form_that_go_reads() {
    let it = cast();
    let sec1 = crate::openssl::converted(&it.ca.key_pem(), "ec -in key.pem");
    let parameters = block("EC PARAMETERS", "BggqhkjOPQMBBw==");
    check(vec![
        ("no newline", it.with(KEY, |pem| pem.trim_end().to_owned()), "", &[]),
        ("leading text", it.with(KEY, |pem| format!("the key\n{pem}")), "", &[]),
        ("SEC1", it.with(KEY, |_| sec1), "", &[]),
        ("EC PARAMETERS behind", it.with(KEY, |pem| pem.to_owned() + &parameters), "", &[]),
    ]);
}

#[test]
fn files_that_istiod_ignores() {
    let it = cast();
    let key = it.foreign.key_pem();
    check(vec![
        ("istio-generated", it.with("istio-generated", |_| String::new()), "", &["stray-file"]),
        ("ca.crt", it.with("ca.crt", |_| it.root.pem.clone()), "", &["stray-file"]),
        ("another name", it.with("notes.txt", |_| "hello".to_owned()), "", &["stray-file"]),
        (
            "tls.key",
            it.with("tls.key", |_| key.clone()),
            "",
            &["private-key-handed-out", "stray-file"],
        ),
    ]);
}
