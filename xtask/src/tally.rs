//! Counts tests, claims and sabotages, and the closing line over all of them.

use std::fmt;
use std::ops::AddAssign;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// How many passed, failed and were skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

impl Tally {
    /// One failure: a check that is no test of its own, such as formatting.
    pub(crate) const ONE_FAILURE: Self = Self { passed: 0, failed: 1, skipped: 0 };

    /// Reads a closing line of Rust's test runner
    /// (`test result: ok. 3 passed; 0 failed; 1 ignored; ..`); `None` for every other line.
    pub(crate) fn from_test_result(line: &str) -> Option<Self> {
        let counts = line.trim().strip_prefix("test result: ")?.split_once(". ")?.1;
        let count = |word: &str| {
            counts.split("; ").find_map(|part| {
                part.strip_suffix(word).and_then(|number| number.trim().parse::<usize>().ok())
            })
        };
        Some(Self {
            passed: count("passed")?,
            failed: count("failed")?,
            skipped: count("ignored")?,
        })
    }

    /// Reads the closing line of a program of this workspace (`3 passed, 0 failed, 1 skipped`);
    /// `None` for every other line.
    pub(crate) fn from_closing_line(line: &str) -> Option<Self> {
        let mut counts = line.trim().split(", ");
        let mut count = |word: &str| counts.next()?.strip_suffix(word)?.trim().parse().ok();
        let tally =
            Self { passed: count("passed")?, failed: count("failed")?, skipped: count("skipped")? };
        counts.next().is_none().then_some(tally)
    }

    /// Reads the `totals` of a report that the harness wrote
    /// (`{"totals": {"passed": 13, "failed": 0, "skipped": 0}}`).
    pub(crate) fn from_report(report: &str) -> Result<Self> {
        let report: Value = serde_json::from_str(report).context("the report is no JSON")?;
        let count = |name: &str| {
            report["totals"][name]
                .as_u64()
                .and_then(|number| usize::try_from(number).ok())
                .with_context(|| format!("the report has no `totals.{name}`"))
        };
        Ok(Self { passed: count("passed")?, failed: count("failed")?, skipped: count("skipped")? })
    }

    /// Reads the `statistics` of a conformance report: three lines of its head, by name.
    pub(crate) fn from_statistics(report: &str) -> Result<Self> {
        let count = |name: &str| {
            let value = report.lines().find_map(|line| line.strip_prefix(name));
            let value = value.and_then(|value| value.trim().parse().ok());
            value.with_context(|| format!("the conformance report has no `{}`", name.trim()))
        };
        Ok(Self {
            passed: count("  passed:")?,
            failed: count("  failed:")?,
            skipped: count("  skipped:")?,
        })
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_closing_line_of_the_test_runner_is_counted() {
        let line = "test result: FAILED. 3 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out";
        let expected = Tally { passed: 3, failed: 2, skipped: 1 };
        assert_eq!(Tally::from_test_result(line), Some(expected));
    }

    #[test]
    fn any_other_line_counts_nothing() {
        assert_eq!(Tally::from_test_result("test a::b ... ok"), None);
        assert_eq!(Tally::from_test_result("running 3 tests"), None);
    }

    #[test]
    fn the_closing_line_of_a_program_is_read_as_it_is_written() {
        let tally = Tally { passed: 422, failed: 1, skipped: 0 };
        assert_eq!(Tally::from_closing_line(&tally.to_string()), Some(tally));
        assert_eq!(Tally::from_closing_line("1 passed, 2 failed"), None);
        assert_eq!(Tally::from_closing_line("judged: 1 passed, 2 failed, 0 skipped"), None);
    }

    #[test]
    fn a_report_is_counted_by_its_totals() {
        let report = r#"{"totals": {"passed": 12, "failed": 1, "skipped": 0}, "claims": []}"#;
        let expected = Tally { passed: 12, failed: 1, skipped: 0 };
        assert_eq!(Tally::from_report(report).unwrap(), expected);
    }

    #[test]
    fn a_report_without_totals_is_an_error_and_not_a_pass() {
        let error = Tally::from_report(r#"{"claims": []}"#).unwrap_err();
        assert_eq!(error.to_string(), "the report has no `totals.passed`");
    }

    #[test]
    fn the_closing_line_has_the_form_that_continuous_integration_reads() {
        let mut tally = Tally { passed: 3, failed: 0, skipped: 1 };
        tally += Tally { passed: 13, failed: 0, skipped: 0 };
        assert_eq!(tally.to_string(), "16 passed, 0 failed, 1 skipped");
    }

    #[test]
    fn a_conformance_report_is_counted_by_its_statistics() {
        let report = include_str!("../../docs/conformance/local-v1.36.3-makefile-rsa4096.yaml");
        let expected = Tally { passed: 13, failed: 0, skipped: 0 };
        assert_eq!(Tally::from_statistics(report).unwrap(), expected);
        let error = Tally::from_statistics("statistics:\n  passed: 1\n").unwrap_err();
        assert_eq!(error.to_string(), "the conformance report has no `failed:`");
    }
}
