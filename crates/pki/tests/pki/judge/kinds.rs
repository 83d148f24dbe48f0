//! Kinds of keys, digests and names that only OpenSSL makes, by whom they were taken with Istio
//! 1.31. OpenSSL's clock is the machine's, and so these bundles are judged now.

use pki::{BundleFiles, Context};
use time::{Duration, OffsetDateTime};

use super::table::{check_in, edited};
use crate::common::context;
use crate::openssl::openssl;

struct Kinds {
    root: &'static str,
    ca: &'static str,
    digests: [&'static str; 2],
    subject: &'static str,
}

const GOOD: Kinds = Kinds {
    root: "EC -pkeyopt ec_paramgen_curve:P-256",
    ca: "EC -pkeyopt ec_paramgen_curve:P-256",
    digests: ["-sha256", "-sha256"],
    subject: "/O=Istio/CN=ca",
};

fn bundle(kinds: &Kinds) -> BundleFiles {
    let Kinds { root, ca, digests: [root_digest, ca_digest], subject } = kinds;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(
        folder.join("ca.conf"),
        "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n\
         subjectKeyIdentifier=hash\n",
    )
    .unwrap();
    let run = |command: String| openssl(folder, &command).unwrap();
    run(format!("genpkey -algorithm {root} -out root-key.pem"));
    run(format!("genpkey -algorithm {ca} -out ca-key.pem"));
    run("req -new -key root-key.pem -subj /O=Istio/CN=root -out root.csr".to_owned());
    run(format!("req -new -key ca-key.pem -subj {subject} -out ca.csr"));
    run(format!(
        "x509 -req -in root.csr -signkey root-key.pem {root_digest} -days 365 -extfile ca.conf -out \
         root-cert.pem"
    ));
    run(format!(
        "x509 -req -in ca.csr -CA root-cert.pem -CAkey root-key.pem -CAcreateserial {ca_digest} \
         -days 364 -extfile ca.conf -out ca-cert.pem"
    ));
    let mut files = BundleFiles::new();
    for (name, made) in [
        (BundleFiles::CA_CERT, "ca-cert.pem"),
        (BundleFiles::CA_KEY, "ca-key.pem"),
        (BundleFiles::CERT_CHAIN, "ca-cert.pem"),
        (BundleFiles::ROOT_CERT, "root-cert.pem"),
    ] {
        files.insert(name, std::fs::read(folder.join(made)).unwrap());
    }
    files
}

fn today() -> Context {
    // The certificates start with this second.
    Context { now: OffsetDateTime::now_utc() + Duration::MINUTE, ..context() }
}

const RSA_2048: &str = "RSA -pkeyopt rsa_keygen_bits:2048";
const RSA_1024: &str = "RSA -pkeyopt rsa_keygen_bits:1024";

#[test]
fn keys_that_everyone_takes() {
    let of = |root, ca| bundle(&Kinds { root, ca, ..GOOD });
    let p384 = "EC -pkeyopt ec_paramgen_curve:P-384";
    let p521 = "EC -pkeyopt ec_paramgen_curve:P-521";
    let p256 = GOOD.root;
    let ed25519 = |root, ca| bundle(&Kinds { root, ca, digests: ["", "-sha256"], ..GOOD });
    let rows = vec![
        ("P-256", of(p256, p256), "", &[][..]),
        ("P-384", of(p384, p384), "", &[]),
        ("P-521", of(p521, p521), "", &[]),
        ("RSA above P-256", of(RSA_2048, p256), "", &[]),
        ("RSA under P-256", of(p256, RSA_2048), "", &[]),
        ("Ed25519 cluster CA", ed25519(p256, "ED25519"), "", &[]),
        (
            "Ed25519 root",
            bundle(&Kinds { root: "ED25519", ca: p256, digests: ["", ""], ..GOOD }),
            "",
            &[],
        ),
    ];
    check_in(&today(), rows);
}

#[test]
fn weak_keys_are_for_the_mesh_and_not_for_ztunnel() {
    let of = |root, ca| bundle(&Kinds { root, ca, ..GOOD });
    let p224 = "EC -pkeyopt ec_paramgen_curve:P-224";
    let small = || of(RSA_1024, RSA_1024);
    let other = of(RSA_1024, RSA_1024);
    let stranger =
        |_: &str| String::from_utf8(other.get(BundleFiles::CA_KEY).unwrap().to_vec()).unwrap();
    let not_proved = &["unproved-signature", "weak-key"];
    let rows = vec![
        ("RSA 1024", small(), "Z", &["weak-key"][..]),
        ("root of RSA 1024", of(RSA_1024, GOOD.ca), "Z", &["weak-key"]),
        ("cluster CA of RSA 1024", of(GOOD.root, RSA_1024), "Z", &["weak-key"]),
        (
            "RSA 1024, another key",
            edited(small(), BundleFiles::CA_KEY, stranger),
            "SRZ",
            &["key-mismatch", "weak-key"],
        ),
        (
            "RSA 1024, another root",
            edited(small(), BundleFiles::ROOT_CERT, |_| {
                String::from_utf8(other.get(BundleFiles::ROOT_CERT).unwrap().to_vec()).unwrap()
            }),
            "SRAEZT",
            &["no-path-to-root"],
        ),
        ("root of P-224", of(p224, GOOD.ca), "Z", not_proved),
        (
            "cluster CA of P-224",
            of(GOOD.root, p224),
            "Z",
            &["unreadable-key", "unproved-signature", "weak-key"],
        ),
    ];
    check_in(&today(), rows);
}

#[test]
fn a_curve_that_go_does_not_read() {
    let koblitz = "EC -pkeyopt ec_paramgen_curve:secp256k1";
    let ca = bundle(&Kinds { ca: koblitz, ..GOOD });
    let root = bundle(&Kinds { root: koblitz, ..GOOD });
    let rows = vec![
        ("cluster CA", ca, "SR", &["unreadable-pem", "unreadable-key"][..]),
        ("root", root, "SRAEZT", &["unreadable-pem", "no-path-to-root"]),
    ];
    check_in(&today(), rows);
}

#[test]
fn digests() {
    let of = |digests| bundle(&Kinds { root: RSA_2048, digests, ..GOOD });
    let rows = vec![
        ("SHA-512", of(["-sha512", "-sha512"]), "", &[][..]),
        ("SHA-1 on the root", of(["-sha1", "-sha256"]), "", &["weak-digest"]),
        ("SHA-1 on the cluster CA", of(["-sha256", "-sha1"]), "SRAEZT", &["no-path-to-root"]),
    ];
    check_in(&today(), rows);
}

#[test]
fn names_with_an_attribute_twice() {
    let of = |subject| bundle(&Kinds { subject, ..GOOD });
    let rows = vec![
        ("DC", of("/DC=local/DC=cluster/CN=ca"), "", &[][..]),
        ("OU", of("/O=Istio/OU=one/OU=two/CN=ca"), "", &[]),
    ];
    check_in(&today(), rows);
}

#[test]
fn a_small_key_in_the_form_of_pkcs1() {
    let files = bundle(&Kinds { root: RSA_1024, ca: RSA_1024, ..GOOD });
    let pkcs1 = |pem: &str| crate::openssl::converted(pem, "rsa -traditional -in key.pem");
    let pkcs1 = edited(files, BundleFiles::CA_KEY, pkcs1);
    check_in(&today(), vec![("PKCS#1", pkcs1, "Z", &["weak-key"])]);
}
