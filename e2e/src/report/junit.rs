//! The report as JUnit XML, for whatever shows test results: a suite of claims and one of steps. A
//! false claim is a failure, a blocked one an error.
//!
//! Under a sabotage a suite of one test takes the place of the claims: false claims are what was
//! wanted there, and a reader of JUnit knows no such thing.

use std::time::Duration;

use anyhow::{Context as _, Result};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::document::{ClaimText, Document, FailureText, Named, SabotageText, StepText};

/// Renders the document.
pub(super) fn render(document: &Document) -> Result<String> {
    let mut report = Report::new("cacerts");
    report.set_time(Duration::from_secs_f64(document.seconds));
    let tests = match &document.sabotage {
        None => claims(document),
        Some(sabotage) => sabotaged(document, sabotage),
    };
    report.add_test_suites([tests, steps(document)]);
    report.to_string().context("write JUnit XML")
}

fn claims(document: &Document) -> TestSuite {
    let mut suite = TestSuite::new("claims");
    for property in [("run", &document.run), ("started", &document.started)] {
        suite.add_property((property.0, property.1.as_str()));
    }
    for Named { name, value } in &document.versions {
        suite.add_property((name.as_str(), value.as_str()));
    }
    suite.add_test_cases(document.claims.iter().map(claim));
    suite
}

fn claim(claim: &ClaimText) -> TestCase {
    let reason = claim.reason.as_deref().unwrap_or_default();
    let status = match claim.outcome {
        "holds" => TestCaseStatus::success(),
        "false" => non_success(NonSuccessKind::Failure, "false", reason, claim.proves),
        "skipped" => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(reason);
            status
        }
        _ => {
            let by = claim.blocked_by.as_deref().unwrap_or_default();
            let message = format!("blocked by {by}: {reason}");
            non_success(NonSuccessKind::Error, "blocked", &message, claim.proves)
        }
    };
    let mut case = TestCase::new(format!("{} {}", claim.number, claim.sentence), status);
    case.set_classname(claim.id).set_time(Duration::from_secs_f64(claim.seconds));
    let evidence: Vec<_> =
        claim.evidence.iter().map(|e| format!("{}: {}", e.name, e.value)).collect();
    if !evidence.is_empty() {
        case.set_system_out(evidence.join("\n"));
    }
    case
}

fn sabotaged(document: &Document, sabotage: &SabotageText) -> TestSuite {
    let SabotageText { name, sentence, caught, expected, found } = sabotage;
    let status = if *caught {
        TestCaseStatus::success()
    } else {
        let message = format!("expected {expected}; found {found}");
        non_success(NonSuccessKind::Failure, "not caught", &message, sentence)
    };
    let mut case = TestCase::new(*name, status);
    case.set_classname("sabotage").set_time(Duration::from_secs_f64(document.seconds));
    let outcomes = document.claims.iter().map(|claim| {
        let ClaimText { number, outcome, sentence, .. } = claim;
        format!("{number} {outcome}: {sentence}")
    });
    case.set_system_out(outcomes.collect::<Vec<_>>().join("\n"));
    let mut suite = TestSuite::new("sabotage");
    suite.add_test_case(case);
    suite
}

fn steps(document: &Document) -> TestSuite {
    let mut suite = TestSuite::new("steps");
    // A sabotage may want a step to fail; whether it did as it should is the sabotage's own test.
    let wanted = document.sabotage.as_ref().is_some_and(|sabotage| sabotage.caught);
    suite.add_test_cases(document.steps.iter().map(|time| {
        let status = match &document.failure {
            _ if time.ok || wanted => TestCaseStatus::success(),
            Some(failure) => step_failed(failure),
            None => non_success(NonSuccessKind::Failure, "failed", "it failed", ""),
        };
        step(time, status)
    }));
    if let Some(failure) = &document.failure
        && document.steps.iter().all(|time| time.ok)
    {
        suite.add_test_case(TestCase::new("the run", step_failed(failure)));
    }
    suite
}

fn step(time: &StepText, status: TestCaseStatus) -> TestCase {
    let StepText { number, title, seconds, .. } = time;
    let name = number.map_or_else(|| title.clone(), |number| format!("{number} {title}"));
    let mut case = TestCase::new(name, status);
    case.set_classname(if number.is_some() { "step" } else { "part" });
    case.set_time(Duration::from_secs_f64(*seconds));
    case
}

fn step_failed(failure: &FailureText) -> TestCaseStatus {
    non_success(NonSuccessKind::Failure, "failed", &failure.reason, &failure.diagnosis)
}

fn non_success(kind: NonSuccessKind, ty: &str, message: &str, more: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(ty).set_message(message);
    if !more.is_empty() {
        status.set_description(more);
    }
    status
}
