//! `cacerts sign`.

use pki::Certificate;
use pretty_assertions::assert_eq;
use time::{Duration, OffsetDateTime};

use crate::desk::{Desk, Said, stopped};

/// A root in `ca`, and requests of two clusters in `post`.
fn desk() -> Desk {
    let desk = Desk::with_root();
    desk.ok(&["request", "c1", "--dir", "post"]);
    desk.ok(&["request", "c2", "--dir", "post", "--key", "rsa2048"]);
    desk
}

const C1: &str = "post/c1.request.pem";

fn sign(desk: &Desk, args: &[&str]) -> Said {
    desk.run(&[&["sign", "--dir", "ca", "--yes"], args].concat())
}

#[track_caller]
fn signed(desk: &Desk, args: &[&str]) -> String {
    let said = sign(desk, args);
    assert_eq!(said.code, Some(0), "{}", said.err);
    said.out
}

fn ca(desk: &Desk, response: &str) -> Certificate {
    Certificate::from_pem(&desk.read(response)).unwrap()
}

fn days(certificate: &Certificate) -> i64 {
    let life = certificate.validity();
    (life.not_after() - life.not_before()).whole_days()
}

#[test]
fn a_response_holds_the_ca_and_the_root_and_names_the_key() {
    let desk = desk();
    let out = signed(&desk, &[C1, "post/c2.request.pem"]);
    let root = ca(&desk, "ca/root-cert.pem");
    for (cluster, key) in [("c1", "ecdsa p256"), ("c2", "rsa 2048")] {
        let text = desk.text(&format!("post/{cluster}.response.pem"));
        let [ca, above] = &Certificate::all_from_pem(text.as_bytes()).unwrap()[..] else {
            panic!("{text}")
        };
        assert_eq!(above, &root);
        assert!(ca.is_signed_by(&root));
        assert_eq!((ca.path_len(), ca.public_key_kind().as_str()), (Some(0), key));
        assert_eq!(ca.dns_sans(), ["istiod.istio-system.svc"]);
        let request = desk.text(&format!("post/{cluster}.request.pem"));
        let fingerprint = ca.public_key_fingerprint().to_string();
        assert!(request.contains(&fingerprint) && text.contains(&fingerprint), "{text}");
        assert!(out.contains(&fingerprint), "{out}");
        assert!(text.starts_with(&format!("cacerts response 1\n\ncluster:     {cluster}\n")));
    }
    assert!(out.ends_with(&format!("\n  {}\n", root.fingerprint())), "{out}");
}

#[test]
fn the_root_needs_nothing_of_the_cluster_but_the_request() {
    let desk = desk();
    std::fs::remove_dir_all(desk.path("post/c1")).unwrap();
    signed(&desk, &[C1]);
    assert!(!desk.path("post/c1").exists());
}

#[test]
fn the_same_again_changes_nothing_and_says_so() {
    let desk = desk();
    signed(&desk, &[C1, "--lifetime", "1y"]);
    let before = desk.state();
    // Nothing is signed, so that nobody is asked and no key is needed.
    std::fs::rename(desk.path("ca/root-key.pem"), desk.path("elsewhere")).unwrap();
    let out = desk.ok(&["sign", C1, "--dir", "ca", "--lifetime", "1y"]);
    let expected =
        "the CA of c1 is already signed, in `post/c1.response.pem`; nothing was changed\n";
    assert!(out.starts_with(expected), "{out}");
    assert!(signed(&desk, &[C1]).starts_with(expected));
    std::fs::rename(desk.path("elsewhere"), desk.path("ca/root-key.pem")).unwrap();
    assert_eq!(desk.state(), before);

    let said = sign(&desk, &[C1, "--organization", "Example", "--lifetime", "90d"]);
    let life = ca(&desk, "post/c1.response.pem").validity();
    let expected = format!(
        "`post/c1.response.pem` is there and not what was asked for: its organization is Istio, \
         asked for was Example; it is valid {life}, granted is a lifetime of 90 days; it is never \
         replaced: ask for what is there, or move it away"
    );
    assert_eq!(said, stopped(1, &expected));
    assert_eq!(desk.state(), before);
}

#[test]
fn without_a_terminal_and_a_yes_it_is_shown_and_not_signed() {
    let desk = desk();
    let before = desk.state();
    let said = desk.run(&["sign", C1, "--dir", "ca", "--lifetime", "90d"]);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
    let [table, line] = &said.err.split("error: ").collect::<Vec<_>>()[..] else {
        panic!("{}", said.err)
    };
    assert_eq!(
        *line,
        "nothing was signed: there is no terminal to ask for confirmation; look at what is granted \
         above, and say --yes\n"
    );
    for row in [
        "`post/c1.request.pem`\n                asked for                granted\n",
        "  cluster       c1                       c1\n",
        "  profile       hardened                 hardened\n",
        "  lifetime      730 days                 until 20",
        "  DNS name      istiod.istio-system.svc  istiod.istio-system.svc\n",
        "  path length   -                        0\n",
        "  key           ecdsa p256\n  public key    sha256:",
    ] {
        assert!(table.contains(row), "{row} is not in\n{table}");
    }
    assert_eq!(desk.state(), before);
}

#[test]
fn what_is_asked_for_is_granted_only_where_the_root_says_so() {
    let desk = desk();
    let wishes =
        ["--organization", "Example", "--common-name", "Mesh", "--dns-name", "a.b", "--lifetime"];
    desk.ok(&[&["request", "c3", "--dir", "post"], &wishes[..], &["20y"]].concat());
    desk.ok(&[&["request", "c4", "--dir", "post"], &wishes[..], &["30d"]].concat());
    let three = "post/c3.request.pem";
    signed(&desk, &[three]);
    let found = ca(&desk, "post/c3.response.pem");
    assert_eq!(found.subject().to_string(), "L=c3,CN=Intermediate CA,O=Istio");
    assert_eq!((days(&found), found.dns_sans()), (730, vec!["istiod.istio-system.svc"]));

    std::fs::create_dir(desk.path("out")).unwrap();
    let out = ["--as-asked", "--out", "out", "--common-name", "Said"];
    signed(&desk, &[&[three, "post/c4.request.pem"], &out[..]].concat());
    let found = ca(&desk, "out/c3.response.pem");
    assert_eq!(found.subject().to_string(), "L=c3,CN=Said,O=Example");
    assert_eq!((days(&found), found.dns_sans()), (730, vec!["a.b"]));
    // A shorter life is always granted.
    assert_eq!(days(&ca(&desk, "out/c4.response.pem")), 30);
    signed(&desk, &["post/c4.request.pem", "--lifetime", "1y"]);
    assert_eq!(days(&ca(&desk, "post/c4.response.pem")), 30);
    assert!(signed(&desk, &[&[three], &out[..]].concat()).contains("nothing was changed"));
}

#[test]
fn no_ca_outlives_its_root() {
    let desk = Desk::new();
    desk.ok(&["init", "ca", "--no-passphrase", "--lifetime", "90d", "--profile", "makefile"]);
    desk.ok(&["request", "c1", "--dir", "post"]);
    signed(&desk, &[C1, "--profile", "hardened"]);
    let root = ca(&desk, "ca/root-cert.pem");
    let end = |response| ca(&desk, response).validity().not_after();
    assert_eq!(end("post/c1.response.pem"), root.validity().not_after());
    desk.ok(&["request", "c2", "--dir", "post", "--profile", "makefile"]);
    signed(&desk, &["post/c2.request.pem"]);
    assert_eq!(end("post/c2.response.pem"), root.validity().not_after());
    assert!(root.validity().not_after() > OffsetDateTime::now_utc() + Duration::days(80));
}

#[test]
fn one_request_that_is_refused_leaves_every_other_unsigned() {
    let desk = desk();
    let before = desk.state();
    let refused = |args: &[&str], expected: &str| {
        assert_eq!(sign(&desk, args), stopped(1, expected));
    };
    refused(
        &["post/c2.request.pem", "ca/root-cert.csr"],
        "`ca/root-cert.csr` is not signed: it does not say for which cluster it is; say it with \
         --name",
    );
    refused(
        &["ca/root-cert.csr", "--name", "c1"],
        "`ca/root-cert.csr` is not signed: its key is that of `CN=Root CA,O=Istio`",
    );
    refused(
        &[C1, "post/../post/c1.request.pem"],
        "`post/../post/c1.request.pem` is not signed: `post/c1.request.pem` is a request for c1 too",
    );
    refused(
        &[C1, "post/c2.request.pem", "--name", "c1"],
        "`post/c1.request.pem` is not signed: --name is for one request at a time",
    );
    refused(
        &[C1, "--name", "c9"],
        "`post/c1.request.pem` is not signed: it is for c1, and --name says c9",
    );
    refused(
        &["post/c1/ca-key.pem", "--name", "c1"],
        "`post/c1/ca-key.pem` holds a private key, which no request and no answer does: it has \
         left its place, so that a new one should be made",
    );
    refused(
        &["ca/root-cert.pem", "--name", "c1"],
        "`ca/root-cert.pem` is not signed: line 1 starts a `CERTIFICATE`, expected a `CERTIFICATE \
         REQUEST`",
    );
    refused(
        &[C1, "--profile", "makefile"],
        "`post/c1.request.pem` is not signed: it has a key of kind ecdsa p256, and the makefile \
         profile is rsa 4096 as Istio's Makefile has it: --profile hardened signs it",
    );
    assert_eq!(desk.state(), before);
}

#[test]
fn a_text_that_does_not_say_what_its_request_does_is_refused() {
    let desk = desk();
    let text = desk.text(C1);
    let refused = |from: &str, to: &str, expected: &str| {
        assert!(text.contains(from), "{from}");
        desk.write("post/odd.pem", text.replace(from, to));
        let said = sign(&desk, &["post/odd.pem"]);
        let expected = format!("error: `post/odd.pem` is not signed: {expected}");
        assert_eq!(said.code, Some(1));
        assert!(said.err.starts_with(&expected), "{}", said.err);
    };
    refused(
        "cluster:      c1",
        "cluster:      c2",
        "its text asks for the name L=c2,CN=Intermediate CA,O=Istio, and its request for \
         L=c1,CN=Intermediate CA,O=Istio\n",
    );
    refused("ecdsa p256", "rsa 4096", "its text is of the key rsa 4096, sha256:");
    let other = desk.text("post/c2.request.pem");
    let (_, pem) = other.split_once("-----BEGIN").unwrap();
    let (_, own) = text.split_once("-----BEGIN").unwrap();
    refused(own, pem, "its text is of the key ecdsa p256, sha256:");
    refused(own, &format!("{own}-----BEGIN{pem}"), "it holds 2 PEM blocks, expected one request\n");
    refused("cluster: ", "path length: 5\ncluster: ", "`path length` is no field of a cacerts ");
    refused("cacerts request 1", "cacerts request 2", "it is a `cacerts request 2`, of another ");
    refused("730d", "soon", "`soon` is not a lifetime, expected ");
    refused("lifetime:     730d\n", "", "the cacerts request 1 has no `lifetime`\n");
}

#[test]
fn a_response_of_another_request_is_in_the_way() {
    let (desk, other) = (desk(), desk());
    signed(&desk, &[C1]);
    desk.write("post/c1.request.pem", other.read(C1));
    let expected = "`post/c1.response.pem` is there and is of another request; move it away";
    assert_eq!(sign(&desk, &[C1]), stopped(1, expected));
    signed(&other, &[C1]);
    desk.write("post/c1.response.pem", other.read("post/c1.response.pem"));
    let expected = "`post/c1.response.pem` is there and is of another root; move it away";
    assert_eq!(sign(&desk, &[C1]), stopped(1, expected));
}

#[test]
fn a_root_with_a_passphrase_signs_with_it_alone() {
    let desk = Desk::new();
    desk.write("right", "correct horse");
    desk.write("wrong", "battery staple");
    desk.ok(&["init", "ca", "--passphrase-file", "right"]);
    desk.ok(&["request", "c1", "--dir", "post"]);
    let said = sign(&desk, &[C1, "--passphrase-file", "wrong"]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.ends_with("the passphrase does not open the private key\n"), "{}", said.err);
    assert!(!desk.path("post/c1.response.pem").exists());
    signed(&desk, &[C1, "--passphrase-file", "right"]);
}

#[test]
fn what_was_signed_is_an_array_for_a_script() {
    let desk = desk();
    let out = signed(&desk, &[C1, "--json"]);
    let made: serde_json::Value = serde_json::from_str(&out).unwrap();
    let ca = ca(&desk, "post/c1.response.pem");
    let root = Certificate::from_pem(&desk.read("ca/root-cert.pem")).unwrap();
    let expected = serde_json::json!([{
        "cluster": "c1",
        "request": "post/c1.request.pem",
        "response": "post/c1.response.pem",
        "created": true,
        "asked": {
            "profile": "hardened",
            "lifetime": "730d",
            "organization": "Istio",
            "common_name": "Intermediate CA",
            "dns_name": "istiod.istio-system.svc",
        },
        "subject": "L=c1,CN=Intermediate CA,O=Istio",
        "key": "ecdsa p256",
        "public_key": ca.public_key_fingerprint().to_string(),
        "not_before": made[0]["not_before"],
        "not_after": made[0]["not_after"],
        "fingerprint": ca.fingerprint().to_string(),
        "root": root.fingerprint().to_string(),
    }]);
    assert_eq!(made, expected);
}
