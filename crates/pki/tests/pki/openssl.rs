//! OpenSSL as an independent witness: it verifies what this crate makes, and makes what this
//! crate loads.

use std::path::Path;
use std::process::Stdio;

use pki::{Bundle, ClusterCa, KeyAlgorithm, PrivateKey, Profile, TierCaParams, probe};
use pretty_assertions::assert_eq;
use tempfile::TempDir;
use time::OffsetDateTime;

use crate::common::{NOW, cluster_params, days, httpbin, root, root_params};

/// Runs `openssl` in a folder; its output, or what it says when it fails.
pub(crate) fn openssl(folder: &Path, command: &str) -> Result<String, String> {
    #[expect(clippy::disallowed_methods, reason = "this is the tests' one command module")]
    let output = std::process::Command::new("openssl")
        .args(command.split_whitespace())
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("these tests need the openssl program (Debian package openssl)");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    Err(format!("openssl {command}: {}{}", text(&output.stdout), text(&output.stderr)))
}

/// What an `openssl` command prints that reads `key.pem`.
pub(crate) fn converted(key: &str, command: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key.pem"), key).unwrap();
    openssl(folder.path(), command).unwrap()
}

fn lay_out(bundle: &Bundle) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in bundle.files().names() {
        std::fs::write(folder.path().join(name), bundle.files().get(name).unwrap()).unwrap();
    }
    let leaf = probe::workload_leaf(bundle, &httpbin(), NOW).unwrap();
    std::fs::write(folder.path().join("leaf.pem"), leaf.certificate.to_pem()).unwrap();
    std::fs::write(folder.path().join("served.pem"), leaf.chain_pem()).unwrap();
    folder
}

fn at(time: OffsetDateTime) -> String {
    format!("-attime {}", time.unix_timestamp())
}

#[track_caller]
fn accepted(bundle: &Bundle) {
    let folder = lay_out(bundle);
    let folder = folder.path();
    let at = at(NOW);
    for purpose in ["sslserver", "sslclient"] {
        let command = format!(
            "verify {at} -x509_strict -purpose {purpose} -CAfile root-cert.pem -untrusted served.pem \
             leaf.pem"
        );
        assert_eq!(openssl(folder, &command), Ok("leaf.pem: OK\n".to_owned()));
    }
    let text = openssl(folder, "x509 -in leaf.pem -noout -text").unwrap();
    for line in [
        "X509v3 Subject Alternative Name: critical",
        "URI:spiffe://cluster.local/ns/foo/sa/httpbin",
        "TLS Web Server Authentication, TLS Web Client Authentication",
        "X509v3 Basic Constraints: critical",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    let public = openssl(folder, "pkey -in ca-key.pem -pubout").unwrap();
    assert_eq!(openssl(folder, "x509 -in ca-cert.pem -noout -pubkey").unwrap(), public);
}

#[test]
fn openssl_accepts_every_kind_of_key_in_the_hardened_profile() {
    for algorithm in KeyAlgorithm::ALL {
        let mut params = root_params(Profile::Hardened);
        params.key = algorithm;
        let root = pki::RootCa::generate(&params).unwrap();
        let mut params = cluster_params(Profile::Hardened);
        params.key = algorithm;
        accepted(&root.issue_cluster_ca(&params).unwrap().bundle().unwrap());
    }
}

#[test]
fn openssl_accepts_the_makefile_profile_and_a_tier() {
    accepted(&crate::common::bundle(Profile::Makefile));
    let tier = root(Profile::Hardened)
        .issue_tier_ca(&TierCaParams {
            profile: Profile::Hardened,
            common_name: "Tier CA".to_owned(),
            organization: "Istio".to_owned(),
            path_len: 1,
            validity: days(-1, 900),
            key: KeyAlgorithm::EcdsaP384,
        })
        .unwrap();
    accepted(&tier.issue_cluster_ca(&cluster_params(Profile::Hardened)).unwrap().bundle().unwrap());
}

#[test]
fn openssl_refuses_a_foreign_leaf_and_this_witness_can_say_no() {
    let ours = crate::common::bundle(Profile::Hardened);
    let theirs = probe::foreign_bundle(ours.hierarchy(), NOW).unwrap();
    let folder = lay_out(&theirs);
    std::fs::write(folder.path().join("ours.pem"), ours.hierarchy().trust_bundle().to_pem())
        .unwrap();
    let verify = |root: &str| {
        let at = at(NOW);
        openssl(
            folder.path(),
            &format!("verify {at} -CAfile {root} -untrusted served.pem leaf.pem"),
        )
    };
    assert_eq!(verify("root-cert.pem"), Ok("leaf.pem: OK\n".to_owned()));
    let refusal = verify("ours.pem").unwrap_err();
    let reason = "error 19 at 2 depth lookup: self-signed certificate in certificate chain";
    assert!(refusal.contains(reason), "{refusal}");
}

#[test]
fn keys_are_written_byte_for_byte_as_openssl_writes_them() {
    for algorithm in KeyAlgorithm::ALL {
        let folder = tempfile::tempdir().unwrap();
        let pem = PrivateKey::generate(algorithm).unwrap().to_pem().unwrap();
        std::fs::write(folder.path().join("key.pem"), pem.as_bytes()).unwrap();
        let rewritten = openssl(folder.path(), "pkey -in key.pem").unwrap();
        assert!(rewritten == *pem, "{algorithm}: OpenSSL writes this key otherwise");
    }
}

/// `openssl` commands that make a key, the file they leave it in, and the kind it is.
const KEYS: &[(&str, &str, &str)] = &[
    ("PKCS#8 RSA", "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem", "rsa 2048"),
    ("PKCS#1 RSA", "genrsa -traditional -out key.pem 3072", "rsa 3072"),
    (
        "PKCS#8 EC",
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem",
        "ecdsa p256",
    ),
    ("SEC1 EC", "ecparam -name secp384r1 -genkey -noout -out key.pem", "ecdsa p384"),
    ("SEC1 P-521", "ecparam -name secp521r1 -genkey -noout -out key.pem", "ecdsa p521"),
    ("PKCS#8 Ed25519", "genpkey -algorithm ED25519 -out key.pem", "ed25519"),
];

#[test]
fn roots_and_cluster_cas_made_by_openssl_load_and_work() {
    for (label, make_key, kind) in KEYS {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        openssl(folder, make_key).unwrap();
        openssl(
            folder,
            "req -x509 -new -key key.pem -sha256 -days 3650 -subj /DC=com/DC=example/OU=PKI/OU=Mesh/CN=Root \
             -addext keyUsage=critical,keyCertSign,cRLSign -out cert.pem",
        )
        .unwrap();
        let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
        let certificate = pki::Certificate::from_pem(&read("cert.pem")).unwrap();
        let now = certificate.validity().not_before() + time::Duration::HOUR;
        let root = pki::RootCa::from_pem(&read("cert.pem"), &read("key.pem"), now).unwrap();
        assert_eq!(root.expose_private_key().kind(), *kind, "{label}");

        let mut params = cluster_params(Profile::Hardened);
        params.validity = pki::Validity::new(now, now + time::Duration::days(365)).unwrap();
        let bundle = root.issue_cluster_ca(&params).unwrap().bundle().unwrap();
        assert_eq!(
            bundle.certificate().issuer().der(),
            certificate.subject().der(),
            "{label}: the issuer is not the root's name to the byte"
        );
        for name in ["ca-cert.pem", "root-cert.pem"] {
            std::fs::write(folder.join(name), bundle.files().get(name).unwrap()).unwrap();
        }
        let command = format!("verify {} -x509_strict -CAfile root-cert.pem ca-cert.pem", at(now));
        assert_eq!(openssl(folder, &command), Ok("ca-cert.pem: OK\n".to_owned()), "{label}");

        // What it made, it loads again as others' work.
        let file = |name: &str| bundle.files().get(name).unwrap();
        let (chain, root) = (file("cert-chain.pem"), file("root-cert.pem"));
        let again =
            ClusterCa::from_pem(file("ca-cert.pem"), file("ca-key.pem"), chain, root, now).unwrap();
        assert_eq!(again.hierarchy(), bundle.hierarchy(), "{label}");
    }
}

#[test]
fn keys_that_istiod_cannot_read_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let read = |name: &str| {
        PrivateKey::from_pem(&std::fs::read(folder.join(name)).unwrap()).unwrap_err().to_string()
    };
    openssl(folder, "ecparam -name prime256v1 -genkey -out parameters-first.pem").unwrap();
    assert_eq!(
        read("parameters-first.pem"),
        "line 1 starts a `EC PARAMETERS`, expected a `PRIVATE KEY`, `RSA PRIVATE KEY` or `EC \
         PRIVATE KEY` as the first block"
    );
    let encrypted = "the private key is encrypted; decrypt it first, istiod cannot read it either";
    openssl(folder, "genpkey -algorithm ED25519 -aes256 -pass pass:secret -out pkcs8.pem").unwrap();
    assert_eq!(read("pkcs8.pem"), encrypted);
    openssl(folder, "genrsa -traditional -aes128 -passout pass:secret -out old.pem 2048").unwrap();
    assert_eq!(read("old.pem"), encrypted);
    openssl(folder, "pkey -in parameters-first.pem -pubout -out public.pem").unwrap();
    assert_eq!(
        read("public.pem"),
        "line 1 starts a `PUBLIC KEY`, expected a `PRIVATE KEY`, `RSA PRIVATE KEY` or `EC PRIVATE \
         KEY` as the first block"
    );
    for (name, command) in [
        ("small.pem", "genrsa -out small.pem 1024"),
        ("koblitz.pem", "ecparam -name secp256k1 -genkey -noout -out koblitz.pem"),
    ] {
        openssl(folder, command).unwrap();
        assert_eq!(
            read(name),
            "the private key is damaged or not RSA (from 2048 bits), P-256, P-384, P-521, Ed25519"
        );
    }
    // The control: the same key behind its parameters is fine.
    openssl(folder, "ec -in parameters-first.pem -out good.pem").unwrap();
    let good = std::fs::read(folder.join("good.pem")).unwrap();
    assert_eq!(PrivateKey::from_pem(&good).unwrap().kind(), "ecdsa p256");
}
