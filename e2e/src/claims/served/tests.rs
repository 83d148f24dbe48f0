//! The layout of a served chain and the shape of a leaf, on certificates made here.

use std::path::PathBuf;

use pki::{Bundle, Profile, probe};
use pretty_assertions::assert_eq;
use time::macros::datetime;

use super::*;
use crate::steps::ca;

const NOW: OffsetDateTime = datetime!(2026-11-24 12:00 UTC);

struct Plugged {
    bundle: Bundle,
    truth: Truth,
    _folder: tempfile::TempDir,
}

fn plugged(profile: Profile) -> Plugged {
    let folder = tempfile::tempdir().unwrap();
    let args = ca::CaArgs { profile, key: None };
    let made = ca::make(&folder.path().join("ca"), "cluster1", args, NOW).unwrap();
    Plugged { bundle: made.bundle, truth: made.truth, _folder: folder }
}

fn id() -> SpiffeId {
    "spiffe://cluster.local/ns/foo/sa/httpbin".parse().unwrap()
}

fn served_by(bundle: &Bundle) -> Vec<Certificate> {
    probe::workload_leaf(bundle, &id(), NOW).unwrap().chain
}

fn reason(finding: Finding) -> String {
    match finding {
        Finding::False { reason, .. } => reason,
        other => panic!("expected a false claim, found {other:?}"),
    }
}

#[test]
fn what_istiod_serves_of_either_profile_is_the_bundle() {
    for profile in [Profile::Makefile, Profile::Hardened] {
        let plugged = plugged(profile);
        let finding = judge_layout(&served_by(&plugged.bundle), &plugged.truth);
        assert!(matches!(finding, Finding::Holds(_)), "{profile:?}: {finding:?}");
    }
}

#[test]
fn a_further_copy_of_the_root_is_normal() {
    let plugged = plugged(Profile::Hardened);
    let mut served = served_by(&plugged.bundle);
    served.push(plugged.truth.hierarchy.root().clone());
    assert!(matches!(judge_layout(&served, &plugged.truth), Finding::Holds(_)));
}

#[test]
fn another_administrators_chain_of_the_same_names_is_not_the_bundle() {
    let plugged = plugged(Profile::Hardened);
    let stranger = probe::foreign_bundle(&plugged.truth.hierarchy, NOW).unwrap();
    let served = served_by(&stranger);
    let reason = reason(judge_layout(&served, &plugged.truth));
    let expected = format!(
        "certificate 2: expected {}, found {}",
        describe(plugged.truth.hierarchy.cluster_ca()),
        describe(&served[1]),
    );
    assert!(reason.starts_with(&expected), "{reason}");
}

#[test]
fn a_stranger_behind_the_root_is_named() {
    let plugged = plugged(Profile::Hardened);
    let stranger = probe::foreign_bundle(&plugged.truth.hierarchy, NOW).unwrap();
    let mut served = served_by(&plugged.bundle);
    served.push(stranger.certificate().clone());
    let expected =
        format!("certificate 4 is not of the bundle: {}", describe(stranger.certificate()));
    assert_eq!(reason(judge_layout(&served, &plugged.truth)), expected);
}

#[test]
fn a_chain_without_its_intermediate_is_not_the_bundle() {
    let plugged = plugged(Profile::Hardened);
    let mut served = served_by(&plugged.bundle);
    served.remove(1);
    let reason = reason(judge_layout(&served, &plugged.truth));
    assert!(reason.contains("certificate 3: expected"), "{reason}");
    assert!(reason.ends_with("found nothing"), "{reason}");
}

#[test]
fn a_leaf_of_the_cluster_ca_is_httpbins_and_nobody_elses() {
    let plugged = plugged(Profile::Hardened);
    let leaf = served_by(&plugged.bundle).remove(0);
    let hierarchy = &plugged.truth.hierarchy;
    assert!(matches!(judge_leaf(&leaf, &id(), hierarchy, NOW), Finding::Holds(_)));

    let other: SpiffeId = "spiffe://cluster.local/ns/foo/sa/sleep".parse().unwrap();
    let expected = "expected the SPIFFE ID `spiffe://cluster.local/ns/foo/sa/sleep` alone, \
                    found [\"spiffe://cluster.local/ns/foo/sa/httpbin\"]";
    assert_eq!(reason(judge_leaf(&leaf, &other, hierarchy, NOW)), expected);
}

#[test]
fn a_leaf_of_another_ca_has_another_key_identifier() {
    let plugged = plugged(Profile::Hardened);
    let stranger = probe::foreign_bundle(&plugged.truth.hierarchy, NOW).unwrap();
    let leaf = served_by(&stranger).remove(0);
    let expected = "its authority key identifier is not the cluster CA's subject key identifier";
    assert_eq!(reason(judge_leaf(&leaf, &id(), &plugged.truth.hierarchy, NOW)), expected);
}

#[test]
fn a_truth_without_public_files_is_an_error() {
    let files = pki::BundleFiles::new();
    let error = Truth::new(&files, PathBuf::new()).err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("`ca-cert.pem` is missing"));
}
