//! A tree becomes the same layer whatever order and machine it was put together on.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use pretty_assertions::assert_eq;
use sha2::{Digest, Sha256};
use tools::Error;
use tools::tree::{Content, Node, Tree};

fn file(text: &str) -> Node {
    Node::File(0o644, Content::Bytes(text.into()))
}

/// `path kind mode owner mtime content-or-target` of everything in a tar archive.
fn listing(layer: &Path) -> Vec<String> {
    let mut archive = tar::Archive::new(File::open(layer).unwrap());
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut entry, &mut text).unwrap();
        let header = entry.header();
        let (mode, uid, mtime) =
            (header.mode().unwrap(), header.uid().unwrap(), header.mtime().unwrap());
        let kind = header.entry_type();
        let link = entry.link_name().unwrap().map(|link| link.display().to_string());
        let path = entry.path().unwrap().display().to_string();
        format!("{path} {kind:?} {mode:o} {uid} {mtime} {text}{}", link.unwrap_or_default())
    });
    entries.collect()
}

fn layer_of(tree: &Tree) -> (Vec<String>, String) {
    let folder = tempfile::tempdir().unwrap();
    let layer = tree.write_layer(&folder.path().join("layer.tar")).unwrap();
    let bytes = fs::read(&layer.path).unwrap();
    assert_eq!(layer.size, bytes.len() as u64);
    let digest = Sha256::digest(&bytes).into_iter().map(|byte| format!("{byte:02x}"));
    assert_eq!(layer.sha256, digest.collect::<String>());
    (listing(&layer.path), layer.sha256)
}

#[test]
fn a_layer_is_sorted_owned_by_root_and_without_times() {
    let mut tree = Tree::new();
    tree.put("etc/passwd", file("root:"));
    tree.put("a/link", Node::Symlink("../etc/passwd".to_owned()));
    tree.put("tmp", Node::Directory(0o1777));
    assert_eq!(
        layer_of(&tree).0,
        [
            "a/ Directory 755 0 0 ",
            "a/link Symlink 777 0 0 ../etc/passwd",
            "etc/ Directory 755 0 0 ",
            "etc/passwd Regular 644 0 0 root:",
            "tmp/ Directory 1777 0 0 ",
        ]
    );
}

#[test]
fn the_order_of_putting_does_not_matter_and_the_content_does() {
    let (mut one, mut other, mut changed) = (Tree::new(), Tree::new(), Tree::new());
    one.put("x/b", file("1"));
    one.put("x/a", file("2"));
    other.put("x/a", file("2"));
    other.put("x/b", file("1"));
    changed.put("x/b", file("1"));
    changed.put("x/a", file("3"));
    assert_eq!(layer_of(&one).1, layer_of(&other).1);
    assert_ne!(layer_of(&one).1, layer_of(&changed).1);
}

#[test]
fn a_merged_tree_keeps_under_usr_what_packages_put_into_bin_and_lib() {
    let mut tree = Tree::new();
    tree.merge_usr();
    tree.put("bin/sh", file("#!"));
    tree.put("./lib/", Node::Directory(0o755));
    tree.put("lib/x86_64-linux-gnu/libc.so.6", file("elf"));
    let (listing, _) = layer_of(&tree);
    let found = |line: &str| listing.iter().any(|found| found == line);
    assert!(found("bin Symlink 777 0 0 usr/bin"), "{listing:#?}");
    assert!(found("lib Symlink 777 0 0 usr/lib"), "{listing:#?}");
    assert!(found("usr/bin/sh Regular 644 0 0 #!"), "{listing:#?}");
    assert!(found("usr/lib/x86_64-linux-gnu/libc.so.6 Regular 644 0 0 elf"), "{listing:#?}");
    assert_eq!(tree.get("bin/sh"), tree.get("usr/bin/sh"));
}

#[test]
fn a_package_is_added_without_the_parts_left_out_and_without_its_owners() {
    let mut package = tar::Builder::new(Vec::new());
    let mut add = |path: &str, kind: tar::EntryType, link: Option<&str>, text: &str| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o4755);
        header.set_uid(1000);
        header.set_mtime(1_700_000_000);
        header.set_size(text.len() as u64);
        match link {
            Some(link) => package.append_link(&mut header, path, link).unwrap(),
            None => package.append_data(&mut header, path, text.as_bytes()).unwrap(),
        }
    };
    add("./usr/bin/su", tar::EntryType::Regular, None, "elf");
    add("./usr/bin/hard", tar::EntryType::Link, Some("./usr/bin/su"), "");
    add("./usr/bin/soft", tar::EntryType::Symlink, Some("su"), "");
    add("./usr/share/doc/su/copyright", tar::EntryType::Regular, None, "(c)");
    let package = package.into_inner().unwrap();

    let mut tree = Tree::new();
    tree.add_tar(package.as_slice(), &["usr/share/doc/"]).unwrap();
    assert_eq!(
        layer_of(&tree).0,
        [
            "usr/ Directory 755 0 0 ",
            "usr/bin/ Directory 755 0 0 ",
            "usr/bin/hard Regular 4755 0 0 elf",
            "usr/bin/soft Symlink 777 0 0 su",
            "usr/bin/su Regular 4755 0 0 elf",
        ]
    );
}

#[test]
fn a_folder_is_added_with_its_modes_and_links() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("blobs");
    fs::create_dir(&inside).unwrap();
    fs::write(inside.join("blob"), "x").unwrap();
    fs::set_permissions(inside.join("blob"), Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(&inside, Permissions::from_mode(0o711)).unwrap();
    std::os::unix::fs::symlink("blob", inside.join("link")).unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o750)).unwrap();
    let mut tree = Tree::new();
    tree.add_folder("var/store", folder.path()).unwrap();
    assert_eq!(
        layer_of(&tree).0,
        [
            "var/ Directory 755 0 0 ",
            "var/store/ Directory 750 0 0 ",
            "var/store/blobs/ Directory 711 0 0 ",
            "var/store/blobs/blob Regular 600 0 0 x",
            "var/store/blobs/link Symlink 777 0 0 blob",
        ]
    );
}

#[test]
fn paths_longer_than_a_tar_header_survive() {
    let path = format!("{}/file", "long-folder-name".repeat(12));
    let mut tree = Tree::new();
    tree.put(&path, file("x"));
    assert_eq!(layer_of(&tree).0[1], format!("{path} Regular 644 0 0 x"));
}

#[test]
fn a_file_to_copy_that_is_not_there_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut tree = Tree::new();
    tree.put("x", Node::File(0o755, Content::CopyOf("/no/such/program".into())));
    let Err(Error::File { action, source, .. }) = tree.write_layer(&folder.path().join("l")) else {
        panic!("there is nothing to copy");
    };
    assert_eq!(action, "write");
    assert_eq!(source.to_string(), "/no/such/program: No such file or directory (os error 2)");
}
