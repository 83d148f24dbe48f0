//! The page, and the one that is committed.

use std::path::PathBuf;

use pretty_assertions::assert_eq;

use super::*;

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/conformance")
}

#[test]
fn the_committed_page_says_what_the_committed_reports_say() {
    let reports = reports(&committed()).unwrap();
    assert!(!reports.is_empty(), "there is no report in docs/conformance");
    let page = std::fs::read_to_string(committed().join("README.md")).unwrap();
    assert_eq!(page, render(&reports, &BTreeMap::new()));
}

#[test]
fn a_committed_report_is_of_the_cell_that_it_is_named_after() {
    let reports = reports(&committed()).unwrap();
    for cell in all() {
        if let Some(report) = reports.get(&cell.name()) {
            assert_eq!(report.provider, cell.place.provider(), "{}", cell.name());
            assert_eq!(report.version("Kubernetes"), Some(cell.place.kubernetes()));
            assert_eq!(report.profile, cell.profile.to_string());
            assert_eq!(report.key.as_deref(), Some(cell.key.kind()));
            assert_eq!(report.claims.len(), crate::claims::CLAIMS.len());
        }
    }
}

#[test]
fn a_cell_that_did_not_run_is_a_row_with_the_reason() {
    let why = "skipped: no engine\nanswers | at all".to_owned();
    let page =
        render(&BTreeMap::new(), &[("kind-v1.36.3-makefile-rsa4096".to_owned(), why)].into());
    let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| kind")).collect();
    assert_eq!(
        rows,
        [
            "| kind | v1.36.3 | | makefile | rsa 4096 | | | | skipped: no engine answers / at all |",
            "| kind | v1.36.3 | | hardened | ecdsa p256 | | | | not run |",
        ]
    );
}
