//! A run for others to read and publish, as YAML in the manner of the Gateway API's conformance
//! reports: what was tested, on what, what came of each claim, and how to do it again.
//!
//! Nothing in it is of the machine that it was made on: no key, no folder, no context of a
//! kubeconfig. Why a run broke off may name all of these, so only the step is told. What the claims
//! saw in the mesh is in it: names of pods and namespaces, and fingerprints of certificates.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::document::{ClaimText, Document, Named};
use super::summary::Totals;

/// The schema's name; a change that breaks a reader makes it v2.
const SCHEMA: &str = "cacerts.e2e.conformance/v1";
/// What the claims are about.
const ORGANIZATION: &str = "istio";
const PROJECT: &str = "istio";
const URL: &str = "https://istio.io";

/// What is listed among the versions and is the caller's own affair.
const OWN: &str = "context";

/// The whole report, in the order in which it is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Conformance {
    pub(crate) schema: String,
    /// When the run started, RFC 3339.
    pub(crate) date: String,
    /// `proven`, `disproven`, `unproven`.
    pub(crate) result: String,
    pub(crate) statistics: Totals,
    pub(crate) implementation: Implementation,
    /// Who made the cluster: `local`, `kind`, `existing`.
    pub(crate) provider: String,
    /// The profile of the CA: `makefile`, `hardened`.
    pub(crate) profile: String,
    /// The cluster CA's key, as `rsa 4096`; unknown where a run broke off before there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    /// Of everything that took part.
    pub(crate) versions: Vec<Named>,
    /// The command line that does it again, in a clone of this project.
    pub(crate) reproduce: String,
    /// The step in which the run broke off, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) broke_off_in: Option<String>,
    pub(crate) claims: Vec<ClaimResult>,
}

/// What was tested.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Implementation {
    pub(crate) organization: String,
    pub(crate) project: String,
    pub(crate) url: String,
    pub(crate) version: String,
}

/// A claim and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClaimResult {
    pub(crate) number: u8,
    pub(crate) id: String,
    pub(crate) sentence: String,
    /// `holds`, `false`, `blocked`, `skipped`.
    pub(crate) result: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) blocked_by: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) evidence: Vec<Named>,
}

/// The folders of a machine, and the words that stand for them where others read.
pub(crate) struct Places(Vec<(String, &'static str)>);

impl Places {
    /// Each folder with its word. One that is within another counts for what is in it.
    pub(crate) fn new<'a>(places: impl IntoIterator<Item = (&'a Path, &'static str)>) -> Self {
        let text = |(path, word): (&Path, _)| (path.display().to_string(), word);
        let mut places: Vec<_> = places.into_iter().map(text).collect();
        places.retain(|(path, _)| path.len() > 1 && path.starts_with('/'));
        places.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        Self(places)
    }

    fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (path, word)| replace(&text, path, word))
    }
}

/// Replaces `path` where it is a whole folder's name, not the beginning or the end of another.
fn replace(text: &str, path: &str, word: &str) -> String {
    let in_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(path) {
        let (before, found) = rest.split_at(at);
        let after = &found[path.len()..];
        replaced.push_str(before);
        let begins = replaced.chars().next_back().is_none_or(|c| !in_name(c) && c != '/');
        let whole = begins && after.chars().next().is_none_or(|c| !in_name(c));
        replaced.push_str(if whole { word } else { path });
        rest = after;
    }
    replaced + rest
}

impl Conformance {
    /// What may be told of a run; `reproduce` is its command line without the machine's own names.
    pub(super) fn new(document: &Document, reproduce: &str, places: &Places) -> Self {
        let version = document.versions.iter().find(|version| version.name == "Istio");
        let broken = document.failure.as_ref().map(|_| {
            let step = document.steps.iter().find(|step| step.number.is_some() && !step.ok);
            step.map_or_else(|| "no step".to_owned(), |step| step.title.clone())
        });
        Self {
            schema: SCHEMA.to_owned(),
            date: document.started.clone(),
            result: document.verdict.to_owned(),
            statistics: document.totals,
            implementation: Implementation {
                organization: ORGANIZATION.to_owned(),
                project: PROJECT.to_owned(),
                url: URL.to_owned(),
                version: version.map_or("unknown", |version| &version.value).to_owned(),
            },
            provider: document.provider.clone(),
            profile: document.profile.clone(),
            key: document.key.clone(),
            versions: {
                let others = document.versions.iter().filter(|version| version.name != OWN);
                named(others, places)
            },
            reproduce: places.hide(reproduce),
            broke_off_in: broken,
            claims: document.claims.iter().map(|claim| result(claim, places)).collect(),
        }
    }

    /// As YAML.
    ///
    /// # Errors
    /// None that a report can cause.
    pub(super) fn yaml(&self) -> Result<String> {
        // A command line that is folded cannot be copied.
        let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
        serde_saphyr::to_string_with_options(self, options).context("write YAML")
    }

    /// Reads what [`Self::yaml`] wrote.
    ///
    /// # Errors
    /// The text is no such report.
    pub(crate) fn parse(yaml: &str) -> Result<Self> {
        let report: Self = serde_saphyr::from_str(yaml).context("it is no conformance report")?;
        anyhow::ensure!(
            report.schema == SCHEMA,
            "it is a report by the schema `{}`, expected `{SCHEMA}`",
            report.schema
        );
        Ok(report)
    }

    /// The version of something that took part.
    pub(crate) fn version(&self, name: &str) -> Option<&str> {
        let found = self.versions.iter().find(|version| version.name == name);
        found.map(|version| version.value.as_str())
    }
}

fn result(claim: &ClaimText, places: &Places) -> ClaimResult {
    ClaimResult {
        number: claim.number,
        id: claim.id.to_owned(),
        sentence: claim.sentence.to_owned(),
        result: claim.outcome.to_owned(),
        reason: claim.reason.as_deref().map(|reason| places.hide(reason)),
        blocked_by: claim.blocked_by.clone(),
        evidence: named(&claim.evidence, places),
    }
}

fn named<'a>(pairs: impl IntoIterator<Item = &'a Named>, places: &Places) -> Vec<Named> {
    let hide = |Named { name, value }: &Named| Named {
        name: places.hide(name),
        value: places.hide(value),
    };
    pairs.into_iter().map(hide).collect()
}
