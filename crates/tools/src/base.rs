//! The layer that all images stand on: a few Debian packages with their libraries, unpacked without
//! running any of their scripts, and what those scripts would have made.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::apt::{self, Apt};
use crate::cache::{Key, Work};
use crate::command::Command;
use crate::error::{FileContext, Result};
use crate::layer;
use crate::tree::{Content, Node, Tree};
use crate::versions::{APPLETS_LEFT_OUT, BASE_GROUP, BASE_LEFT_OUT, BASE_PACKAGES, BASE_PASSWD};

/// Part of the base's key: raise it when [`build`] makes something else of the same packages.
const REVISION: &str = "1";

/// The key of the base layer on this release of Debian.
pub(crate) fn key(release: &str) -> Key {
    let packages = apt::key(BASE_PACKAGES, release);
    let inputs = [
        ("revision", REVISION),
        ("packages", packages.as_str()),
        ("passwd", BASE_PASSWD),
        ("group", BASE_GROUP),
    ];
    let lists = [("out", BASE_LEFT_OUT), ("applet", APPLETS_LEFT_OUT)];
    let lists =
        lists.into_iter().flat_map(|(label, list)| list.iter().map(move |value| (label, *value)));
    Key::of(inputs.into_iter().chain(lists))
}

/// Downloads the packages and writes the layer into the entry; beside it `packages`, the names of
/// what was unpacked.
pub(crate) fn build(work: &Work) -> Result<()> {
    let packages = Apt::in_folder(work.scratch.join("apt"))?.fetch(BASE_PACKAGES)?;
    let mut tree = Tree::new();
    tree.merge_usr();
    for package in &packages {
        let files = Command::new("dpkg-deb").arg("--fsys-tarfile").arg(package).run()?;
        tree.add_tar(files.as_slice(), BASE_LEFT_OUT).file("unpack", package)?;
    }
    finish(&mut tree, &work.scratch)?;
    let names: String =
        packages.iter().map(|package| format!("{}\n", apt::package_of(package))).collect();
    let list = work.entry.join("packages");
    fs::write(&list, names).file("write", &list)?;
    tree.write_layer(&work.entry.join(layer::FILE))?.keep_digest(&work.entry)
}

/// What the packages' scripts would have made, and the files of a minimal system.
fn finish(tree: &mut Tree, scratch: &Path) -> Result<()> {
    let file = |text: &str| Node::File(0o644, Content::Bytes(text.into()));
    tree.put("etc/passwd", file(BASE_PASSWD));
    tree.put("etc/group", file(BASE_GROUP));
    tree.put("etc/nsswitch.conf", file("passwd: files\ngroup: files\nhosts: files dns\n"));
    tree.put("tmp", Node::Directory(0o1777));
    tree.put("root", Node::Directory(0o700));
    tree.put("var/run", Node::Symlink("/run".to_owned()));
    for folder in ["dev", "proc", "sys", "run", "home/curl_user", "home/istio-proxy"] {
        tree.put(folder, Node::Directory(0o755));
    }
    for family in ["iptables", "ip6tables"] {
        for program in ["", "-restore", "-save"] {
            let link = Node::Symlink("xtables-nft-multi".to_owned());
            tree.put(&format!("usr/sbin/{family}{program}"), link);
        }
    }
    tree.put("etc/ssl/certs/ca-certificates.crt", certificates(tree));
    for applet in applets(tree, scratch)? {
        let taken = |folder: &str| tree.get(&format!("{folder}/{applet}")).is_some();
        if !taken("usr/bin") && !taken("usr/sbin") {
            tree.put(&format!("usr/bin/{applet}"), Node::Symlink("busybox".to_owned()));
        }
    }
    Ok(())
}

/// All of Debian's roots in one file, where OpenSSL, Go and Envoy look for them.
fn certificates(tree: &Tree) -> Node {
    let mut all = Vec::new();
    for (_, node) in tree.under("usr/share/ca-certificates/") {
        if let Node::File(_, Content::Bytes(pem)) = node {
            all.extend_from_slice(pem);
        }
    }
    Node::File(0o644, Content::Bytes(all))
}

/// Asks the tree's own busybox, which is static, what it can do.
fn applets(tree: &Tree, scratch: &Path) -> Result<Vec<String>> {
    let Some(Node::File(_, Content::Bytes(busybox))) = tree.get("usr/bin/busybox") else {
        return Err(std::io::Error::from(std::io::ErrorKind::NotFound))
            .file("find in the package busybox-static", "bin/busybox");
    };
    let path = scratch.join("busybox");
    fs::write(&path, busybox).file("write", &path)?;
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&path, executable).file("make executable", &path)?;
    let list = Command::new(&path).arg("--list").text()?;
    let wanted = list.lines().filter(|applet| !APPLETS_LEFT_OUT.contains(applet));
    Ok(wanted.map(str::to_owned).collect())
}
