//! Verdicts and controls, without any mesh.

use anyhow::anyhow;
use pretty_assertions::assert_eq;

use super::*;

static CONTROL: Claim = claim(1, "allowed-is-let-in", None);
static NEGATIVE: Claim = claim(2, "stranger-is-refused", Some("allowed-is-let-in"));

const fn claim(number: u8, id: &'static str, control: Option<&'static str>) -> Claim {
    Claim {
        number,
        id,
        sentence: "",
        proves: "",
        kind: Kind::Looks,
        control,
        test: |_| Box::pin(async { Ok(Finding::Holds(Evidence::default())) }),
    }
}

fn tested(claim: &'static Claim, found: Result<Finding>) -> Tested {
    Tested::new(claim, found, Duration::ZERO)
}

fn holds() -> Result<Finding> {
    Ok(Finding::Holds(Evidence::default()))
}

fn is_false() -> Result<Finding> {
    Ok(Finding::is_false("expected 200, found 503"))
}

#[test]
fn all_claims_that_hold_are_a_proof() {
    let tested = [tested(&CONTROL, holds()), tested(&NEGATIVE, holds())];
    assert_eq!(Verdict::over(&tested, true), Verdict::Proven);
    assert_eq!(Verdict::Proven.exit_code(), 0);
}

#[test]
fn one_false_claim_outweighs_everything() {
    let tested = [tested(&CONTROL, is_false()), tested(&NEGATIVE, Err(anyhow!("unreachable")))];
    assert_eq!(Verdict::over(&tested, false), Verdict::Disproven);
    assert_eq!(Verdict::Disproven.exit_code(), 1);
}

#[test]
fn a_claim_that_could_not_be_tested_is_no_proof() {
    let tested = [tested(&CONTROL, holds()), tested(&NEGATIVE, Err(anyhow!("unreachable")))];
    assert_eq!(Verdict::over(&tested, false), Verdict::Unproven);
    assert_eq!(Verdict::Unproven.exit_code(), 2);
}

#[test]
fn a_skipped_claim_counts_against_the_proof_only_where_all_are_required() {
    let skipped = Ok(Finding::Skipped("the proxy has no openssl".to_owned()));
    let tested = [tested(&CONTROL, holds()), tested(&NEGATIVE, skipped)];
    assert_eq!(Verdict::over(&tested, false), Verdict::Proven);
    assert_eq!(Verdict::over(&tested, true), Verdict::Unproven);
}

#[test]
fn nothing_tested_is_nothing_proven() {
    assert_eq!(Verdict::over(&[], false), Verdict::Unproven);
    let skipped = Ok(Finding::Skipped("not asked for".to_owned()));
    assert_eq!(Verdict::over(&[tested(&CONTROL, skipped)], false), Verdict::Unproven);
}

#[test]
fn a_refusal_proves_nothing_where_the_allowed_is_refused_too() {
    let mut tested = [tested(&NEGATIVE, holds()), tested(&CONTROL, is_false())];
    block_by_controls(&mut tested, &[]);
    let why = "expected 200, found 503".to_owned();
    assert_eq!(tested[0].outcome, Outcome::Blocked { by: "claim 1".to_owned(), why });
    assert_eq!(tested[1].outcome, Outcome::False("expected 200, found 503".to_owned()));
}

#[test]
fn a_control_of_an_earlier_section_counts_too() {
    let earlier = [tested(&CONTROL, is_false())];
    let blocked = broken_control(&NEGATIVE, earlier.iter()).map(|blocked| blocked.outcome);
    let why = "expected 200, found 503".to_owned();
    assert_eq!(blocked, Some(Outcome::Blocked { by: "claim 1".to_owned(), why }));
    let earlier = [tested(&CONTROL, holds())];
    assert!(broken_control(&NEGATIVE, earlier.iter()).is_none());
}

#[test]
fn a_refusal_stands_where_its_control_holds() {
    let mut tested = [tested(&NEGATIVE, holds()), tested(&CONTROL, holds())];
    block_by_controls(&mut tested, &[]);
    assert_eq!(tested[0].outcome, Outcome::Holds);
}

#[test]
fn an_error_of_the_look_is_never_a_false_claim() {
    let tested = tested(&CONTROL, Err(anyhow!("no route").context("list pods")));
    let expected = Outcome::Blocked {
        by: "the look itself".to_owned(),
        why: "list pods: no route".to_owned(),
    };
    assert_eq!(tested.outcome, expected);
}
