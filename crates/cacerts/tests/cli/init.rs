//! `cacerts init`.

use pki::{CaRequest, Certificate, PrivateKey};
use pretty_assertions::assert_eq;
use time::OffsetDateTime;

use crate::desk::{Desk, stopped};

const FILES: [&str; 4] = ["root-ca.conf", "root-cert.csr", "root-cert.pem", "root-key.pem"];

fn root(desk: &Desk) -> Certificate {
    Certificate::from_pem(&desk.read("ca/root-cert.pem")).unwrap()
}

#[test]
fn a_root_has_the_makefiles_files_and_only_its_key_is_secret() {
    let desk = Desk::with_root();
    assert_eq!(desk.names("ca"), FILES);
    assert_eq!((desk.mode("ca"), desk.mode("ca/root-key.pem")), (0o700, 0o600));
    let now = OffsetDateTime::now_utc();
    let ca = ca_dir::read_root(&desk.path("ca"), now).unwrap();
    assert_eq!(ca.certificate().subject().to_string(), "CN=Root CA,O=Istio");
    assert_eq!(ca.certificate().public_key_kind(), "ecdsa p256");
    let life = ca.certificate().validity();
    assert_eq!((life.not_after() - life.not_before()).whole_days(), 3650);
    let request = CaRequest::from_pem(&desk.read("ca/root-cert.csr")).unwrap();
    assert_eq!(request.public_key_der(), ca.certificate().public_key_der());
}

#[test]
fn files_are_dated_in_makes_order() {
    let desk = Desk::with_root();
    let dates = ["root-key.pem", "root-ca.conf", "root-cert.csr", "root-cert.pem"]
        .map(|name| desk.path("ca").join(name).metadata().unwrap().modified().unwrap());
    assert!(dates.is_sorted(), "{dates:?}");
}

#[test]
fn the_same_again_changes_nothing_and_says_so() {
    let desk = Desk::new();
    let args = ["init", "ca", "--no-passphrase", "--key", "p384", "--lifetime", "2090-01-31"];
    desk.ok(&args);
    let before = desk.state();
    let out = desk.ok(&args);
    assert!(out.starts_with("the root is already there in `ca`; nothing was changed\n"), "{out}");
    desk.ok(&["init", "ca"]);
    assert_eq!(desk.state(), before);
    assert!(out.contains(", until 2090-01-31T23:59:59Z\n"), "{out}");
}

#[test]
fn another_root_in_its_place_is_refused_with_every_difference() {
    let desk = Desk::with_root();
    let before = desk.state();
    let args = ["--key", "p384", "--organization", "Example", "--common-name", "Other"];
    let said = desk.run(&[&["init", "ca"], &args[..]].concat());
    let expected = "`ca/root-cert.pem` is there and not what was asked for: its key is ecdsa p256, \
                    asked for was ecdsa p384; its organization is Istio, asked for was Example; \
                    its common name is Root CA, asked for was Other; it is never replaced: ask \
                    for what is there, or move it away";
    assert_eq!(said, stopped(1, expected));
    let said = desk.run(&["init", "ca", "--lifetime", "20y"]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains(", asked for was a lifetime of 7300 days;"), "{}", said.err);
    let said = desk.run(&["init", "ca", "--profile", "makefile"]);
    assert_eq!(said.code, Some(1));
    let expected = "its profile is hardened, asked for was makefile;";
    assert!(said.err.contains(expected), "{}", said.err);
    assert_eq!(desk.state(), before);
}

#[test]
fn a_root_without_its_key_is_not_re_issued() {
    let desk = Desk::with_root();
    std::fs::remove_file(desk.path("ca/root-key.pem")).unwrap();
    let before = desk.state();
    let expected = "`ca/root-cert.pem` is there without its key, `root-key.pem`; a root is never \
                    re-issued: choose another folder";
    assert_eq!(desk.run(&["init", "ca", "--no-passphrase"]), stopped(1, expected));
    assert_eq!(desk.state(), before);
}

#[test]
fn a_root_with_another_roots_key_is_no_root() {
    let (desk, other) = (Desk::with_root(), Desk::with_root());
    desk.write("ca/root-key.pem", other.read("ca/root-key.pem"));
    let said = desk.run(&["init", "ca"]);
    assert_eq!(said.code, Some(1));
    assert!(
        said.err.starts_with(
            "error: `ca/root-cert.pem` is there and is no root\ncaused by: the private key does \
             not belong to `CN=Root CA,O=Istio`: "
        ),
        "{}",
        said.err
    );
}

#[test]
fn a_key_that_is_there_is_certified_and_stays() {
    let desk = Desk::with_root();
    let certificate = desk.read("ca/root-cert.pem");
    for file in ["ca/root-cert.pem", "ca/root-cert.csr", "ca/root-ca.conf"] {
        std::fs::remove_file(desk.path(file)).unwrap();
    }
    let key = desk.read("ca/root-key.pem");
    let expected = "`ca/root-key.pem` is there and has no passphrase; say --no-passphrase to use \
                    it as it is, or move it away";
    assert_eq!(desk.run(&["init", "ca"]), stopped(1, expected));
    let expected = "`ca/root-key.pem` is there and not what was asked for: it is ecdsa p256, \
                    asked for was rsa 3072; it is never replaced: ask for what is there, or move \
                    it away";
    let said = desk.run(&["init", "ca", "--no-passphrase", "--key", "rsa3072"]);
    assert_eq!(said, stopped(1, expected));
    assert_eq!(desk.names("ca"), ["root-key.pem"]);

    desk.ok(&["init", "ca", "--no-passphrase"]);
    assert!(desk.read("ca/root-key.pem") == key, "the key changed");
    assert_eq!(desk.names("ca"), FILES);
    assert_eq!(
        root(&desk).public_key_der(),
        Certificate::from_pem(&certificate).unwrap().public_key_der()
    );
}

#[test]
fn a_request_of_another_key_is_in_the_way() {
    let (desk, other) = (Desk::new(), Desk::with_root());
    std::fs::create_dir(desk.path("ca")).unwrap();
    desk.write("ca/root-cert.csr", other.read("ca/root-cert.csr"));
    let expected = "`ca/root-cert.csr` is there and is not of the root's key; move it away";
    assert_eq!(desk.run(&["init", "ca", "--no-passphrase"]), stopped(1, expected));
    assert_eq!(desk.names("ca"), ["root-cert.csr"]);
}

#[test]
fn the_makefiles_variables_count_under_its_profile_only() {
    let env = [("ROOTCA_CN", "Wurzel"), ("ROOTCA_ORG", "Example"), ("ROOTCA_DAYS", "40")];
    let desk = Desk::new();
    let args = ["init", "ca", "--no-passphrase"];
    let said = desk.run_with(&args, &env);
    assert_eq!(
        (said.code, said.err.as_str()),
        (Some(0), "note: only --profile makefile heeds ROOTCA_DAYS, ROOTCA_ORG, ROOTCA_CN\n")
    );
    assert_eq!(root(&desk).subject().to_string(), "CN=Root CA,O=Istio");

    let desk = Desk::new();
    let makefile = ["--profile", "makefile", "--organization", "Said"];
    let said = desk.run_with(&[&args[..], &makefile].concat(), &env);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    assert_eq!(root(&desk).subject().to_string(), "CN=Wurzel,O=Said");
    assert_eq!(root(&desk).public_key_kind(), "rsa 4096");
    let life = root(&desk).validity();
    assert_eq!((life.not_after() - life.not_before()).whole_days(), 40);
    let conf = desk.text("ca/root-ca.conf");
    assert!(conf.ends_with("[ req_dn ]\nO = Said\nCN = Wurzel\n"), "{conf}");
}

#[test]
fn what_no_certificate_can_say_is_refused_before_anything_is_written() {
    let desk = Desk::new();
    let refused = |args: &[&str]| desk.run(&[&["init", "ca", "--no-passphrase"], args].concat());
    let expected = "the makefile profile is rsa4096, as Istio's Makefile has it: --key p256 is \
                    for --profile hardened";
    assert_eq!(refused(&["--profile", "makefile", "--key", "p256"]), stopped(1, expected));
    let expected = r#"the common name "a\nb" has a control character"#;
    assert_eq!(refused(&["--common-name", "a\nb"]), stopped(1, expected));
    let said = refused(&["--lifetime", "2001-01-01"]);
    let expected = "error: a lifetime until 2001-01-01T23:59:59Z is over: it is ";
    assert_eq!(said.code, Some(1));
    assert!(said.err.starts_with(expected), "{}", said.err);
    let expected = "a lifetime of 3650000 days ends after the year 9999";
    assert_eq!(refused(&["--lifetime", "10000y"]), stopped(1, expected));
    let said = refused(&["--organization", ""]);
    let expected = "error: the root cannot be made as asked for\ncaused by: organization `` has 0 \
                    characters, expected 1 to 64\n";
    assert_eq!((said.code, said.err.as_str()), (Some(1), expected));
    assert_eq!(refused(&["--lifetime", "soon"]).code, Some(2));
    assert!(!desk.path("ca").join("root-key.pem").exists(), "a key was written");
}

#[test]
fn the_root_is_an_object_for_a_script() {
    let desk = Desk::new();
    let read = |args: &[&str]| serde_json::from_str::<serde_json::Value>(&desk.ok(args)).unwrap();
    let args = ["init", "ca", "--no-passphrase", "--json"];
    let made = read(&args);
    let expected = serde_json::json!({
        "folder": "ca",
        "created": true,
        "encrypted": false,
        "subject": "CN=Root CA,O=Istio",
        "key": "ecdsa p256",
        "not_before": made["not_before"],
        "not_after": made["not_after"],
        "fingerprint": root(&desk).fingerprint().to_string(),
    });
    assert_eq!(made, expected);
    assert_eq!(read(&args)["created"], serde_json::json!(false));
}

#[test]
fn a_key_is_read_back_as_it_was_written() {
    let desk = Desk::with_root();
    let key = PrivateKey::from_pem(&desk.read("ca/root-key.pem")).unwrap();
    assert_eq!(key.public_key_der(), root(&desk).public_key_der());
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let desk = Desk::new();
    desk.write("file", "");
    let said = desk.run(&["init", "file/ca", "--no-passphrase"]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.starts_with("error: cannot create `file/ca`\ncaused by: "), "{}", said.err);
}
