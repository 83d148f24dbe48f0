//! What is said about a run when it is over: one [`Report`], read in six ways: a table for the
//! terminal, JSON, JUnit XML, a page for a browser, a conformance report for others, and GitHub's
//! annotations.
//!
//! Every rendering is a pure function of the report. None can show a private key: the report has no
//! field for one, and whatever text of others it quotes goes through [`without_keys`] first.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use pki::{Certificate, Hierarchy};
use time::OffsetDateTime;

use crate::claim::{Tested, Verdict};
use crate::sabotage::Sabotage;
use crate::step::StepTime;

mod annotations;
pub(crate) mod certificate;
mod conformance;
mod document;
mod hierarchy;
mod html;
mod junit;
mod keys;
mod summary;
mod terminal;

pub(crate) use conformance::{Conformance, Places};
pub(crate) use keys::without_keys;
pub(crate) use summary::word;
pub(crate) use terminal::terminal;

use document::Document;

/// Everything that a run leaves to be read.
pub(crate) struct Report {
    /// The run's id.
    pub(crate) run: String,
    /// When it started.
    pub(crate) started: OffsetDateTime,
    /// How long it took, teardown included if the report is made after it.
    pub(crate) elapsed: Duration,
    /// Who made the cluster: `local`, `kind`, `existing`.
    pub(crate) provider: String,
    /// The profile of the certificates: `makefile`, `hardened`.
    pub(crate) profile: String,
    /// Names and versions, in the order in which a reader wants them.
    pub(crate) versions: Vec<(String, String)>,
    /// The command line that does it again.
    pub(crate) reproduce: String,
    /// The steps and their parts, in the order of ending.
    pub(crate) steps: Vec<StepTime>,
    /// The claims that were tested.
    pub(crate) tested: Vec<Tested>,
    /// The CA that the mesh was held against.
    pub(crate) hierarchy: Option<Hierarchy>,
    /// What httpbin served, leaf first.
    pub(crate) served: Option<Vec<Certificate>>,
    /// The workload certificates that were seen elsewhere, each with the name of its pod. May be
    /// empty: the figure then shows the one that httpbin served.
    pub(crate) workloads: Vec<(String, Certificate)>,
    /// Why it broke off, if it did.
    pub(crate) failure: Option<Failure>,
    /// What was broken on purpose.
    pub(crate) sabotage: Option<Sabotaged>,
    /// The verdict over the claims.
    pub(crate) verdict: Verdict,
}

/// Why a run did not come to its end.
pub(crate) struct Failure {
    /// The error, with the words of its step.
    pub(crate) reason: String,
    /// What `diagnose` saw before the teardown; may be empty.
    pub(crate) diagnosis: String,
}

/// A sabotage, and how the installation took it.
pub(crate) struct Sabotaged {
    /// Which.
    pub(crate) sabotage: &'static Sabotage,
    /// istiod's reason to stop, where the sabotage made the installation stop.
    pub(crate) stopped: Option<String>,
}

/// Whether a sabotage was noticed as it had to be; `None` for a run without one.
pub(crate) fn caught(report: &Report) -> Option<bool> {
    report.sabotage.as_ref().map(|sabotaged| summary::caught(report, sabotaged))
}

/// The report as JSON, by the schema `cacerts.e2e.report/v1`.
///
/// # Errors
/// None that a report can cause.
pub(crate) fn json(report: &Report) -> Result<String> {
    let text = serde_json::to_string_pretty(&Document::new(report)).context("write JSON")?;
    Ok(text + "\n")
}

/// The report as JUnit XML.
///
/// # Errors
/// None that a report can cause.
pub(crate) fn junit(report: &Report) -> Result<String> {
    junit::render(&Document::new(report))
}

/// The report as one page of HTML that needs nothing else.
///
/// # Errors
/// None that a report can cause.
pub(crate) fn html(report: &Report) -> Result<String> {
    html::render(&Document::new(report))
}

/// The run for others to read, as YAML by the schema `cacerts.e2e.conformance/v1`. `reproduce` is
/// its command line without names of the machine's, whose folders are `places`.
///
/// # Errors
/// None that a report can cause.
pub(crate) fn conformance(report: &Report, reproduce: &str, places: &Places) -> Result<String> {
    Conformance::new(&Document::new(report), reproduce, places).yaml()
}

/// The lines that make GitHub show what does not hold; none for a run that ended as it should.
pub(crate) fn annotations(report: &Report) -> Vec<String> {
    annotations::render(&Document::new(report))
}

/// Writes `report.json`, `junit.xml` and `report.html` into the run's folder, each whole or not at
/// all; a report that is there already is replaced.
///
/// # Errors
/// A file cannot be written.
pub(crate) fn write(folder: &Path, report: &Report) -> Result<()> {
    write_whole(&folder.join("report.json"), &json(report)?)?;
    write_whole(&folder.join("junit.xml"), &junit(report)?)?;
    write_whole(&folder.join("report.html"), &html(report)?)
}

/// Writes a file whole or not at all; one that is there already is replaced.
///
/// # Errors
/// It cannot be written.
pub(crate) fn write_whole(path: &Path, text: &str) -> Result<()> {
    let aside = path.with_extension("part");
    fs::write(&aside, text).with_context(|| format!("cannot write {}", aside.display()))?;
    fs::rename(&aside, path).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests;
