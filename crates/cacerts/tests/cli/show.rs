//! `cacerts show`.

use pretty_assertions::assert_eq;
use serde_json::Value;

use crate::desk::{Desk, stopped};

/// A root and the CAs of two clusters.
fn desk() -> Desk {
    let desk = Desk::with_root();
    desk.ok(&["issue", "c1", "c2", "--dir", "ca"]);
    desk
}

fn json(desk: &Desk, folder: &str) -> Value {
    serde_json::from_str(&desk.ok(&["show", folder, "--format", "json"])).unwrap()
}

fn subjects(nodes: &Value) -> Vec<&str> {
    nodes.as_array().unwrap().iter().map(|node| node["subject"].as_str().unwrap()).collect()
}

const TOP: &str = "CN=Root CA,O=Istio";
const C1: &str = "L=c1,CN=Intermediate CA,O=Istio";
const C2: &str = "L=c2,CN=Intermediate CA,O=Istio";

#[test]
fn every_certificate_stands_once_under_the_one_that_signed_it() {
    let desk = desk();
    let tree = json(&desk, "ca");
    assert_eq!(subjects(&tree["certificates"]), [TOP]);
    let root = &tree["certificates"][0];
    assert_eq!((&root["role"], &root["state"]), (&"root".into(), &"valid".into()));
    let files = ["root-cert.pem", "c1/root-cert.pem", "c2/root-cert.pem"];
    assert_eq!(root["files"], serde_json::json!(files));
    assert_eq!(subjects(&root["signed"]), [C1, C2]);
    let c1 = &root["signed"][0];
    assert_eq!((&c1["role"], &c1["issuer"]), (&"cluster-ca".into(), &TOP.into()));
    assert_eq!(c1["files"], serde_json::json!(["c1/ca-cert.pem", "c1/cert-chain.pem"]));
    assert_eq!(c1["signed"], serde_json::json!([]));
    let made = pki::Certificate::from_pem(&desk.read("ca/c1/ca-cert.pem")).unwrap();
    assert_eq!(c1["fingerprint"], made.fingerprint().to_string());

    let bundle = json(&desk, "ca/c1");
    assert_eq!(subjects(&bundle["certificates"]), [TOP]);
    assert_eq!(subjects(&bundle["certificates"][0]["signed"]), [C1]);
}

#[test]
fn the_tree_is_drawn_with_branches_and_bars() {
    let desk = desk();
    let text = desk.ok(&["show", "ca"]);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 9, "{text}");
    assert_eq!(lines[0], format!("{TOP} (root, ecdsa p256)"));
    assert_eq!(lines[3], format!("├─ {C1} (cluster CA, ecdsa p256)"));
    assert_eq!(lines[6], format!("└─ {C2} (cluster CA, ecdsa p256)"));
    let bar = |line: &str, life: usize| {
        let bar = format!("┃{}{}", "━".repeat(life - 1), "·".repeat(40 - life));
        assert!(line.contains(&format!("{bar} 20")) && line.ends_with(" days left"), "{line}");
    };
    bar(lines[1], 40);
    // Two years of ten.
    bar(lines[4], 9);
    assert!(lines[5].starts_with("│    sha256:"), "{text}");
    assert!(lines[8].ends_with(".. in c2/ca-cert.pem, c2/cert-chain.pem"), "{text}");
}

#[test]
fn a_name_is_not_believed_and_who_lost_its_issuer_stands_alone() {
    let (desk, other) = (desk(), Desk::with_root());
    // The same name, another key.
    desk.write("ca/c1/root-cert.pem", other.read("ca/root-cert.pem"));
    let tree = json(&desk, "ca/c1");
    let tops = &tree["certificates"];
    assert_eq!(subjects(tops), [C1, TOP]);
    assert_eq!(tops[1]["signed"], serde_json::json!([]));
    let text = desk.ok(&["show", "ca/c1"]);
    assert!(text.contains(&format!("signed by none of these; it names {TOP}\n")), "{text}");
}

#[test]
fn pictures_are_whole_and_escape_what_names_hold() {
    let desk = Desk::new();
    let name = r#"<b>&"R" [x]|"#;
    desk.ok(&["init", "ca", "--no-passphrase", "--common-name", name]);
    desk.ok(&["issue", "c1", "--dir", "ca"]);
    let svg = desk.ok(&["show", "ca", "--format", "svg"]);
    assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"), "{svg}");
    assert_eq!((svg.matches("<g>").count(), svg.matches("class=\"way\"").count()), (2, 1));
    let html = desk.ok(&["show", "ca", "--format", "html"]);
    assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</html>\n"));
    for drawn in [&svg, &html] {
        assert!(drawn.contains(r"CN=\&lt;b\&gt;&amp;") && !drawn.contains("<b>"), "{drawn}");
    }
    let mermaid = desk.ok(&["show", "ca", "--format", "mermaid"]);
    assert!(mermaid.starts_with("flowchart TD\n  n0[\"CN=#92;#60;b#92;#62;#38;"), "{mermaid}");
    assert!(mermaid.contains("\n  n0 -->|signs| n1\n"), "{mermaid}");
}

#[test]
fn what_holds_no_certificate_is_told_and_a_key_is_never_shown() {
    let desk = desk();
    std::fs::create_dir(desk.path("empty")).unwrap();
    let expected = "there is no certificate in `empty`";
    assert_eq!(desk.run(&["show", "empty"]), stopped(1, expected));
    assert_eq!(desk.run(&["show", "none"]).code, Some(2));
    desk.write("ca/c1/cert-chain.pem", "text");
    let said = desk.run(&["show", "ca"]);
    let note = "note: `c1/cert-chain.pem` has no certificate that could be read\n";
    assert_eq!((said.code, said.err.as_str()), (Some(0), note));
    let key = desk.text("ca/c1/ca-key.pem");
    let line = key.lines().nth(1).unwrap();
    for format in ["text", "json", "mermaid", "svg", "html"] {
        let shown = desk.ok(&["show", "ca", "--format", format]);
        assert!(!shown.contains(line) && !shown.contains("PRIVATE"), "{format}");
    }
}

#[test]
fn a_secrets_manifest_is_shown_as_the_folder_is() {
    let desk = desk();
    let data = |file: &str| base64(&desk.read(&format!("ca/c1/{file}")));
    let manifest = format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: cacerts\ndata:\n  ca-cert.pem: {}\n  \
         cert-chain.pem: {}\n  root-cert.pem: {}\n",
        data("ca-cert.pem"),
        data("cert-chain.pem"),
        data("root-cert.pem")
    );
    desk.write("secret.yaml", manifest);
    let (secret, folder) = (json(&desk, "secret.yaml"), json(&desk, "ca/c1"));
    assert_eq!(secret["certificates"], folder["certificates"]);
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
