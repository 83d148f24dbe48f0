//! A folder that holds other things than a bundle is answered, and never waited for.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use ca_dir::{Error, SECRET_LIMIT};
use pretty_assertions::assert_eq;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;

fn folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("ca-cert.pem"), "one").unwrap();
    dir
}

fn pipe(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

fn names(dir: &Path) -> Vec<String> {
    ca_dir::read_bundle(dir).unwrap().names().map(str::to_owned).collect()
}

#[test]
fn what_is_no_file_is_passed_over() {
    let dir = folder();
    std::fs::create_dir(dir.path().join("sub")).unwrap();
    pipe(&dir.path().join("pipe"));
    let _socket = UnixListener::bind(dir.path().join("socket")).unwrap();
    std::fs::write(dir.path().join("notes"), "two").unwrap();
    assert_eq!(names(dir.path()), ["ca-cert.pem", "notes"]);
}

#[test]
fn what_is_no_file_in_a_files_place_is_named_and_not_waited_for() {
    for name in ["ca-key.pem", "cert-chain.pem", "tls.crt", "ca-crl.pem"] {
        let dir = folder();
        let path = dir.path().join(name);
        let refused = || match ca_dir::read_bundle(dir.path()) {
            Err(Error::NotAFile { path }) => path,
            other => panic!("{other:?}"),
        };
        pipe(&path);
        assert_eq!(refused(), path);
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert_eq!(refused(), path);
        std::fs::remove_dir(&path).unwrap();
        symlink("/dev/zero", &path).unwrap();
        assert_eq!(refused(), path);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(names(dir.path()), ["ca-cert.pem"]);
    }
}

#[test]
fn a_link_that_leads_nowhere_is_named() {
    let dir = folder();
    let path = dir.path().join("ca-key.pem");
    symlink("nowhere", &path).unwrap();
    let error = ca_dir::read_bundle(dir.path()).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot read `{}`", path.display()));
}

#[test]
fn a_folder_holds_as_much_as_a_secret_and_no_byte_more() {
    let dir = folder();
    let path = dir.path().join("big");
    std::fs::write(&path, vec![0; SECRET_LIMIT - 3]).unwrap();
    assert_eq!(names(dir.path()), ["big", "ca-cert.pem"]);

    std::fs::write(&path, vec![0; SECRET_LIMIT - 2]).unwrap();
    let error = ca_dir::read_bundle(dir.path()).unwrap_err();
    let expected = format!("`{}` holds more than 1024 KiB with `", dir.path().display());
    assert!(error.to_string().starts_with(&expected), "{error}");

    std::fs::remove_file(&path).unwrap();
    // A file that says it is huge is not read to its end.
    std::fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    let error = ca_dir::read_bundle(dir.path()).unwrap_err();
    assert!(matches!(error, Error::TooLarge { ref file, .. } if file == "big"), "{error}");
}
