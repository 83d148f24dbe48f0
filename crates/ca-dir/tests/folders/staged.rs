//! Many folders get their places together, each whole, and none takes what is there.

use std::path::Path;

use ca_dir::{Error, StagedBundle};
use pki::{Bundle, BundleFiles};
use pretty_assertions::assert_eq;

use crate::common::{bundle, names, root};

/// More than are synced one by one.
const COUNT: usize = 40;

fn staged(dir: &Path, bundle: &Bundle) -> Vec<StagedBundle> {
    (0..COUNT)
        .map(|number| StagedBundle::new(&dir.join(format!("c{number:02}")), bundle).unwrap())
        .collect()
}

#[test]
fn nothing_has_its_name_before_it_is_put_and_everything_has_it_afterwards() {
    let (dir, bundle) = (tempfile::tempdir().unwrap(), bundle(&root()));
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
    drop(staged(dir.path(), &bundle(&root())));
    assert_eq!(names(dir.path()), Vec::<String>::new());
}

#[test]
fn a_place_that_is_taken_stays_and_those_before_it_are_whole() {
    let (dir, bundle) = (tempfile::tempdir().unwrap(), bundle(&root()));
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
