//! The answer as JUnit XML, for whatever shows test results: a suite a target, a test a judge and
//! a test a finding.
//!
//! A judge that refuses and a finding that must not be are failures. JUnit has no warnings: a
//! warning, advice, a judge who does not count and one who was not asked are skipped tests, which
//! every reader of JUnit shows with their reason. A target that could not be read is an error.

use pki::{Finding, Judge, Severity};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::judged::{Checked, Judged, Opinion};
use crate::failure::Failure;
use crate::judges;

/// The whole answer.
pub(super) fn render(all: &[Checked]) -> Result<String, Failure> {
    let mut report = Report::new("cacerts check");
    report.add_test_suites(all.iter().map(suite));
    report
        .to_string()
        .map(|xml| xml.trim_end().to_owned())
        .map_err(|error| Failure::could_not(format!("JUnit XML cannot be written: {error}")))
}

fn suite(checked: &Checked) -> TestSuite {
    let mut suite = TestSuite::new(checked.name.as_str());
    match &checked.result {
        Err(reason) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type("not checked").set_message(reason.as_str());
            suite.add_test_case(TestCase::new("it can be read", status));
        }
        Ok(judged) => {
            suite.add_test_cases(judged.opinions.iter().map(|(who, it)| judge(judged, *who, it)));
            suite.add_test_cases(judged.report.findings.iter().map(finding));
        }
    }
    suite
}

fn judge(judged: &Judged, judge: Judge, opinion: &Opinion) -> TestCase {
    let status = match opinion {
        Opinion::Accepts => TestCaseStatus::success(),
        Opinion::Refuses(rules) if judged.counts(judge) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type("refuses").set_message(rules.join(", "));
            status
        }
        Opinion::Refuses(rules) => {
            skipped(format!("refuses, and does not count: {}", rules.join(", ")))
        }
        Opinion::NotReached => skipped("not reached: istiod does not take it".to_owned()),
        Opinion::NotAsked => skipped("not asked: --current says what is there now".to_owned()),
    };
    let mut name = format!("accepted by {judge}");
    if judge == Judge::Ztunnel {
        name.push_str(&format!(" (by {})", judges::ZTUNNEL_BY));
    }
    let mut case = TestCase::new(name, status);
    case.set_classname(judges::id(judge));
    case
}

fn finding(finding: &Finding) -> TestCase {
    let Finding { rule, file, block, found, expected, .. } = finding;
    let mut name = rule.id.to_owned();
    if let Some(file) = file {
        name.push_str(&format!(" in {file}"));
    }
    if let Some(block) = block {
        name.push_str(&format!(", PEM block {block}"));
    }
    let message = format!("{}: found {found}, expected {expected}", rule.what);
    let mut status = match rule.severity {
        Severity::Refuse => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(message);
            status
        }
        Severity::Warn | Severity::Advice => skipped(format!("{}: {message}", rule.severity)),
    };
    status.set_type(rule.severity.to_string());
    status.set_description(format!("why: {}\nfix: {}", rule.why, rule.fix));
    let mut case = TestCase::new(name, status);
    case.set_classname(rule.id);
    case
}

fn skipped(reason: String) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(reason);
    status
}
