//! A claim about the mesh, and what came of testing it. Data: what a claim looks at is in
//! `claims`, what is printed of it in `report`.

use std::fmt;
use std::time::Duration;

use anyhow::Result;
use futures::future::LocalBoxFuture;

use crate::view::View;

/// One sentence about the mesh that is either true or false.
pub(crate) struct Claim {
    /// Its number in the table of claims, from 1.
    pub(crate) number: u8,
    /// Its stable name, for `--only` and for reports.
    pub(crate) id: &'static str,
    /// What is claimed.
    pub(crate) sentence: &'static str,
    /// What its truth proves, and what its falsehood means.
    pub(crate) proves: &'static str,
    /// Whether testing it changes the mesh.
    pub(crate) kind: Kind,
    /// The claim that has to hold for this one to mean anything: its positive control.
    pub(crate) control: Option<&'static str>,
    /// Tests it. An error means that it could not be tested.
    pub(crate) test: for<'a> fn(&'a View<'a>) -> LocalBoxFuture<'a, Result<Finding>>,
}

/// Whether claims may be tested side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It looks, and other looks may go on beside it.
    Looks,
    /// It changes the mesh, so it comes last and alone.
    Changes,
}

/// What a test of a claim found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// The claim holds.
    Holds(Evidence),
    /// It does not, for this reason; both sides are in it.
    False {
        /// What was expected and what was found.
        reason: String,
        /// What was seen all the same.
        evidence: Evidence,
    },
    /// Its own control failed, so nothing can be said.
    ControlFailed {
        /// The control, in words.
        control: String,
        /// What was seen instead.
        reason: String,
    },
    /// It does not apply to this mesh, for this reason.
    Skipped(String),
}

impl Finding {
    /// The claim is false, and there is nothing else to show.
    pub(crate) fn is_false(reason: impl Into<String>) -> Self {
        Self::False { reason: reason.into(), evidence: Evidence::default() }
    }
}

/// What was seen: names and values, in the order in which a reader wants them. Never a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Evidence(pub(crate) Vec<(String, String)>);

impl Evidence {
    /// Adds one fact.
    pub(crate) fn with(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.0.push((name.into(), value.to_string()));
        self
    }
}

/// What is reported of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It holds.
    Holds,
    /// It is false, with both sides.
    False(String),
    /// It could not be judged: by what, and why.
    Blocked {
        /// The claim, the control or the look that stands in the way.
        by: String,
        /// What happened there.
        why: String,
    },
    /// It was not tested, for this reason.
    Skipped(String),
}

/// A claim with what came of it.
pub(crate) struct Tested {
    /// Which.
    pub(crate) claim: &'static Claim,
    /// What came of it.
    pub(crate) outcome: Outcome,
    /// What was seen.
    pub(crate) evidence: Evidence,
    /// How long the test took.
    pub(crate) took: Duration,
}

impl Tested {
    /// Files a finding.
    pub(crate) fn new(claim: &'static Claim, found: Result<Finding>, took: Duration) -> Self {
        let (outcome, evidence) = match found {
            Ok(Finding::Holds(evidence)) => (Outcome::Holds, evidence),
            Ok(Finding::False { reason, evidence }) => (Outcome::False(reason), evidence),
            Ok(Finding::ControlFailed { control, reason }) => {
                (Outcome::Blocked { by: control, why: reason }, Evidence::default())
            }
            Ok(Finding::Skipped(reason)) => (Outcome::Skipped(reason), Evidence::default()),
            Err(error) => {
                let by = "the look itself".to_owned();
                (Outcome::Blocked { by, why: format!("{error:#}") }, Evidence::default())
            }
        };
        Self { claim, outcome, evidence, took }
    }
}

/// Blocks every claim whose control, among these or `earlier`, is not known to hold: a refusal
/// proves nothing where the allowed would be refused too. A claim whose control was not chosen
/// keeps its outcome.
pub(crate) fn block_by_controls(tested: &mut [Tested], earlier: &[Tested]) {
    let judged = |t: &Tested| matches!(t.outcome, Outcome::Holds | Outcome::False(_));
    let blocked: Vec<_> = tested
        .iter()
        .enumerate()
        .filter(|(_, t)| judged(t))
        .filter_map(|(index, t)| {
            let blocked = broken_control(t.claim, tested.iter().chain(earlier))?;
            Some((index, blocked.outcome))
        })
        .collect();
    for (index, outcome) in blocked {
        tested[index].outcome = outcome;
    }
}

/// The claim as blocked by its control, if that is among `known` and does not hold.
pub(crate) fn broken_control<'a>(
    claim: &'static Claim,
    mut known: impl Iterator<Item = &'a Tested>,
) -> Option<Tested> {
    let control = known.find(|t| Some(t.claim.id) == claim.control)?;
    let why = match &control.outcome {
        Outcome::Holds => return None,
        Outcome::False(reason) | Outcome::Skipped(reason) => reason.clone(),
        Outcome::Blocked { why, .. } => why.clone(),
    };
    let outcome = Outcome::Blocked { by: format!("claim {}", control.claim.number), why };
    Some(Tested { claim, outcome, evidence: Evidence::default(), took: Duration::ZERO })
}

/// The verdict over all claims, and the exit code of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Every claim that was asked for holds.
    Proven,
    /// At least one claim is false.
    Disproven,
    /// None is false, and at least one could not be judged.
    Unproven,
}

impl Verdict {
    /// False outweighs blocked, and blocked outweighs all that holds. With `require`, a skipped
    /// claim counts as one that could not be judged. Nothing tested is nothing proven.
    pub(crate) fn over(tested: &[Tested], require: bool) -> Self {
        let any = |is: fn(&Outcome) -> bool| tested.iter().any(|t| is(&t.outcome));
        if any(|o| matches!(o, Outcome::False(_))) {
            return Self::Disproven;
        }
        let blocked = any(|o| matches!(o, Outcome::Blocked { .. }));
        let skipped = require && any(|o| matches!(o, Outcome::Skipped(_)));
        let held = any(|o| matches!(o, Outcome::Holds));
        if blocked || skipped || !held { Self::Unproven } else { Self::Proven }
    }

    /// 0 proven, 1 a claim is false, 2 could not be tested.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Proven => 0,
            Self::Disproven => 1,
            Self::Unproven => 2,
        }
    }
}

#[cfg(test)]
mod tests;
