//! Requests that other tools made, in `fixtures/requests`.

use std::path::Path;

use pki::Certificate;
use pretty_assertions::assert_eq;

use crate::desk::{Desk, Said};

fn request(desk: &Desk, file: &str) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/requests");
    desk.write(file, std::fs::read(fixtures.join(file)).unwrap());
}

fn sign(desk: &Desk, file: &str) -> Said {
    request(desk, file);
    desk.run(&["sign", file, "--dir", "ca", "--name", "c1", "--out", "out", "--yes"])
}

#[test]
fn what_another_tool_asks_for_is_shown_and_its_key_alone_is_certified() {
    let desk = Desk::with_root();
    let asking = [
        ("openssl.csr", vec!["subject: CN=Mesh CA,O=Example"]),
        (
            "openssl-text.csr",
            vec![
                "subject: CN=Mesh CA,O=Example",
                "basicConstraints critical: CA true, path length 5",
                "keyUsage critical: keyCertSign",
                "subjectAltName: DNS:api.example.com, \
                 URI:spiffe://cluster.local/ns/kube-system/sa/admin",
            ],
        ),
        ("step.csr", vec!["subject: CN=mesh.example.com", "subjectAltName: DNS:mesh.example.com"]),
        (
            "cert-manager.csr",
            vec![
                "subject: CN=istio-ca,O=cluster.local",
                "subjectAltName: URI:spiffe://cluster.local/ns/istio-system/sa/ca",
                "keyUsage critical: digitalSignature, keyEncipherment, keyCertSign",
                "basicConstraints critical: CA true",
            ],
        ),
        ("vault.csr", vec!["subject: CN=example.com Intermediate Authority"]),
        (
            "vault-constraints.csr",
            vec![
                "subject: CN=example.com Intermediate Authority",
                "subjectAltName: DNS:example.com",
                "basicConstraints critical: CA true",
            ],
        ),
        ("empty.csr", vec!["subject: "]),
    ];
    for (file, wishes) in asking {
        std::fs::create_dir(desk.path("out")).unwrap();
        let said = sign(&desk, file);
        assert_eq!(said.code, Some(0), "{file}: {}", said.err);
        let shown: Vec<_> =
            said.err.lines().filter_map(|line| line.strip_prefix("  not granted   ")).collect();
        assert_eq!(shown, wishes, "{file}");
        let ca = Certificate::from_pem(&desk.read("out/c1.response.pem")).unwrap();
        assert_eq!(ca.subject().to_string(), "L=c1,CN=Intermediate CA,O=Istio", "{file}");
        assert_eq!((ca.is_ca(), ca.path_len()), (true, Some(0)), "{file}");
        assert_eq!(ca.dns_sans(), ["istiod.istio-system.svc"], "{file}");
        assert!(ca.uri_sans().is_empty(), "{file}");
        assert_eq!(ca.key_usage().unwrap().to_string(), "keyCertSign, cRLSign", "{file}");
        std::fs::remove_dir_all(desk.path("out")).unwrap();
    }
}

#[test]
fn weak_and_unusual_keys_are_refused_by_name() {
    let desk = Desk::with_root();
    std::fs::create_dir(desk.path("out")).unwrap();
    let usual = "expected ecdsa p256, ecdsa p384, rsa 2048, rsa 3072, rsa 4096";
    let unknown = |kind: &str| {
        format!(
            "the request has a key of kind {kind} that is too weak or unknown here, or a signature \
             that does not fit it; expected RSA from 2048 bits, P-256, P-384, P-521 or Ed25519"
        )
    };
    let refused = [
        ("rsa1024.csr", unknown("rsa 1024")),
        ("secp256k1.csr", unknown("ecdsa on curve 1.3.132.0.10")),
        ("pss.csr", unknown("algorithm 1.2.840.113549.1.1.10")),
        (
            "sha1.csr",
            "the request does not prove that its sender has the private key: the signature is over \
             a SHA-1 digest, which is refused"
                .to_owned(),
        ),
        ("ed25519.csr", format!("it has a key of kind ed25519, {usual}")),
        ("p521.csr", format!("it has a key of kind ecdsa p521, {usual}")),
    ];
    for (file, reason) in refused {
        let said = sign(&desk, file);
        let expected = format!("error: `{file}` is not signed: {reason}\n");
        assert_eq!((said.code, said.err), (Some(1), expected));
    }
    assert_eq!(desk.names("out"), Vec::<String>::new());
}

#[test]
fn a_request_whose_signature_is_of_another_key_is_refused() {
    let desk = Desk::with_root();
    request(&desk, "openssl.csr");
    std::fs::create_dir(desk.path("out")).unwrap();
    // The last digits before the end are of the signature.
    let text = desk.text("openssl.csr");
    let at = text.find("\n-----END").unwrap() - 8;
    let other = if &text[at..=at] == "A" { "B" } else { "A" };
    desk.write("forged.csr", format!("{}{other}{}", &text[..at], &text[at + 1..]));
    let args = ["sign", "forged.csr", "--dir", "ca", "--name", "c1", "--out", "out", "--yes"];
    let said = desk.run(&args);
    let expected = "error: `forged.csr` is not signed: the request does not prove that its sender \
                    has the private key: the signature is not of this key\n";
    assert_eq!((said.code, said.err.as_str()), (Some(1), expected));
    assert_eq!(sign(&desk, "openssl.csr").code, Some(0));
}
