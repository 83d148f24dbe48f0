//! `cacerts issue`.

use std::os::unix::fs::symlink;

use pki::{BundleFiles, Certificate, Context, IstioVersion, RootCa};
use pretty_assertions::assert_eq;
use time::{Duration, OffsetDateTime};

use crate::desk::{Desk, stopped};

const ISSUE: [&str; 3] = ["issue", "--dir", "ca"];

fn issue(names: &[&'static str]) -> Vec<&'static str> {
    [&ISSUE, names].concat()
}

fn certificate(desk: &Desk, cluster: &str) -> Certificate {
    Certificate::from_pem(&desk.read(&format!("ca/{cluster}/ca-cert.pem"))).unwrap()
}

/// What istiod and all the others say, an hour from now: certificates are valid at once.
fn accepted(desk: &Desk, cluster: &str) {
    let files = ca_dir::read_bundle(&desk.path("ca").join(cluster)).unwrap();
    let later = OffsetDateTime::now_utc() + Duration::HOUR;
    let mesh =
        Context { ambient: true, ..Context::new(later, IstioVersion::NEWEST, "cluster.local") };
    let bundle = files.into_bundle(&mesh);
    assert_eq!(bundle.unwrap().certificate(), &certificate(desk, cluster));
}

#[test]
fn every_cluster_gets_a_folder_of_its_own_that_a_mesh_accepts() {
    let desk = Desk::with_root();
    let out = desk.ok(&issue(&["c1", "c2", "c3"]));
    for cluster in ["c1", "c2", "c3"] {
        assert!(out.contains(&format!("made the CA of {cluster} in `ca/{cluster}`\n")), "{out}");
        let folder = format!("ca/{cluster}");
        assert_eq!(desk.names(&folder), BundleFiles::NAMES);
        assert_eq!(
            (desk.mode(&folder), desk.mode(&format!("{folder}/ca-key.pem"))),
            (0o700, 0o600)
        );
        let subject = certificate(&desk, cluster).subject().to_string();
        assert_eq!(subject, format!("L={cluster},CN=Intermediate CA,O=Istio"));
        let root = desk.read(&format!("{folder}/root-cert.pem"));
        assert!(root == desk.read("ca/root-cert.pem"), "two roots");
        accepted(&desk, cluster);
    }
    assert_eq!(desk.names("ca").len(), 4 + 3, "{:?}", desk.names("ca"));
}

#[test]
fn files_are_dated_in_makes_order() {
    let desk = Desk::with_root();
    desk.ok(&issue(&["c1"]));
    let dates = ["ca-key.pem", "ca-cert.pem", "cert-chain.pem"]
        .map(|name| desk.path("ca/c1").join(name).metadata().unwrap().modified().unwrap());
    assert!(dates.is_sorted(), "{dates:?}");
    let root = desk.path("ca/root-cert.pem").metadata().unwrap().modified().unwrap();
    assert!(root <= dates[1], "make would issue it again");
}

#[test]
fn what_is_there_stays_and_what_is_missing_is_made() {
    let desk = Desk::with_root();
    desk.ok(&issue(&["c1"]));
    let before = desk.state();
    // Nothing is signed, so that the root's key may be away.
    let key = desk.read("ca/root-key.pem");
    std::fs::rename(desk.path("ca/root-key.pem"), desk.path("elsewhere")).unwrap();
    let out = desk.ok(&issue(&["c1"]));
    assert!(
        out.starts_with("the CA of c1 is already there in `ca/c1`; nothing was changed\n"),
        "{out}"
    );
    std::fs::rename(desk.path("elsewhere"), desk.path("ca/root-key.pem")).unwrap();
    assert!(desk.read("ca/root-key.pem") == key, "the key changed");
    assert_eq!(desk.state(), before);
    let c1 = desk.read("ca/c1/ca-cert.pem");
    let out = desk.ok(&issue(&["c2", "c1"]));
    assert!(out.starts_with("made the CA of c2 in `ca/c2`\n"), "{out}");
    assert!(out.contains("\nthe CA of c1 is already there in `ca/c1`; "), "{out}");
    assert!(desk.read("ca/c1/ca-cert.pem") == c1, "c1 was made anew");
}

#[test]
fn one_name_that_is_refused_leaves_every_other_unmade() {
    let desk = Desk::with_root();
    for name in ["my cluster", "../up", "a/b", "zürich", "$(id)", "..", ""] {
        let said = desk.run(&["issue", "c1", name, "--dir", "ca"]);
        let expected = format!("error: {name:?} cannot be a cluster's name: ");
        assert_eq!(said.code, Some(1));
        assert!(said.err.starts_with(&expected), "{}", said.err);
    }
    let expected = "`c1` is named twice";
    assert_eq!(desk.run(&["issue", "c1", "c1", "--dir", "ca"]), stopped(1, expected));
    assert_eq!(desk.names("ca").len(), 4);
}

#[test]
fn a_folder_that_is_something_else_is_refused_and_leaves_every_other_unmade() {
    let (desk, other) = (Desk::with_root(), Desk::with_root());
    other.ok(&issue(&["c2"]));
    let refused = |expected: &str| {
        let said = desk.run(&issue(&["c1", "c2"]));
        assert_eq!(said.code, Some(1), "{expected}");
        assert!(said.err.starts_with(&format!("error: {expected}")), "{}", said.err);
        assert!(!desk.path("ca/c1").exists(), "c1 was made: {expected}");
    };
    let c2 = desk.path("ca/c2");
    desk.write("ca/c2", "a file");
    refused("`ca/c2` is there and is no folder; move it away\n");
    std::fs::remove_file(&c2).unwrap();
    symlink(other.path("ca/c2"), &c2).unwrap();
    refused("`ca/c2` is there and is no folder; move it away\n");
    std::fs::remove_file(&c2).unwrap();

    std::fs::rename(other.path("ca/c2"), &c2).unwrap();
    refused("`ca/c2` is there and is of another root, sha256:");
    desk.write("ca/c2/root-cert.pem", desk.read("ca/root-cert.pem"));
    refused("`ca/c2` is there and is no CA of this root\ncaused by: ");
    std::fs::remove_file(desk.path("ca/c2/ca-key.pem")).unwrap();
    refused("`ca/c2` is no whole CA: it has no ca-key.pem; move it away\n");
    std::fs::remove_file(desk.path("ca/c2/ca-cert.pem")).unwrap();
    refused("`ca/c2` holds other files: it has no ca-key.pem; move it away\n");
    std::fs::remove_dir_all(&c2).unwrap();
    desk.ok(&issue(&["c1", "c2"]));
}

#[test]
fn another_ca_in_its_place_is_refused_with_the_difference() {
    let desk = Desk::with_root();
    desk.ok(&issue(&["c1", "--lifetime", "90d"]));
    desk.ok(&issue(&["c1", "--lifetime", "90d"]));
    let before = desk.state();
    let expected = "`ca/c1` is there and not what was asked for: its key is ecdsa p256, asked for \
                    was ecdsa p384; its DNS name is istiod.istio-system.svc, asked for was a.b; it \
                    is never replaced: ask for what is there, or move it away";
    let said = desk.run(&issue(&["c1", "--key", "p384", "--dns-name", "a.b"]));
    assert_eq!(said, stopped(1, expected));
    assert_eq!(desk.run(&issue(&["c1", "--lifetime", "91d"])).code, Some(1));
    assert_eq!(desk.state(), before);
}

#[test]
fn a_life_that_the_root_cuts_short_is_told_and_is_the_same_again() {
    let desk = Desk::with_root();
    let args = issue(&["c1", "--lifetime", "50y"]);
    let said = desk.run(&args);
    let note = "note: the root ends before the lifetime does, and the clusters' CAs end with it\n";
    assert_eq!((said.code, said.err.as_str()), (Some(0), note));
    let root = Certificate::from_pem(&desk.read("ca/root-cert.pem")).unwrap();
    assert_eq!(certificate(&desk, "c1").validity().not_after(), root.validity().not_after());
    assert!(desk.ok(&args).contains("nothing was changed"));
    // Less was asked for than the root leaves.
    assert_eq!(desk.run(&issue(&["c1", "--lifetime", "30d"])).code, Some(1));
}

#[test]
fn keys_that_are_there_are_certified_and_stay() {
    let desk = Desk::with_root();
    desk.ok(&issue(&["c1"]));
    let key = desk.read("ca/c1/ca-key.pem");
    for file in ["ca/c1/ca-cert.pem", "ca/c1/cert-chain.pem", "ca/c1/root-cert.pem"] {
        std::fs::remove_file(desk.path(file)).unwrap();
    }
    desk.write("ca/c1/intermediate.conf", "make's");
    desk.write("ca/c1/notes.txt", "an administrator's");
    let expected = "`ca/c1` is there and not what was asked for: its key is ecdsa p256, asked for \
                    was ecdsa p384; it is never replaced: ask for what is there, or move it away";
    assert_eq!(desk.run(&issue(&["c1", "--key", "p384"])), stopped(1, expected));
    desk.ok(&issue(&["c1"]));
    assert!(desk.read("ca/c1/ca-key.pem") == key, "the key changed");
    assert_eq!(desk.text("ca/c1/notes.txt"), "an administrator's");
    assert!(!desk.path("ca/c1/intermediate.conf").exists());
    assert_eq!(desk.names("ca").len(), 5, "nothing is left beside the folder");
    accepted(&desk, "c1");
}

#[test]
fn a_hierarchy_is_of_the_roots_profile_unless_said_otherwise() {
    let desk = Desk::new();
    desk.ok(&["init", "ca", "--no-passphrase", "--profile", "makefile"]);
    let env = [("INTERMEDIATE_CN", "Mesh"), ("INTERMEDIATE_SAN_DNS", "a.b")];
    assert_eq!(desk.run_with(&issue(&["c1"]), &env).code, Some(0));
    let c1 = certificate(&desk, "c1");
    assert_eq!(c1.subject().to_string(), "L=c1,CN=Mesh,O=Istio");
    assert_eq!((c1.public_key_kind().as_str(), c1.dns_sans()), ("rsa 4096", vec!["a.b"]));
    let chain = [desk.read("ca/c1/ca-cert.pem"), desk.read("ca/root-cert.pem")].concat();
    assert!(desk.read("ca/c1/cert-chain.pem") == chain, "the chain is not make's");

    desk.ok(&issue(&["c2", "--profile", "hardened"]));
    assert_eq!(certificate(&desk, "c2").public_key_kind(), "ecdsa p256");
    assert!(desk.read("ca/c2/cert-chain.pem") == desk.read("ca/c2/ca-cert.pem"));
    accepted(&desk, "c2");
}

#[test]
fn without_a_root_nothing_is_issued() {
    let desk = Desk::new();
    let expected = "there is no root: `ca/root-cert.pem` is missing; `cacerts init` makes one, \
                    --dir names its folder";
    assert_eq!(desk.run(&issue(&["c1"])), stopped(1, expected));
    std::fs::create_dir(desk.path("ca")).unwrap();
    assert_eq!(desk.run(&issue(&["c1"])), stopped(1, expected));
    let desk = Desk::with_root();
    std::fs::remove_file(desk.path("ca/root-key.pem")).unwrap();
    let expected = "the root's key is not there: `ca/root-key.pem` is missing";
    assert_eq!(desk.run(&issue(&["c1"])), stopped(1, expected));
    assert_eq!(desk.names("ca").len(), 3);
}

#[test]
fn a_root_that_make_could_have_made_issues_many_at_once() {
    let desk = Desk::with_root();
    let names: Vec<String> = (0..50).map(|number| format!("c{number}")).collect();
    let args: Vec<_> = ISSUE.into_iter().chain(names.iter().map(String::as_str)).collect();
    let made: serde_json::Value =
        serde_json::from_str(&desk.ok(&[&args[..], &["--json"]].concat())).unwrap();
    let told: Vec<_> =
        made.as_array().unwrap().iter().map(|ca| ca["cluster"].as_str().unwrap()).collect();
    assert_eq!(told, names, "in the order that was asked for");
    let keys: std::collections::BTreeSet<_> =
        names.iter().map(|name| certificate(&desk, name).public_key_der().to_vec()).collect();
    assert_eq!(keys.len(), 50, "two clusters share a key");
    let root: RootCa = ca_dir::read_root(&desk.path("ca"), OffsetDateTime::now_utc()).unwrap();
    assert!(names.iter().all(|name| certificate(&desk, name).is_signed_by(root.certificate())));
}
