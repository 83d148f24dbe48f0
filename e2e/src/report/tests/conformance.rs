//! The conformance report.

use std::path::Path;

use pretty_assertions::assert_eq;

use super::samples::{self, FOUR, bare, bundle, tested};
use crate::claim::{Evidence, Outcome, Verdict};
use crate::report::{Conformance, Places, Report, conformance};

const REPRODUCE: &str = "cargo xtask e2e --profile hardened --istio-dir DIR";

fn places() -> Places {
    Places::new([
        (Path::new("/home/someone"), "~"),
        (Path::new("/home/someone/target/e2e/bcdfgh"), "RUN"),
        (Path::new("/"), "ROOT"),
    ])
}

fn yaml(report: &Report) -> String {
    conformance(report, REPRODUCE, &places()).unwrap()
}

#[test]
fn it_reads_from_the_result_to_the_evidence() {
    let mut report = bare(&bundle());
    report.versions.truncate(2);
    let blocked = Outcome::Blocked { by: "claim 10".to_owned(), why: "found 503".to_owned() };
    report.tested = vec![
        tested(&FOUR[0], Outcome::Holds, Evidence::default().with("status", 200)),
        tested(&FOUR[2], Outcome::False("expected a\nfound b".to_owned()), Evidence::default()),
        tested(&FOUR[3], blocked, Evidence::default()),
    ];
    report.verdict = Verdict::Disproven;
    assert_eq!(yaml(&report), include_str!("expected/conformance.yaml"));
}

#[test]
fn what_is_read_back_is_what_was_written() {
    for report in [samples::proven(), samples::false_and_blocked(), samples::failed_at_a_step()] {
        let text = yaml(&report);
        let read = Conformance::parse(&text).unwrap();
        assert_eq!(read.yaml().unwrap(), text);
        assert_eq!(read.claims.len(), report.tested.len());
    }
}

#[test]
fn names_of_the_machine_are_left_out_and_nothing_else() {
    let mut report = bare(&bundle());
    let reason = "/home/someone/target/e2e/bcdfgh/page/a.pem, /home/someone/x, \
                  /home/someone2/x, spiffe://td/home/someone, /etc/certs/root-cert.pem";
    report.tested = vec![tested(&FOUR[0], Outcome::False(reason.to_owned()), Evidence::default())];
    report.versions.push(("context".to_owned(), "production".to_owned()));
    let read = Conformance::parse(&yaml(&report)).unwrap();
    assert_eq!(read.version("context"), None);
    assert_eq!(read.version("Istio"), Some("1.31.0"));
    assert_eq!(
        read.claims[0].reason.as_deref(),
        Some(
            "RUN/page/a.pem, ~/x, /home/someone2/x, spiffe://td/home/someone, \
             /etc/certs/root-cert.pem"
        )
    );
}

#[test]
fn a_run_that_broke_off_names_its_step_and_not_its_reason() {
    let read = Conformance::parse(&yaml(&samples::failed_at_a_step())).unwrap();
    assert_eq!(read.broke_off_in.as_deref(), Some("Deploy Istio"));
    assert_eq!(read.result, "unproven");
    assert_eq!(yaml(&samples::failed_at_a_step()).matches("BackOff").count(), 0);
}

#[test]
fn a_report_by_another_schema_is_refused() {
    let text = yaml(&samples::proven()).replacen("conformance/v1", "conformance/v2", 1);
    let error = Conformance::parse(&text).unwrap_err().to_string();
    assert_eq!(
        error,
        "it is a report by the schema `cacerts.e2e.conformance/v2`, expected \
         `cacerts.e2e.conformance/v1`"
    );
}
