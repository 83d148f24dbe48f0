use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use time::macros::datetime;

use super::*;

const ACTIVE: &str = include_str!("../../../../fixtures/envoy/active-secrets.json");
const NONE: &str = include_str!("../../../../fixtures/envoy/no-warming-secrets.json");
const NO_ROOTCA: &str =
    include_str!("../../../../fixtures/envoy/active-secrets-without-rootca.json");
const WARMING: &str = include_str!("../../../../fixtures/envoy/warming-secrets.json");
const WHOLE: &str = include_str!("../../../../fixtures/envoy/config-dump-warming.json");

const SIDECAR: &str = include_str!("../../../../fixtures/envoy/mesh-sidecar-secrets.json");
const GATEWAY: &str = include_str!("../../../../fixtures/envoy/mesh-gateway-secrets.json");

fn httpbin() -> PodRef {
    PodRef::new("foo", "httpbin-0")
}

fn read(body: &str) -> Result<ProxySecrets, Error> {
    ProxySecrets::from_config_dump(&httpbin(), body.as_bytes())
}

/// The capture with a change to the secret at `index` (0 is `default`, 1 is `ROOTCA`).
fn changed(index: usize, change: impl FnOnce(&mut Value)) -> String {
    let mut dump: Value = serde_json::from_str(ACTIVE).unwrap();
    change(&mut dump["configs"][index]);
    dump.to_string()
}

fn subjects(certificates: &[Certificate]) -> Vec<String> {
    certificates.iter().map(|c| c.subject().to_string()).collect()
}

#[test]
fn the_whole_chain_and_the_roots_are_read() {
    let secrets = read(ACTIVE).unwrap();
    assert_eq!(
        subjects(&secrets.chain),
        ["", "L=cluster1,CN=Intermediate CA,O=Istio", "CN=Root CA,O=Istio", "CN=Root CA,O=Istio"]
    );
    assert_eq!(secrets.chain[0].uri_sans(), ["spiffe://cluster.local/ns/foo/sa/httpbin"]);
    assert_eq!(secrets.roots.certificates(), [secrets.chain[2].clone()]);
    assert_eq!(secrets.chain_updated, datetime!(2026-11-25 00:34:14.725 UTC));
}

#[test]
fn proxies_of_a_real_mesh_are_read() {
    let gateway = "spiffe://cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account";
    for (dump, id) in [(SIDECAR, "spiffe://cluster.local/ns/foo/sa/httpbin"), (GATEWAY, gateway)] {
        let secrets = read(dump).unwrap();
        assert_eq!(
            subjects(&secrets.chain),
            [
                "",
                "L=cluster1,CN=Intermediate CA,O=Istio",
                "CN=Root CA,O=Istio",
                "CN=Root CA,O=Istio"
            ]
        );
        assert_eq!(secrets.chain[0].uri_sans(), [id]);
        assert_eq!(secrets.roots.certificates(), [secrets.chain[3].clone()]);
    }
}

#[test]
fn log_lines_before_the_answer_are_skipped() {
    let line = "2026-11-25T00:00:00.000000Z\twarn\tOS CA Cert could not be found for agent {x}\n";
    assert_eq!(read(&format!("{line}{ACTIVE}")).unwrap(), read(ACTIVE).unwrap());
}

#[test]
fn what_is_read_has_no_trace_of_the_key() {
    // Envoy redacts the key: base64 of "[redacted]". Were it a real one, it would go nowhere too.
    assert!(ACTIVE.contains("W3JlZGFjdGVkXQ=="), "the capture has a redacted key");
    let with_key = changed(0, |entry| {
        entry["secret"]["tls_certificate"]["private_key"] = json!({ "inline_bytes": "U0VDUkVU" });
    });
    let text = format!("{:?}", read(&with_key).unwrap());
    assert!(!text.contains("SECRET") && !text.contains("U0VDUkVU"), "{text}");
}

#[test]
fn a_proxy_without_roots_is_no_proxy_of_the_mesh() {
    let error = read(NO_ROOTCA).unwrap_err();
    assert_eq!(
        error.to_string(),
        "proxy foo/httpbin-0 has no secret `ROOTCA` (it has: default); its istio-proxy log says \
         why, most often that istiod did not sign the certificate request"
    );
}

#[test]
fn a_proxy_without_any_secret_has_none() {
    let Error::SecretMissing { secret, found, .. } = read(NONE).unwrap_err() else {
        panic!("another error")
    };
    assert_eq!((secret, found.as_str()), ("default", "none"));
}

#[test]
fn a_secret_that_still_warms_up_is_told_from_a_missing_one() {
    let error = read(WHOLE).unwrap_err();
    let Error::SecretWarming { secret, since, .. } = error else { panic!("{error:?}") };
    assert_eq!((secret, since.as_str()), ("ROOTCA", "2026-11-25T00:34:15.523Z"));
    // The same from the query that is sent when a secret is missing.
    let proxy = httpbin();
    let dump = Dump::parse(&proxy, WARMING.as_bytes()).unwrap();
    assert_eq!(dump.last_updated("ROOTCA").is_some(), true);
    assert_eq!(dump.last_updated("default"), None);
}

#[test]
fn an_update_that_envoy_refused_is_an_error_though_the_older_secret_is_in_use() {
    let details = "Failed to load certificate chain from <inline>";
    let refused = changed(0, |entry| entry["error_state"] = json!({ "details": details }));
    assert_eq!(
        read(&refused).unwrap_err().to_string(),
        "proxy foo/httpbin-0 refused the last update of its secret `default`: Failed to load \
         certificate chain from <inline>"
    );
}

#[test]
fn certificates_that_come_from_files_are_not_istiods() {
    let from_file = changed(1, |entry| {
        entry["secret"]["validation_context"]["trusted_ca"] =
            json!({ "filename": "/etc/certs/root-cert.pem" });
    });
    assert_eq!(
        read(&from_file).unwrap_err().to_string(),
        "the secret `ROOTCA` of proxy foo/httpbin-0 cannot be used: its trusted CA is a file of \
         the proxy, `/etc/certs/root-cert.pem`, not SDS"
    );
}

#[test]
fn an_empty_or_garbled_chain_is_an_error_and_not_an_empty_list() {
    let chain = |value: Value| {
        changed(0, |entry| entry["secret"]["tls_certificate"]["certificate_chain"] = value)
    };
    let reason = |body: &str| read(body).unwrap_err().to_string();
    let of_default = "the secret `default` of proxy foo/httpbin-0 cannot be used:";
    assert_eq!(
        reason(&chain(json!({ "inline_string": "" }))),
        "the certificates in secret `default` of proxy foo/httpbin-0 cannot be read"
    );
    assert_eq!(reason(&chain(json!({}))), format!("{of_default} it has no certificate chain"));
    assert_eq!(
        reason(&chain(json!({ "inline_bytes": "%" }))),
        format!("{of_default} its certificate chain is no base64: Invalid symbol 37, offset 0.")
    );
}

#[test]
fn what_is_no_config_dump_is_shown_by_its_start() {
    let error = read("no healthy upstream").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the config dump of proxy foo/httpbin-0 is not JSON of the expected shape (starts `no \
         healthy upstream`)"
    );
    let cut = &ACTIVE[..ACTIVE.len() / 2];
    assert!(matches!(read(cut), Err(Error::ConfigDump { .. })), "a truncated body");
}
