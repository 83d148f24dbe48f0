//! `cacerts accept`, and the whole way over the air gap.

use std::os::unix::fs::MetadataExt as _;

use pki::{
    BundleFiles, CaRequest, Certificate, ClusterCaParams, Context, IstioVersion, KeyAlgorithm,
    Profile, RootCa, Validity,
};
use pretty_assertions::assert_eq;
use time::{Duration, OffsetDateTime};

use crate::desk::{Desk, Said, stopped};

const RESPONSE: &str = "own/c1.response.pem";
const ACCEPT: [&str; 4] = ["accept", RESPONSE, "--dir", "own"];

/// A root in `ca`, and in `own` a key whose request was signed.
fn desk() -> Desk {
    let desk = Desk::with_root();
    desk.ok(&["request", "c1", "--dir", "own"]);
    desk.ok(&["sign", "own/c1.request.pem", "--dir", "ca", "--yes"]);
    desk
}

fn refused(desk: &Desk, args: &[&str], start: &str) {
    let before = desk.state();
    let said = desk.run(&[&ACCEPT[..], args].concat());
    assert_eq!(said.code, Some(1), "{start}");
    assert!(said.err.starts_with(&format!("error: {start}")), "{start}\n{}", said.err);
    assert_eq!(desk.state(), before);
}

fn root(desk: &Desk) -> RootCa {
    ca_dir::read_root(&desk.path("ca"), OffsetDateTime::now_utc()).unwrap()
}

/// A CA for the request of c1, as another root's side could make it.
fn certify(desk: &Desk, root: &RootCa, start: OffsetDateTime, end: OffsetDateTime) -> Certificate {
    let request = CaRequest::from_pem(&desk.read("own/c1.request.pem")).unwrap();
    let params = ClusterCaParams {
        profile: Profile::Hardened,
        common_name: "Other".to_owned(),
        organization: "Example".to_owned(),
        cluster: "c1".to_owned(),
        dns_name: "a.b".to_owned(),
        validity: Validity::new(start, end).unwrap(),
        key: KeyAlgorithm::EcdsaP256,
    };
    root.certify(&request, &params).unwrap()
}

#[test]
fn the_key_that_stayed_and_what_came_back_are_a_ca_that_a_mesh_accepts() {
    let desk = desk();
    let key = |desk: &Desk| {
        let key = desk.path("own/c1/ca-key.pem");
        (desk.read("own/c1/ca-key.pem"), key.metadata().unwrap().ino(), desk.mode("own/c1"))
    };
    let before = key(&desk);
    let said = desk.run(&ACCEPT);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(key(&desk) == before, "the key changed");
    assert_eq!(desk.names("own/c1"), BundleFiles::NAMES);
    let later = OffsetDateTime::now_utc() + Duration::HOUR;
    let mesh =
        Context { ambient: true, ..Context::new(later, IstioVersion::NEWEST, "cluster.local") };
    let bundle = ca_dir::read_bundle(&desk.path("own/c1")).unwrap().into_bundle(&mesh).unwrap();
    assert!(desk.read("own/c1/root-cert.pem") == desk.read("ca/root-cert.pem"), "two roots");
    assert!(desk.read("own/c1/cert-chain.pem") == desk.read("own/c1/ca-cert.pem"));
    let (ca, root) = (bundle.certificate().fingerprint(), root(&desk));
    let lines: Vec<_> = said.out.lines().collect();
    assert_eq!((lines[0], lines[3].trim()), ("made the CA of c1 in `own/c1`", &*ca.to_string()));
    assert_eq!(lines[5].trim(), root.certificate().fingerprint().to_string());
    assert_eq!(
        said.err,
        "note: the root is taken as it came: compare its fingerprint with what its administrator \
         tells\n"
    );
}

#[test]
fn the_same_again_changes_nothing_and_says_so() {
    let desk = desk();
    desk.ok(&ACCEPT);
    let before = desk.state();
    let said = desk.run(&ACCEPT);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    let expected = "the CA of c1 is already there in `own/c1`; nothing was changed\n";
    assert!(said.out.starts_with(expected), "{}", said.out);
    let out = desk.ok(&["request", "c1", "--dir", "own"]);
    assert!(out.contains("nothing was changed"), "{out}");
    assert_eq!(desk.state(), before);

    std::fs::remove_file(desk.path(RESPONSE)).unwrap();
    desk.ok(&["sign", "own/c1.request.pem", "--dir", "ca", "--yes", "--lifetime", "90d"]);
    refused(
        &desk,
        &[],
        "`own/c1/ca-cert.pem` is there and is not what `own/c1.response.pem` would put in its \
         place; it is never replaced: move it away\n",
    );
}

#[test]
fn an_answer_to_another_request_is_refused() {
    let (desk, other) = (desk(), desk());
    desk.write(RESPONSE, other.read(RESPONSE));
    refused(
        &desk,
        &[],
        "`own/c1.response.pem` answers another request: its CA is of the public key sha256:",
    );
    std::fs::remove_dir_all(desk.path("own/c1")).unwrap();
    refused(
        &desk,
        &[],
        "`own/c1/ca-key.pem` is not there; `cacerts request c1` makes it, before anything is \
         signed\n",
    );
}

#[test]
fn only_the_root_that_is_known_is_taken() {
    let (desk, other) = (desk(), Desk::with_root());
    let [ours, foreign] = [&desk, &other].map(|desk| root(desk).certificate().fingerprint());
    refused(
        &desk,
        &["--root", &foreign.to_string()],
        &format!("`own/c1.response.pem` is of another root: {ours}, expected {foreign}\n"),
    );
    for place in ["own/root-cert.pem", "own/c1/root-cert.pem"] {
        desk.write(place, other.read("ca/root-cert.pem"));
        refused(
            &desk,
            &[],
            &format!(
                "`own/c1.response.pem` is of another root, {ours}, than `{place}`, which is there: \
                 {foreign}\n"
            ),
        );
        std::fs::remove_file(desk.path(place)).unwrap();
    }
    // Known beforehand, it is not told to be compared.
    desk.write("own/root-cert.pem", desk.read("ca/root-cert.pem"));
    let said = desk.run(&[&ACCEPT[..], &["--root", &ours.to_string()]].concat());
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
}

#[test]
fn a_response_that_was_changed_on_its_way_is_refused() {
    let (desk, other) = (desk(), desk());
    let text = desk.text(RESPONSE);
    let (_, foreign) = other
        .text(RESPONSE)
        .split_once("-----BEGIN")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let (_, own) = text.split_once("-----BEGIN").unwrap();
    let changes = [
        (own, foreign.as_str(), "is no response: its text says of the public key sha256:"),
        ("O=Istio", "O=Other", "is no response: its text says of the subject `L=c1,"),
        ("cluster: ", "cluster 2: ", "is no response: the cacerts response 1 has no `cluster`\n"),
        ("cluster: ", "trust: me\ncluster: ", "is no response: `trust` is no field of a "),
        ("-----END CERT", "-----END_CERT", "is no response: unreadable PEM at line "),
    ];
    for (from, to, expected) in changes {
        assert!(text.contains(from), "{from}");
        desk.write(RESPONSE, text.replace(from, to));
        refused(&desk, &[], &format!("`own/c1.response.pem` {expected}"));
    }
    desk.write(RESPONSE, text + &desk.text("ca/root-key.pem"));
    refused(&desk, &[], "`own/c1.response.pem` holds a private key, which no request and no ");
}

#[test]
fn certificates_of_another_tool_are_one_file_in_any_order() {
    let desk = desk();
    let (now, root) = (OffsetDateTime::now_utc(), root(&desk));
    let ca = certify(&desk, &root, now, now + Duration::days(90));
    desk.write(RESPONSE, ca.to_pem());
    refused(
        &desk,
        &[],
        "`own/c1.response.pem` does not say for which cluster it is; say it with --name\n",
    );
    refused(
        &desk,
        &["--name", "c1"],
        "`own/c1.response.pem` has no root, and none is there; put it beside the folder, as \
         `own/root-cert.pem`\n",
    );
    desk.write(RESPONSE, root.certificate().to_pem() + &ca.to_pem());
    let said = desk.run(&[&ACCEPT[..], &["--name", "c1"]].concat());
    assert_eq!(said.code, Some(0), "{}", said.err);
    let granted = "note: the root granted something else: its organization is Example, asked for \
                   was Istio; its common name is Other, asked for was Intermediate CA; its DNS \
                   name is a.b, asked for was istiod.istio-system.svc; it ends ";
    assert!(said.err.starts_with(granted), "{}", said.err);
    assert_eq!(desk.names("own/c1"), BundleFiles::NAMES);
}

#[test]
fn what_no_mesh_would_take_is_refused_before_anything_is_written() {
    let desk = desk();
    let (now, root) = (OffsetDateTime::now_utc(), root(&desk));
    let accept = |response: String| {
        desk.write(RESPONSE, response);
        let before = desk.state();
        let said = desk.run(&[&ACCEPT[..], &["--name", "c1"]].concat());
        assert_eq!(desk.state(), before);
        said
    };
    let over = certify(&desk, &root, now - Duration::days(9), now - Duration::days(2));
    let Said { code, err, .. } = accept(over.to_pem() + &root.certificate().to_pem());
    assert_eq!(code, Some(1));
    let expected = "error: `own/c1.response.pem` is no CA of this key and its root\ncaused by: \
                    `L=c1,CN=Other,O=Example` is valid ";
    assert!(err.starts_with(expected), "{err}");

    let foreign = Desk::with_root();
    let ca = certify(&desk, &root, now, now + Duration::days(90));
    let chain = ca.to_pem() + &foreign.text("ca/root-cert.pem");
    let expected = "error: `own/c1.response.pem` is no CA of this key and its root\ncaused by: \
                    `L=c1,CN=Other,O=Example` does not chain to a root: ";
    let said = accept(chain);
    assert!(said.err.starts_with(expected), "{}", said.err);

    // What lies in the folder is judged too.
    desk.write("own/c1/tls.crt", "");
    let said = accept(ca.to_pem() + &root.certificate().to_pem());
    let expected = "error: `own/c1.response.pem` is no CA of this key and its root\nrefuse \
                    tls-layout in tls.crt\n";
    assert!(said.err.starts_with(expected), "{}", said.err);
    std::fs::remove_file(desk.path("own/c1/tls.crt")).unwrap();
    desk.ok(&[&ACCEPT[..], &["--name", "c1"]].concat());
}

#[test]
fn under_the_makefile_profile_the_chain_ends_with_the_root() {
    let desk = Desk::new();
    desk.ok(&["init", "ca", "--no-passphrase", "--profile", "makefile"]);
    desk.ok(&["request", "c1", "--dir", "own", "--profile", "makefile"]);
    desk.ok(&["sign", "own/c1.request.pem", "--dir", "ca", "--yes"]);
    desk.ok(&ACCEPT);
    let chain = [desk.read("own/c1/ca-cert.pem"), desk.read("ca/root-cert.pem")].concat();
    assert!(desk.read("own/c1/cert-chain.pem") == chain, "the chain is not make's");
}

#[test]
fn the_ca_is_an_object_for_a_script() {
    let desk = desk();
    let made: serde_json::Value =
        serde_json::from_str(&desk.ok(&[&ACCEPT[..], &["--json"]].concat())).unwrap();
    let ca = Certificate::from_pem(&desk.read("own/c1/ca-cert.pem")).unwrap();
    let expected = serde_json::json!({
        "cluster": "c1",
        "folder": "own/c1",
        "created": true,
        "subject": "L=c1,CN=Intermediate CA,O=Istio",
        "key": "ecdsa p256",
        "not_before": made["not_before"],
        "not_after": made["not_after"],
        "fingerprint": ca.fingerprint().to_string(),
        "root": root(&desk).certificate().fingerprint().to_string(),
    });
    assert_eq!(made, expected);
}

#[test]
fn nothing_that_is_said_over_the_air_gap_holds_a_key() {
    let desk = Desk::with_root();
    let mut said = Vec::new();
    let mut run = |args: &[&str]| said.push(format!("{:?}", desk.run(args)));
    run(&["request", "c1", "--dir", "own"]);
    run(&["sign", "own/c1.request.pem", "--dir", "ca"]);
    run(&["sign", "own/c1.request.pem", "--dir", "ca", "--yes", "--json"]);
    run(&["sign", "own/c1/ca-key.pem", "--dir", "ca", "--name", "c2", "--yes"]);
    run(&["accept", "own/c1/ca-key.pem", "--dir", "own", "--name", "c1"]);
    run(&ACCEPT);
    let keys = ["own/c1/ca-key.pem", "ca/root-key.pem"].map(|file| desk.text(file));
    for key in keys {
        let digits: String = key.lines().filter(|line| !line.starts_with('-')).collect();
        for window in digits.as_bytes().windows(16) {
            let window = std::str::from_utf8(window).unwrap();
            assert!(!said.iter().any(|said| said.contains(window)), "a key in {said:?}");
        }
    }
}

#[test]
fn a_file_that_is_no_text_or_too_long_or_missing_is_named() {
    let desk = desk();
    desk.write(RESPONSE, b"\xff\xfe");
    refused(&desk, &[], "`own/c1.response.pem` is no text: ");
    desk.write(RESPONSE, "x".repeat((1 << 20) + 1));
    let expected = "`own/c1.response.pem` is longer than any request or answer, 1 MiB";
    assert_eq!(desk.run(&ACCEPT), stopped(1, expected));
    desk.write(RESPONSE, "");
    let expected = "`own/c1.response.pem` is no response: no PEM block, expected `CERTIFICATE`";
    assert_eq!(desk.run(&ACCEPT), stopped(1, expected));
    std::fs::remove_file(desk.path(RESPONSE)).unwrap();
    assert_eq!(desk.run(&ACCEPT).code, Some(2));
    assert_eq!(desk.run(&["accept", "own", "--dir", "own"]).code, Some(2));
}
