//! The verdict in a sentence, and the count that `cargo xtask ci` adds up.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Report, Sabotaged};
use crate::claim::{Outcome, Verdict};
use crate::sabotage::{Ends, Sets};

/// The verdict's word for a proof.
pub(super) const PROVEN: &str = "proven";

/// How many claims passed, failed and were skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Totals {
    /// Claims that hold.
    pub(crate) passed: usize,
    /// Claims that are false or blocked, and a step that failed.
    pub(crate) failed: usize,
    /// Claims that were skipped.
    pub(crate) skipped: usize,
}

impl Totals {
    /// Under a sabotage false claims are what was wanted, so it is the sabotage that counts: as
    /// one that passed if the run ended as it names.
    pub(super) fn of(report: &Report) -> Self {
        if let Some(sabotaged) = &report.sabotage {
            let caught = caught(report, sabotaged);
            return Self { passed: caught.into(), failed: (!caught).into(), skipped: 0 };
        }
        let mut totals = Self { failed: report.failure.is_some().into(), ..Self::default() };
        for tested in &report.tested {
            match tested.outcome {
                Outcome::Holds => totals.passed += 1,
                Outcome::False(_) | Outcome::Blocked { .. } => totals.failed += 1,
                Outcome::Skipped(_) => totals.skipped += 1,
            }
        }
        totals
    }
}

/// Whether a sabotaged run ended exactly as its sabotage names.
pub(super) fn caught(report: &Report, sabotaged: &Sabotaged) -> bool {
    if report.failure.is_some() {
        return false;
    }
    match (&sabotaged.sabotage.ends, &sabotaged.stopped) {
        (Ends::Stops(words), Some(said)) => said.contains(words),
        (Ends::Claims { .. }, None) => {
            Sets::expected(sabotaged.sabotage) == Some(Sets::of(&report.tested))
        }
        _ => false,
    }
}

/// How a sabotaged run had to end.
pub(super) fn expected(sabotaged: &Sabotaged) -> String {
    match &sabotaged.sabotage.ends {
        Ends::Stops(words) => format!("an installation that stops: `{words}`"),
        Ends::Claims { .. } => sets(&Sets::expected(sabotaged.sabotage).unwrap_or_default()),
    }
}

/// How it did end.
pub(super) fn found(report: &Report, sabotaged: &Sabotaged) -> String {
    match (&report.failure, &sabotaged.stopped) {
        (Some(_), _) => "a run that broke off".to_owned(),
        (None, Some(said)) => format!("an installation that stops: `{said}`"),
        (None, None) => sets(&Sets::of(&report.tested)),
    }
}

fn sets(sets: &Sets) -> String {
    format!("false: {}; blocked: {}", numbers(&sets.makes_false), numbers(&sets.blocks))
}

fn numbers(numbers: &BTreeSet<u8>) -> String {
    let numbers: Vec<_> = numbers.iter().map(u8::to_string).collect();
    if numbers.is_empty() { "none".to_owned() } else { numbers.join(", ") }
}

/// The verdict that a report shows. A run that did not come to its end has proven nothing.
pub(super) fn verdict(report: &Report) -> Verdict {
    match report.verdict {
        Verdict::Proven if report.failure.is_some() => Verdict::Unproven,
        verdict => verdict,
    }
}

/// The verdict as one word.
pub(crate) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Proven => PROVEN,
        Verdict::Disproven => "disproven",
        Verdict::Unproven => "unproven",
    }
}

/// Why the verdict is what it is: the claims by number, those that do not hold first.
pub(super) fn sentence(report: &Report) -> String {
    if let Some(sabotaged) = &report.sabotage {
        let (name, found) = (sabotaged.sabotage.name, found(report, sabotaged));
        return if caught(report, sabotaged) {
            format!("the sabotage {name} ended as it has to, with {found}")
        } else {
            let expected = expected(sabotaged);
            format!("the sabotage {name} ended with {found}; it has to end with {expected}")
        };
    }
    let with = |is: fn(&Outcome) -> bool| {
        let found = report.tested.iter().filter(|tested| is(&tested.outcome));
        found.map(|tested| tested.claim.number).collect::<BTreeSet<u8>>()
    };
    let failed = report.failure.is_some().then(|| "the run broke off".to_owned());
    let holds = with(|outcome| matches!(outcome, Outcome::Holds)).len();
    let parts: Vec<String> = failed
        .into_iter()
        .chain(listed(&with(|outcome| matches!(outcome, Outcome::False(_))), "false"))
        .chain(listed(&with(|outcome| matches!(outcome, Outcome::Blocked { .. })), "blocked"))
        .chain(listed(&with(|outcome| matches!(outcome, Outcome::Skipped(_))), "skipped"))
        .chain(match holds {
            0 => None,
            1 => Some("1 claim holds".to_owned()),
            holds => Some(format!("{holds} claims hold")),
        })
        .collect();
    if parts.is_empty() { "no claim was tested".to_owned() } else { parts.join(", ") }
}

fn listed(claims: &BTreeSet<u8>, outcome: &str) -> Option<String> {
    match claims.len() {
        0 => None,
        1 => Some(format!("claim {} is {outcome}", numbers(claims))),
        _ => Some(format!("claims {} are {outcome}", numbers(claims))),
    }
}
