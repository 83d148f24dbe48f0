//! JUnit XML.

use pretty_assertions::assert_eq;

use super::samples::{self, FOUR, bare, bundle, page_evidence, tested};
use crate::claim::{Evidence, Outcome};
use crate::report::junit;

#[test]
fn false_is_a_failure_and_blocked_an_error() {
    let mut report = bare(&bundle());
    report.versions.truncate(1);
    report.steps.truncate(1);
    let blocked = Outcome::Blocked { by: "claim 10".to_owned(), why: "a < b & c".to_owned() };
    report.tested = vec![
        tested(&FOUR[0], Outcome::Holds, page_evidence()),
        tested(&FOUR[1], Outcome::False("expected a, found b".to_owned()), Evidence::default()),
        tested(&FOUR[2], Outcome::Skipped("no openssl there".to_owned()), Evidence::default()),
        tested(&FOUR[3], blocked, Evidence::default()),
    ];
    let expected = include_str!("expected/junit.xml");
    assert_eq!(junit(&report).unwrap(), expected);
}

#[test]
fn a_failed_step_carries_its_reason_and_diagnosis() {
    let text = junit(&samples::failed_at_a_step()).unwrap();
    let (_, failed) = text.split_once(r#"<testcase name="3 Deploy Istio""#).unwrap();
    let (failed, _) = failed.split_once("</testcase>").unwrap();
    let message = r#"<failure message="Deploy Istio: istiod does not start: "#;
    assert_eq!(failed.matches(message).count(), 1);
    assert_eq!(failed.matches("event istio-system/Pod/istiod-6d8f7-zk2m4: BackOff").count(), 1);
    assert_eq!(text.matches("<failure").count(), 1);
}

#[test]
fn a_failure_outside_of_every_step_is_a_test_too() {
    let mut report = samples::failed_at_a_step();
    report.steps.clear();
    let text = junit(&report).unwrap();
    assert_eq!(text.matches(r#"<testcase name="the run""#).count(), 1);
    assert_eq!(text.matches("<failure").count(), 1);
}

#[test]
fn a_sabotage_that_was_caught_fails_nothing() {
    let caught = junit(&samples::sabotaged(&[5, 11])).unwrap();
    assert_eq!(caught.matches("<failure").count(), 0);
    assert_eq!(caught.matches("11 false: a plaintext client").count(), 1);
    let missed = junit(&samples::sabotaged(&[])).unwrap();
    let message = "expected false: 5, 11; blocked: none; found false: none; blocked: none";
    assert_eq!(missed.matches(&format!(r#"<failure message="{message}""#)).count(), 1);
}
