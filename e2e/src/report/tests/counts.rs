//! Totals, verdicts and the sentence about them.

use pretty_assertions::assert_eq;

use super::samples::{self, FOUR, bare, bundle, tested};
use crate::claim::{Evidence, Outcome, Verdict};
use crate::report::summary::{Totals, caught, sentence, verdict};
use crate::report::{Failure, Report, Sabotaged};
use crate::sabotage::named;

fn totals(passed: usize, failed: usize, skipped: usize) -> Totals {
    Totals { passed, failed, skipped }
}

fn failure() -> Option<Failure> {
    Some(Failure { reason: "Cleanup: no room".to_owned(), diagnosis: String::new() })
}

fn sabotage_is_caught(report: &Report) -> bool {
    caught(report, report.sabotage.as_ref().unwrap())
}

#[test]
fn false_and_blocked_claims_count_as_failed() {
    let report = samples::false_and_blocked();
    assert_eq!(Totals::of(&report), totals(4, 8, 1));
    assert_eq!(
        sentence(&report),
        "claims 2, 3, 6, 7, 8, 9 are false, claims 12, 13 are blocked, claim 5 is skipped, \
         4 claims hold"
    );
}

#[test]
fn a_run_whose_cleanup_failed_is_no_proof() {
    let mut report = samples::proven();
    assert_eq!((Totals::of(&report), verdict(&report)), (totals(13, 0, 0), Verdict::Proven));
    report.failure = failure();
    assert_eq!((Totals::of(&report), verdict(&report)), (totals(13, 1, 0), Verdict::Unproven));
    assert_eq!(sentence(&report), "the run broke off, 13 claims hold");
}

#[test]
fn a_false_claim_stays_false_where_a_step_failed_too() {
    let report = Report { failure: failure(), ..samples::false_and_blocked() };
    assert_eq!(verdict(&report), Verdict::Disproven);
}

#[test]
fn nothing_tested_says_so() {
    assert_eq!(sentence(&bare(&bundle())), "no claim was tested");
}

#[test]
fn under_a_sabotage_only_the_sabotage_counts() {
    let report = samples::sabotaged(&[5, 11]);
    assert_eq!(Totals::of(&report), totals(1, 0, 0));
    let expected = "the sabotage permissive ended as it has to, with false: 5, 11; blocked: none";
    assert_eq!(sentence(&report), expected);
}

#[test]
fn a_sabotage_with_one_claim_more_or_less_is_not_caught() {
    for wrong in [&[11][..], &[5, 11, 10], &[]] {
        let report = samples::sabotaged(wrong);
        assert_eq!(Totals::of(&report), totals(0, 1, 0), "{wrong:?}");
    }
    let mut blocked = samples::sabotaged(&[5, 11]);
    let other = Outcome::Blocked { by: "claim 8".to_owned(), why: "503".to_owned() };
    blocked.tested.push(tested(&FOUR[3], other, Evidence::default()));
    assert!(!sabotage_is_caught(&blocked));
}

#[test]
fn a_sabotage_is_not_caught_by_a_step_that_failed_for_another_reason() {
    let report = Report { failure: failure(), ..samples::sabotaged(&[5, 11]) };
    assert!(!sabotage_is_caught(&report));
}

#[test]
fn a_sabotaged_installation_has_to_stop_with_the_words() {
    let stops = |said: Option<&str>| {
        let stopped = said.map(str::to_owned);
        let sabotage = Some(Sabotaged { sabotage: named("no-key").unwrap(), stopped });
        Report { sabotage, ..bare(&bundle()) }
    };
    assert!(sabotage_is_caught(&stops(Some("istiod: incomplete signing CA bundle detected"))));
    assert!(!sabotage_is_caught(&stops(Some("no room"))));
    assert!(!sabotage_is_caught(&stops(None)));
}
