//! Passphrases, and that no key is ever told.

use pki::PrivateKey;
use pretty_assertions::assert_eq;

use crate::desk::{Desk, stopped};

const PASSPHRASE: [(&str, &str); 1] = [("CACERTS_PASSPHRASE", "correct horse")];

#[test]
fn a_roots_key_has_a_passphrase_unless_said_otherwise() {
    let desk = Desk::new();
    assert_eq!(desk.run_with(&["init", "ca"], &PASSPHRASE).code, Some(0));
    let key = desk.read("ca/root-key.pem");
    assert!(PrivateKey::is_encrypted(&key).unwrap());
    PrivateKey::from_encrypted_pem(&key, b"correct horse").unwrap();
    assert_eq!(desk.mode("ca/root-key.pem"), 0o600);

    let plain = Desk::with_root().read("ca/root-key.pem");
    assert!(!PrivateKey::is_encrypted(&plain).unwrap());
}

#[test]
fn a_root_issues_with_its_passphrase_alone() {
    let desk = Desk::new();
    desk.write("right", "correct horse\r\nand what follows is not read\n");
    desk.write("wrong", "battery staple");
    desk.ok(&["init", "ca", "--passphrase-file", "right"]);
    let issue = |file| desk.run(&["issue", "c1", "--dir", "ca", "--passphrase-file", file]);
    let said = issue("wrong");
    let expected = "error: `ca/root-key.pem` cannot be used\ncaused by: the passphrase does not \
                    open the private key\n";
    assert_eq!((said.code, said.err.as_str()), (Some(1), expected));
    assert!(!desk.path("ca/c1").exists());
    assert_eq!(issue("right").code, Some(0));
    assert_eq!(desk.run_with(&["issue", "c2", "--dir", "ca"], &PASSPHRASE).code, Some(0));
    let key = desk.read("ca/c1/ca-key.pem");
    assert!(!PrivateKey::is_encrypted(&key).unwrap(), "istiod cannot open it");
}

#[test]
fn without_a_terminal_nobody_is_asked_and_nothing_is_made() {
    let desk = Desk::new();
    let expected = |whose: &str| {
        format!(
            "there is no terminal to ask for the passphrase of {whose}; give --passphrase-file FILE \
             or set CACERTS_PASSPHRASE"
        )
    };
    assert_eq!(desk.run(&["init", "ca"]), stopped(2, &expected("the new root key")));
    assert_eq!(desk.names("ca"), Vec::<String>::new());
    assert_eq!(desk.run_with(&["init", "ca"], &PASSPHRASE).code, Some(0));
    let expected = expected("`ca/root-key.pem`");
    assert_eq!(desk.run(&["issue", "c1", "--dir", "ca"]), stopped(2, &expected));
    // Nothing is to be done, so that nothing is asked.
    assert_eq!(desk.run(&["init", "ca"]).code, Some(0));
}

#[test]
fn no_passphrase_is_no_empty_passphrase() {
    let desk = Desk::new();
    let said = desk.run_with(&["init", "ca"], &[("CACERTS_PASSPHRASE", "")]);
    assert_eq!(said, stopped(1, "the passphrase is empty (CACERTS_PASSPHRASE)"));
    desk.write("empty", "\nsecond line");
    let said = desk.run(&["init", "ca", "--passphrase-file", "empty"]);
    assert_eq!(said, stopped(1, "the passphrase is empty (`empty`)"));
    let said = desk.run(&["init", "ca", "--passphrase-file", "missing"]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.starts_with("error: cannot read `missing`\ncaused by: "), "{}", said.err);
}

#[test]
fn a_passphrase_is_not_taken_from_a_key_that_has_one() {
    let desk = Desk::new();
    assert_eq!(desk.run_with(&["init", "ca"], &PASSPHRASE).code, Some(0));
    let expected = "`ca/root-cert.pem` is there and not what was asked for: its key has a \
                    passphrase, asked for was none; it is never replaced: ask for what is there, \
                    or move it away";
    assert_eq!(desk.run(&["init", "ca", "--no-passphrase"]), stopped(1, expected));
    let said = desk.run_with(&["init", "ca"], &[("CACERTS_PASSPHRASE", "battery staple")]);
    let expected = "error: `ca/root-key.pem` cannot be used\ncaused by: the passphrase does not \
                    open the private key\n";
    assert_eq!((said.code, said.err.as_str()), (Some(1), expected));
}

#[test]
fn the_makefile_profile_says_what_a_passphrase_means_for_make() {
    let desk = Desk::new();
    let said = desk.run_with(&["init", "ca", "--profile", "makefile"], &PASSPHRASE);
    let note = "note: the root's key has a passphrase, which make does not know; --no-passphrase \
                is what lets it go on from here\n";
    assert_eq!((said.code, said.err.as_str()), (Some(0), note));
}

#[test]
fn nothing_that_is_said_holds_a_key_or_a_passphrase() {
    let desk = Desk::new();
    let mut said = Vec::new();
    let env = [PASSPHRASE[0], ("CACERTS_NEW_PASSPHRASE", "battery staple")];
    let mut run = |args: &[&str]| said.push(format!("{:?}", desk.run_with(args, &env)));
    run(&["init", "ca"]);
    run(&["init", "ca", "--key", "p384"]);
    run(&["init", "plain", "--no-passphrase", "--json"]);
    run(&["issue", "c1", "--dir", "ca", "--json"]);
    run(&["issue", "c1", "c2", "--dir", "ca"]);
    run(&["issue", "c1", "--dir", "ca", "--key", "p384"]);
    run(&["tier", "prod", "--dir", "ca", "--json"]);
    run(&["tier", "prod", "--dir", "ca", "--key", "p384"]);
    run(&["tier", "c1", "--dir", "ca"]);
    run(&["issue", "prod", "--dir", "ca"]);
    run(&["issue", "c3", "--dir", "ca/prod"]);
    run(&["issue", "c3", "--dir", "ca/prod", "--passphrase-file", "ca/prod/tier-key.pem"]);
    run(&["check", "ca/prod", "--json"]);
    run(&["crl", "root", "--dir", "ca", "--revoke", "ca/c2"]);
    run(&["crl", "cluster", "ca/c1", "--json"]);
    run(&["crl", "join", "ca/c1"]);
    run(&["crl", "join", "ca/c1", "ca/c2/ca-key.pem"]);
    run(&["show", "ca", "--format", "html"]);
    let key = desk.text("ca/c1/ca-key.pem");
    // Damaged in the middle: an error about a key.
    desk.write("ca/c1/ca-key.pem", key.replacen('A', "B", 3));
    run(&["issue", "c1", "--dir", "ca"]);
    run(&["crl", "cluster", "ca/c1", "--anew"]);
    run(&["crl", "root", "--dir", "ca", "--revoke", "ca/c1/ca-key.pem"]);
    run(&["issue", "c1", "--dir", "plain", "--passphrase-file", "ca/c1/ca-key.pem"]);
    let keys =
        ["ca/root-key.pem", "plain/root-key.pem", "ca/c2/ca-key.pem", "ca/prod/tier-key.pem"];
    let secrets = keys.iter().map(|file| desk.text(file)).chain([key]);
    let secrets =
        secrets.map(|pem| pem.lines().filter(|line| !line.starts_with('-')).collect::<String>());
    for secret in secrets {
        for window in secret.as_bytes().windows(16) {
            let window = std::str::from_utf8(window).unwrap();
            assert!(!said.iter().any(|said| said.contains(window)), "a key in {said:?}");
        }
    }
    for (_, secret) in env {
        assert!(!said.iter().any(|said| said.contains(secret)), "{said:?}");
    }
    let is_told = |said: &String| said.contains("code: Some(0)") || said.contains("error: ");
    assert!(said.iter().all(|said| is_told(said) || said.contains("note: `ca/prod` is ")));
}
