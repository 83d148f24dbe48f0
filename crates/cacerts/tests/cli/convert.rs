//! `cacerts convert`.

use pki::{BundleFiles, Context, IstioVersion};
use pretty_assertions::assert_eq;
use time::{Duration, OffsetDateTime};

use crate::desk::{Desk, stopped};

/// With the CA of c1 in `ca/c1`.
fn desk() -> Desk {
    let desk = Desk::with_root();
    desk.ok(&["issue", "c1", "--dir", "ca"]);
    desk
}

#[test]
fn the_four_files_and_cert_managers_are_one_ca() {
    let desk = desk();
    let before = desk.state();
    let out = desk.ok(&["convert", "ca/c1", "tls/c1"]);
    assert!(out.starts_with("made the CA of c1 in `tls/c1`\n"), "{out}");
    assert!(out.ends_with("\n  tls files\n"), "{out}");
    assert_eq!(desk.names("tls/c1"), ["ca.crt", "tls.crt", "tls.key"]);
    let modes = ["tls/c1", "tls/c1/tls.key", "tls/c1/tls.crt"].map(|name| desk.mode(name));
    assert_eq!(modes, [0o700, 0o600, 0o644]);
    let later = OffsetDateTime::now_utc() + Duration::HOUR;
    let mesh = Context::new(later, IstioVersion::NEWEST, "cluster.local");
    let report = ca_dir::read_bundle(&desk.path("tls/c1")).unwrap().judge(&mesh).unwrap();
    assert_eq!((report.refused(), report.rule_ids()), (false, Vec::new()));

    desk.ok(&["convert", "tls/c1", "back"]);
    for name in BundleFiles::NAMES {
        let (one, other) =
            (desk.read(&format!("ca/c1/{name}")), desk.read(&format!("back/{name}")));
        assert!(one == other, "{name} differs");
    }
    assert_eq!((desk.names("back").len(), desk.mode("back/ca-key.pem")), (4, 0o600));
    assert!(before.iter().all(|file| desk.state().contains(file)), "a file changed");
}

#[test]
fn the_same_again_changes_nothing_and_another_folder_is_not_replaced() {
    let desk = desk();
    desk.ok(&["convert", "ca/c1", "tls"]);
    let before = desk.state();
    let out = desk.ok(&["convert", "ca/c1", "tls"]);
    assert!(out.contains("is already there in `tls`; nothing was changed\n"), "{out}");
    assert_eq!(desk.state(), before);
    desk.ok(&["issue", "c2", "--dir", "ca"]);
    let expected =
        "`tls` is there and holds something else; choose another folder, or move it away";
    assert_eq!(desk.run(&["convert", "ca/c2", "tls"]), stopped(1, expected));
    desk.write("file", "");
    let expected =
        "`file` is there and holds something else; choose another folder, or move it away";
    assert_eq!(desk.run(&["convert", "ca/c2", "file"]), stopped(1, expected));
}

#[test]
fn what_makes_istiod_fail_is_repaired_on_the_way() {
    let desk = desk();
    desk.ok(&["convert", "ca/c1", "tls"]);
    // istiod glues tls.crt and ca.crt together.
    let cert = desk.text("tls/tls.crt");
    desk.write("tls/tls.crt", cert.trim_end());
    desk.ok(&["convert", "tls", "four"]);
    assert!(desk.read("four/cert-chain.pem") == desk.read("ca/c1/cert-chain.pem"));
}

#[test]
fn what_no_mesh_would_take_is_not_written() {
    let (desk, other) = (desk(), desk());
    desk.ok(&["convert", "ca/c1", "tls"]);
    let refused = |from: &str, expected: &str| {
        let said = desk.run(&["convert", from, "to"]);
        assert_eq!(said.code, Some(1), "{expected}");
        assert!(said.err.starts_with(&format!("error: {expected}")), "{expected}\n{}", said.err);
        assert!(!desk.path("to").exists(), "{expected}");
    };
    let (key, cert) = (desk.read("tls/tls.key"), desk.read("tls/tls.crt"));
    desk.write("tls/tls.key", other.read("ca/c1/ca-key.pem"));
    refused("tls", "`tls` is no CA that a mesh would take\ncaused by: the private key does not ");
    desk.write("tls/tls.key", key);
    desk.write("tls/ca-cert.pem", &cert);
    refused("tls", "`tls` holds both layouts, of which istiod takes tls.crt; leave one of them\n");
    std::fs::remove_file(desk.path("tls/ca-cert.pem")).unwrap();
    std::fs::remove_file(desk.path("tls/ca.crt")).unwrap();
    refused("tls", "`tls` has tls.crt and no ca.crt\n");

    desk.write("ca/c1/ca-crl.pem", "");
    refused("ca/c1", "`ca/c1` has ca-crl.pem, which has no place beside tls.crt: istiod reads ");
    std::fs::remove_file(desk.path("ca/c1/ca-crl.pem")).unwrap();
    desk.write("ca/c1/root-cert.pem", other.read("ca/root-cert.pem"));
    refused("ca/c1", "`ca/c1` is no CA that a mesh would take\nrefuse no-path-to-root in ");
    assert_eq!(desk.run(&["convert", "missing", "to"]).code, Some(2));
}

#[test]
fn what_is_no_part_of_a_ca_is_left_out_and_told() {
    let desk = desk();
    desk.write("ca/c1/notes.txt", "an administrator's");
    let said = desk.run(&["convert", "ca/c1", "tls", "--json"]);
    let expected = "note: left out, since no CA has them: notes.txt\n";
    assert_eq!((said.code, said.err.as_str()), (Some(0), expected));
    let made: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let told = (&made["folder"], &made["layout"], &made["created"]);
    assert_eq!(told, (&"tls".into(), &"tls files".into(), &true.into()));
    assert_eq!(desk.names("tls").len(), 3);
}
