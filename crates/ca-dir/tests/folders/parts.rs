//! A key that is still to be certified, what travels, and cert-manager's layout: whole or absent.

use std::os::unix::fs::symlink;

use ca_dir::Error;
use pki::BundleFiles;
use pretty_assertions::assert_eq;

use crate::common::{mode, names};

#[test]
fn a_key_is_alone_in_its_folder_and_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("c1");
    ca_dir::write_key(&folder, b"a key").unwrap();
    assert_eq!(names(&folder), ["ca-key.pem"]);
    assert_eq!((mode(&folder), mode(folder.join("ca-key.pem"))), (0o700, 0o600));
    let error = ca_dir::write_key(&folder, b"another").unwrap_err();
    assert!(matches!(&error, Error::Exists { path } if *path == folder), "{error:?}");
    assert_eq!(std::fs::read(folder.join("ca-key.pem")).unwrap(), b"a key");
    assert_eq!(names(dir.path()), ["c1"], "nothing is left beside it");
}

#[test]
fn a_public_file_replaces_nothing_not_even_a_dangling_link() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("c1.request.pem");
    ca_dir::write_public(&file, b"a request").unwrap();
    assert_eq!(mode(&file), 0o644);
    let link = dir.path().join("link");
    symlink("nowhere", &link).unwrap();
    for path in [&file, &link] {
        let error = ca_dir::write_public(path, b"another").unwrap_err();
        assert!(matches!(&error, Error::Exists { path: found } if found == path), "{error:?}");
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"a request");
    assert_eq!(names(dir.path()), ["c1.request.pem", "link"]);
}

#[test]
fn a_folder_of_files_keeps_its_keys_to_the_owner_in_either_layout() {
    let dir = tempfile::tempdir().unwrap();
    for (key, public) in [("tls.key", "tls.crt"), ("ca-key.pem", "ca-cert.pem")] {
        let folder = dir.path().join(key);
        let mut files = BundleFiles::new();
        files.insert(key, "a key");
        files.insert(public, "a certificate");
        ca_dir::write_files(&folder, &files).unwrap();
        let modes = (mode(&folder), mode(folder.join(key)), mode(folder.join(public)));
        assert_eq!(modes, (0o700, 0o600, 0o644));
        assert_eq!(std::fs::read(folder.join(key)).unwrap(), b"a key");
        let error = ca_dir::write_files(&folder, &files).unwrap_err();
        assert!(matches!(&error, Error::Exists { path } if *path == folder), "{error:?}");
    }
}
