//! What `cacerts check` is pointed at: folders and manifests, good and bad.

use std::os::unix::fs::symlink;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::check::{checked, desk};
use crate::desk::{Desk, Said, stopped};

const FILES: [&str; 4] = ["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"];

/// The Secret of a folder, as the API server writes it.
pub(crate) fn secret(desk: &Desk, folder: &str, name: &str) -> Value {
    let data: serde_json::Map<_, _> = FILES
        .iter()
        .map(|file| {
            let content = STANDARD.encode(desk.read(&format!("{folder}/{file}")));
            ((*file).to_owned(), Value::String(content))
        })
        .collect();
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": name, "namespace": "istio-system" },
        "type": "Opaque",
        "data": data,
    })
}

fn not_checked(desk: &Desk, input: impl AsRef<[u8]>, why: &str) {
    let said = desk.fed(&["check", "-"], input);
    assert_eq!(said, stopped(2, &format!("`standard input` cannot be checked: {why}")));
}

fn rules(answer: &Value) -> Vec<&str> {
    let findings = answer["targets"][0]["findings"].as_array().unwrap();
    let mut rules: Vec<_> = findings.iter().map(|it| it["rule"].as_str().unwrap()).collect();
    rules.dedup();
    rules
}

#[test]
fn a_secret_is_read_from_yaml_and_json_from_a_file_and_a_pipe() {
    let desk = desk();
    let json = secret(&desk, "ca/c1", "cacerts").to_string();
    desk.write("s.json", &json);
    assert!(desk.ok(&["check", "s.json"]).starts_with("s.json: accepted\n"));
    let said = desk.fed(&["check", "-"], &json);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    assert!(said.out.starts_with("standard input: accepted\n"), "{}", said.out);

    let indented: String = FILES
        .map(|file| {
            let pem = desk.text(&format!("ca/c1/{file}")).replace('\n', "\n    ");
            format!("  {file}: |\n    {}\n", pem.trim_end())
        })
        .concat();
    let yaml = format!("kind: Secret\nmetadata:\n  name: cacerts\nstringData:\n{indented}");
    desk.write("s.yaml", format!("\u{feff}# first\n---\n{}", yaml.replace('\n', "\r\n")));
    desk.ok(&["check", "s.yaml"]);
    // `stringData` wins.
    desk.write("s.yaml", format!("{yaml}  ca-key.pem2: x\ndata:\n  ca-key.pem: aGk=\n"));
    let answer = checked(&desk, &["s.yaml"]);
    assert_eq!((rules(&answer), &answer["outcome"]), (vec!["stray-file"], &json!("accepted")));
    desk.write("s.yaml", "kind: Secret\nmetadata: {name: cacerts}\ndata:\n  ca-key.pem: aGk=\n");
    assert_eq!(checked(&desk, &["s.yaml"])["outcome"], "refused");
}

#[test]
fn of_many_objects_the_secrets_cacerts_are_checked() {
    let desk = desk();
    let (one, two) = (secret(&desk, "ca/c1", "cacerts"), secret(&desk, "ca/c2", "cacerts"));
    let other = secret(&desk, "ca/c2", "other");
    let map = json!({ "kind": "ConfigMap", "data": { "a": { "b": 1 } } });
    desk.write("one.json", json!({ "kind": "List", "items": [map, other, one] }).to_string());
    assert!(desk.ok(&["check", "one.json"]).starts_with("one.json: accepted\n"));
    desk.write("two.yaml", format!("{one}\n---\n{map}\n---\n{two}\n"));
    let out = desk.ok(&["check", "two.yaml"]);
    assert!(out.starts_with("two.yaml istio-system/cacerts: accepted\n"), "{out}");
    assert!(out.contains("\ntwo.yaml istio-system/cacerts (2): accepted\n"), "{out}");
    assert!(out.ends_with("\n2 targets: 2 accepted\n"), "{out}");

    let said = desk.run(&["check", "ca/c1", "--current", "two.yaml"]);
    let expected = "--current `two.yaml` holds several Secrets `cacerts`; give one of them";
    assert_eq!(said, stopped(2, expected));

    let said = desk.fed(&["check", "-"], other.to_string());
    let note = "note: `standard input` is the Secret `other`; istiod reads none but `cacerts`\n";
    assert_eq!((said.code, said.err.as_str()), (Some(0), note));
    let said = desk.fed(&["check", "-"], format!("{other}\n---\n{other}\n"));
    let expected = "`standard input` has 2 Secrets, none of which is `cacerts`: \
                    istio-system/other, istio-system/other; give one of them";
    assert_eq!(said, stopped(2, expected));
}

#[test]
fn what_is_no_secret_is_not_checked() {
    let desk = desk();
    not_checked(&desk, "kind: ConfigMap\n", "it is of kind `ConfigMap`, expected `Secret`");
    let expected = "it is of kind `SealedSecret`, expected `Secret`";
    not_checked(&desk, "kind: SealedSecret\nspec: {encryptedData: {a: b}}\n", expected);
    let expected = "it is of kind `List`, an empty one, expected `Secret`";
    not_checked(&desk, r#"{"kind": "List", "items": []}"#, expected);
    let expected = "it is no manifest: it has no `kind`, expected `kind: Secret`";
    not_checked(&desk, "a: b\n", expected);
    let expected = "it cannot be read as YAML or JSON of a Secret at line 1, column 1";
    not_checked(&desk, "hello", expected);
    for (value, expected) in [
        ("'a b'", "`data.ca-key.pem` is not base64"),
        ("YQ", "`data.ca-key.pem` is not base64"),
        ("3", "`data.ca-key.pem` is not text"),
        ("[a]", "`data.ca-key.pem` is not text"),
        ("ENC[AES256_GCM,data:AA]", "`data.ca-key.pem` is encrypted by SOPS; decrypt it first"),
        (
            "'-----BEGIN PRIVATE KEY-----'",
            "`data.ca-key.pem` is PEM, expected base64 of it; `stringData` takes PEM as it is",
        ),
    ] {
        not_checked(&desk, format!("kind: Secret\ndata:\n  ca-key.pem: {value}\n"), expected);
    }
    let expected = "a key of its `data` is no name of a file";
    not_checked(&desk, "kind: Secret\ndata: {a/b: YQ==}\n", expected);
    let big = STANDARD.encode(vec![0; (1 << 20) + 1]);
    let expected = "with `data.a` it holds more than 1024 KiB, which is more than any Secret can";
    not_checked(&desk, format!("kind: Secret\ndata: {{a: {big}}}\n"), expected);
}

#[test]
fn what_is_no_manifest_at_all_is_answered() {
    let desk = desk();
    let stops = |target: &str, expected: &str| {
        assert_eq!(desk.run(&["check", target]), stopped(2, expected));
    };
    desk.write("empty", " \n");
    let expected = "`empty` is empty; give a folder, or a Secret's manifest in YAML or JSON";
    stops("empty", expected);
    desk.write("binary", [0xff, 0xfe, 0]);
    let expected = "`binary` is not text; give a folder, or a Secret's manifest in YAML or JSON";
    stops("binary", expected);
    let expected = "`ca/c1/ca-cert.pem` is a PEM file; give the folder that it lies in, with all \
                    of the CA's files";
    stops("ca/c1/ca-cert.pem", expected);
    std::fs::File::create(desk.path("huge")).unwrap().set_len(1 << 40).unwrap();
    stops("huge", "`huge` has more than 8 MiB, which no Secret's manifest has");
    stops("/dev/zero", "`/dev/zero` has more than 8 MiB, which no Secret's manifest has");
    let expected = "standard input is empty; give a folder, or a Secret's manifest in YAML or JSON";
    stops("-", expected);
    // Nobody is at the other end, and nobody is waited for.
    pipe(&desk, "pipe");
    stops("pipe", "`pipe` is empty; give a folder, or a Secret's manifest in YAML or JSON");
}

#[expect(clippy::disallowed_methods, reason = "a named pipe is made by a program")]
fn pipe(desk: &Desk, name: &str) {
    let made = std::process::Command::new("mkfifo").arg(desk.path(name)).status().unwrap();
    assert!(made.success());
}

#[test]
fn something_else_in_a_files_place_is_named() {
    let desk = desk();
    let path = desk.path("ca/c1/ca-key.pem");
    std::fs::remove_file(&path).unwrap();
    let expected = stopped(2, "`ca/c1/ca-key.pem` is not a file; move it away");
    pipe(&desk, "ca/c1/ca-key.pem");
    assert_eq!(desk.run(&["check", "ca/c1"]), expected);
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert_eq!(desk.run(&["check", "ca/c1"]), expected);
    std::fs::remove_dir(&path).unwrap();
    symlink("nowhere", &path).unwrap();
    let Said { code, err, .. } = desk.run(&["check", "ca/c1"]);
    assert_eq!(code, Some(2));
    assert!(err.starts_with("error: cannot read `ca/c1/ca-key.pem`\ncaused by: "), "{err}");
    std::fs::remove_file(&path).unwrap();
    symlink(desk.path("ca/c2/ca-key.pem"), &path).unwrap();
    // Followed, as in a mounted Secret: the control.
    assert_eq!(rules(&checked(&desk, &["ca/c1"])), ["key-mismatch"]);

    std::fs::remove_file(&path).unwrap();
    std::fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    let Said { code, err, .. } = desk.run(&["check", "ca/c1"]);
    let expected = "error: `ca/c1` holds more than 1024 KiB with `ca-key.pem`, which is more than \
                    any Secret can; leave only a CA's files in it\n";
    assert_eq!((code, err.as_str()), (Some(2), expected));
}

#[test]
fn a_file_that_cannot_be_read_is_no_missing_file() {
    let desk = desk();
    let path = desk.path("ca/c1/ca-key.pem");
    std::fs::remove_file(&path).unwrap();
    // A file whose first byte nobody can read, root neither.
    symlink("/proc/self/mem", &path).unwrap();
    let Said { code, out, err } = desk.run(&["check", "ca/c1"]);
    let expected = "error: cannot read `ca/c1/ca-key.pem`\ncaused by: Input/output error (os error \
                    5)\n";
    assert_eq!((code, out.as_str(), err.as_str()), (Some(2), "", expected));
}

#[test]
fn odd_files_are_judged_as_go_reads_them() {
    let desk = desk();
    let original = |file: &str| desk.text(&format!("ca/c1/{file}"));
    let (cert, key) = (original("ca-cert.pem"), original("ca-key.pem"));
    let with = |file: &str, content: &[u8]| {
        desk.write(&format!("ca/c1/{file}"), content);
        let answer = checked(&desk, &["ca/c1"]);
        let outcome = answer["outcome"].as_str().unwrap().to_owned();
        let rules = rules(&answer).join(" ");
        desk.write("ca/c1/ca-cert.pem", &cert);
        desk.write("ca/c1/ca-key.pem", &key);
        format!("{outcome} {rules}")
    };
    let crlf = |text: &str| text.replace('\n', "\r\n");
    assert_eq!(with("ca-cert.pem", crlf(&cert).as_bytes()), "accepted ");
    assert_eq!(with("ca-key.pem", crlf(&key).as_bytes()), "accepted ");
    let bom = format!("\u{feff}{cert}");
    assert_eq!(with("ca-cert.pem", bom.as_bytes()), "refused unreadable-pem");
    assert_eq!(with("ca-cert.pem", b""), "refused unreadable-pem");
    assert_eq!(with("ca-cert.pem", &[0, 159, 146, 150]), "refused unreadable-pem");
    assert_eq!(with("ca-key.pem", b""), "refused unreadable-key");
    assert_eq!(with("ca-key.pem", format!("{key}{key}").as_bytes()), "warned extra-block");
    let other = desk.text("ca/c2/ca-key.pem");
    assert_eq!(
        with("ca-key.pem", format!("{other}{key}").as_bytes()),
        "refused key-mismatch extra-block"
    );
    assert_eq!(with("ca-key.pem", cert.as_bytes()), "refused unreadable-key");

    let args = ["init", "enc", "--lifetime", "1d"];
    desk.run_with(&args, &[("CACERTS_PASSPHRASE", "correct horse")]);
    assert_eq!(with("ca-key.pem", &desk.read("enc/root-key.pem")), "refused unreadable-key");
}

#[test]
fn a_folder_that_is_none_of_a_cluster_is_never_accepted() {
    let desk = Desk::with_root();
    std::fs::create_dir(desk.path("empty")).unwrap();
    let answer = checked(&desk, &["empty"]);
    assert_eq!((rules(&answer), &answer["outcome"]), (vec!["no-bundle"], &json!("refused")));
    let said = desk.run(&["check", "ca"]);
    let note = "note: `ca` is the folder of a root; what istiod is given lies in a folder below \
                it\n";
    assert_eq!((said.code, said.err.as_str()), (Some(1), note));
}

#[test]
fn foreign_text_moves_no_cursor() {
    let desk = desk();
    desk.write("ca/c1/a\u{1b}[2Jb\u{202e}\nc", "");
    let said = desk.run(&["check", "ca/c1"]);
    assert!(!said.out.contains(['\u{1b}', '\u{202e}']), "{:?}", said.out);
    assert!(said.out.contains("advice stray-file in a\\u{1b}[2Jb\\u{202e}\\nc\n"), "{}", said.out);
}
