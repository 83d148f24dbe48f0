//! `cacerts tier`: its folder, and what is refused in its place.

use pki::{BundleFiles, Certificate, PrivateKey};
use pretty_assertions::assert_eq;

use crate::desk::{Desk, stopped};

const FILES: [&str; 3] = ["tier-cert.pem", "tier-key.pem", "tier-root.pem"];

fn tier<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [&["tier", "--dir", "ca", "--no-passphrase"], args].concat()
}

/// A root in `ca` and a tier in `ca/prod`, keys without passphrases.
fn desk() -> Desk {
    let desk = Desk::with_root();
    desk.ok(&tier(&["prod"]));
    desk
}

fn certificate(desk: &Desk, file: &str) -> Certificate {
    Certificate::from_pem(&desk.read(file)).unwrap()
}

#[track_caller]
fn refused(desk: &Desk, args: &[&str], expected: &str) {
    let before = desk.state();
    assert_eq!(desk.run(args), stopped(1, expected));
    assert_eq!(desk.state(), before);
}

#[test]
fn a_tiers_folder_is_one_that_clusters_cas_are_issued_from() {
    let desk = Desk::with_root();
    let out = desk.ok(&tier(&["prod"]));
    let prod = certificate(&desk, "ca/prod/tier-cert.pem");
    let lines: Vec<_> = out.lines().map(str::trim).collect();
    assert_eq!(lines[..2], ["made the tier prod in `ca/prod`", "CN=prod CA,O=Istio"]);
    assert!(
        lines[2].starts_with("ecdsa p256, its key without a passphrase, path length 1, until ")
    );
    assert_eq!(lines[3], prod.fingerprint().to_string());
    assert_eq!(desk.names("ca/prod"), FILES);
    assert_eq!((desk.mode("ca/prod"), desk.mode("ca/prod/tier-key.pem")), (0o700, 0o600));
    assert_eq!((prod.path_len(), prod.dns_sans().len()), (Some(1), 0));
    let life = prod.validity();
    assert_eq!((life.not_after() - life.not_before()).whole_days(), 1825);

    let out = desk.ok(&["issue", "c1", "--dir", "ca/prod"]);
    assert!(out.starts_with("made the CA of c1 in `ca/prod/c1`\n"), "{out}");
    assert_eq!(desk.names("ca/prod/c1"), BundleFiles::NAMES);
    let chain = [desk.read("ca/prod/c1/ca-cert.pem"), desk.read("ca/prod/tier-cert.pem")].concat();
    assert!(desk.read("ca/prod/c1/cert-chain.pem") == chain, "another chain");
    assert!(desk.read("ca/prod/c1/root-cert.pem") == desk.read("ca/root-cert.pem"), "two roots");
    let out = desk.ok(&["check", "ca/prod/c1", "--ambient"]);
    assert!(out.starts_with("ca/prod/c1: accepted\n"), "{out}");
}

#[test]
fn openssl_follows_a_cluster_up_through_its_tiers() {
    let desk = Desk::with_root();
    desk.ok(&tier(&["eu", "--path-length", "2", "--key", "p384"]));
    desk.ok(&["tier", "prod", "--dir", "ca/eu", "--no-passphrase", "--key", "rsa2048"]);
    desk.ok(&["issue", "c1", "--dir", "ca/eu/prod"]);
    let (ca, chain) = ("ca/eu/prod/c1/ca-cert.pem", "ca/eu/prod/c1/cert-chain.pem");
    let all = Certificate::all_from_pem(&desk.read(chain)).unwrap();
    let names: Vec<_> = all.iter().map(|ca| ca.subject().to_string()).collect();
    let expected = ["L=c1,CN=Intermediate CA,O=Istio", "CN=prod CA,O=Istio", "CN=eu CA,O=Istio"];
    assert_eq!(names, expected);
    let verify = ["verify", "-x509_strict", "-CAfile", "ca/root-cert.pem"];
    let said = desk.openssl(&[&verify[..], &["-untrusted", chain, ca]].concat());
    assert_eq!(said, format!("{ca}: OK\n"));
    // The control: without the tiers there is no way up.
    let said = desk.openssl(&[&verify[..], &[ca]].concat());
    assert!(said.contains("unable to get local issuer certificate"), "{said}");
    assert!(desk.ok(&["check", "ca/eu/prod/c1"]).starts_with("ca/eu/prod/c1: accepted\n"));
}

#[test]
fn under_the_makefile_profile_the_chain_ends_with_the_root() {
    let desk = Desk::new();
    let makefile = ["--profile", "makefile", "--lifetime", "9y"];
    desk.ok(&[&["init", "ca", "--no-passphrase"], &makefile[..]].concat());
    desk.ok(&tier(&["prod"]));
    desk.ok(&["issue", "c1", "--dir", "ca/prod"]);
    let files = ["ca/prod/c1/ca-cert.pem", "ca/prod/tier-cert.pem", "ca/root-cert.pem"];
    let chain = files.map(|file| desk.read(file)).concat();
    assert!(desk.read("ca/prod/c1/cert-chain.pem") == chain, "the chain is not make's");
    let [prod, root] = [files[1], files[2]].map(|file| certificate(&desk, file));
    assert_eq!(prod.public_key_kind(), "rsa 4096");
    // Ten years were wished for. make would let it outlive its root.
    assert_eq!(prod.validity().not_after(), root.validity().not_after());
    assert_eq!(desk.run(&["check", "ca/prod/c1"]).code, Some(0));
}

#[test]
fn the_same_again_changes_nothing_and_says_so() {
    let desk = desk();
    let before = desk.state();
    // Nothing is signed, so that the root's key may be away.
    std::fs::rename(desk.path("ca/root-key.pem"), desk.path("elsewhere")).unwrap();
    let out = desk.ok(&["tier", "prod", "--dir", "ca", "--path-length", "1"]);
    let expected = "the tier prod is already there in `ca/prod`; nothing was changed\n";
    assert!(out.starts_with(expected), "{out}");
    std::fs::rename(desk.path("elsewhere"), desk.path("ca/root-key.pem")).unwrap();
    assert_eq!(desk.state(), before);
    let out = desk.ok(&tier(&["test", "prod"]));
    assert!(out.starts_with("made the tier test in `ca/test`\n"), "{out}");
    assert!(out.contains(expected), "{out}");
    let args = ["--key", "p384", "--path-length", "2", "--lifetime", "90d"];
    let life = certificate(&desk, "ca/prod/tier-cert.pem").validity();
    let expected = format!(
        "`ca/prod/tier-cert.pem` is there and not what was asked for: its key is ecdsa p256, asked \
         for was ecdsa p384; it is valid {life}, asked for was a lifetime of 90 days; its path \
         length is 1, asked for was 2; it is never replaced: ask for what is there, or move it away"
    );
    refused(&desk, &tier(&[&["prod"], &args[..]].concat()), &expected);
}

#[test]
fn a_tiers_key_has_a_passphrase_of_its_own_unless_said_otherwise() {
    let desk = Desk::with_root();
    let expected = "there is no terminal to ask for the passphrase of the new tier key; give \
                    --new-passphrase-file FILE or set CACERTS_NEW_PASSPHRASE";
    assert_eq!(desk.run(&["tier", "prod", "--dir", "ca"]), stopped(2, expected));
    assert!(!desk.path("ca/prod").exists());
    desk.write("roots", "correct horse");
    desk.write("tiers", "battery staple");
    desk.ok(&["init", "locked", "--passphrase-file", "roots"]);
    let both = ["--passphrase-file", "roots", "--new-passphrase-file", "tiers"];
    let out = desk.ok(&[&["tier", "prod", "--dir", "locked"], &both[..]].concat());
    assert!(out.contains("its key under a passphrase"), "{out}");
    let key = desk.read("locked/prod/tier-key.pem");
    PrivateKey::from_encrypted_pem(&key, b"battery staple").unwrap();
    let issue =
        |file| desk.run(&["issue", "c1", "--dir", "locked/prod", "--passphrase-file", file]);
    let said = issue("roots");
    let expected = "error: `locked/prod/tier-key.pem` cannot be used\ncaused by: the passphrase does \
                    not open the private key\n";
    assert_eq!((said.code, said.err.as_str()), (Some(1), expected));
    assert_eq!(issue("tiers").code, Some(0));

    let env = [("CACERTS_NEW_PASSPHRASE", "from the environment")];
    assert_eq!(desk.run_with(&["tier", "test", "--dir", "ca"], &env).code, Some(0));
    let key = desk.read("ca/test/tier-key.pem");
    PrivateKey::from_encrypted_pem(&key, env[0].1.as_bytes()).unwrap();
    let expected = "`ca/test/tier-cert.pem` is there and not what was asked for: its key has a \
                    passphrase, asked for was none; it is never replaced: ask for what is there, or \
                    move it away";
    refused(&desk, &tier(&["test"]), expected);
}

#[test]
fn path_lengths_leave_room_or_the_tier_is_refused_with_the_fix() {
    let desk = desk();
    let no_room = |dir: &str, found: u32, wanted: u32, fix: &str| {
        format!(
            "`{dir}` has path length {found}, which leaves no room for a tier of path length \
             {wanted}; {fix}"
        )
    };
    let fix = "a tier that is to have tiers below is made with --path-length 2 or more";
    let expected = no_room("ca/prod", 1, 1, fix);
    refused(&desk, &["tier", "eu", "--dir", "ca/prod", "--no-passphrase"], &expected);
    desk.ok(&tier(&["eu", "--path-length", "3"]));
    let below = ["tier", "prod", "--dir", "ca/eu", "--no-passphrase", "--path-length"];
    let expected = no_room("ca/eu", 3, 3, "say --path-length 2 or less");
    refused(&desk, &[&below[..], &["3"]].concat(), &expected);
    desk.ok(&[&below[..], &["2"]].concat());
    assert_eq!(desk.run(&tier(&["none", "--path-length", "0"])).code, Some(2));
}

#[test]
fn no_tier_outlives_what_is_above_it() {
    let desk = Desk::with_root();
    let args = tier(&["prod", "--lifetime", "50y"]);
    let said = desk.run(&args);
    let note = "note: a CA above ends before the lifetime does, and the tiers end with it\n";
    assert_eq!((said.code, said.err.as_str()), (Some(0), note));
    let end = |file| certificate(&desk, file).validity().not_after();
    assert_eq!(end("ca/prod/tier-cert.pem"), end("ca/root-cert.pem"));
    assert!(desk.ok(&args).contains("nothing was changed"));
    desk.ok(&tier(&["test", "--lifetime", "90d"]));
    let said = desk.run(&["issue", "c1", "--dir", "ca/test"]);
    let note = "note: the tier ends before the lifetime does, and the clusters' CAs end with it\n";
    assert_eq!((said.code, said.err.as_str()), (Some(0), note));
    assert_eq!(end("ca/test/c1/ca-cert.pem"), end("ca/test/tier-cert.pem"));
    desk.ok(&["issue", "c1", "--dir", "ca/test", "--lifetime", "2y"]);
}

#[test]
fn a_key_that_is_there_is_certified_and_stays() {
    let desk = desk();
    let key = desk.read("ca/prod/tier-key.pem");
    for file in ["ca/prod/tier-cert.pem", "ca/prod/tier-root.pem"] {
        std::fs::remove_file(desk.path(file)).unwrap();
    }
    let expected = "`ca/prod/tier-key.pem` is there and has no passphrase; say --no-passphrase to \
                    use it as it is, or move it away";
    refused(&desk, &["tier", "prod", "--dir", "ca"], expected);
    let expected = "`ca/prod/tier-key.pem` is there and not what was asked for: it is ecdsa p256, \
                    asked for was ecdsa p384; it is never replaced: ask for what is there, or move \
                    it away";
    refused(&desk, &tier(&["prod", "--key", "p384"]), expected);
    let inode = |desk: &Desk| desk.state().into_iter().find(|it| it.0.ends_with("tier-key.pem"));
    let before = inode(&desk);
    desk.ok(&tier(&["prod"]));
    assert!(inode(&desk) == before && desk.read("ca/prod/tier-key.pem") == key, "the key changed");
    assert_eq!(desk.names("ca/prod"), FILES);
    std::fs::create_dir(desk.path("ca/empty")).unwrap();
    desk.ok(&tier(&["empty"]));
    assert_eq!(desk.names("ca/empty"), FILES);
}

#[test]
fn what_is_something_else_is_refused_and_leaves_every_other_unmade() {
    let (desk, other) = (desk(), desk());
    desk.ok(&["issue", "c1", "--dir", "ca"]);
    desk.ok(&["init", "ca/root", "--no-passphrase"]);
    desk.write("ca/file", "a file");
    std::fs::create_dir(desk.path("ca/notes")).unwrap();
    desk.write("ca/notes/notes.txt", "an administrator's");
    std::fs::rename(other.path("ca/prod"), desk.path("ca/theirs")).unwrap();
    let why = [
        ("c1", "is a cluster's CA"),
        ("root", "is a root"),
        ("file", "is no folder"),
        ("notes", "holds other files and no tier-key.pem"),
        ("theirs", "is of another issuer, `CN=Root CA,O=Istio`"),
    ];
    for (name, why) in why {
        let expected = format!("`ca/{name}` is there and {why}; move it away");
        refused(&desk, &tier(&["new", name]), &expected);
    }
    std::fs::remove_file(desk.path("ca/prod/tier-key.pem")).unwrap();
    let expected = "`ca/prod` is there and has no tier-key.pem; move it away";
    refused(&desk, &tier(&["prod"]), expected);
    let expected = "--common-name Mine is for one tier at a time: no two CAs should share a name";
    refused(&desk, &tier(&["a", "b", "--common-name", "Mine"]), expected);
    assert!(!desk.path("ca/new").exists());
    let said = desk.run(&tier(&["root-cert.pem"]));
    let expected = "error: \"root-cert.pem\" cannot be a tier's name: a file of a root or a tier has \
                    it; ";
    assert!(said.code == Some(1) && said.err.starts_with(expected), "{}", said.err);
}

#[test]
fn tiers_are_an_array_for_a_script() {
    let desk = Desk::with_root();
    let made: serde_json::Value =
        serde_json::from_str(&desk.ok(&tier(&["prod", "test", "--json"]))).unwrap();
    let prod = certificate(&desk, "ca/prod/tier-cert.pem");
    let expected = serde_json::json!({
        "tier": "prod",
        "folder": "ca/prod",
        "created": true,
        "encrypted": false,
        "path_length": 1,
        "subject": "CN=prod CA,O=Istio",
        "key": "ecdsa p256",
        "not_before": made[0]["not_before"],
        "not_after": made[0]["not_after"],
        "fingerprint": prod.fingerprint().to_string(),
    });
    assert_eq!((&made[0], &made[1]["tier"]), (&expected, &"test".into()));
}
