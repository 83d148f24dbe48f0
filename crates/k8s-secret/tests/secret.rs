//! From a bundle to the object and back, and what is told of it: no API server needed.

#[path = "common/bundles.rs"]
mod bundles;

use bundles::{bundle, root};
use k8s_openapi::api::core::v1::Secret;
use k8s_secret::{CacertsSecret, Change, Difference, Held, KeyChange, Redacted, SecretRef};
use pki::{Bundle, BundleFiles, Certificate};
use pretty_assertions::assert_eq;
use serde_json::json;

fn secret(bundle: &Bundle) -> CacertsSecret {
    CacertsSecret::new(bundle, SecretRef::istio_system())
}

/// Names and contents of files, for comparison; test keys only.
fn contents(files: &BundleFiles) -> Vec<(String, Vec<u8>)> {
    let owned = |name: &str| (name.to_owned(), files.get(name).unwrap_or_default().to_vec());
    files.names().map(owned).collect()
}

fn fingerprints(pem: Option<&[u8]>) -> Result<Held, pki::Error> {
    let all = Certificate::all_from_pem(pem.unwrap_or_default())?;
    Ok(Held::Certificates(all.iter().map(Certificate::fingerprint).collect()))
}

#[test]
fn the_secret_holds_the_four_files_byte_for_byte_and_says_whose_they_are() {
    let bundle = bundle(&root("Root CA").unwrap(), "cluster1").unwrap();
    let manifest = secret(&bundle).manifest();

    assert_eq!(
        contents(&k8s_secret::from_secret(manifest.expose_secret())),
        contents(bundle.files())
    );
    let mut object = serde_json::to_value(&manifest).unwrap();
    let data = object.as_object_mut().unwrap().remove("data").unwrap();
    assert_eq!(
        data.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"]
    );
    assert_eq!(
        object,
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": "cacerts",
                "namespace": "istio-system",
                "labels": { "app.kubernetes.io/managed-by": "cacerts" },
                "annotations": {
                    "cacerts/cluster-ca": bundle.certificate().fingerprint().to_string(),
                    "cacerts/root": bundle.hierarchy().root().fingerprint().to_string(),
                },
            },
        })
    );
}

#[test]
fn text_of_a_secret_shows_certificates_and_no_key() {
    let bundle = bundle(&root("Root CA").unwrap(), "cluster1").unwrap();
    let secret = secret(&bundle);
    let manifest = secret.manifest();
    let (cluster_ca, root) =
        (bundle.certificate().fingerprint(), bundle.hierarchy().root().fingerprint());
    let length = |name| bundle.files().get(name).unwrap().len();

    assert_eq!(
        manifest.to_string(),
        format!(
            "\
kind: Secret
metadata:
  name: cacerts
  namespace: istio-system
  labels:
    app.kubernetes.io/managed-by: cacerts
  annotations:
    cacerts/cluster-ca: {cluster_ca}
    cacerts/root: {root}
data:
  ca-cert.pem: {} bytes
    {cluster_ca} L=cluster1,CN=Intermediate CA,O=Example
  ca-key.pem: {} bytes, elided
  cert-chain.pem: {} bytes
    {cluster_ca} L=cluster1,CN=Intermediate CA,O=Example
  root-cert.pem: {} bytes
    {root} CN=Root CA,O=Example
",
            length("ca-cert.pem"),
            length("ca-key.pem"),
            length("cert-chain.pem"),
            length("root-cert.pem"),
        )
    );
    assert_eq!(format!("{manifest:?}"), manifest.to_string());
    let debug = format!("{secret:?} {:?}", k8s_secret::from_secret(manifest.expose_secret()));
    assert!(debug.contains("\"ca-key.pem\": \""), "{debug}");
    assert_no_key(&bundle, &debug);
    assert_no_key(&bundle, &manifest.to_string());
}

/// Looks for the key as it stands in the file, as base64 of the file, and as a list of numbers.
fn assert_no_key(bundle: &Bundle, text: &str) {
    let key = bundle.files().get(BundleFiles::CA_KEY).unwrap_or_default();
    let pem = String::from_utf8_lossy(key);
    let line = pem.lines().nth(1).unwrap_or_default();
    assert!(line.len() > 30, "the key is not where this test looks for it");
    assert!(!text.contains(line), "{text}");
    assert!(!text.contains("PRIVATE"), "{text}");
    assert!(!text.contains("LS0tLS1CRUdJTi"), "base64 of a PEM file: {text}");
    assert!(!text.contains("45, 45, 45, 45"), "bytes of a PEM file: {text}");
}

#[test]
fn what_kubectl_left_in_an_annotation_is_not_shown_either() {
    let bundle = bundle(&root("Root CA").unwrap(), "cluster1").unwrap();
    let mut object: Secret =
        serde_json::from_value(serde_json::to_value(secret(&bundle).manifest()).unwrap()).unwrap();
    let copy = serde_json::to_string(&object).unwrap();
    let annotations = object.metadata.annotations.as_mut().unwrap();
    annotations.insert("kubectl.kubernetes.io/last-applied-configuration".to_owned(), copy.clone());

    let text = Redacted(&object).to_string();
    let line = format!(
        "    kubectl.kubernetes.io/last-applied-configuration: {} characters, elided\n",
        copy.len()
    );
    assert!(text.contains(&line), "{text}");
    assert_no_key(&bundle, &text);
}

#[test]
fn a_secret_laid_out_by_others_is_read_with_every_key() {
    let object: Secret = serde_json::from_value(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": "cacerts" },
        "type": "kubernetes.io/tls",
        "data": { "tls.crt": "Y2VydA==", "tls.key": "a2V5", "ca.crt": "", "note": "/w==" },
        "stringData": { "tls.crt": "from a manifest" },
    }))
    .unwrap();
    assert_eq!(
        contents(&k8s_secret::from_secret(&object)),
        [
            ("ca.crt".to_owned(), vec![]),
            ("note".to_owned(), vec![0xff]),
            ("tls.crt".to_owned(), b"from a manifest".to_vec()),
            ("tls.key".to_owned(), b"key".to_vec()),
        ]
    );
    assert_eq!(contents(&k8s_secret::from_secret(&Secret::default())), []);
}

#[test]
fn a_secret_does_not_differ_from_itself() {
    let bundle = bundle(&root("Root CA").unwrap(), "cluster1").unwrap();
    let secret = secret(&bundle);
    let difference = secret.difference(secret.manifest().expose_secret());
    assert!(difference.is_empty());
    assert_eq!(difference.to_string(), "no difference");
}

#[test]
fn another_cluster_ca_under_the_same_root_differs_in_all_but_the_root() {
    let root = root("Root CA").unwrap();
    let (old, new) = (bundle(&root, "cluster1").unwrap(), bundle(&root, "cluster1").unwrap());
    let difference = secret(&new).difference(secret(&old).manifest().expose_secret());

    let change = Change {
        from: Held::Certificates(vec![old.certificate().fingerprint()]),
        to: Held::Certificates(vec![new.certificate().fingerprint()]),
    };
    let mut expected = Difference::between(&BundleFiles::new(), &BundleFiles::new());
    expected.cluster_ca = Some(change.clone());
    expected.chain = Some(change);
    expected.key = Some(KeyChange::Replaced);
    expected.metadata = true;
    assert_eq!(difference, expected);
    assert_eq!(
        difference.to_string(),
        format!(
            "cluster CA (ca-cert.pem): {0} -> {1}\n\
             chain (cert-chain.pem): {0} -> {1}\n\
             key (ca-key.pem): replaced\n\
             labels and annotations: those of another bundle, or none",
            old.certificate().fingerprint(),
            new.certificate().fingerprint()
        )
    );
    assert_no_key(&new, &format!("{difference} {difference:?}"));
    assert_no_key(&old, &format!("{difference} {difference:?}"));
}

#[test]
fn every_part_is_told_whatever_was_there() {
    let bundle = bundle(&root("Root CA").unwrap(), "cluster1").unwrap();
    let mut odd = BundleFiles::new();
    let root_pem = bundle.files().get(BundleFiles::ROOT_CERT).unwrap();
    odd.insert(BundleFiles::ROOT_CERT, [root_pem, b"\n"].concat());
    odd.insert(BundleFiles::CERT_CHAIN, bundle.files().get(BundleFiles::CA_KEY).unwrap());
    let (cluster_ca, root) =
        (bundle.certificate().fingerprint(), bundle.hierarchy().root().fingerprint());

    let to_bundle = Difference::between(&odd, bundle.files()).to_string();
    assert_eq!(
        to_bundle,
        format!(
            "cluster CA (ca-cert.pem): nothing -> {cluster_ca}\n\
             chain (cert-chain.pem): unreadable (line 1 starts a `PRIVATE KEY`, expected a \
             `CERTIFICATE`) -> {cluster_ca}\n\
             root (root-cert.pem): {root}, the same in other bytes\n\
             key (ca-key.pem): added"
        )
    );
    assert_no_key(&bundle, &to_bundle.replace("`PRIVATE KEY`", ""));
    let from_bundle = Difference::between(bundle.files(), &BundleFiles::new());
    assert_eq!(from_bundle.key, Some(KeyChange::Removed));
    assert_eq!(
        from_bundle.root,
        Some(Change {
            from: fingerprints(bundle.files().get(BundleFiles::ROOT_CERT)).unwrap(),
            to: Held::Absent
        })
    );
}

#[test]
fn the_layout_of_cert_manager_is_compared_by_what_istiod_reads() {
    let root = root("Root CA").unwrap();
    let (bundle, stray) = (bundle(&root, "cluster1").unwrap(), bundle(&root, "stray").unwrap());
    let mut tls = BundleFiles::new();
    for (key, file) in [
        ("tls.crt", BundleFiles::CA_CERT),
        ("tls.key", BundleFiles::CA_KEY),
        ("ca.crt", BundleFiles::ROOT_CERT),
    ] {
        tls.insert(key, bundle.files().get(file).unwrap());
    }
    // Beside tls.crt, istiod does not look at these.
    for name in BundleFiles::NAMES {
        tls.insert(name, stray.files().get(name).unwrap());
    }
    let (cluster_ca, root) =
        (bundle.certificate().fingerprint(), bundle.hierarchy().root().fingerprint());
    assert_eq!(
        Difference::between(&tls, bundle.files()).to_string(),
        format!("chain (cert-chain.pem): {cluster_ca} + {root} -> {cluster_ca}")
    );
}
