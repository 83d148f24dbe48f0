//! Many folders get their places together, each whole, and none takes what is there.

#![expect(clippy::unwrap_used, reason = "a test's helper stops the test")]

use std::path::Path;

use ca_dir::{Error, StagedBundle};
use pki::{
    Bundle, BundleFiles, ClusterCaParams, KeyAlgorithm, Profile, RootCa, RootCaParams, Validity,
};
use pretty_assertions::assert_eq;
use time::{Duration, OffsetDateTime, macros::datetime};

const NOW: OffsetDateTime = datetime!(2026-11-24 12:00 UTC);
/// More than are synced one by one.
const COUNT: usize = 40;

fn bundle() -> Bundle {
    let validity = Validity::new(NOW, NOW + Duration::days(365)).unwrap();
    let root = RootCa::generate(&RootCaParams {
        profile: Profile::Hardened,
        common_name: "Root CA".to_owned(),
        organization: "Example".to_owned(),
        validity,
        key: KeyAlgorithm::EcdsaP256,
    });
    let cluster_ca = root.unwrap().issue_cluster_ca(&ClusterCaParams {
        profile: Profile::Hardened,
        common_name: "Intermediate CA".to_owned(),
        organization: "Example".to_owned(),
        cluster: "cluster1".to_owned(),
        dns_name: "istiod.istio-system.svc".to_owned(),
        validity,
        key: KeyAlgorithm::EcdsaP256,
    });
    cluster_ca.unwrap().bundle().unwrap()
}

fn staged(dir: &Path, bundle: &Bundle) -> Vec<StagedBundle> {
    (0..COUNT)
        .map(|number| StagedBundle::new(&dir.join(format!("c{number:02}")), bundle).unwrap())
        .collect()
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn nothing_has_its_name_before_it_is_put_and_everything_has_it_afterwards() {
    let (dir, bundle) = (tempfile::tempdir().unwrap(), bundle());
    let staged = staged(dir.path(), &bundle);
    assert!(names(dir.path()).iter().all(|name| name.starts_with('.')));
    StagedBundle::put(staged).unwrap();
    let expected: Vec<_> = (0..COUNT).map(|number| format!("c{number:02}")).collect();
    assert_eq!(names(dir.path()), expected);
    for name in expected {
        assert_eq!(names(&dir.path().join(name)), BundleFiles::NAMES);
    }
}

#[test]
fn what_was_never_put_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    drop(staged(dir.path(), &bundle()));
    assert_eq!(names(dir.path()), Vec::<String>::new());
}

#[test]
fn a_place_that_is_taken_stays_and_those_before_it_are_whole() {
    let (dir, bundle) = (tempfile::tempdir().unwrap(), bundle());
    let staged = staged(dir.path(), &bundle);
    let taken = dir.path().join("c02");
    std::fs::create_dir(&taken).unwrap();
    std::fs::write(taken.join("note"), "mine").unwrap();
    match StagedBundle::put(staged).unwrap_err() {
        Error::Exists { path } => assert_eq!(path, taken),
        other => panic!("{other}"),
    }
    assert_eq!(names(dir.path()), ["c00", "c01", "c02"]);
    assert_eq!(names(&taken), ["note"]);
    assert_eq!(names(&dir.path().join("c01")), BundleFiles::NAMES);
}
