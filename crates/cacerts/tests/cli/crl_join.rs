//! `cacerts crl join`.

use pki::{BundleFiles, Context, Crl, IstioVersion};
use pretty_assertions::assert_eq;
use time::OffsetDateTime;

use crate::crl::{desk, root};
use crate::desk::{Desk, stopped};

const JOIN: [&str; 3] = ["crl", "join", "ca/c1"];
const FILE: &str = "ca/c1/ca-crl.pem";
const NOT_NEEDED: &str = "error: these are not the lists that the mesh of `ca/c1` needs";

/// Both sides have made their lists.
fn desk_with_lists() -> Desk {
    let desk = desk();
    desk.ok(&root(&[]));
    desk.ok(&["crl", "cluster", "ca/c1"]);
    desk
}

fn join(args: &[&'static str]) -> Vec<&'static str> {
    [&JOIN, args].concat()
}

#[track_caller]
fn refused(desk: &Desk, args: &[&'static str], expected: &str) {
    let before = desk.state();
    let said = desk.run(&join(args));
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{}", said.err);
    assert!(said.err.starts_with(expected), "{}\nis not\n{expected}", said.err);
    assert_eq!(desk.state(), before);
}

fn numbers(desk: &Desk) -> Vec<String> {
    let lists = Crl::all_from_pem(&desk.read(FILE)).unwrap();
    lists.iter().map(|list| format!("{} {}", list.issuer(), list.number().unwrap())).collect()
}

const C1: &str = "L=c1,CN=Intermediate CA,O=Istio";
const C2: &str = "L=c2,CN=Intermediate CA,O=Istio";
const TOP: &str = "CN=Root CA,O=Istio";

#[test]
fn the_lists_of_the_chain_become_one_file_that_every_judge_accepts() {
    let desk = desk_with_lists();
    let said = desk.run(&JOIN);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.err.starts_with("note: proxies with this file refuse the workloads "));
    assert!(said.out.starts_with(&format!("joined 2 lists in `{FILE}`\n")), "{}", said.out);
    assert!(
        said.out.contains("\n  a connection that is open is not cut: it ends "),
        "{}",
        said.out
    );
    assert_eq!(numbers(&desk), [format!("{C1} 1"), format!("{TOP} 1")]);
    assert_eq!((desk.names("ca/c1").len(), desk.mode(FILE)), (5, 0o644));
    let files = ca_dir::read_bundle(&desk.path("ca/c1")).unwrap();
    let mesh =
        Context::new(OffsetDateTime::now_utc(), IstioVersion::new(1, 31, 0), "cluster.local");
    assert_eq!(files.judge(&mesh).unwrap().rule_ids(), Vec::<&str>::new());

    let before = desk.state();
    let again = desk.ok(&JOIN);
    let expected = format!("the 2 lists are already there in `{FILE}`; nothing was changed\n");
    assert!(again.starts_with(&expected), "{again}");
    assert_eq!(desk.state(), before);
}

#[test]
fn a_list_that_is_missing_or_anothers_is_named() {
    let desk = desk();
    let make = "; `cacerts crl root` and `cacerts crl cluster` make them\ncaused by: ";
    let missing = |ca: &str| format!("{NOT_NEEDED}{make}no list of `{ca}`: there is none\n");
    refused(&desk, &[], &missing(C1));
    desk.ok(&["crl", "cluster", "ca/c1"]);
    refused(&desk, &[], &missing(TOP));
    let other = desk_with_lists();
    desk.write("others.pem", other.read("ca/root-crl.pem"));
    let expected =
        format!("{NOT_NEEDED}{make}no list of `{TOP}`: one of its name has another signature\n");
    refused(&desk, &["others.pem"], &expected);
    desk.ok(&root(&[]));
    let expected = format!(
        "{NOT_NEEDED}\ncaused by: a list of `{TOP}`, which is none of the CAs that need one"
    );
    refused(&desk, &["others.pem", "ca/root-crl.pem"], &expected);
    refused(&desk, &["ca/c1/ca-key.pem"], "error: `ca/c1/ca-key.pem` holds a private key\n");
    assert_eq!(desk.run(&join(&["none.pem"])).code, Some(2));
}

#[test]
fn the_roots_list_is_brought_from_elsewhere() {
    let desk = desk_with_lists();
    std::fs::rename(desk.path("ca/root-crl.pem"), desk.path("brought.pem")).unwrap();
    std::fs::rename(desk.path("ca/c1"), desk.path("c1")).unwrap();
    std::fs::rename(desk.path("ca/c1.crl.pem"), desk.path("c1.crl.pem")).unwrap();
    let out = desk.ok(&["crl", "join", "c1", "brought.pem"]);
    assert!(out.starts_with("joined 2 lists in `c1/ca-crl.pem`\n"), "{out}");
}

#[test]
fn what_is_there_gives_way_only_to_lists_that_are_not_older() {
    let desk = desk_with_lists();
    desk.ok(&JOIN);
    let old = desk.read("ca/root-crl.pem");
    desk.ok(&root(&["--revoke", "ca/c2"]));
    desk.ok(&JOIN);
    assert_eq!(numbers(&desk), [format!("{C1} 1"), format!("{TOP} 2")]);
    desk.write("old.pem", old);
    let stays =
        format!("error: `{FILE}` stays as it is: these lists have less than it\ncaused by: ");
    let expected =
        format!("{stays}the new list of `{TOP}` is older than the present one: number 1 ");
    refused(&desk, &["old.pem"], &expected);
    desk.write(FILE, "text");
    let expected = format!("error: `{FILE}` is there and cannot be compared; move it away\n");
    refused(&desk, &[], &expected);
    // istiod takes an empty file for none.
    desk.write(FILE, "");
    desk.ok(&JOIN);
}

#[test]
fn the_cas_of_other_clusters_are_peers_and_stay() {
    let desk = desk_with_lists();
    let peer = ["--peer", "ca/c2"];
    let expected = format!(
        "{NOT_NEEDED}; `cacerts crl root` and `cacerts crl cluster` make them\n\
                            caused by: no list of `{C2}`: there is none\n"
    );
    refused(&desk, &peer, &expected);
    desk.ok(&["crl", "cluster", "ca/c2"]);
    // What is brought from another cluster has no key.
    std::fs::remove_file(desk.path("ca/c2/ca-key.pem")).unwrap();
    let said = desk.run(&join(&peer));
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    assert_eq!(numbers(&desk), [format!("{C1} 1"), format!("{TOP} 1"), format!("{C2} 1")]);
    let expected = format!(
        "error: `{FILE}` stays as it is: these lists have less than it\ncaused by: the new lists \
         have none of `{C2}`, the present ones do\n"
    );
    refused(&desk, &[], &expected);
    let other = desk_with_lists();
    desk.write("ca/c2/ca-cert.pem", other.read("ca/c2/ca-cert.pem"));
    refused(&desk, &peer, "error: `ca/c2` is no CA under the trust bundle\ncaused by: ");
}

#[test]
fn what_envoy_would_refuse_is_not_written() {
    let desk = desk_with_lists();
    desk.ok(&root(&["--revoke", "ca/c1", "--reason", "cACompromise"]));
    let expected = "error: `ca/c1` would be refused with these lists, so that they are not \
                    written\nrefuse crl-revokes in ca-cert.pem\n";
    refused(&desk, &[], expected);
    assert!(!desk.path(FILE).exists());
}

#[test]
fn every_root_of_the_trust_bundle_needs_its_list() {
    let (desk, second) = (desk_with_lists(), Desk::new());
    second.ok(&["init", "ca", "--no-passphrase", "--common-name", "Second"]);
    second.ok(&root(&[]));
    let roots = [desk.read("ca/root-cert.pem"), second.read("ca/root-cert.pem")].concat();
    desk.write("ca/c1/root-cert.pem", roots);
    let expected = format!(
        "{NOT_NEEDED}; `cacerts crl root` and `cacerts crl cluster` make them\ncaused by: no list \
         of `CN=Second,O=Istio`: there is none\n"
    );
    refused(&desk, &[], &expected);
    desk.write("second.pem", second.read("ca/root-crl.pem"));
    desk.ok(&join(&["ca/root-crl.pem", "second.pem"]));
    assert_eq!(numbers(&desk).len(), 3);
}

#[test]
fn a_mesh_of_the_makefile_has_no_lists_to_join() {
    let desk = Desk::new();
    desk.ok(&["init", "ca", "--no-passphrase", "--profile", "makefile"]);
    desk.ok(&["issue", "c1", "--dir", "ca"]);
    let expected = format!(
        "{NOT_NEEDED}; a mesh with lists needs CAs of --profile hardened only\ncaused by: `{C1}` \
         may sign no revocation list: key usage has "
    );
    refused(&desk, &[], &expected);
}

#[test]
fn a_folder_that_is_no_bundle_is_told() {
    let desk = desk_with_lists();
    assert_eq!(desk.run(&["crl", "join", "ca/c9"]).code, Some(2));
    let expected = "`ca/root-cert.pem` is not a folder";
    assert_eq!(desk.run(&["crl", "join", "ca/root-cert.pem"]), stopped(1, expected));
    std::fs::remove_file(desk.path("ca/c1").join(BundleFiles::CERT_CHAIN)).unwrap();
    let expected = "error: `ca/c1` is no bundle\ncaused by: `cert-chain.pem` is missing\n";
    refused(&desk, &[], expected);
}

#[test]
fn scripts_read_json() {
    let desk = desk_with_lists();
    let read =
        |args: &[&str]| -> serde_json::Value { serde_json::from_str(&desk.ok(args)).unwrap() };
    let list = read(&root(&["--json"]));
    assert_eq!(list["file"], "ca/root-crl.pem");
    assert_eq!((&list["number"], &list["created"]), (&"1".into(), &false.into()));
    let joined = read(&join(&["--json"]));
    assert_eq!((&joined["file"], &joined["created"]), (&FILE.into(), &true.into()));
    assert_eq!((&joined["is_due"], &joined["lists"][1]["issuer"]), (&false.into(), &TOP.into()));
    assert_eq!(joined["next_update"], list["next_update"]);
    assert_eq!(joined["lists"][0]["revoked"], serde_json::json!([]));
}
