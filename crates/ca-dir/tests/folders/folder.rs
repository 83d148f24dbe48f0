//! A CA's folder is whole or absent, its keys are 0600, and nothing that exists is replaced.

use std::os::unix::fs::{MetadataExt as _, symlink};

use ca_dir::Error;
use pki::BundleFiles;
use pretty_assertions::assert_eq;

use crate::common::{NOW, bundle, mode, names, root};

#[test]
fn a_cluster_folder_reads_back_what_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let written = bundle(&root());
    ca_dir::write_bundle(&dir.path().join("cluster1"), &written).unwrap();

    let read = ca_dir::read_bundle(&dir.path().join("cluster1")).unwrap();
    let expected = written.files();
    assert_eq!(read.names().collect::<Vec<_>>(), expected.names().collect::<Vec<_>>());
    for name in expected.names() {
        assert!(read.get(name) == expected.get(name), "{name} changed on its way");
    }
}

#[test]
fn a_cluster_folder_has_the_makefiles_names_and_only_its_key_is_secret() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("cluster1");
    ca_dir::write_bundle(&folder, &bundle(&root())).unwrap();

    assert_eq!(names(&folder), ["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"]);
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(folder.join("ca-key.pem")), 0o600);
    for public in ["ca-cert.pem", "cert-chain.pem", "root-cert.pem"] {
        assert_eq!(mode(folder.join(public)) & 0o077, mode(folder.join(public)) & 0o044);
    }
    assert_eq!(names(dir.path()), ["cluster1"], "nothing is left beside the folder");
}

#[test]
fn a_cluster_folder_that_exists_is_refused_and_stays_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("cluster1");
    let root = root();
    ca_dir::write_bundle(&folder, &bundle(&root)).unwrap();
    let before = std::fs::read(folder.join("ca-key.pem")).unwrap();

    let error = ca_dir::write_bundle(&folder, &bundle(&root)).unwrap_err();

    assert!(matches!(&error, Error::Exists { path } if *path == folder), "{error}");
    assert!(std::fs::read(folder.join("ca-key.pem")).unwrap() == before, "the key changed");
    assert_eq!(names(dir.path()), ["cluster1"], "nothing is left beside the folder");
}

#[test]
fn an_empty_folder_in_the_way_is_not_replaced_either() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("cluster1");
    std::fs::create_dir(&folder).unwrap();

    let error = ca_dir::write_bundle(&folder, &bundle(&root())).unwrap_err();

    assert!(matches!(&error, Error::Exists { path } if *path == folder), "{error}");
    assert_eq!(names(&folder), Vec::<String>::new());
}

#[test]
fn a_root_is_written_once_and_never_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let first = root();
    ca_dir::write_root(dir.path(), &first).unwrap();
    assert_eq!(names(dir.path()), ["root-cert.pem", "root-key.pem"]);
    assert_eq!(mode(dir.path().join("root-key.pem")), 0o600);
    let inode = dir.path().join("root-key.pem").metadata().unwrap().ino();

    let error = ca_dir::write_root(dir.path(), &root()).unwrap_err();

    let key = dir.path().join("root-key.pem");
    assert!(matches!(&error, Error::Exists { path } if *path == key), "{error}");
    assert_eq!(key.metadata().unwrap().ino(), inode);
    let read = ca_dir::read_root(dir.path(), NOW).unwrap();
    assert_eq!(read.certificate().text(), first.certificate().text());
}

#[test]
fn a_lone_root_certificate_in_the_way_keeps_the_new_key_from_being_written() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("root-cert.pem"), "an administrator's").unwrap();

    let error = ca_dir::write_root(dir.path(), &root()).unwrap_err();

    let path = dir.path().join("root-cert.pem");
    assert_eq!(
        error.to_string(),
        format!(
            "`{}` exists already and is not overwritten; choose another folder, or move it away",
            path.display()
        )
    );
    assert_eq!(names(dir.path()), ["root-cert.pem"]);
    assert_eq!(std::fs::read_to_string(path).unwrap(), "an administrator's");
}

#[test]
fn a_link_in_the_keys_place_is_not_written_through() {
    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    symlink(elsewhere.path().join("stolen.pem"), dir.path().join("root-key.pem")).unwrap();

    let error = ca_dir::write_root(dir.path(), &root()).unwrap_err();

    assert!(matches!(error, Error::Exists { .. }), "{error}");
    assert_eq!(names(elsewhere.path()), Vec::<String>::new());
}

#[test]
fn a_missing_parent_folder_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("missing").join("cluster1");

    let error = ca_dir::write_bundle(&folder, &bundle(&root())).unwrap_err();

    assert!(error.to_string().starts_with("cannot create `"), "{error}");
    assert!(matches!(error, Error::Io { action: "create", .. }));
}

#[test]
fn a_root_with_another_roots_key_is_refused_with_the_rule() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    ca_dir::write_root(dir.path(), &root()).unwrap();
    ca_dir::write_root(other.path(), &root()).unwrap();
    let stolen = other.path().join("root-key.pem");
    std::fs::rename(stolen, dir.path().join("root-key.pem")).unwrap();

    let error = ca_dir::read_root(dir.path(), NOW).unwrap_err();

    assert!(
        matches!(&error, Error::NotARoot { source: pki::Error::KeyMismatch { .. }, .. }),
        "{error:?}"
    );
}

#[test]
fn files_of_a_mounted_secret_are_read_through_its_links() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("..2026")).unwrap();
    std::fs::write(dir.path().join("..2026/ca-cert.pem"), "certificate").unwrap();
    symlink("..2026", dir.path().join("..data")).unwrap();
    symlink("..data/ca-cert.pem", dir.path().join("ca-cert.pem")).unwrap();

    let read = ca_dir::read_bundle(dir.path()).unwrap();

    assert_eq!(read.names().collect::<Vec<_>>(), ["ca-cert.pem"]);
    assert_eq!(read.get(BundleFiles::CA_CERT), Some(&b"certificate"[..]));
}

#[test]
fn no_error_and_no_debug_text_holds_a_key() {
    let dir = tempfile::tempdir().unwrap();
    let root = root();
    ca_dir::write_root(dir.path(), &root).unwrap();
    let pem = std::fs::read_to_string(dir.path().join("root-key.pem")).unwrap();
    let secret: String = pem.lines().filter(|line| !line.starts_with('-')).collect();

    let error = ca_dir::write_root(dir.path(), &root).unwrap_err();
    let read = ca_dir::read_root(dir.path(), NOW).unwrap();

    for text in [format!("{error:?} {error}"), format!("{read:?}")] {
        for window in secret.as_bytes().windows(24) {
            let window = std::str::from_utf8(window).unwrap();
            assert!(!text.contains(window), "key material in `{text}`");
        }
    }
}
