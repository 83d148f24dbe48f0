//! Holds the arrows between the crates: who may use whom, and what none may use.
//!
//! Read from `cargo metadata`. A test that reaches backwards is an arrow too.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Node, NodeDep, PackageId};

use crate::command::{Program, workspace};

/// Each member of the workspace with the members it may use.
const ARROWS: &[(&str, &[&str])] = &[
    ("ca-dir", &["pki"]),
    ("cacerts", &["ca-dir", "pki"]),
    ("e2e", &["ca-dir", "k8s-secret", "mesh", "pki", "tools"]),
    ("judges", &["pki", "tools"]),
    ("k8s-secret", &["pki"]),
    ("mesh", &["ca-dir", "k8s-secret", "pki"]),
    ("pki", &[]),
    ("tools", &[]),
    ("xtask", &[]),
];

/// Members that must stay clear of whole families of crates, with the reason.
const CLEAR_OF: &[(&str, &[&str], &str)] = &[
    ("pki", &["tokio", "kube", "rustix"], "bytes in, certificates and reports out"),
    ("ca-dir", &["tokio", "kube"], "a folder of files needs no network"),
    ("cacerts", &["tokio", "kube"], "the root's machine has no network"),
    ("judges", &["kube"], "it asks what runs on one machine, and no cluster"),
    ("tools", &["kube", "pki"], "it builds programs and knows nothing of meshes"),
    ("xtask", &["tokio", "kube"], "it must start within seconds on a fresh clone"),
];

/// Crates that nothing here may build: the one crypto provider is aws-lc-rs.
const NEVER: &[&str] = &["ring", "openssl", "openssl-sys", "native-tls"];

/// Without a platform, cargo lists what any platform would build.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// Lists every broken arrow; empty where all hold.
pub(crate) fn problems() -> Result<Vec<String>> {
    let metadata = MetadataCommand::new()
        .current_dir(workspace())
        .other_options(["--locked", "--filter-platform", PLATFORM].map(str::to_owned))
        .exec()
        .context("cannot read cargo's metadata")?;
    let graph = Graph::new(&metadata)?;
    let mut problems = graph.broken_arrows();
    problems.extend(graph.forbidden_crates());
    // cargo's metadata lists optional dependencies that no feature turns on; its tree does not.
    let tree = Program::cargo().args(["tree", "--workspace", "--locked", "--prefix", "none"]);
    problems.extend(second_providers(
        &tree.args(["--edges", "normal,build,dev", "--format", "{p}"]).stdout()?,
    ));
    problems.extend(lint_problems(&metadata)?);
    Ok(problems)
}

/// Package names and who depends on whom, as cargo resolved it for this machine.
struct Graph<'a> {
    names: BTreeMap<&'a PackageId, &'a str>,
    /// Whom each package uses, in its tests too.
    uses: BTreeMap<&'a PackageId, Vec<&'a PackageId>>,
    /// Whom it is built with: what only a test brings along is not what a crate is made of.
    built_with: BTreeMap<&'a PackageId, Vec<&'a PackageId>>,
    members: BTreeMap<&'a str, &'a PackageId>,
}

impl<'a> Graph<'a> {
    fn new(metadata: &'a Metadata) -> Result<Self> {
        let resolve = metadata.resolve.as_ref().context("cargo resolved no dependencies")?;
        let names = metadata.packages.iter().map(|p| (&p.id, p.name.as_str())).collect();
        let nodes = resolve.nodes.iter();
        let uses = nodes.clone().map(|node| (&node.id, node.deps.iter().map(|d| &d.pkg).collect()));
        let uses = uses.collect();
        let is_built = |dep: &&NodeDep| {
            dep.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development)
        };
        let built = |node: &'a Node| node.deps.iter().filter(is_built).map(|d| &d.pkg).collect();
        let built_with = nodes.map(|node| (&node.id, built(node))).collect();
        let members =
            metadata.workspace_packages().iter().map(|p| (p.name.as_str(), &p.id)).collect();
        Ok(Self { names, uses, built_with, members })
    }

    fn broken_arrows(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, id) in &self.members {
            let Some((_, allowed)) = ARROWS.iter().find(|(member, _)| member == name) else {
                problems.push(format!("`{name}` has no row in the table of arrows"));
                continue;
            };
            for used in self.uses.get(id).into_iter().flatten() {
                let Some(used) = self.names.get(used) else {
                    continue;
                };
                if self.members.contains_key(used) && !allowed.contains(used) {
                    problems.push(format!("`{name}` may not use `{used}`"));
                }
            }
        }
        problems
    }

    fn forbidden_crates(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, id) in &self.members {
            let reached = self.reached_from(id);
            for (_, crates, why) in CLEAR_OF.iter().filter(|(member, ..)| member == name) {
                for found in crates.iter().filter(|found| reached.contains(*found)) {
                    problems.push(format!("`{name}` builds `{found}`: {why}"));
                }
            }
        }
        problems
    }

    /// Everything that a member is built with, itself not included.
    fn reached_from(&self, start: &'a PackageId) -> BTreeSet<&'a str> {
        let mut seen = BTreeSet::new();
        let mut open = vec![start];
        while let Some(id) = open.pop() {
            for used in self.built_with.get(id).into_iter().flatten() {
                if seen.insert(*used) {
                    open.push(used);
                }
            }
        }
        seen.iter().filter_map(|id| self.names.get(*id).copied()).collect()
    }
}

/// Names every crate of another crypto provider in what `cargo tree` prints, a crate a line.
fn second_providers(tree: &str) -> Vec<String> {
    let built: BTreeSet<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    let found = NEVER.iter().filter(|never| built.contains(*never));
    found.map(|never| format!("`{never}` is built; the crypto is aws-lc-rs alone")).collect()
}

/// Every member inherits the workspace's lints and its shared dependency versions.
fn lint_problems(metadata: &Metadata) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for package in metadata.workspace_packages() {
        let manifest = std::fs::read_to_string(&package.manifest_path)
            .with_context(|| format!("cannot read {}", package.manifest_path))?;
        problems.extend(manifest_problems(&package.name, &manifest));
    }
    Ok(problems)
}

fn manifest_problems(name: &str, manifest: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if !manifest.contains("[lints]\nworkspace = true") {
        problems.push(format!("`{name}` does not inherit the workspace's lints"));
    }
    let mut in_dependencies = false;
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            in_dependencies = line.ends_with("dependencies]");
        } else if in_dependencies
            && !(line.is_empty() || line.starts_with('#') || line.contains("workspace = true"))
        {
            problems.push(format!("`{name}` pins a version of its own: `{line}`"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_manifest_that_inherits_everything_is_fine() {
        let manifest = "[dependencies]\n# why\npem.workspace = true\n\n[lints]\nworkspace = true\n";
        assert_eq!(manifest_problems("pki", manifest), Vec::<String>::new());
    }

    #[test]
    fn a_manifest_with_its_own_version_or_without_lints_is_named() {
        let manifest = "[dev-dependencies]\npem = \"4\"\n";
        let expected = [
            "`pki` does not inherit the workspace's lints",
            "`pki` pins a version of its own: `pem = \"4\"`",
        ];
        assert_eq!(manifest_problems("pki", manifest), expected);
    }

    #[test]
    fn an_arrow_that_points_backwards_is_named() {
        let (pki, mesh) = (PackageId { repr: "p".into() }, PackageId { repr: "m".into() });
        let graph = Graph {
            names: [(&pki, "pki"), (&mesh, "mesh")].into(),
            uses: [(&pki, vec![&mesh]), (&mesh, vec![])].into(),
            built_with: BTreeMap::new(),
            members: [("pki", &pki), ("mesh", &mesh)].into(),
        };
        assert_eq!(graph.broken_arrows(), ["`pki` may not use `mesh`"]);
    }

    #[test]
    fn a_crate_that_a_member_must_stay_clear_of_is_named_however_deep_it_sits() {
        let ids = ["pki", "helper", "tokio"].map(|name| PackageId { repr: name.into() });
        let graph = Graph {
            names: ids.iter().map(|id| (id, id.repr.as_str())).collect(),
            uses: BTreeMap::new(),
            built_with: [(&ids[0], vec![&ids[1]]), (&ids[1], vec![&ids[2]]), (&ids[2], vec![])]
                .into(),
            members: [("pki", &ids[0])].into(),
        };
        let expected = ["`pki` builds `tokio`: bytes in, certificates and reports out"];
        assert_eq!(graph.forbidden_crates(), expected);
    }

    #[test]
    fn a_second_crypto_provider_is_named() {
        let tree = "pki v0.1.0 (path)\naws-lc-rs v1.19.0\nring v0.17.14\nrings v1.0.0\n";
        let expected = ["`ring` is built; the crypto is aws-lc-rs alone"];
        assert_eq!(second_providers(tree), expected);
    }
}
