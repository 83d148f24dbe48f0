//! Which label injects, by webhooks as istiod of several set-ups has them.

use k8s_openapi::serde_json::{Value, from_value, json};
use pretty_assertions::assert_eq;

use super::*;

fn hook(name: &str, key: &str, value: &str) -> Value {
    json!({
        "name": name,
        "clientConfig": {"service": {"namespace": "istio-system", "name": "istiod"}},
        "namespaceSelector": {"matchExpressions": [
            {"key": key, "operator": "In", "values": [value]},
        ]},
        "sideEffects": "None", "admissionReviewVersions": ["v1"],
    })
}

fn injectors(of: &[(&str, &str)]) -> Vec<Injector> {
    let hooks: Vec<_> = of.iter().map(|(key, value)| hook(value, key, value)).collect();
    let object = json!({
        "metadata": {"name": "injector", "labels": {"istio.io/rev": "r"}}, "webhooks": hooks,
    });
    Injector::of_istiod(&[from_value(object).unwrap()], "istio-system").unwrap()
}

fn chosen(of: &[(&str, &str)], revision: Option<&str>) -> Result<String, String> {
    let found = choose(&injectors(of), revision, &BTreeMap::new(), "sleep")
        .map(|((key, value), _)| format!("{key}={value}"));
    found.map_err(|error| error.to_string())
}

const DEFAULT: (&str, &str) = ("istio-injection", "enabled");
const CANARY: (&str, &str) = ("istio.io/rev", "canary");
const STABLE: (&str, &str) = ("istio.io/rev", "stable");

#[test]
fn the_default_injection_is_taken_where_there_is_one() {
    assert_eq!(chosen(&[CANARY, DEFAULT], None).as_deref(), Ok("istio-injection=enabled"));
}

#[test]
fn the_only_revision_needs_no_name() {
    assert_eq!(chosen(&[CANARY], None).as_deref(), Ok("istio.io/rev=canary"));
}

#[test]
fn a_revision_that_is_named_goes_before_the_default() {
    let found = chosen(&[DEFAULT, CANARY], Some("canary"));
    assert_eq!(found.as_deref(), Ok("istio.io/rev=canary"));
    assert_eq!(chosen(&[DEFAULT], Some("default")).as_deref(), Ok("istio-injection=enabled"));
}

#[test]
fn several_revisions_have_to_be_told_apart() {
    let expected = "several revisions and tags inject: canary, stable; name one with --revision";
    assert_eq!(chosen(&[STABLE, CANARY], None).unwrap_err(), expected);
}

#[test]
fn a_revision_that_no_webhook_knows_is_named_with_those_that_are() {
    let expected = "no webhook of this istiod injects into a new namespace of revision `old`; its \
                    webhooks know the revisions and tags canary (--revision)";
    assert_eq!(chosen(&[CANARY], Some("old")).unwrap_err(), expected);
    let expected =
        "no webhook of this istiod injects into a new namespace; it has no injection webhook";
    assert_eq!(chosen(&[], None).unwrap_err(), expected);
}
