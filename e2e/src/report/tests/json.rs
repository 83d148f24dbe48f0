//! The JSON report.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::samples::{self, FOUR, bare, bundle, tested, without_chance};
use crate::claim::{Evidence, Outcome};
use crate::report;

fn parsed(report: &report::Report) -> Value {
    serde_json::from_str(&report::json(report).unwrap()).unwrap()
}

#[test]
fn the_report_reads_from_the_verdict_to_the_steps() {
    let bundle = bundle();
    let mut report = bare(&bundle);
    report.versions.truncate(2);
    report.workloads.truncate(1);
    report.steps.truncate(3);
    let blocked = Outcome::Blocked { by: "claim 10".to_owned(), why: "found 503".to_owned() };
    report.tested = vec![
        tested(&FOUR[0], Outcome::Holds, Evidence::default().with("status", 200)),
        tested(&FOUR[3], blocked, Evidence::default()),
    ];
    let served = report.served.clone().unwrap();
    let names = [
        ("root", bundle.hierarchy().root()),
        ("ca", bundle.hierarchy().cluster_ca()),
        ("leaf", &served[0]),
        ("workload", &report.workloads[0].1),
    ];
    let text = without_chance(&report::json(&report).unwrap(), &names);
    assert_eq!(text, include_str!("expected/report.json"));
}

#[test]
fn the_outcomes_have_four_words() {
    let found = parsed(&samples::false_and_blocked());
    let outcomes: Vec<_> =
        found["claims"].as_array().unwrap().iter().map(|c| &c["outcome"]).collect();
    let expected = [
        "holds", "false", "false", "holds", "skipped", "false", "false", "false", "false", "holds",
        "holds", "blocked", "blocked",
    ];
    assert_eq!(outcomes, expected);
    assert_eq!(found["verdict"], "disproven");
}

#[test]
fn a_strangers_certificates_have_no_place() {
    let found = parsed(&samples::false_and_blocked());
    let places = |list: &Value| -> Vec<Value> {
        list.as_array().unwrap().iter().map(|c| c["place"].clone()).collect()
    };
    assert_eq!(places(&found["served_chain"]), ["stranger"; 4]);
    assert_eq!(places(&found["workloads"]), ["stranger"; 4]);
    let same: Vec<_> =
        found["comparisons"].as_array().unwrap().iter().map(|c| c["same"].clone()).collect();
    assert_eq!(same, [false, false]);
}

#[test]
fn a_failure_and_a_sabotage_are_told() {
    let failed = parsed(&samples::failed_at_a_step());
    assert_eq!(failed["totals"], json!({"passed": 0, "failed": 1, "skipped": 0}));
    let reason = failed["failure"]["reason"].as_str().unwrap();
    assert_eq!(reason.split(':').next().unwrap(), "Deploy Istio");
    let sabotaged = parsed(&samples::sabotaged(&[5, 11]));
    let expected = json!({
        "name": "permissive",
        "sentence": "PERMISSIVE instead of STRICT mutual TLS",
        "caught": true,
        "expected": "false: 5, 11; blocked: none",
        "found": "false: 5, 11; blocked: none",
    });
    assert_eq!(sabotaged["sabotage"], expected);
}
