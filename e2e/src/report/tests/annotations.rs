//! Annotations for GitHub.

use pretty_assertions::assert_eq;

use super::samples::{self, FOUR, bare, bundle, tested};
use crate::claim::{Evidence, Outcome, Verdict};
use crate::report::annotations;

#[test]
fn each_claim_that_does_not_hold_is_one_line_whatever_is_in_its_reason() {
    let mut report = bare(&bundle());
    let blocked = Outcome::Blocked { by: "claim 10".to_owned(), why: "a, b".to_owned() };
    report.tested = vec![
        tested(&FOUR[0], Outcome::Holds, Evidence::default()),
        tested(&FOUR[2], Outcome::False("100%\r\n::error::x".to_owned()), Evidence::default()),
        tested(&FOUR[1], Outcome::Skipped("why".to_owned()), Evidence::default()),
        tested(&FOUR[3], blocked, Evidence::default()),
    ];
    report.verdict = Verdict::Disproven;
    let expected = [
        "::error title=claim 5 is false::openssl agrees: 100%25%0D%0A::error::x",
        "::error title=claim 11 is blocked::a plaintext client is refused: by claim 10: a, b",
    ];
    assert_eq!(annotations(&report), expected);
}

#[test]
fn a_run_that_broke_off_is_told_with_its_step() {
    let expected =
        ["::error title=the run broke off::Deploy Istio: istiod does not start: failed to create \
         discovery service: failed to create CA: incomplete signing CA bundle detected"];
    assert_eq!(annotations(&samples::failed_at_a_step()), expected);
}

#[test]
fn a_required_claim_that_was_skipped_is_told() {
    let mut report = bare(&bundle());
    let skipped = Outcome::Skipped("no openssl there".to_owned());
    report.tested = vec![tested(&FOUR[2], skipped, Evidence::default())];
    let expected = ["::error title=claim 5 is skipped::openssl agrees: no openssl there"];
    assert_eq!(annotations(&report), expected);
}

#[test]
fn a_run_that_ended_as_it_should_says_nothing() {
    assert_eq!(annotations(&samples::proven()), [""; 0]);
    assert_eq!(annotations(&samples::sabotaged(&[5, 11])), [""; 0]);
    let missed = annotations(&samples::sabotaged(&[5]));
    assert_eq!(missed.len(), 1, "{missed:?}");
    assert!(missed[0].starts_with("::error title=the sabotage permissive was not caught::"));
}
