//! The table on the terminal.

use std::path::Path;

use pretty_assertions::assert_eq;

use super::samples::{self, FOUR, bare, bundle, tested, without_chance};
use crate::claim::{Evidence, Outcome, Verdict};
use crate::report::{Report, terminal};

fn plain(report: &Report) -> String {
    terminal(report, Path::new("target/e2e/bcdfgh"), false)
}

fn holds(index: usize, evidence: Evidence) -> crate::claim::Tested {
    tested(&FOUR[index], Outcome::Holds, evidence)
}

#[test]
fn a_proof_reads_as_a_table() {
    let bundle = bundle();
    let mut report = bare(&bundle);
    report.verdict = Verdict::Proven;
    report.tested = vec![
        holds(0, Evidence::default()),
        holds(1, Evidence::default()),
        holds(2, samples::page_evidence()),
    ];
    let hierarchy = bundle.hierarchy();
    let names = [("root", hierarchy.root()), ("ca", hierarchy.cluster_ca())];
    let expected = "
   1  holds    istiod uses the plugged-in CA                                                   1.2 s
   2  holds    httpbin serves its leaf, then the cluster CA, then only certificates of the     1.2 s
               bundle, as it should
   5  holds    openssl agrees                                                                  1.2 s

What httpbin served, held against the files of the bundle:
  certificate 2, ca-cert.pem     the same DER
    <print of ca>
  certificate 3, root-cert.pem   the same DER
    <print of root>

The page's own commands:
  root-cert.pem and proxy-cert-3.pem    identical
  ca-cert.pem and proxy-cert-2.pem      identical
  openssl verify                        ./proxy-cert-1.pem: OK

PROVEN: 3 claims hold (24.8 s); reports in target/e2e/bcdfgh";
    assert_eq!(format!("\n{}", without_chance(&plain(&report), &names)), expected);
}

#[test]
fn what_does_not_hold_says_why_below() {
    let bundle = bundle();
    let mut report = Report { hierarchy: None, served: None, ..bare(&bundle) };
    report.verdict = Verdict::Disproven;
    let long = "certificate 2: expected the cluster CA of the bundle, found another certificate \
                with the same name, made by a stranger; certificate 3 is not of the bundle";
    let blocked = Outcome::Blocked { by: "claim 10".to_owned(), why: "found 503".to_owned() };
    report.tested = vec![
        holds(0, Evidence::default()),
        tested(&FOUR[1], Outcome::False(long.to_owned()), Evidence::default()),
        tested(&FOUR[2], Outcome::Skipped("no openssl there".to_owned()), Evidence::default()),
        tested(&FOUR[3], blocked, Evidence::default()),
    ];
    let expected = "
   1  holds    istiod uses the plugged-in CA                                                   1.2 s
   2  FALSE    httpbin serves its leaf, then the cluster CA, then only certificates of the     1.2 s
               bundle, as it should
               certificate 2: expected the cluster CA of the bundle, found another certificate with
               the same name, made by a stranger; certificate 3 is not of the bundle
   5  skipped  openssl agrees                                                                  1.2 s
               no openssl there
  11  blocked  a plaintext client is refused                                                   1.2 s
               by claim 10: found 503

DISPROVEN: claim 2 is false, claim 11 is blocked, claim 5 is skipped, 1 claim holds (24.8 s); \
reports in target/e2e/bcdfgh";
    assert_eq!(format!("\n{}", plain(&report)), expected);
}

#[test]
fn a_chain_of_a_stranger_shows_both_fingerprints() {
    let report = samples::false_and_blocked();
    let hierarchy = report.hierarchy.clone().unwrap();
    let served = report.served.clone().unwrap();
    let names = [
        ("root", hierarchy.root()),
        ("ca", hierarchy.cluster_ca()),
        ("their root", &served[2]),
        ("their ca", &served[1]),
    ];
    let text = without_chance(&plain(&report), &names);
    let (_, compared) = text.split_once("of the bundle:\n").unwrap();
    let (compared, _) = compared.split_once("\n\n").unwrap();
    let expected = "  \
  certificate 2, ca-cert.pem     another DER
    expected <print of ca>
    found    <print of their ca>
  certificate 3, root-cert.pem   another DER
    expected <print of root>
    found    <print of their root>";
    assert_eq!(compared, expected);
}

#[test]
fn a_failed_step_shows_its_reason_and_its_diagnosis() {
    let mut report = samples::failed_at_a_step();
    report.verdict = Verdict::Unproven;
    let expected = "
The run broke off:
  Deploy Istio: istiod does not start: failed to create discovery service: failed to create CA:
  incomplete signing CA bundle detected
Before the teardown:
  pod istio-system/istiod-6d8f7-zk2m4: discovery waits: CrashLoopBackOff: back-off 20s restarting
  failed container
  event istio-system/Pod/istiod-6d8f7-zk2m4: BackOff: Back-off restarting failed container (5 times)
  more in diagnosis/

UNPROVEN: the run broke off (24.8 s); reports in target/e2e/bcdfgh";
    assert_eq!(plain(&report), expected);
}

#[test]
fn a_sabotage_shows_both_sets() {
    let text = plain(&samples::sabotaged(&[5]));
    let (_, end) = text.split_once("\n\nSabotage ").unwrap();
    let expected = "permissive: PERMISSIVE instead of STRICT mutual TLS
  expected  false: 5, 11; blocked: none
  found     false: 5; blocked: none

NOT CAUGHT: the sabotage permissive ended with false: 5; blocked: none; it has to end with \
false: 5, 11; blocked: none (24.8 s); reports in target/e2e/bcdfgh";
    assert_eq!(end, expected);
}

#[test]
fn colour_adds_nothing_but_colour() {
    for report in [samples::proven(), samples::false_and_blocked(), samples::failed_at_a_step()] {
        let coloured = terminal(&report, Path::new("target/e2e/bcdfgh"), true);
        let stripped = ["\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"]
            .iter()
            .fold(coloured.clone(), |text, code| text.replace(code, ""));
        assert_ne!(coloured, stripped);
        assert_eq!(stripped, plain(&report));
    }
}
