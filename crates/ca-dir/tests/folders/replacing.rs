//! Files that take the place of others.

use std::fs::{self, read_to_string};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use ca_dir::{Error, Lock, replace_in_bundle, replace_public};
use pretty_assertions::assert_eq;

use crate::common::names;

#[test]
fn a_file_takes_the_place_of_another_and_leaves_nothing_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("root-crl.pem");
    for content in ["first", "second"] {
        replace_public(&path, content.as_bytes()).unwrap();
        assert_eq!(read_to_string(&path).unwrap(), content);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o644);
    }
    assert_eq!(names(dir.path()), ["root-crl.pem"]);
    let bundle = dir.path().join("c1");
    fs::create_dir(&bundle).unwrap();
    replace_in_bundle(&bundle, "ca-crl.pem", b"lists").unwrap();
    assert_eq!(names(&bundle), ["ca-crl.pem"]);
    assert_eq!(names(dir.path()), ["c1", "root-crl.pem"]);
}

#[test]
fn what_is_no_file_is_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, link) = (dir.path().join("folder"), dir.path().join("link"));
    fs::create_dir(&folder).unwrap();
    symlink("elsewhere", &link).unwrap();
    for path in [folder, link] {
        let error = replace_public(&path, b"new").unwrap_err();
        assert!(matches!(&error, Error::NotAFile { path: named } if *named == path), "{error:?}");
    }
    assert_eq!(names(dir.path()), ["folder", "link"]);
}

#[test]
fn what_a_killed_program_left_is_removed_with_the_next_lock() {
    let dir = tempfile::tempdir().unwrap();
    let half = dir.path().join(".root-crl.pem.7.new");
    fs::create_dir(&half).unwrap();
    fs::write(half.join("root-crl.pem"), "ha").unwrap();
    let _lock = Lock::take(dir.path(), || ()).unwrap();
    assert_eq!(names(dir.path()), Vec::<String>::new());
}
