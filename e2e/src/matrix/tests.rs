//! What cells add up to.

use pretty_assertions::assert_eq;

use super::*;

fn ran(verdict: Verdict) -> Outcome {
    Outcome::Ran(verdict, String::new())
}

fn skipped() -> Outcome {
    Outcome::Skipped("skipped: no engine".to_owned())
}

#[test]
fn every_cell_that_ran_has_to_be_proven() {
    let (proven, disproven, unproven) = (Verdict::Proven, Verdict::Disproven, Verdict::Unproven);
    let rows: [(&[Outcome], Verdict); 6] = [
        (&[ran(proven), ran(proven)], proven),
        (&[ran(proven), skipped()], proven),
        (&[ran(proven), ran(unproven)], unproven),
        (&[ran(unproven), ran(disproven)], disproven),
        (&[skipped()], unproven),
        (&[], unproven),
    ];
    for (index, (outcomes, expected)) in rows.into_iter().enumerate() {
        assert_eq!(over(outcomes.iter()), expected, "row {index}");
    }
}

#[test]
fn the_closing_line_counts_the_cells() {
    let named = |outcome| ("cell".to_owned(), outcome);
    let outcomes =
        [ran(Verdict::Proven), ran(Verdict::Disproven), ran(Verdict::Unproven), skipped()];
    let outcomes = outcomes.map(named);
    assert_eq!(told(Verdict::Disproven, &outcomes), "DISPROVEN: 1 cells proven, 2 not, 1 skipped");
}
