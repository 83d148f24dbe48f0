//! What a kind node has beyond Debian: kind's own files, the programs of a node, and the two
//! manifests that kind reads out of the image.

use std::fs;
use std::path::Path;

use crate::Program;
use crate::error::{Error, FileContext, Result};
use crate::item::Item;
use crate::stock::Stock;
use crate::tree::{Content, Node, Tree};
use crate::versions::{KIND_PAUSE_IMAGE, KIND_SOURCE, KUBERNETES};

/// Where each program is on a node: where kind and its units look for it.
pub(super) const PROGRAMS: &[(&str, Program)] = &[
    ("usr/bin/kubeadm", Program::Kubeadm),
    ("usr/bin/kubectl", Program::Kubectl),
    ("usr/bin/kubelet", Program::Kubelet),
    ("usr/local/bin/crictl", Program::Crictl),
];

/// Files of a few words.
pub(super) const TEXTS: [(&str, &str); 3] = [
    ("kind/manifests/default-cni.yaml", include_str!("../../images/kind-node/default-cni.yaml")),
    (
        "kind/manifests/default-storage.yaml",
        include_str!("../../images/kind-node/default-storage.yaml"),
    ),
    ("kind/version", KUBERNETES),
];

/// Links: what Debian has elsewhere, and the units that start by themselves.
const LINKS: [(&str, &str); 7] = [
    ("opt/cni/bin", "/usr/lib/cni"),
    ("usr/local/bin/containerd", "/usr/bin/containerd"),
    ("usr/local/bin/containerd-shim-runc-v2", "/usr/bin/containerd-shim-runc-v2"),
    ("usr/local/bin/ctr", "/usr/bin/ctr"),
    (
        "etc/systemd/system/multi-user.target.wants/containerd.service",
        "/etc/systemd/system/containerd.service",
    ),
    (
        "etc/systemd/system/multi-user.target.wants/kubelet.service",
        "/etc/systemd/system/kubelet.service",
    ),
    (
        "etc/systemd/system/multi-user.target.wants/undo-mount-hacks.service",
        "/etc/systemd/system/undo-mount-hacks.service",
    ),
];

/// containerd's configuration, among kind's files.
const CONTAINERD: &str = "etc/containerd/config.toml";

/// The folders of kind's files whose files are programs.
const EXECUTABLE: [&str; 2] = ["kind/bin/", "usr/local/bin/"];

/// All of it.
pub(super) fn tree(stock: &Stock<'_>) -> Result<Tree> {
    let mut tree = Tree::new();
    let source = stock.entry(Item::Source(&KIND_SOURCE)).path().join("images/base/files");
    add_kinds(&mut tree, &source, "")?;
    for (path, program) in PROGRAMS {
        let program = stock.program(*program, Item::with(*program));
        tree.put(path, Node::File(0o755, Content::CopyOf(program)));
    }
    for (path, text) in TEXTS {
        tree.put(path, Node::File(0o644, Content::Bytes(text.into())));
    }
    for (path, target) in LINKS {
        tree.put(path, Node::Symlink(target.to_owned()));
    }
    // The packages of kubeadm would have made it.
    tree.put("etc/kubernetes/manifests", Node::Directory(0o755));
    let config = source.join(CONTAINERD);
    let text = fs::read_to_string(&config).file("read", &config)?;
    tree.put(CONTAINERD, Node::File(0o644, Content::Bytes(containerd(&text)?.into_bytes())));
    Ok(tree)
}

/// Adds kind's files below `folder` with the modes that its Dockerfile gives them.
fn add_kinds(tree: &mut Tree, source: &Path, folder: &str) -> Result<()> {
    let listed = source.join(folder);
    for found in fs::read_dir(&listed).file("list", &listed)? {
        let found = found.file("list", &listed)?;
        let path = format!("{folder}{}", found.file_name().to_string_lossy());
        if found.path().is_dir() {
            add_kinds(tree, source, &format!("{path}/"))?;
        } else {
            let mode = if EXECUTABLE.contains(&folder) { 0o755 } else { 0o644 };
            tree.put(&path, Node::File(mode, Content::CopyOf(found.path())));
        }
    }
    Ok(())
}

/// kind's configuration with one change: containers get no lower OOM score than containerd itself
/// has. A lower one takes CAP_SYS_RESOURCE, which not every machine's containers can have, and its
/// lack fails every pod.
fn containerd(text: &str) -> Result<String> {
    let (score, pause) =
        ("restrict_oom_score_adj = ", format!("sandbox_image = \"{KIND_PAUSE_IMAGE}\""));
    for expected in [format!("{score}false"), pause] {
        if !text.contains(&expected) {
            return Err(Error::KindFile { file: CONTAINERD, expected });
        }
    }
    Ok(text.replace(&format!("{score}false"), &format!("{score}true")))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn containerds_configuration_is_kinds_but_for_the_score() {
        let text = format!(
            "# kind's\nsandbox_image = \"{KIND_PAUSE_IMAGE}\"\nrestrict_oom_score_adj = false\n"
        );
        let changed = containerd(&text).unwrap();
        assert_eq!(
            changed,
            format!(
                "# kind's\nsandbox_image = \"{KIND_PAUSE_IMAGE}\"\nrestrict_oom_score_adj = true\n"
            )
        );
    }

    #[test]
    fn a_kind_with_another_pause_image_is_refused() {
        let text = "sandbox_image = \"pause:9\"\nrestrict_oom_score_adj = false\n";
        assert_eq!(
            containerd(text).unwrap_err().to_string(),
            format!(
                "kind's `{CONTAINERD}` has no `sandbox_image = \"{KIND_PAUSE_IMAGE}\"`: \
                 the pins of kind and of its node image do not fit together"
            )
        );
    }

    #[test]
    fn programs_and_scripts_of_kind_are_executable_and_nothing_else_is() {
        let source = tempfile::tempdir().unwrap();
        for path in ["kind/bin/a.sh", "kind/README.txt", "usr/local/bin/entrypoint", "etc/x/y"] {
            let path = source.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let mut tree = Tree::new();
        add_kinds(&mut tree, source.path(), "").unwrap();
        let files: Vec<_> = tree
            .under("")
            .filter_map(|(path, node)| match node {
                Node::File(mode, _) => Some((path, *mode)),
                _ => None,
            })
            .collect();
        assert_eq!(
            files,
            [
                ("etc/x/y", 0o644),
                ("kind/README.txt", 0o644),
                ("kind/bin/a.sh", 0o755),
                ("usr/local/bin/entrypoint", 0o755),
            ]
        );
    }
}
