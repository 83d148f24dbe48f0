//! A tier's folder among the other commands: it does what a root's does, and is never taken for a
//! cluster's.

use pki::{BundleFiles, Certificate, Crl};
use pretty_assertions::assert_eq;
use serde_json::Value;

use crate::desk::{Desk, Said, stopped};

/// A root in `ca`, a tier in `ca/prod` and a cluster below it.
fn desk() -> Desk {
    let desk = Desk::with_root();
    desk.ok(&["tier", "prod", "--dir", "ca", "--no-passphrase"]);
    desk.ok(&["issue", "c1", "--dir", "ca/prod"]);
    desk
}

const PROD: &str = "CN=prod CA,O=Istio";
const TOP: &str = "CN=Root CA,O=Istio";
const C1: &str = "L=c1,CN=Intermediate CA,O=Istio";

#[test]
fn a_tiers_folder_is_named_wherever_a_clusters_is_expected() {
    let desk = desk();
    let before = desk.state();
    let expected = "`ca/prod` is the folder of a tier: clusters' CAs are issued from it (`cacerts \
                    issue NAME --dir ca/prod`) and lie in folders of their own in it";
    for args in [
        &["issue", "prod", "--dir", "ca"][..],
        &["request", "prod", "--dir", "ca"],
        &["init", "ca/prod", "--no-passphrase"],
        &["convert", "ca/prod", "out"],
        &["crl", "cluster", "ca/prod"],
        &["crl", "join", "ca/prod"],
    ] {
        assert_eq!(desk.run(args), stopped(1, expected), "{args:?}");
    }
    assert_eq!(desk.state(), before);
}

#[test]
fn a_tiers_folder_is_no_bundle_and_check_says_whose_it_is() {
    let desk = desk();
    let said = desk.run(&["check", "ca/prod"]);
    let note = "note: `ca/prod` is the folder of a tier; what istiod is given lies in a folder below \
                it\n";
    assert_eq!((said.code, said.err.as_str()), (Some(1), note));
    assert!(said.out.starts_with("ca/prod: refused\n"), "{}", said.out);
    // kubectl takes every file of a folder: none of these may be one that istiod reads.
    let read = [BundleFiles::NAMES, ["ca-crl.pem", "tls.crt", "tls.key", "ca.crt"]].concat();
    assert!(!desk.names("ca/prod").iter().any(|name| read.contains(&name.as_str())));
}

#[test]
fn files_of_a_root_and_of_a_tier_in_one_folder_are_neither() {
    let desk = desk();
    desk.write("ca/prod/root-cert.pem", desk.read("ca/root-cert.pem"));
    let expected = "`ca/prod` has the files of a root and of a tier; move those away that do not \
                    belong there";
    assert_eq!(desk.run(&["issue", "c2", "--dir", "ca/prod"]), stopped(1, expected));
    std::fs::remove_file(desk.path("ca/prod/root-cert.pem")).unwrap();
    desk.ok(&["issue", "c2", "--dir", "ca/prod"]);
    for file in ["tier-root.pem", "tier-cert.pem"] {
        std::fs::remove_file(desk.path("ca/prod").join(file)).unwrap();
        let expected = format!("there is no whole tier: `ca/prod/{file}` is missing");
        assert_eq!(desk.run(&["issue", "c3", "--dir", "ca/prod"]), stopped(1, &expected));
    }
}

#[test]
fn a_tier_that_is_not_of_its_root_issues_nothing() {
    let (desk, other) = (desk(), Desk::with_root());
    desk.write("ca/prod/tier-root.pem", other.read("ca/root-cert.pem"));
    let said = desk.run(&["issue", "c2", "--dir", "ca/prod"]);
    let expected = "error: `ca/prod/tier-cert.pem` is no tier under `ca/prod/tier-root.pem`\ncaused \
                    by: ";
    assert_eq!((said.code, said.err.starts_with(expected)), (Some(1), true), "{}", said.err);
    desk.write("ca/prod/tier-root.pem", desk.read("ca/root-cert.pem"));
    // A cluster's CA of the root itself is none of the tier's.
    desk.ok(&["issue", "c2", "--dir", "ca"]);
    std::fs::rename(desk.path("ca/c2"), desk.path("ca/prod/c2")).unwrap();
    let expected = format!("`ca/prod/c2` is there and is of another issuer, `{TOP}`; move it away");
    assert_eq!(desk.run(&["issue", "c2", "--dir", "ca/prod"]), stopped(1, &expected));
}

#[test]
fn a_folder_that_stands_alone_issues_the_same() {
    let desk = desk();
    std::fs::rename(desk.path("ca/prod"), desk.path("prod")).unwrap();
    std::fs::remove_dir_all(desk.path("ca")).unwrap();
    desk.ok(&["issue", "c2", "--dir", "prod"]);
    assert!(desk.ok(&["check", "prod/c2"]).starts_with("prod/c2: accepted\n"));
}

#[test]
fn show_draws_the_tier_between_the_root_and_its_clusters() {
    let desk = desk();
    let tree: Value = serde_json::from_str(&desk.ok(&["show", "ca", "--format", "json"])).unwrap();
    let root = &tree["certificates"][0];
    let prod = &root["signed"][0];
    assert_eq!((&root["subject"], &prod["subject"]), (&TOP.into(), &PROD.into()));
    assert_eq!(prod["role"], "tier");
    let files = ["prod/tier-cert.pem", "prod/c1/cert-chain.pem"];
    assert_eq!(prod["files"], serde_json::json!(files));
    assert_eq!(prod["signed"][0]["subject"], C1);
    assert_eq!(prod["signed"][0]["role"], "cluster-ca");
    // A link to a folder that the link itself lies in has no end.
    std::os::unix::fs::symlink(".", desk.path("ca/prod/loop")).unwrap();
    let again: Value = serde_json::from_str(&desk.ok(&["show", "ca", "--format", "json"])).unwrap();
    assert_eq!(again["certificates"], tree["certificates"]);
}

#[test]
fn over_the_air_gap_the_answer_carries_the_tier() {
    let desk = desk();
    desk.ok(&["request", "c2", "--dir", "own"]);
    let sign =
        |dir: &str| -> Said { desk.run(&["sign", "own/c2.request.pem", "--dir", dir, "--yes"]) };
    let said = sign("ca/prod");
    assert_eq!(said.code, Some(0), "{}", said.err);
    let response = desk.read("own/c2.response.pem");
    let names: Vec<_> = Certificate::all_from_pem(&response).unwrap();
    let names: Vec<_> = names.iter().map(|ca| ca.subject().to_string()).collect();
    assert_eq!(names, ["L=c2,CN=Intermediate CA,O=Istio", PROD, TOP]);
    assert!(sign("ca/prod").out.contains("nothing was changed"));
    let expected = "`own/c2.response.pem` is there and is of another root; move it away";
    assert_eq!(sign("ca"), stopped(1, expected));
    let ask = ["sign", "own/c2.request.pem", "--dir", "ca/prod", "--out", "ca"];
    let said = desk.typed(&ask, "n\n");
    let question = format!("\nSign this CA with the tier {PROD}, sha256:");
    assert!(said.code == Some(1) && said.err.contains(&question), "{}", said.err);

    desk.write("own/tier-root.pem", desk.read("ca/root-cert.pem"));
    let said = desk.run(&["accept", "own/c2.response.pem", "--dir", "own"]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "the root was known");
    let chain = [desk.read("own/c2/ca-cert.pem"), desk.read("ca/prod/tier-cert.pem")].concat();
    assert!(desk.read("own/c2/cert-chain.pem") == chain, "another chain");
    assert!(desk.ok(&["check", "own/c2"]).starts_with("own/c2: accepted\n"));
    desk.write(
        "odd.csr",
        desk.openssl(&["req", "-new", "-key", "ca/prod/tier-key.pem", "-subj", "/CN=x"]),
    );
    let said = desk.run(&["sign", "odd.csr", "--name", "c3", "--dir", "ca/prod", "--yes"]);
    let expected = format!("`odd.csr` is not signed: its key is that of `{PROD}`");
    assert_eq!(said, stopped(1, &expected));
}

#[test]
fn a_tier_revokes_its_clusters_and_the_root_its_tiers() {
    let desk = desk();
    let list = |dir: &str, args: &[&str]| desk.ok(&[&["crl", "root", "--dir", dir], args].concat());
    let out = list("ca/prod", &["--revoke", "ca/prod/c1"]);
    assert!(out.starts_with("made list 1 of the tier in `ca/prod/tier-crl.pem`\n"), "{out}");
    assert!(desk.text("ca/prod/tier-revoked.txt").contains(&format!("# {C1}\nrevoked ")));
    assert!(list("ca/prod", &[]).contains("nothing was changed"));
    list("ca", &["--revoke", "ca/prod"]);
    let made = Crl::all_from_pem(&desk.read("ca/root-crl.pem")).unwrap();
    let prod = Certificate::from_pem(&desk.read("ca/prod/tier-cert.pem")).unwrap();
    assert_eq!(made[0].revoked()[0].serial, pki::Serial::of(&prod));
    assert!(desk.text("ca/root-revoked.txt").contains(&format!("# {PROD}\nrevoked ")));
}

#[test]
fn a_mesh_with_lists_needs_that_of_every_tier() {
    let desk = desk();
    let join = ["crl", "join", "ca/prod/c1"];
    desk.ok(&["crl", "cluster", "ca/prod/c1"]);
    desk.ok(&["crl", "root", "--dir", "ca"]);
    let said = desk.run(&join);
    let expected = format!(
        "error: these are not the lists that the mesh of `ca/prod/c1` needs; `cacerts crl root` and \
         `cacerts crl cluster` make them\ncaused by: no list of `{PROD}`: there is none\n"
    );
    assert_eq!((said.code, said.err), (Some(1), expected));
    desk.ok(&["crl", "root", "--dir", "ca/prod"]);
    let out = desk.ok(&join);
    assert!(out.starts_with("joined 3 lists in `ca/prod/c1/ca-crl.pem`\n"), "{out}");
    let issuers = Crl::all_from_pem(&desk.read("ca/prod/c1/ca-crl.pem")).unwrap();
    let issuers: Vec<_> = issuers.iter().map(|list| list.issuer().to_string()).collect();
    assert_eq!(issuers, [C1, PROD, TOP]);
    assert!(desk.ok(&["check", "ca/prod/c1"]).starts_with("ca/prod/c1: accepted\n"));
    let chain = ["-untrusted", "ca/prod/c1/cert-chain.pem", "ca/prod/c1/ca-cert.pem"];
    let verify = ["verify", "-crl_check_all", "-CAfile", "ca/root-cert.pem", "-CRLfile"];
    let said = desk.openssl(&[&verify[..], &["ca/prod/c1/ca-crl.pem"], &chain[..]].concat());
    assert_eq!(said, "ca/prod/c1/ca-cert.pem: OK\n");
    // The control: openssl misses the tier's.
    let said = desk.openssl(&[&verify[..], &["ca/root-crl.pem"], &chain[..]].concat());
    assert!(said.contains("unable to get certificate CRL"), "{said}");
    // Proxies of a mesh whose tier is revoked would refuse each other.
    desk.write("before.pem", desk.read("ca/root-crl.pem"));
    desk.ok(&["crl", "root", "--dir", "ca", "--revoke", "ca/prod"]);
    let said = desk.run(&join);
    let expected = "error: `ca/prod/c1` would be refused with these lists, so that they are not \
                    written\nrefuse crl-revokes in ";
    assert!(said.code == Some(1) && said.err.starts_with(expected), "{}", said.err);
    // Moved away from its root, the tier's folder has only its own list.
    std::fs::rename(desk.path("ca/prod"), desk.path("prod")).unwrap();
    let said = desk.run(&["crl", "join", "prod/c1"]);
    assert!(said.err.ends_with(&format!("no list of `{TOP}`: there is none\n")), "{}", said.err);
    desk.ok(&["crl", "join", "prod/c1", "before.pem", "prod/tier-crl.pem"]);
}
