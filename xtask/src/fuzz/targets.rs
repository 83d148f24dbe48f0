//! The targets by name, and what each starts from.

use anyhow::{Context as _, Result};

/// One program of `fuzz/`.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) name: &'static str,
    /// What it reads.
    pub(super) what: &'static str,
    /// Folders of this repository that are seeds as they are, besides `fuzz/corpus/NAME`.
    pub(super) seeds: &'static [&'static str],
    /// Words to put in: files in `fuzz/dictionaries`.
    pub(super) words: &'static str,
    /// No longer inputs are tried.
    pub(super) longest: u32,
    /// Whether it brings kube and tonic along, which take longer to build than all the rest.
    pub(super) is_of_mesh: bool,
}

/// In the order of their names.
pub(super) const TARGETS: &[Target] = &[
    Target {
        name: "bundles",
        what: "the files of a CA: judged, shown, made a bundle and a Secret of",
        seeds: &[],
        words: "set",
        longest: 16384,
        is_of_mesh: false,
    },
    Target {
        name: "certificates",
        what: "PEM, certificates, names, trust bundles",
        seeds: &["fixtures/makefile"],
        words: "pem",
        longest: 8192,
        is_of_mesh: false,
    },
    Target {
        name: "keys",
        what: "private keys, with a passphrase and without",
        seeds: &[],
        words: "pem",
        longest: 4096,
        is_of_mesh: false,
    },
    Target {
        name: "lists",
        what: "revocation lists, and the set of a mesh",
        seeds: &[],
        words: "set",
        longest: 8192,
        is_of_mesh: false,
    },
    Target {
        name: "mesh",
        what: "answers of Envoy, istiod and a workload's port; a mesh's configuration",
        seeds: &["fixtures/envoy", "fixtures/istiod"],
        words: "mesh",
        longest: 16384,
        is_of_mesh: true,
    },
    Target {
        name: "records",
        what: "the record of what a CA has revoked",
        seeds: &[],
        words: "records",
        longest: 4096,
        is_of_mesh: false,
    },
    Target {
        name: "requests",
        what: "certificate requests, and request files",
        seeds: &["fixtures/requests"],
        words: "pem",
        longest: 8192,
        is_of_mesh: false,
    },
    Target {
        name: "responses",
        what: "response files",
        seeds: &["fixtures/makefile"],
        words: "pem",
        longest: 8192,
        is_of_mesh: false,
    },
    Target {
        name: "secrets",
        what: "Secrets of the API server, and their manifests",
        seeds: &[],
        words: "secrets",
        longest: 16384,
        is_of_mesh: false,
    },
    Target {
        name: "words",
        what: "versions, identities, names, times, numbers, make's variables",
        seeds: &[],
        words: "words",
        longest: 512,
        is_of_mesh: false,
    },
];

/// Those of these names; all where there are none.
pub(super) fn named(names: &[String]) -> Result<Vec<&'static Target>> {
    if names.is_empty() {
        return Ok(TARGETS.iter().collect());
    }
    let find = |name: &String| {
        let found = TARGETS.iter().find(|target| target.name == name);
        let known = || TARGETS.iter().map(|target| target.name).collect::<Vec<_>>().join(", ");
        found.with_context(|| format!("no target is called `{name}`; there are {}", known()))
    };
    names.iter().map(find).collect()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::fuzz::folder;

    #[test]
    fn every_target_is_a_program_with_seeds_and_words() {
        let manifest = std::fs::read_to_string(folder().join("Cargo.toml")).unwrap();
        let programs = manifest.split("[[bin]]").skip(1).map(|bin| {
            let name = bin.lines().find_map(|line| line.strip_prefix("name = "));
            name.unwrap().trim_matches('"').to_owned()
        });
        let names: Vec<_> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
        assert_eq!(programs.collect::<Vec<_>>(), names);
        let readme = std::fs::read_to_string(folder().join("README.md")).unwrap();
        for Target { name, words, .. } in TARGETS {
            assert!(folder().join(format!("dictionaries/{words}.dict")).is_file(), "{words}");
            assert!(readme.contains(&format!("`{name}`")), "{name} is not in the README");
        }
    }

    #[test]
    fn a_target_that_does_not_exist_is_answered_with_those_that_do() {
        let error = named(&["pem".to_owned()]).unwrap_err().to_string();
        assert!(error.starts_with("no target is called `pem`; there are bundles, "), "{error}");
    }
}
