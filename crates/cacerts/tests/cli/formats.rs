//! The answers for programs, and that none of them tells a key.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::check::{checked, desk};
use crate::desk::Desk;
use crate::targets::secret;

const FORMATS: [&str; 5] = ["text", "json", "sarif", "junit", "prometheus"];

/// A folder for most ways to end: accepted, refused for a key in the wrong file, and not readable.
fn ends(desk: &Desk) -> [&'static str; 4] {
    let key = desk.text("ca/c2/ca-key.pem");
    desk.write("ca/c2/cert-chain.pem", desk.text("ca/c2/cert-chain.pem") + &key);
    desk.write("s.json", secret(desk, "ca/c1", "cacerts").to_string());
    ["ca/c1", "ca/c2", "s.json", "missing"]
}

#[test]
fn every_json_answer_has_the_documented_shape() {
    let desk = desk();
    let schema = serde_json::from_str(include_str!("../../../../docs/check.schema.json")).unwrap();
    let schema = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let holds = |args: &[&str]| {
        let answer = checked(&desk, args);
        let problems: Vec<_> = schema
            .iter_errors(&answer)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert_eq!(problems, Vec::<String>::new(), "{args:?}");
        answer
    };
    let answer = holds(&ends(&desk));
    let outcomes: Vec<_> =
        answer["targets"].as_array().unwrap().iter().map(|it| &it["outcome"]).collect();
    assert_eq!(outcomes, ["accepted", "refused", "accepted", "not-checked"]);
    holds(&["ca/c1", "--current", "ca/c2", "--istio", "1.26", "--ambient", "--fail", "9y"]);
    // The control: the schema refuses what has another shape.
    let mut other = answer;
    other["targets"][0]["verdicts"][0]["verdict"] = json!("perhaps");
    assert!(!schema.is_valid(&other));
}

#[test]
fn the_json_answer_reads_from_the_question_to_the_certificates() {
    let desk = desk();
    let now = ["--now", "2027-02-03T04:05:06+01:00", "--istio", "1.31"];
    let said = desk.run(&[&["check", "ca/c1", "--json"], &now[..]].concat());
    let members: Vec<_> = said
        .out
        .lines()
        .filter_map(|line| line.strip_prefix("  \"")?.split_once('"'))
        .map(|(name, _)| name)
        .collect();
    let expected = [
        "schema",
        "version",
        "now",
        "istio",
        "trust_domain",
        "ambient",
        "multi_root",
        "outcome",
        "exit_code",
        "targets",
    ];
    assert_eq!(members, expected);
    let answer: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(answer["now"], "2027-02-03T03:05:06Z");
    assert_eq!(answer["istio"], "1.31.0");
    let places: Vec<_> = answer["targets"][0]["certificates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["file"].as_str().unwrap(), it["subject"].as_str().unwrap()))
        .collect();
    let ca = "L=c1,CN=Intermediate CA,O=Istio";
    let root = "CN=Root CA,O=Istio";
    let expected = [("ca-cert.pem", ca), ("cert-chain.pem", ca), ("root-cert.pem", root)];
    assert_eq!(places, expected);
}

#[test]
fn sarif_names_the_file_the_line_and_the_rule() {
    let desk = desk();
    let said = desk.run(&[&["check", "--format", "sarif"], &ends(&desk)[..]].concat());
    assert_eq!(said.code, Some(1));
    let log: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let result = &run["results"][0];
    assert_eq!(run["results"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&result["ruleId"], &result["level"]),
        (&json!("private-key-handed-out"), &json!("error"))
    );
    let line = desk.text("ca/c2/ca-cert.pem").lines().count() + 1;
    let expected = json!([{ "physicalLocation": {
        "artifactLocation": { "uri": "ca/c2/cert-chain.pem" },
        "region": { "startLine": line },
    }}]);
    assert_eq!(result["locations"], expected);
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), pki::RULES.len());
    let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(rules[index]["id"], result["ruleId"]);
    let expected = json!([{
        "executionSuccessful": false,
        "exitCode": 1,
        "toolExecutionNotifications": [{
            "level": "error",
            "message": { "text": "cannot read `missing`: No such file or directory (os error 2)" },
        }],
    }]);
    assert_eq!(run["invocations"], expected);
}

#[test]
fn sarif_names_the_manifest_and_the_key_in_it() {
    let desk = desk();
    ends(&desk);
    desk.write("s 2.json", secret(&desk, "ca/c2", "cacerts").to_string());
    let log = |said: crate::desk::Said| serde_json::from_str::<Value>(&said.out).unwrap();
    let found = log(desk.run(&["check", "s 2.json", "--format", "sarif"]));
    let expected = json!([{
        "physicalLocation": { "artifactLocation": { "uri": "s%202.json" } },
        "logicalLocations": [{ "fullyQualifiedName": "s 2.json cert-chain.pem" }],
    }]);
    assert_eq!(found["runs"][0]["results"][0]["locations"], expected);
    let found = log(desk.fed(&["check", "-", "--format", "sarif"], desk.text("s 2.json")));
    let expected = json!([{ "logicalLocations": [{ "fullyQualifiedName": "standard input cert-chain.pem" }] }]);
    assert_eq!(found["runs"][0]["results"][0]["locations"], expected);
}

#[test]
fn junit_fails_for_those_who_count_and_skips_the_others() {
    let desk = desk();
    desk.write("ca/c1/cert-chain.pem", "");
    let said = desk.run(&["check", "ca/c1", "missing", "--format", "junit"]);
    assert_eq!(said.code, Some(1));
    let head: Vec<_> = said.out.lines().take(5).map(str::trim).collect();
    let expected = [
        r#"<?xml version="1.0" encoding="UTF-8"?>"#,
        r#"<testsuites name="cacerts check" tests="8" skipped="3" failures="3" errors="1">"#,
        r#"<testsuite name="ca/c1" tests="7" skipped="3" errors="0" failures="3">"#,
        r#"<testcase name="accepted by istiod at start" classname="istiod-start"/>"#,
        r#"<testcase name="accepted by istiod on reload" classname="istiod-reload">"#,
    ];
    assert_eq!(head, expected);
    for part in [
        r#"<failure message="chain-lacks-cluster-ca" type="refuses"/>"#,
        r#"<skipped message="refuses, and does not count: chain-lacks-cluster-ca"/>"#,
        r#"<testcase name="chain-lacks-cluster-ca in cert-chain.pem" "#,
        r#"<error message="cannot read `missing`: No such file or directory (os error 2)" "#,
    ] {
        assert!(said.out.contains(part), "{part} in {}", said.out);
    }
}

#[test]
fn prometheus_gets_the_end_of_every_certificate_of_every_file() {
    let desk = desk();
    let answer = checked(&desk, &["ca/c1"]);
    let now = ["--now", "2027-01-01T00:00:00Z"];
    let said =
        desk.run(&[&["check", "ca/c1", "missing", "--format", "prometheus"], &now[..]].concat());
    assert_eq!(said.code, Some(2));
    let samples: Vec<_> = said.out.lines().filter(|line| !line.starts_with('#')).collect();
    let expected = [
        "cacerts_check_timestamp_seconds 1798761600",
        r#"cacerts_check_read{target="ca/c1"} 1"#,
        r#"cacerts_check_read{target="missing"} 0"#,
        r#"cacerts_check_exit_code{target="ca/c1"} 0"#,
        r#"cacerts_check_exit_code{target="missing"} 2"#,
        r#"cacerts_judge_accepts{target="ca/c1",judge="istiod-start",counts="true"} 1"#,
        r#"cacerts_judge_accepts{target="ca/c1",judge="agent",counts="true"} 1"#,
        r#"cacerts_judge_accepts{target="ca/c1",judge="envoy",counts="true"} 1"#,
        r#"cacerts_judge_accepts{target="ca/c1",judge="ztunnel",counts="false"} 1"#,
        r#"cacerts_judge_accepts{target="ca/c1",judge="tls-client",counts="false"} 1"#,
        r#"cacerts_findings{target="ca/c1",severity="refuse"} 0"#,
        r#"cacerts_findings{target="ca/c1",severity="warn"} 0"#,
        r#"cacerts_findings{target="ca/c1",severity="advice"} 0"#,
    ];
    assert_eq!(samples[..expected.len()], expected);
    let ends: Vec<_> = samples[expected.len()..]
        .iter()
        .filter(|line| line.starts_with("cacerts_certificate_not_after_seconds{"))
        .collect();
    let certificates = answer["targets"][0]["certificates"].as_array().unwrap();
    assert_eq!((ends.len(), certificates.len(), samples.len()), (3, 3, expected.len() + 6));
    for (line, certificate) in ends.iter().zip(certificates) {
        let end = certificate["not_after"].as_str().unwrap();
        let rfc3339 = &time::format_description::well_known::Rfc3339;
        let end = time::OffsetDateTime::parse(end, rfc3339).unwrap().unix_timestamp();
        let (file, print) = (&certificate["file"], &certificate["fingerprint"]);
        assert!(line.contains(&format!("file={file},block=\"1\",")), "{line}");
        assert!(line.ends_with(&format!("fingerprint={print}}} {end}")), "{line}");
    }
}

#[test]
fn no_answer_holds_a_byte_of_a_key() {
    let desk = desk();
    let mut targets = ends(&desk).to_vec();
    let key = desk.text("ca/c1/ca-key.pem");
    let body: Vec<_> = key.lines().filter(|line| !line.starts_with('-')).collect();
    let body = body.concat();
    // Keys where no key is expected, damaged in each of many ways.
    let odd = [
        (
            "root-key",
            format!("stringData:\n  root-cert.pem: |\n    {}", key.replace('\n', "\n    ")),
        ),
        ("bare", format!("stringData:\n  ca-cert.pem: {body}\n")),
        ("begin", format!("stringData:\n  ca-key.pem: '-----BEGIN {body}'\n")),
        ("data", format!("data:\n  ca-key.pem: {body}=\n")),
        ("name", format!("data:\n  +{body}: YQ==\n")),
        ("value", format!("data: {body}\n")),
        ("list", format!("data: [{body}]\n")),
        ("unindented", format!("stringData:\n  ca-key.pem: |\n{key}\n")),
        ("quote", format!("stringData:\n  ca-key.pem: \"{body}\n")),
        ("alias", format!("stringData:\n  ca-key.pem: *{body}\n")),
        (
            "damaged",
            format!(
                "stringData:\n  ca-key.pem: |\n    {}",
                key.replace('\n', "\n    ").replacen('A', "B", 2)
            ),
        ),
    ];
    for (name, text) in &odd {
        desk.write(name, format!("kind: Secret\nmetadata:\n  name: cacerts\n{text}"));
    }
    targets.extend(odd.iter().map(|(name, _)| *name));
    desk.write("kind", format!("kind: {body}\n"));
    targets.extend(["kind", "ca/c1/ca-key.pem"]);
    let keys = [key, desk.text("ca/c2/ca-key.pem")];
    for format in FORMATS {
        let said = desk.run(&[&["check", "--format", format], &targets[..]].concat());
        assert_eq!(said.code, Some(1), "{format}: {}", said.err);
        let all = said.out + &said.err;
        // The positive control: it spoke of what it found, and of what it could not read.
        let spoken = ["ca/c2", "private-key-handed-out", "`data.ca-key.pem` is not base64"];
        let spoken = if format == "prometheus" { &spoken[..1] } else { &spoken[..] };
        assert!(spoken.iter().all(|it| all.contains(it)), "{all}");
        for key in &keys {
            let secret: String = key.lines().filter(|line| !line.starts_with('-')).collect();
            // What every P-256 key begins with is no secret, and is in each certificate.
            for window in secret.as_bytes()[48..].windows(16) {
                let window = std::str::from_utf8(window).unwrap();
                assert!(!all.contains(window), "{format}: a key in {all}");
            }
        }
    }
}
