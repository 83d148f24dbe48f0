//! The report: positive controls, the rules as data, the way from files to a bundle, and what
//! depends on the mesh.

use std::collections::BTreeSet;

use pki::{
    BundleFiles, Certificate, Context, IstioVersion, Judge, Profile, RULES, Refusal, Report,
    Severity,
};
use pretty_assertions::assert_eq;

use crate::common::{bundle, context, files, files_of, made};

mod accepted;
mod kinds;
mod later;
mod measured;
mod refused;
mod reload;
mod revocation;
mod table;
mod tls_layout;

/// Everyone who refuses.
pub(crate) fn against(report: &Report) -> Vec<Judge> {
    Judge::ALL.into_iter().filter(|judge| !report.verdict(*judge).accepts()).collect()
}

/// The rules above advice that found something.
pub(crate) fn serious(report: &Report) -> Vec<&'static str> {
    let serious = report.findings.iter().filter(|it| it.rule.severity != Severity::Advice);
    let mut ids: Vec<_> = serious.map(|finding| finding.rule.id).collect();
    ids.dedup();
    ids
}

#[track_caller]
pub(crate) fn judged(files: &BundleFiles) -> Report {
    files.judge(&context()).unwrap()
}

pub(crate) fn good() -> BundleFiles {
    files_of(&bundle(Profile::Hardened))
}

pub(crate) fn text(files: &BundleFiles, name: &str) -> String {
    String::from_utf8(files.get(name).unwrap().to_vec()).unwrap()
}

#[test]
fn neither_profile_has_a_finding_above_advice() {
    for (profile, advice) in
        [(Profile::Hardened, vec![]), (Profile::Makefile, vec!["root-in-chain", "no-crl-sign"])]
    {
        for ambient in [false, true] {
            let report = bundle(profile).files().judge(&Context { ambient, ..context() }).unwrap();
            assert_eq!(report.rule_ids(), advice, "{profile}");
            assert!(!report.refused());
            assert_eq!(against(&report), [], "{profile}");
        }
    }
}

#[test]
fn rules_are_complete_data_and_never_good_where_the_mesh_breaks() {
    let ids: BTreeSet<_> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), RULES.len(), "an id is used twice");
    assert!(ids.contains("synthetic-leaf"));
    assert!(RULES.len() >= 12);
    for rule in RULES {
        for text in [rule.what, rule.why, rule.fix, rule.source, rule.evidence] {
            assert!(!text.is_empty(), "{}", rule.id);
            assert!(!text.contains("  "), "{}: {text}", rule.id);
        }
        assert!(rule.id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", rule.id);
        let breaks_the_mesh = rule.judges.iter().any(|judge| Judge::MESH.contains(judge));
        assert!(!breaks_the_mesh || rule.severity == Severity::Refuse, "{}", rule.id);
    }
}

#[test]
fn a_folder_of_good_files_becomes_a_bundle_byte_for_byte() {
    let mut files = good();
    let root = format!("# the root\r\n{}", text(&files, BundleFiles::ROOT_CERT));
    files.insert(BundleFiles::ROOT_CERT, &root);
    files.insert("notes.txt", "who to call");
    assert_eq!(judged(&files).rule_ids(), ["stray-file"]);
    let ca = Certificate::from_pem(files.get(BundleFiles::CA_CERT).unwrap()).unwrap();
    let bundle = files.into_bundle(&context()).unwrap();
    assert_eq!(bundle.certificate(), &ca);
    assert_eq!(bundle.files().get(BundleFiles::ROOT_CERT), Some(root.as_bytes()));
    assert_eq!(bundle.files().names().collect::<Vec<_>>(), BundleFiles::NAMES);
}

#[test]
fn a_refused_folder_becomes_no_bundle_and_says_why() {
    let mut files = good();
    files.remove(BundleFiles::CA_KEY).unwrap();
    let Err(Refusal::Refused(report)) = files.into_bundle(&context()) else {
        panic!("it became a bundle");
    };
    assert_eq!(
        report.to_string(),
        "\
refuse missing-file in ca-key.pem
  found     no such file
  expected  a PEM file
  refused by istiod at start, istiod on reload
  why       istiod does not start; before 1.27 it fell back to a CA of its own when the key was missing
  fix       put all four files into the folder or Secret
refuse 1, warn 0, advice 0"
    );
    let wrong = Context { trust_domain: "Cluster.Local".to_owned(), ..context() };
    let Err(Refusal::NotJudged(error)) = good().into_bundle(&wrong) else {
        panic!("it was judged");
    };
    assert_eq!(
        error.to_string(),
        "`spiffe://Cluster.Local/ns/default/sa/default` is not a SPIFFE ID: a trust domain has \
         only the characters a-z, 0-9, `.`, `-` and `_`"
    );
}

#[test]
fn a_root_that_changes_under_a_running_istiod_is_dropped() {
    let (files, other) = (good(), good());
    let (root, other) =
        (text(&files, BundleFiles::ROOT_CERT), text(&other, BundleFiles::ROOT_CERT));
    let judge = |current: &str, multi_root, istio| {
        let context =
            Context { current: Some(current.as_bytes().to_vec()), multi_root, istio, ..context() };
        let report = files.judge(&context).unwrap();
        (report.rule_ids(), against(&report))
    };
    let (new, old) = (IstioVersion::new(1, 31, 0), IstioVersion::new(1, 29, 0));
    let taken = (vec![], vec![]);
    let dropped = (vec!["root-change"], vec![Judge::IstiodReload]);
    assert_eq!(judge(&root, false, new), taken);
    assert_eq!(judge(&(root.clone() + "\n"), false, new), dropped);
    assert_eq!(judge(&(root.clone() + "\n"), true, new), taken);
    assert_eq!(judge(&(root.clone() + &other), true, new), taken);
    assert_eq!(judge(&(root.clone() + &other), false, new), dropped);
    assert_eq!(judge(&other, true, new), dropped);
    // Before 1.30 the bytes had to hold each other.
    assert_eq!(judge(&(root.clone() + &other), true, old), taken);
    assert_eq!(judge(&root.replace('\n', "\r\n"), true, old), dropped);
}

#[test]
fn a_second_root_is_a_warning_where_ztunnel_takes_part() {
    let root = made("root", None, |_| {});
    let other = made("other", None, |_| {});
    let ca = made("ca", Some(&root), |_| {});
    let files = files(&ca, &[&ca], &[&root, &other]);
    let judge = |ambient| files.judge(&Context { ambient, ..context() }).unwrap().rule_ids();
    assert_eq!((judge(false), judge(true)), (vec![], vec!["ambient-roots"]));
}
