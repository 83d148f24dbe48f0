//! `cacerts check`: who refuses, what it means, and the exit code.

use std::fs::File;
use std::process::Stdio;

use pretty_assertions::assert_eq;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::desk::{Desk, said, stopped};

/// With the CAs of two clusters.
pub(crate) fn desk() -> Desk {
    let desk = Desk::with_root();
    desk.ok(&["issue", "c1", "c2", "--dir", "ca"]);
    desk
}

/// The answer in JSON, once it has the exit code that it names.
pub(crate) fn checked(desk: &Desk, args: &[&str]) -> Value {
    let said = desk.run(&[&["check", "--json"], args].concat());
    let answer: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(Some(answer["exit_code"].as_i64().unwrap()), said.code.map(i64::from));
    answer
}

/// The verdicts that are not `accepts`, and the rules of the findings.
fn against(target: &Value) -> (Vec<String>, Vec<&str>) {
    let list = |of: &'static str| target[of].as_array().unwrap().iter();
    let verdicts = list("verdicts").filter(|it| it["verdict"] != "accepts");
    let verdicts = verdicts
        .map(|it| format!("{} {}", it["judge"].as_str().unwrap(), it["verdict"].as_str().unwrap()));
    let mut rules: Vec<_> = list("findings").map(|it| it["rule"].as_str().unwrap()).collect();
    rules.dedup();
    (verdicts.collect(), rules)
}

/// How the one target came out.
fn came_out<'a>(answer: &'a Value, outcome: &str) -> (Vec<String>, Vec<&'a str>) {
    assert_eq!(answer["outcome"], outcome);
    assert_eq!(answer["targets"].as_array().unwrap().len(), 1);
    against(&answer["targets"][0])
}

fn owned<const N: usize>(verdicts: [&str; N]) -> Vec<String> {
    verdicts.map(str::to_owned).to_vec()
}

const ACCEPTED: &str = "ca/c1: accepted
  istiod at start              accepts
  istiod on reload             not asked: --current TARGET says what is there now
  pilot-agent and the webhooks accepts
  Envoy                        accepts
  ztunnel                      accepts (by rustls-webpki 0.103.17, counts with --ambient)
  other TLS clients            accepts (does not count)
";

#[test]
fn a_ca_that_was_made_here_is_accepted_by_everyone() {
    let desk = desk();
    assert_eq!(desk.ok(&["check", "ca/c1"]), ACCEPTED);
    let answer = checked(&desk, &["ca/c1", "--ambient", "--istio", "1.24"]);
    assert_eq!(came_out(&answer, "accepted"), (owned(["istiod-reload not-asked"]), vec![]));
}

#[test]
fn advice_alone_is_no_reason_to_fail() {
    let desk = Desk::with_root();
    desk.ok(&["issue", "c1", "--dir", "ca", "--lifetime", "30d"]);
    // A chain in the layout of the Makefile: its root is sent twice.
    desk.write(
        "ca/c1/cert-chain.pem",
        desk.text("ca/c1/ca-cert.pem") + &desk.text("ca/root-cert.pem"),
    );
    let answer = checked(&desk, &["ca/c1", "--warn", "0"]);
    let expected = (owned(["istiod-reload not-asked"]), vec!["root-in-chain"]);
    assert_eq!(came_out(&answer, "accepted"), expected);
    // The control: the same with a warning.
    let expected = (owned(["istiod-reload not-asked"]), vec!["ends-soon", "root-in-chain"]);
    assert_eq!(came_out(&checked(&desk, &["ca/c1"]), "warned"), expected);
    assert_eq!(desk.run(&["check", "ca/c1"]).code, Some(3));
}

#[test]
fn a_finding_says_what_to_do() {
    let desk = desk();
    desk.write("ca/c1/ca-key.pem", desk.read("ca/c2/ca-key.pem"));
    let said = desk.run(&["check", "ca/c1"]);
    assert_eq!((said.code, said.err.as_str()), (Some(1), ""));
    let (head, rest) = said.out.split_once("\n\n").unwrap();
    let expected = "ca/c1: refused
  istiod at start              refuses: key-mismatch
  istiod on reload             not asked: --current TARGET says what is there now
  pilot-agent and the webhooks not reached: istiod does not take it
  Envoy                        not reached: istiod does not take it
  ztunnel                      not reached: istiod does not take it (counts with --ambient)
  other TLS clients            not reached: istiod does not take it (does not count)";
    assert_eq!(head, expected);
    let mut lines: Vec<_> = rest.lines().collect();
    // The two keys are made by chance.
    let by_chance = ["  found ", "  expected ", "             sha256:"];
    lines.retain(|line| !by_chance.iter().any(|start| line.starts_with(start)));
    let expected = [
        "refuse key-mismatch in ca-key.pem",
        "  what       ca-key.pem is not the key of ca-cert.pem's first certificate",
        "  refused by istiod at start, istiod on reload",
        "  istiod log the cert does not match the key: tls: private key does not match public key",
        "  why        istiod does not start; on a reload it keeps the old CA and dies at its next start",
        "  fix        put the key next to its certificate; in ca-cert.pem the cluster CA comes first",
        "",
        "refuse 1, warn 0, advice 0",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn whoever_of_the_mesh_refuses_decides() {
    let desk = desk();
    desk.write("ca/c1/cert-chain.pem", desk.read("ca/root-cert.pem"));
    let answer = checked(&desk, &["ca/c1"]);
    let refused = [
        "istiod-reload not-asked",
        "agent refuses",
        "envoy refuses",
        "ztunnel refuses",
        "tls-client refuses",
    ];
    let rules = vec!["chain-lacks-cluster-ca", "root-in-chain"];
    assert_eq!(came_out(&answer, "refused"), (owned(refused), rules));
}

#[test]
fn a_key_that_istiod_would_hand_out_is_refused_though_every_judge_accepts() {
    let desk = desk();
    let key = desk.text("ca/c1/ca-key.pem");
    desk.write("ca/c1/cert-chain.pem", desk.text("ca/c1/cert-chain.pem") + &key);
    let answer = checked(&desk, &["ca/c1"]);
    let expected = (owned(["istiod-reload not-asked"]), vec!["private-key-handed-out"]);
    assert_eq!(came_out(&answer, "refused"), expected);
}

/// A bundle whose cluster CA permits the URIs of cluster.local: all but webpki take it.
fn constrained(desk: &Desk) {
    let now = OffsetDateTime::now_utc();
    let mut root = CertificateParams::default();
    root.distinguished_name.remove(DnType::CommonName);
    root.distinguished_name.push(DnType::CommonName, "Root CA");
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (root.not_before, root.not_after) = (now - Duration::HOUR, now + Duration::days(1000));
    let mut ca = root.clone();
    ca.distinguished_name.push(DnType::LocalityName, "c1");
    // RFC 5280 section 4.2.1.10: permittedSubtrees, a uniformResourceIdentifier.
    let content = [b"\x30\x13\xa0\x11\x30\x0f\x86\x0d".as_slice(), b"cluster.local"].concat();
    ca.custom_extensions.push(CustomExtension::from_oid_content(&[2, 5, 29, 30], content));
    let (root_key, ca_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let root_pem = root.self_signed(&root_key).unwrap().pem();
    let ca_pem = ca.signed_by(&ca_key, &Issuer::from_params(&root, &root_key)).unwrap().pem();
    std::fs::create_dir(desk.path("uri")).unwrap();
    desk.write("uri/ca-key.pem", ca_key.serialize_pem());
    desk.write("uri/ca-cert.pem", &ca_pem);
    desk.write("uri/cert-chain.pem", &ca_pem);
    desk.write("uri/root-cert.pem", &root_pem);
}

#[test]
fn ztunnel_counts_where_it_takes_part() {
    let desk = Desk::new();
    constrained(&desk);
    let expected = (owned(["istiod-reload not-asked", "ztunnel refuses"]), vec!["uri-constraints"]);
    let answer = checked(&desk, &["uri"]);
    assert_eq!(came_out(&answer, "warned"), expected);
    assert_eq!(answer["targets"][0]["verdicts"][4]["by"], "rustls-webpki 0.103.17");
    assert_eq!(came_out(&checked(&desk, &["uri", "--ambient"]), "refused"), expected);
}

#[test]
fn a_date_is_judged_by_the_limits_that_were_given() {
    let desk = Desk::with_root();
    desk.ok(&["issue", "c1", "--dir", "ca", "--lifetime", "30d"]);
    let outcome = |args: &[&str]| {
        let answer = checked(&desk, &[&["ca/c1"], args].concat());
        let rules = against(&answer["targets"][0]).1.join(" ");
        (answer["outcome"].as_str().unwrap().to_owned(), rules)
    };
    let pair = |outcome: &str, rules: &str| (outcome.to_owned(), rules.to_owned());
    assert_eq!(outcome(&[]), pair("warned", "ends-soon"));
    assert_eq!(outcome(&["--warn", "29d"]), pair("accepted", ""));
    assert_eq!(outcome(&["--fail", "31d"]), pair("refused", "ends-too-soon"));
    let long = ["--warn", "0", "--workload-lifetime", "16d"];
    assert_eq!(outcome(&long), pair("warned", "short-lived-ca"));
    let later = ["--now", "2999-01-01T00:00:00Z"];
    assert_eq!(outcome(&later), pair("refused", "outside-validity"));
    assert_eq!(outcome(&["--fail", "7999y"]), pair("refused", "ends-too-soon"));
    let last = ["--now", "9999-12-31T23:59:59Z"];
    assert_eq!(outcome(&last), pair("refused", "outside-validity"));
}

#[test]
fn an_older_istio_falls_back_where_a_newer_one_stops() {
    let desk = desk();
    std::fs::remove_file(desk.path("ca/c1/ca-key.pem")).unwrap();
    let rules =
        |istio| against(&checked(&desk, &["ca/c1", "--istio", istio])["targets"][0]).1.join(" ");
    assert_eq!(rules("1.26"), "silent-self-signed");
    assert_eq!(rules("1.27.0"), "missing-file");
}

#[test]
fn a_running_istiod_takes_drops_or_breaks() {
    let desk = desk();
    let reload = |target: &str, more: &[&str]| {
        let args = [&[target, "--current", "ca/c1"], more].concat();
        let answer = checked(&desk, &args);
        let it = &answer["targets"][0]["reload"];
        (answer["outcome"].clone(), json!([it["applied"], it["broken"], it["dead_at_restart"]]))
    };
    // Another cluster CA under the same root.
    assert_eq!(reload("ca/c2", &[]), (json!("accepted"), json!(["whole", false, false])));

    let other = Desk::with_root();
    other.ok(&["issue", "c1", "--dir", "ca"]);
    std::fs::rename(other.path("ca/c1"), desk.path("foreign")).unwrap();
    assert_eq!(reload("foreign", &[]), (json!("refused"), json!(["nothing", false, false])));
    // The same is a fine CA for an istiod that starts.
    assert_eq!(checked(&desk, &["foreign"])["outcome"], "accepted");

    let both = desk.text("ca/root-cert.pem") + &desk.text("foreign/root-cert.pem");
    desk.write("ca/c2/root-cert.pem", &both);
    assert_eq!(reload("ca/c2", &[]).1, json!(["nothing", false, false]));
    assert_eq!(reload("ca/c2", &["--multi-root"]).1, json!(["whole", false, false]));

    desk.write("ca/c2/root-cert.pem", desk.read("ca/root-cert.pem"));
    desk.write("ca/c2/cert-chain.pem", "");
    assert_eq!(reload("ca/c2", &[]), (json!("refused"), json!(["whole", true, false])));
    let said = desk.run(&["check", "ca/c2", "--current", "ca/c1"]);
    let expected = "  the running istiod           takes it, reports success, and the mesh breaks: what \
                    it signs is\n                               refused\n";
    assert!(said.out.contains(expected), "{}", said.out);

    desk.write("ca/c2/cert-chain.pem", "garbage");
    assert_eq!(reload("ca/c2", &[]).1, json!(["whole", true, true]));
}

#[test]
fn cert_managers_layout_is_read_as_istiod_reads_it() {
    let desk = desk();
    std::fs::create_dir(desk.path("tls")).unwrap();
    for (from, to) in
        [("ca-cert.pem", "tls.crt"), ("ca-key.pem", "tls.key"), ("root-cert.pem", "ca.crt")]
    {
        desk.write(&format!("tls/{to}"), desk.read(&format!("ca/c1/{from}")));
    }
    let answer = checked(&desk, &["tls"]);
    assert_eq!(came_out(&answer, "accepted"), (owned(["istiod-reload not-asked"]), vec![]));
    // The root of the one layout is that of the other.
    assert_eq!(
        came_out(&checked(&desk, &["ca/c2", "--current", "tls"]), "accepted"),
        (vec![], vec![])
    );
    std::fs::remove_file(desk.path("tls/ca.crt")).unwrap();
    assert_eq!(checked(&desk, &["tls"])["outcome"], "refused");
    let said = desk.run(&["check", "ca/c2", "--current", "tls"]);
    let expected = "--current `tls` has no ca.crt, so that no istiod runs with it";
    assert_eq!(said, stopped(2, expected));
}

#[test]
fn the_worst_of_several_decides_and_each_is_counted() {
    let desk = desk();
    desk.write("ca/c2/cert-chain.pem", "");
    let said = desk.run(&["check", "ca/c1", "missing"]);
    assert_eq!(said.code, Some(2));
    assert_eq!(said.out, format!("{ACCEPTED}\n2 targets: 1 not checked, 1 accepted\n"));
    assert!(said.err.starts_with("error: cannot read `missing`\ncaused by: "), "{}", said.err);
    let said = desk.run(&["check", "missing", "ca/c2", "ca/c1", "ca/c1"]);
    assert_eq!(said.code, Some(1));
    let expected = "\n4 targets: 1 refused, 1 not checked, 2 accepted\n";
    assert!(said.out.ends_with(expected), "{}", said.out);
    assert!(said.out.contains("\nca/c1 (2): accepted\n"), "{}", said.out);
}

#[test]
fn what_cannot_be_asked_is_no_verdict() {
    let desk = desk();
    let stops = |args: &[&str], err: &str| {
        let said = desk.run(&[&["check", "ca/c1"], args].concat());
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
        assert!(said.err.starts_with(err), "{}", said.err);
    };
    let expected = "error: --trust-domain cannot be used: `spiffe://A/ns/default/sa/default` is not \
                    a SPIFFE ID: ";
    stops(&["--trust-domain", "A"], expected);
    stops(&["--current", "missing"], "error: --current: cannot read `missing`: No such file");
    desk.write("empty.yaml", "kind: Secret\nmetadata: {name: cacerts}\n");
    let expected = "error: --current `empty.yaml` has no root-cert.pem, so that no istiod runs \
                    with it\n";
    stops(&["--current", "empty.yaml"], expected);
    let off_the_calendar = "9999-12-31T23:59:59-00:01";
    let expected = format!("error: invalid value '{off_the_calendar}' for '--now <TIME>': ");
    stops(&["--now", off_the_calendar], &expected);
    stops(&["--now", "tomorrow"], "error: invalid value 'tomorrow' for '--now <TIME>': ");
    stops(&["--istio", "new"], "error: invalid value 'new' for '--istio <VERSION>': ");
    assert_eq!(desk.run(&["check"]).code, Some(2));
    // The control.
    desk.ok(&["check", "ca/c1", "--current", "ca/c1", "--trust-domain", "example.org"]);
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let desk = desk();
    let escapes =
        |env: &[(&str, &str)]| desk.run_with(&["check", "ca/c1"], env).out.contains("\u{1b}[");
    assert!(!escapes(&[]));
    assert!(escapes(&[("CLICOLOR_FORCE", "1")]));
    assert!(!escapes(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
}

#[test]
fn an_answer_that_cannot_be_written_is_no_success() {
    let desk = desk();
    let mut program = desk.program(&["check", "ca/c1"], &[]);
    program.stdout(Stdio::from(File::options().write(true).open("/dev/full").unwrap()));
    let said = said(program.spawn().unwrap());
    assert_eq!(said.code, Some(2));
    let expected = "error: cannot write to standard output\ncaused by: No space left on device";
    assert!(said.err.starts_with(expected), "{}", said.err);
}
