//! `cacerts explain`.

use pretty_assertions::assert_eq;

use crate::desk::{Desk, stopped};

#[test]
fn a_rule_is_explained_with_istiods_own_words() {
    let out = Desk::new().ok(&["explain", "key-mismatch"]);
    let starts: Vec<_> = out.lines().map(|line| line.split("  ").nth(1).unwrap_or(line)).collect();
    let expected = [
        "refuse key-mismatch",
        "what",
        "refused by istiod at start, istiod on reload",
        "Istio",
        "istiod log the cert does not match the key: tls: private key does not match public key",
        "why",
        "fix",
        "source",
        "evidence",
    ];
    assert_eq!(starts, expected);
}

#[test]
fn every_rule_has_a_line_and_can_be_asked_for() {
    let desk = Desk::new();
    let out = desk.ok(&["explain"]);
    let ids: Vec<_> = out.lines().map(|line| line.split_whitespace().nth(1).unwrap()).collect();
    let expected: Vec<_> = pki::RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(ids, expected);
    for id in ["leaf-outlives-ca", "silent-self-signed"] {
        let out = desk.ok(&["explain", id]);
        assert!(out.ends_with("\n  evidence   source: read, not run\n"), "{out}");
    }
}

#[test]
fn a_line_of_istiods_log_leads_to_its_rule() {
    let desk = Desk::new();
    let line = "2026-11-24T12:00:00Z\terror\tfailed to create CA: incomplete signing CA bundle \
                detected";
    let out = desk.ok(&["explain", line]);
    let heads: Vec<_> = out.lines().filter(|line| line.starts_with("refuse ")).collect();
    assert_eq!(heads, ["refuse missing-file", "refuse tls-layout"]);
}

#[test]
fn an_unknown_rule_is_answered_with_near_ones() {
    let desk = Desk::new();
    let expected = "there is no rule `path-lenght`; near to it: path-length, no-path-to-root";
    assert_eq!(desk.run(&["explain", "path-lenght"]), stopped(1, expected));
    let expected = "there is no rule `zzz`; `cacerts explain` lists them all";
    assert_eq!(desk.run(&["explain", "zzz"]), stopped(1, expected));
}
