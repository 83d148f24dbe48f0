//! A tier's folder: whole or absent, its key to the owner alone, no name that another reader knows.

use std::os::unix::fs::MetadataExt as _;

use ca_dir::{Error, TIER_KEY, TierSet};
use pretty_assertions::assert_eq;
use zeroize::Zeroizing;

use crate::common::{mode, names};

fn set(key: Option<&[u8]>) -> TierSet {
    TierSet {
        key: key.map(|key| Zeroizing::new(key.to_vec())),
        certificates: Some(b"certificates".to_vec()),
        root: Some(b"a root".to_vec()),
    }
}

#[test]
fn a_tier_reads_back_what_was_written_and_is_never_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("prod");
    assert!(!TierSet::is_in(&folder));
    set(Some(b"a key")).write(&folder).unwrap();
    assert!(TierSet::is_in(&folder));
    let read = TierSet::read(&folder).unwrap();
    assert_eq!(read.key.unwrap().as_slice(), b"a key");
    assert_eq!(
        (read.certificates.unwrap(), read.root.unwrap()),
        (b"certificates".to_vec(), b"a root".to_vec())
    );
    assert_eq!(names(&folder), ["tier-cert.pem", "tier-key.pem", "tier-root.pem"]);
    assert_eq!((mode(&folder), mode(folder.join(TIER_KEY))), (0o700, 0o600));
    let error = set(Some(b"another")).write(&folder).unwrap_err();
    assert!(matches!(&error, Error::Exists { path } if *path == folder), "{error:?}");
    assert_eq!(names(dir.path()), ["prod"], "nothing is left beside it");
}

#[test]
fn what_is_added_to_a_folder_leaves_its_key_to_the_inode() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("prod");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join(TIER_KEY), "a key").unwrap();
    let inode = || folder.join(TIER_KEY).metadata().unwrap().ino();
    let before = inode();
    let error = set(Some(b"another")).add_to(&folder).unwrap_err();
    assert!(matches!(&error, Error::Io { action: "create", .. }), "{error:?}");
    assert_eq!(names(&folder), [TIER_KEY]);
    set(None).add_to(&folder).unwrap();
    assert_eq!(inode(), before);
    assert_eq!(names(&folder), ["tier-cert.pem", "tier-key.pem", "tier-root.pem"]);

    // A folder cannot be given a second name.
    let cluster = folder.join("c1");
    std::fs::create_dir(&cluster).unwrap();
    for name in ["tier-cert.pem", "tier-root.pem"] {
        std::fs::remove_file(folder.join(name)).unwrap();
    }
    let error = set(None).add_to(&folder).unwrap_err();
    assert!(matches!(&error, Error::NotAFile { path } if *path == cluster), "{error:?}");
    assert_eq!(names(dir.path()), ["prod"], "nothing is left beside it");
}
