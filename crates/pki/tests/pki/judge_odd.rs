//! Bundles of well-formed files whose CAs are odd, by whom each breaks: the acceptance table that
//! was measured with Istio 1.31, row by row.

use pki::{BundleFiles, Judge};
use pretty_assertions::assert_eq;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, IsCa,
    KeyIdMethod, KeyUsagePurpose,
};
use time::Duration;

use crate::common::{Made, NOW, files, made, made_with};
use crate::judge::{against, judged, serious};

use Judge::{Agent, Envoy, IstiodReload, IstiodStart, TlsClient, Ztunnel};

const EVERYONE: &[Judge] = &Judge::ALL;
const NOBODY: &[Judge] = &[];

#[track_caller]
fn check(label: &str, files: &BundleFiles, rules: &[&str], judges: &[Judge]) {
    let report = judged(files);
    assert_eq!(serious(&report), rules, "{label}\n{report}");
    assert_eq!(against(&report), judges, "{label}\n{report}");
}

fn two_levels(
    root: impl FnOnce(&mut CertificateParams),
    ca: impl FnOnce(&mut CertificateParams),
) -> BundleFiles {
    let root = made("root", None, root);
    let ca = made("ca", Some(&root), ca);
    files(&ca, &[&ca], &[&root])
}

fn expired(params: &mut CertificateParams) {
    params.not_after = NOW - Duration::HOUR;
}

fn usages(usages: Vec<KeyUsagePurpose>) -> impl FnOnce(&mut CertificateParams) {
    move |params| params.key_usages = usages
}

fn purposes(purposes: Vec<ExtendedKeyUsagePurpose>) -> impl FnOnce(&mut CertificateParams) {
    move |params| params.extended_key_usages = purposes
}

fn length(length: u8) -> impl FnOnce(&mut CertificateParams) {
    move |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(length))
}

fn plain(_: &mut CertificateParams) {}

#[test]
fn good_bundles_of_every_shape_pass() {
    check("two levels", &two_levels(plain, plain), &[], NOBODY);
    check("no key usage", &two_levels(usages(vec![]), usages(vec![])), &[], NOBODY);
    check("path lengths that fit", &two_levels(length(1), length(0)), &[], NOBODY);
    let root = made("root", None, plain);
    let tier = made("tier", Some(&root), length(1));
    let ca = made("ca", Some(&tier), length(0));
    check("three levels", &files(&ca, &[&ca, &tier], &[&root]), &[], NOBODY);
    let report = judged(&files(&ca, &[&ca, &tier, &root], &[&root]));
    assert_eq!(report.rule_ids(), ["root-in-chain"]);
    let one = made("root", None, plain);
    check("one level", &files(&one, &[&one], &[&one]), &[], NOBODY);
    check("one level, empty chain", &files(&one, &[], &[&one]), &[], NOBODY);
    let other = made("other", None, plain);
    check("a second root", &files(&ca, &[&ca, &tier], &[&other, &root]), &[], NOBODY);
}

#[test]
fn a_cluster_ca_that_is_none_is_refused() {
    let judges = [IstiodStart, Agent, Envoy, Ztunnel, TlsClient];
    check("leaf", &two_levels(plain, |it| it.is_ca = IsCa::ExplicitNoCa), &["not-a-ca"], &judges);
    check(
        "no basic constraints",
        &two_levels(plain, |it| it.is_ca = IsCa::NoCa),
        &["not-a-ca"],
        &judges,
    );
    check("root", &two_levels(|it| it.is_ca = IsCa::NoCa, plain), &["not-a-ca"], EVERYONE);
    let root = made("root", None, plain);
    let ca = made("ca", Some(&root), plain);
    let leaf = made("leaf", None, |it| it.is_ca = IsCa::NoCa);
    check("a leaf beside the root", &files(&ca, &[&ca], &[&root, &leaf]), &["not-a-ca"], NOBODY);
}

#[test]
fn a_ca_that_may_not_sign_certificates_is_refused_and_istiod_does_not_see_it() {
    let no_sign = || usages(vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::CrlSign]);
    let rules = ["no-key-cert-sign"];
    check("cluster CA", &two_levels(plain, no_sign()), &rules, &[Agent, Envoy, TlsClient]);
    check("root", &two_levels(no_sign(), plain), &rules, EVERYONE);
}

#[test]
fn dates_are_looked_at_on_every_ca() {
    let rules = ["outside-validity"];
    check("cluster CA", &two_levels(plain, expired), &rules, EVERYONE);
    check("root", &two_levels(expired, plain), &rules, EVERYONE);
    let early = |params: &mut CertificateParams| params.not_before = NOW + Duration::HOUR;
    check("not yet", &two_levels(plain, early), &rules, EVERYONE);
    check("root not yet", &two_levels(early, plain), &rules, EVERYONE);
    let root = made("root", None, plain);
    let tier = made("tier", Some(&root), expired);
    let ca = made("ca", Some(&tier), plain);
    check("tier", &files(&ca, &[&ca, &tier], &[&root]), &rules, EVERYONE);
    let report = judged(&two_levels(|it| it.not_after = NOW + Duration::days(100), plain));
    assert_eq!(report.rule_ids(), ["issuer-ends-first"]);
}

#[test]
fn expired_twins_are_refused_and_expired_strangers_warned_of() {
    let root = made("root", None, plain);
    let key = || rcgen::KeyPair::from_pem(&root.key_pem()).unwrap();
    let old = made_with("root", None, key(), expired);
    let ca = made("ca", Some(&root), plain);
    check("twin first", &files(&ca, &[&ca], &[&old, &root]), &["expired-twin"], &[Envoy]);
    check("twin last", &files(&ca, &[&ca], &[&root, &old]), &["expired-twin"], NOBODY);
    let stranger = made("stranger", None, expired);
    check("stranger", &files(&ca, &[&ca], &[&root, &stranger]), &["expired-extra"], NOBODY);
    let first = files(&ca, &[&stranger, &ca], &[&root]);
    let rules = ["outside-validity", "expired-extra", "chain-order", "unrelated-certificate"];
    check("stranger first in the chain", &first, &rules, &[IstiodStart]);
}

#[test]
fn a_chain_without_the_cluster_ca_is_refused_though_istiod_accepts_it() {
    let root = made("root", None, plain);
    let ca = made("ca", Some(&root), plain);
    let foreign = made("foreign", None, plain);
    let judges = [Agent, Envoy, Ztunnel, TlsClient];
    let lacks = "chain-lacks-cluster-ca";
    check("empty", &files(&ca, &[], &[&root]), &[lacks], &judges);
    check("root only", &files(&ca, &[&root], &[&root]), &[lacks], &judges);
    let rules = [lacks, "unrelated-certificate"];
    check("foreign", &files(&ca, &[&foreign], &[&root]), &rules, &judges);
    check("order", &files(&ca, &[&root, &ca], &[&root]), &["chain-order"], NOBODY);
    check("more", &files(&ca, &[&ca, &foreign], &[&root]), &["unrelated-certificate"], NOBODY);
}

#[test]
fn a_cluster_ca_without_a_way_to_the_root_is_refused() {
    let root = made("root", None, plain);
    let twin = made("root", None, plain);
    let other = made("other", None, plain);
    let tier = made("tier", Some(&root), plain);
    let ca = made("ca", Some(&tier), plain);
    let rules = ["no-path-to-root"];
    for (label, chain, anchor, found) in [
        (
            "another root",
            vec![&ca, &tier],
            &other,
            "`CN=tier` names issuer `CN=root`, which is neither in cert-chain.pem nor a root",
        ),
        (
            "a root of the same name",
            vec![&ca, &tier],
            &twin,
            "`CN=tier` names issuer `CN=root`, whose key did not make the signature",
        ),
        (
            "a missing tier",
            vec![&ca],
            &root,
            "`CN=ca` names issuer `CN=tier`, which is neither in cert-chain.pem nor a root",
        ),
    ] {
        let files = files(&ca, &chain, &[anchor]);
        check(label, &files, &rules, EVERYONE);
        assert_eq!(judged(&files).findings[0].found, found, "{label}");
    }
    let ca = made("ca", Some(&root), expired);
    let rules = ["no-path-to-root", "outside-validity"];
    check("another root, and expired", &files(&ca, &[&ca], &[&other]), &rules, EVERYONE);
    let ca = made("ca", Some(&tier), plain);
    // An anchor in the middle is an anchor, and OpenSSL wants to be told.
    let middle = files(&ca, &[&ca], &[&tier]);
    check("anchored at the tier", &middle, &["anchor-not-self-signed"], &[TlsClient]);
}

#[test]
fn path_lengths_that_do_not_fit_are_refused() {
    let rules = ["path-length"];
    check("root", &two_levels(length(0), plain), &rules, &[Agent, TlsClient]);
    let root = made("root", None, plain);
    let tier = made("tier", Some(&root), length(0));
    let ca = made("ca", Some(&tier), plain);
    let three = files(&ca, &[&ca, &tier], &[&root]);
    check("tier", &three, &rules, &[Agent, Envoy, Ztunnel, TlsClient]);
    let root = made("root", None, length(0));
    let tier = made("tier", Some(&root), plain);
    let ca = made("ca", Some(&tier), plain);
    // Two CAs below: now istiod counts one of them.
    let three = files(&ca, &[&ca, &tier], &[&root]);
    let judges = [IstiodStart, IstiodReload, Agent, TlsClient];
    check("root above a tier", &three, &rules, &judges);
}

#[test]
fn purposes_of_a_ca_break_whom_they_broke_when_measured() {
    use ExtendedKeyUsagePurpose::{Any, ClientAuth, CodeSigning, ServerAuth};
    let rules = ["extended-key-usage-on-ca"];
    let late = [Envoy, Ztunnel, TlsClient];
    for (purpose, judges) in [
        (vec![ServerAuth], &late[..]),
        (vec![Any], &late[..]),
        (vec![ClientAuth], EVERYONE),
        (vec![CodeSigning], EVERYONE),
    ] {
        let label = format!("{purpose:?}");
        check(&label, &two_levels(plain, purposes(purpose)), &rules, judges);
    }
    check("both", &two_levels(plain, purposes(vec![ServerAuth, ClientAuth])), &[], NOBODY);
    let root = two_levels(purposes(vec![ServerAuth]), plain);
    check("root, server", &root, &["extended-key-usage-on-root"], &[TlsClient]);
    let root = two_levels(purposes(vec![ClientAuth]), plain);
    check("root, client", &root, &rules, &[IstiodStart, IstiodReload, Agent, TlsClient]);
}

#[test]
fn key_ids_and_names_that_mislead_envoy_are_refused() {
    let root = made("root", None, plain);
    let mut relabelled = Made {
        params: root.params.clone(),
        key: rcgen::KeyPair::from_pem(&root.key_pem()).unwrap(),
        pem: root.pem.clone(),
    };
    relabelled.params.key_identifier_method = KeyIdMethod::PreSpecified(vec![7; 20]);
    let ca = made("ca", Some(&relabelled), plain);
    check("key id", &files(&ca, &[&ca], &[&root]), &["key-id-mismatch"], &[Envoy, TlsClient]);
    let namesake =
        made("root", Some(&root), |it| it.use_authority_key_identifier_extension = false);
    let files = files(&namesake, &[&namesake], &[&root]);
    check("name", &files, &["same-name"], &[Envoy, TlsClient]);
}

#[test]
fn extensions_nobody_understands_are_refused_when_critical() {
    let extension = |critical| {
        let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
        extension.set_criticality(critical);
        move |params: &mut CertificateParams| params.custom_extensions = vec![extension]
    };
    let rules = ["unknown-critical-extension"];
    check("cluster CA", &two_levels(plain, extension(true)), &rules, EVERYONE);
    check("root", &two_levels(extension(true), plain), &rules, EVERYONE);
    check("not critical", &two_levels(plain, extension(false)), &[], NOBODY);
}

#[test]
fn what_no_rule_names_fails_on_the_synthetic_leaf() {
    // webpki follows six CAs below a root, and no rule counts them.
    let mut cas = vec![made("root", None, plain)];
    for level in 0..6 {
        cas.push(made(&format!("tier {level}"), cas.last(), plain));
    }
    let all = |cas: &[Made]| {
        let chain: Vec<_> = cas.iter().rev().collect();
        files(chain[0], &chain[..chain.len() - 1], &[&cas[0]])
    };
    check("as deep as it goes", &all(&cas), &[], NOBODY);
    cas.push(made("ca", cas.last(), plain));
    let files = all(&cas);
    // Nobody else counts.
    check("too deep", &files, &["synthetic-leaf"], &[Ztunnel]);
    assert_eq!(
        judged(&files).findings[0].found,
        "the served chain of a leaf by `CN=ca` does not verify: webpki says \
         MaximumPathDepthExceeded"
    );
}
