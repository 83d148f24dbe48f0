//! `cacerts request`.

use pki::{CaRequest, PrivateKey};
use pretty_assertions::assert_eq;

use crate::desk::{Desk, stopped};

const REQUEST: [&str; 4] = ["request", "c1", "--dir", "own"];

#[test]
fn the_key_stays_in_its_folder_and_the_request_lies_beside_it() {
    let desk = Desk::new();
    let out = desk.ok(&REQUEST);
    assert_eq!(desk.names("own"), ["c1", "c1.request.pem"]);
    assert_eq!(desk.names("own/c1"), ["ca-key.pem"]);
    let modes = ["own/c1", "own/c1/ca-key.pem", "own/c1.request.pem"].map(|name| desk.mode(name));
    assert_eq!(modes, [0o700, 0o600, 0o644]);
    let key = PrivateKey::from_pem(&desk.read("own/c1/ca-key.pem")).unwrap();
    let text = desk.text("own/c1.request.pem");
    let request = CaRequest::from_pem(text.as_bytes()).unwrap();
    assert_eq!(request.public_key_der(), key.public_key_der());
    let (statement, pem) = text.split_once("\n\n-----BEGIN CERTIFICATE REQUEST-----\n").unwrap();
    let fingerprint = key.public_key_fingerprint();
    assert_eq!(
        statement,
        format!(
            "cacerts request 1\n\n\
             cluster:      c1\n\
             profile:      hardened\n\
             lifetime:     730d\n\
             organization: Istio\n\
             common name:  Intermediate CA\n\
             DNS name:     istiod.istio-system.svc\n\
             key:          ecdsa p256\n\
             public key:   {fingerprint}"
        )
    );
    assert!(pem.ends_with("\n-----END CERTIFICATE REQUEST-----\n"), "{pem}");
    assert_eq!(
        out,
        format!(
            "made a request for c1 in `own/c1.request.pem`; its key stays in `own/c1`\n  \
             L=c1,CN=Intermediate CA,O=Istio\n  ecdsa p256, hardened, for 730 days\n  \
             public key {fingerprint}\n"
        )
    );
}

#[test]
fn the_request_itself_asks_for_what_the_text_says() {
    let desk = Desk::new();
    let args = ["--organization", "Example AG", "--common-name", "Mesh", "--dns-name", "a.b"];
    desk.ok(&[&REQUEST[..], &args].concat());
    let request = CaRequest::from_pem(&desk.read("own/c1.request.pem")).unwrap();
    assert_eq!(request.subject().to_string(), "L=c1,CN=Mesh,O=Example AG");
    let asked: Vec<_> = request.extensions().iter().map(|asked| asked.text()).collect();
    assert_eq!(
        asked[1..],
        [
            "basicConstraints critical: CA true, path length 0",
            "keyUsage critical: keyCertSign, cRLSign",
            "subjectAltName: DNS:a.b"
        ]
    );
}

#[test]
fn the_same_again_changes_nothing_and_says_so() {
    let desk = Desk::new();
    let args = [&REQUEST[..], &["--key", "p384", "--lifetime", "1y"]].concat();
    desk.ok(&args);
    let before = desk.state();
    let expected =
        "the request for c1 is already there in `own/c1.request.pem`; nothing was changed\n";
    let out = desk.ok(&args);
    assert!(out.starts_with(expected), "{out}");
    assert!(desk.ok(&REQUEST).starts_with(expected));
    assert_eq!(desk.state(), before);
}

#[test]
fn another_request_in_its_place_is_refused_with_every_difference() {
    let desk = Desk::new();
    desk.ok(&REQUEST);
    let before = desk.state();
    let expected = "`own/c1.request.pem` is there and not what was asked for: its lifetime is \
                    730d, asked for was 90d; its organization is Istio, asked for was Example; \
                    its key is ecdsa p256, asked for was rsa 2048; it is never replaced: ask for \
                    what is there, or move it away";
    let args = ["--lifetime", "90d", "--organization", "Example", "--key", "rsa2048"];
    assert_eq!(desk.run(&[&REQUEST[..], &args].concat()), stopped(1, expected));
    assert_eq!(desk.state(), before);
}

#[test]
fn a_key_that_is_there_is_asked_for_and_stays() {
    let desk = Desk::new();
    desk.ok(&[&REQUEST[..], &["--key", "p384"]].concat());
    std::fs::remove_file(desk.path("own/c1.request.pem")).unwrap();
    let key = desk.read("own/c1/ca-key.pem");
    let expected = "`own/c1` is there and not what was asked for: its key is ecdsa p384, asked for \
                    was ecdsa p256; it is never replaced: ask for what is there, or move it away";
    assert_eq!(desk.run(&[&REQUEST[..], &["--key", "p256"]].concat()), stopped(1, expected));
    desk.ok(&REQUEST);
    assert!(desk.read("own/c1/ca-key.pem") == key, "the key changed");
    let request = CaRequest::from_pem(&desk.read("own/c1.request.pem")).unwrap();
    assert_eq!(request.public_key_kind(), "ecdsa p384");
}

#[test]
fn a_request_without_its_key_or_of_another_one_is_refused() {
    let (desk, other) = (Desk::new(), Desk::new());
    desk.ok(&REQUEST);
    other.ok(&REQUEST);
    desk.write("own/c1/ca-key.pem", other.read("own/c1/ca-key.pem"));
    let expected = "`own/c1.request.pem` is there and is of another key than `own/c1/ca-key.pem`; \
                    move it away";
    assert_eq!(desk.run(&REQUEST), stopped(1, expected));
    std::fs::remove_dir_all(desk.path("own/c1")).unwrap();
    let expected =
        "`own/c1.request.pem` is there without its key, `own/c1/ca-key.pem`; move it away";
    assert_eq!(desk.run(&REQUEST), stopped(1, expected));
    assert_eq!(desk.names("own"), ["c1.request.pem"]);
}

#[test]
fn what_is_in_the_way_is_named_and_stays() {
    let desk = Desk::with_root();
    desk.ok(&["issue", "c1", "--dir", "ca"]);
    let refused = |expected: &str| {
        let before = desk.state();
        assert_eq!(desk.run(&["request", "c1", "--dir", "ca"]), stopped(1, expected));
        assert_eq!(desk.state(), before);
    };
    refused(
        "`ca/c1` has its CA already, so that nothing is to be asked for; for a new one, move the \
         folder away",
    );
    std::fs::remove_file(desk.path("ca/c1/ca-key.pem")).unwrap();
    refused("`ca/c1` is there without ca-key.pem; move it away");
    std::fs::remove_dir_all(desk.path("ca/c1")).unwrap();
    desk.write("ca/c1", "a file");
    refused("`ca/c1` is there and is no folder; move it away");
    std::fs::remove_file(desk.path("ca/c1")).unwrap();
    desk.write("ca/c1.request.pem", "notes\n");
    refused(
        "`ca/c1.request.pem` is there and is no request: no PEM block, expected `CERTIFICATE \
         REQUEST`",
    );
}

#[test]
fn a_name_that_a_reader_could_not_see_is_refused_before_a_key_is_made() {
    let desk = Desk::new();
    let expected =
        r#"`c1` cannot be asked for: the organization "a\u{202e}b" cannot be shown as it is"#;
    let args = ["--organization", "a\u{202e}b"];
    assert_eq!(desk.run(&[&REQUEST[..], &args].concat()), stopped(1, expected));
    let expected = "`c1` cannot be asked for: `-a` is not a DNS name";
    assert_eq!(desk.run(&[&REQUEST[..], &["--dns-name=-a"]].concat()), stopped(1, expected));
    assert_eq!(desk.names("own"), Vec::<String>::new());
}

#[test]
fn the_request_is_an_object_for_a_script() {
    let desk = Desk::new();
    let args = [&REQUEST[..], &["--json"]].concat();
    let made: serde_json::Value = serde_json::from_str(&desk.ok(&args)).unwrap();
    let key = PrivateKey::from_pem(&desk.read("own/c1/ca-key.pem")).unwrap();
    let expected = serde_json::json!({
        "cluster": "c1",
        "folder": "own/c1",
        "request": "own/c1.request.pem",
        "created": true,
        "asked": {
            "profile": "hardened",
            "lifetime": "730d",
            "organization": "Istio",
            "common_name": "Intermediate CA",
            "dns_name": "istiod.istio-system.svc",
        },
        "key": "ecdsa p256",
        "public_key": key.public_key_fingerprint().to_string(),
    });
    assert_eq!(made, expected);
}
