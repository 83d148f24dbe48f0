//! What the real judges taught the rules (`cargo xtask judges`), one row each.

use pki::BundleFiles;
use rcgen::{CertificateParams, CustomExtension, IsCa, KeyIdMethod, KeyPair};

use super::table::{block, cast, check, damaged, edited};
use crate::common::{Made, files, made, made_with};

const CA: &str = BundleFiles::CA_CERT;
const KEY: &str = BundleFiles::CA_KEY;
const CHAIN: &str = BundleFiles::CERT_CHAIN;

fn plain(_: &mut CertificateParams) {}

#[test]
fn go_reads_a_key_only_in_the_form_that_its_label_names() {
    let it = cast();
    let labelled = |label: &str| it.with(KEY, |pem| pem.replace("PRIVATE KEY", label));
    let explicit =
        crate::openssl::converted(&it.ca.key_pem(), "pkey -ec_param_enc explicit -in key.pem");
    let unreadable = &["unreadable-key"];
    check(vec![
        ("PKCS#8 labelled as PKCS#1", labelled("RSA PRIVATE KEY"), "SR", unreadable),
        ("PKCS#8 labelled as SEC1", labelled("EC PRIVATE KEY"), "SR", unreadable),
        ("a curve that is spelled out", it.with(KEY, |_| explicit), "SR", unreadable),
        ("as it was", it.good(), "", &[]),
    ]);
}

#[test]
fn the_first_block_of_the_chain_must_be_a_certificate() {
    let it = cast();
    let public = block("PUBLIC KEY", "MAUCAQECAQI=");
    check(vec![
        ("key", it.with(CHAIN, |pem| it.ca.key_pem() + pem), "S", &["private-key-handed-out"]),
        ("public key", it.with(CHAIN, |pem| public.clone() + pem), "S", &["foreign-block"]),
        (
            "public key behind",
            it.with(CHAIN, |pem| pem.to_owned() + &public),
            "",
            &["foreign-block"],
        ),
    ]);
}

#[test]
fn labels_and_headers_that_some_read_and_others_do_not() {
    let it = cast();
    let lacks = &["foreign-block", "chain-lacks-cluster-ca"];
    let labelled = |label: &str| it.with(CHAIN, |pem| pem.replace(" CERTIFICATE", label));
    let headers = |pem: &str| pem.replacen("-----\n", "-----\nComment: ca\n\n", 1);
    let unreadable = &["unreadable-pem", "chain-lacks-cluster-ca"];
    check(vec![
        ("X509 CERTIFICATE", labelled(" X509 CERTIFICATE"), "AZ", lacks),
        ("TRUSTED CERTIFICATE", labelled(" TRUSTED CERTIFICATE"), "AEZ", lacks),
        ("headers in the chain", it.with(CHAIN, headers), "EZT", unreadable),
        ("headers on the cluster CA", it.with(CA, headers), "", &["unreadable-pem"]),
    ]);
}

#[test]
fn a_twin_in_the_chain_leads_upwards_as_well() {
    let it = cast();
    let key = KeyPair::from_pem(&it.ca.key_pem()).unwrap();
    let twin = made_with("ca", Some(&it.root), key, plain);
    check(vec![("renewed", it.chain(&[&twin]), "", &["unrelated-certificate"])]);
}

#[test]
fn a_certificate_that_is_taken_for_another() {
    let it = cast();
    let like = |real: &Made, issuer: Option<&Made>, name: &str| {
        let id = real.params.key_identifier(&real.key);
        made(name, issuer, |it| it.key_identifier_method = KeyIdMethod::PreSpecified(id))
    };
    let root = like(&it.root, None, "root");
    let ca = like(&it.ca, Some(&it.root), "ca");
    let namesake = made("root", None, plain);
    let in_chain = &["false-twin", "chain-order", "unrelated-certificate"];
    check(vec![
        ("root", it.roots(&[&root, &it.root]), "ET", &["false-twin"]),
        ("root behind", it.roots(&[&it.root, &root]), "", &["false-twin"]),
        ("cluster CA", it.chain(&[&ca, &it.ca]), "ET", in_chain),
        (
            "cluster CA behind",
            it.chain(&[&it.ca, &ca]),
            "",
            &["false-twin", "unrelated-certificate"],
        ),
        ("another key id", it.roots(&[&namesake, &it.root]), "", &[]),
    ]);
}

#[test]
fn critical_policies_are_for_all_but_webpki() {
    let policy = |content: &[u8], last: u64| {
        let mut extension = CustomExtension::from_oid_content(&[2, 5, 29, last], content.to_vec());
        extension.set_criticality(true);
        let root = made("root", None, plain);
        let ca = made("ca", Some(&root), |it| it.custom_extensions = vec![extension]);
        files(&ca, &[&ca], &[&root])
    };
    let rule = &["unknown-critical-extension"];
    check(vec![
        ("certificate policies", policy(&[48, 6, 48, 4, 6, 2, 42, 3], 32), "Z", rule),
        ("inhibit any policy", policy(&[2, 1, 0], 54), "Z", rule),
    ]);
}

#[test]
fn roots_from_which_there_is_more_than_one_way() {
    let it = cast();
    let tier = made("tier", Some(&it.root), plain);
    let ca = made("below", Some(&tier), plain);
    let key = || KeyPair::from_pem(&it.root.key_pem()).unwrap();
    let leaf = made_with("root", None, key(), |it| it.is_ca = IsCa::NoCa);
    check(vec![
        ("tier and root", files(&ca, &[&ca], &[&it.root, &tier]), "", &[]),
        ("cluster CA and root", it.roots(&[&it.ca, &it.root]), "", &[]),
        ("a twin that is no CA first", it.roots(&[&leaf, &it.root]), "", &["not-a-ca"]),
    ]);
}

#[test]
fn lists_with_something_else_behind() {
    let it = cast();
    let garbage = |pem: &str| edited(it.good(), "ca-crl.pem", |_| pem.to_owned());
    let rules = &["crl-missing", "crl-unreadable"];
    check(vec![
        ("a damaged list", garbage(&damaged().replace("CERTIFICATE", "X509 CRL")), "SRE", rules),
        ("a certificate", garbage(&it.root.pem), "SRE", rules),
    ]);
}
