//! The report as data: every quoted text cleaned of keys once, every value in the form in which it
//! is printed. This is the JSON file, and all other renderings are made of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::certificate::rfc3339;
use super::hierarchy::{Comparison, Level, Placed, comparisons, levels, place};
use super::summary::{self, PROVEN, Totals};
use super::{Report, without_keys};
use crate::claim::{Outcome, Tested};

/// The schema's name; a change that breaks a reader makes it v2.
const SCHEMA: &str = "cacerts.e2e.report/v1";

/// The whole report, in the order in which it is read.
#[derive(Serialize)]
pub(super) struct Document {
    pub(super) schema: &'static str,
    /// `proven`, `disproven`, `unproven`.
    pub(super) verdict: &'static str,
    /// Why.
    pub(super) summary: String,
    pub(super) totals: Totals,
    pub(super) run: String,
    /// RFC 3339.
    pub(super) started: String,
    pub(super) seconds: f64,
    pub(super) provider: String,
    pub(super) profile: String,
    /// The cluster CA's, in words: `rsa 4096`.
    pub(super) key: Option<String>,
    pub(super) versions: Vec<Named>,
    pub(super) reproduce: String,
    pub(super) failure: Option<FailureText>,
    pub(super) sabotage: Option<SabotageText>,
    pub(super) claims: Vec<ClaimText>,
    pub(super) comparisons: Vec<Comparison>,
    /// From the root down to the cluster CA.
    pub(super) hierarchy: Vec<Level>,
    /// Leaf first.
    pub(super) served_chain: Vec<Placed>,
    pub(super) workloads: Vec<WorkloadText>,
    pub(super) steps: Vec<StepText>,
}

/// A name and a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// A step that failed.
#[derive(Serialize)]
pub(super) struct FailureText {
    pub(super) reason: String,
    pub(super) diagnosis: String,
}

/// What was broken on purpose, how the run had to end and how it did.
#[derive(Serialize)]
pub(super) struct SabotageText {
    pub(super) name: &'static str,
    pub(super) sentence: &'static str,
    pub(super) caught: bool,
    pub(super) expected: String,
    pub(super) found: String,
}

/// A claim and what came of it.
#[derive(Serialize)]
pub(super) struct ClaimText {
    pub(super) number: u8,
    pub(super) id: &'static str,
    pub(super) sentence: &'static str,
    pub(super) proves: &'static str,
    /// `holds`, `false`, `blocked`, `skipped`.
    pub(super) outcome: &'static str,
    pub(super) reason: Option<String>,
    pub(super) blocked_by: Option<String>,
    pub(super) seconds: f64,
    pub(super) evidence: Vec<Named>,
}

/// A pod and the certificate it has.
#[derive(Serialize)]
pub(super) struct WorkloadText {
    pub(super) pod: Option<String>,
    #[serde(flatten)]
    pub(super) certificate: Placed,
}

/// A step, or a part of one, which has no number.
#[derive(Serialize)]
pub(super) struct StepText {
    pub(super) number: Option<usize>,
    pub(super) title: String,
    /// Seconds from the start of the run.
    pub(super) began: f64,
    pub(super) seconds: f64,
    pub(super) ok: bool,
}

impl Document {
    pub(super) fn new(report: &Report) -> Self {
        let served = report.served.as_deref().unwrap_or_default();
        let hierarchy = report.hierarchy.as_ref();
        Self {
            schema: SCHEMA,
            verdict: summary::word(summary::verdict(report)),
            summary: summary::sentence(report),
            totals: Totals::of(report),
            run: report.run.clone(),
            started: rfc3339(report.started),
            seconds: seconds(report.elapsed),
            provider: clean(&report.provider),
            profile: clean(&report.profile),
            key: hierarchy.map(|hierarchy| hierarchy.cluster_ca().public_key_kind()),
            versions: named(&report.versions),
            reproduce: clean(&report.reproduce),
            failure: report.failure.as_ref().map(|failure| FailureText {
                reason: clean(&failure.reason),
                diagnosis: clean(failure.diagnosis.trim_end()),
            }),
            sabotage: report.sabotage.as_ref().map(|sabotaged| SabotageText {
                name: sabotaged.sabotage.name,
                sentence: sabotaged.sabotage.sentence,
                caught: summary::caught(report, sabotaged),
                expected: summary::expected(sabotaged),
                found: clean(&summary::found(report, sabotaged)),
            }),
            claims: report.tested.iter().map(claim).collect(),
            comparisons: match (hierarchy, &report.served) {
                (Some(hierarchy), Some(served)) => comparisons(hierarchy, served),
                _ => Vec::new(),
            },
            hierarchy: hierarchy.map(|hierarchy| levels(hierarchy, served)).unwrap_or_default(),
            served_chain: served.iter().map(|served| place(hierarchy, served)).collect(),
            workloads: workloads(report),
            steps: steps(report),
        }
    }

    /// The word that a person reads first. Under a sabotage a verdict over claims would mislead:
    /// some of them have to be false.
    pub(super) fn headline(&self) -> &'static str {
        match &self.sabotage {
            None => self.verdict,
            Some(_) if self.is_good() => "caught",
            Some(_) => "not caught",
        }
    }

    /// Whether the run ended as it should.
    pub(super) fn is_good(&self) -> bool {
        match &self.sabotage {
            None => self.verdict == PROVEN,
            Some(sabotage) => sabotage.caught,
        }
    }

    /// The claim with this id, if it was tested.
    pub(super) fn claim(&self, id: &str) -> Option<&ClaimText> {
        self.claims.iter().find(|claim| claim.id == id)
    }
}

fn claim(tested: &Tested) -> ClaimText {
    let (outcome, reason, blocked_by) = match &tested.outcome {
        Outcome::Holds => ("holds", None, None),
        Outcome::False(reason) => ("false", Some(reason), None),
        Outcome::Blocked { by, why } => ("blocked", Some(why), Some(by)),
        Outcome::Skipped(reason) => ("skipped", Some(reason), None),
    };
    ClaimText {
        number: tested.claim.number,
        id: tested.claim.id,
        sentence: tested.claim.sentence,
        proves: tested.claim.proves,
        outcome,
        reason: reason.map(|reason| clean(reason)),
        blocked_by: blocked_by.map(|by| clean(by)),
        seconds: seconds(tested.took),
        evidence: named(&tested.evidence.0),
    }
}

/// Every workload certificate that was seen; at least the one that httpbin served.
fn workloads(report: &Report) -> Vec<WorkloadText> {
    let hierarchy = report.hierarchy.as_ref();
    let leaf = report.served.iter().flatten().next().filter(|_| report.workloads.is_empty());
    let seen = report.workloads.iter().map(|(pod, certificate)| (Some(pod), certificate));
    seen.chain(leaf.map(|leaf| (None, leaf)))
        .map(|(pod, certificate)| WorkloadText {
            pod: pod.map(|pod| clean(pod)),
            certificate: place(hierarchy, certificate),
        })
        .collect()
}

/// In the order of their beginning; a step before its parts.
fn steps(report: &Report) -> Vec<StepText> {
    let mut times: Vec<_> = report.steps.iter().collect();
    times.sort_by_key(|time| (time.began, time.number.is_none()));
    let text = |time: &&crate::step::StepTime| StepText {
        number: time.number,
        title: clean(&time.title),
        began: seconds(time.began),
        seconds: seconds(time.took),
        ok: time.ok,
    };
    times.iter().map(text).collect()
}

fn named(pairs: &[(String, String)]) -> Vec<Named> {
    let named = |(name, value): &(String, String)| Named { name: clean(name), value: clean(value) };
    pairs.iter().map(named).collect()
}

fn clean(text: &str) -> String {
    without_keys(text).into_owned()
}

/// Whole milliseconds, as seconds.
fn seconds(duration: Duration) -> f64 {
    Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)).as_secs_f64()
}
