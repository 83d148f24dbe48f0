//! The requests, to the letter, and when there are none.

use k8s_secret::{Error, OtherWriters, Outcome, PlugIn, RootChange, SecretRef, plug_in, read};
use pki::BundleFiles;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::bundles::{bundle, root};
use crate::script::{Answer, Asked, Script, absent, object};
use crate::{STRICT, UID, VERSION, live, secret, written};

const URL: &str = "/api/v1/namespaces/istio-system/secrets/cacerts";

fn got() -> Asked {
    Asked {
        method: "GET".to_owned(),
        url: URL.to_owned(),
        accept: None,
        content_type: None,
        body: Value::Null,
    }
}

fn applied(query: &str, body: Value) -> Asked {
    Asked {
        method: "PATCH".to_owned(),
        url: format!("{URL}?{query}"),
        accept: Some("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1".to_owned()),
        content_type: Some("application/apply-patch+yaml".to_owned()),
        body,
    }
}

/// The manifest, and the version it is applied upon.
fn upon(bundle: &pki::Bundle, version: &str, uid: Option<&str>) -> Value {
    let mut body = json!(secret(bundle).manifest());
    body["metadata"]["resourceVersion"] = json!(version);
    if let Some(uid) = uid {
        body["metadata"]["uid"] = json!(uid);
    }
    body
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_created_and_only_created() {
    let bundle = bundle(&root("Root CA").unwrap(), "cluster1").unwrap();
    let (client, script) = Script::play([absent(), object(&written(&bundle))]);

    assert_eq!(plug_in(&client, &secret(&bundle), STRICT).await, Ok(Outcome::Created));
    let body = upon(&bundle, "18446744073709551615", None);
    assert_eq!(script.asked(), [got(), applied("&fieldManager=cacerts", body)]);
}

#[tokio::test]
async fn a_secret_that_holds_the_bundle_is_not_written() {
    let bundle = bundle(&root("Root CA").unwrap(), "cluster1").unwrap();
    let (client, script) = Script::play([object(&live(&bundle))]);

    assert_eq!(plug_in(&client, &secret(&bundle), STRICT).await, Ok(Outcome::Unchanged));
    assert_eq!(script.asked(), [got()]);
}

#[tokio::test]
async fn a_new_cluster_ca_under_the_same_root_replaces_what_was_read() {
    let root = root("Root CA").unwrap();
    let (old, new) = (bundle(&root, "cluster1").unwrap(), bundle(&root, "cluster1").unwrap());
    let (client, script) = Script::play([object(&live(&old)), object(&written(&new))]);

    let difference = secret(&new).difference(secret(&old).manifest().expose_secret());
    assert_eq!(plug_in(&client, &secret(&new), STRICT).await, Ok(Outcome::Updated(difference)));
    let body = upon(&new, VERSION, Some(UID));
    assert_eq!(script.asked(), [got(), applied("&fieldManager=cacerts", body)]);
}

#[tokio::test]
async fn a_change_of_root_is_refused_unless_asked_for() {
    let old = bundle(&root("Root CA").unwrap(), "cluster1").unwrap();
    let new = bundle(&root("Root CA").unwrap(), "cluster1").unwrap();
    let (client, script) = Script::play([object(&live(&old))]);

    let refused = plug_in(&client, &secret(&new), STRICT).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!(
            "Secret istio-system/cacerts holds another root: {}, the bundle has {}; workloads \
             refuse certificates under a root they do not trust yet, so rotate in steps, or ask \
             for the change of root",
            old.hierarchy().root().fingerprint(),
            new.hierarchy().root().fingerprint()
        )
    );
    assert_eq!(script.asked(), [got()]);

    let (client, script) = Script::play([object(&live(&old)), object(&written(&new))]);
    let allowed = PlugIn { root_change: RootChange::Allow, ..STRICT };
    let difference = secret(&new).difference(secret(&old).manifest().expose_secret());
    assert_eq!(plug_in(&client, &secret(&new), allowed).await, Ok(Outcome::Updated(difference)));
    let body = upon(&new, VERSION, Some(UID));
    assert_eq!(script.asked(), [got(), applied("&fieldManager=cacerts", body)]);
}

#[tokio::test]
async fn the_same_root_in_other_bytes_is_refused_because_istiod_would_drop_it() {
    let bundle = bundle(&root("Root CA").unwrap(), "cluster1").unwrap();
    let mut there = live(&bundle);
    let mut pem = bundle.files().get(BundleFiles::ROOT_CERT).unwrap().to_vec();
    pem.push(b'\n');
    there["data"]["root-cert.pem"] = json!(k8s_openapi::ByteString(pem));
    let (client, script) = Script::play([object(&there)]);

    let refused = plug_in(&client, &secret(&bundle), STRICT).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!(
            "Secret istio-system/cacerts holds the same root ({}) in other bytes of \
             root-cert.pem: istiod compares bytes and drops such an update unless \
             ISTIO_MULTIROOT_MESH is set; take root-cert.pem as it is in the Secret, or ask for \
             the change of root",
            bundle.hierarchy().root().fingerprint()
        )
    );
    assert_eq!(script.asked(), [got()]);
}

#[tokio::test]
async fn a_secret_without_a_root_is_filled_without_asking() {
    let bundle = bundle(&root("Root CA").unwrap(), "cluster1").unwrap();
    let mut empty = live(&bundle);
    empty["data"] = json!({ "note": "aGVsbG8=" });
    let (client, script) = Script::play([object(&empty), object(&written(&bundle))]);

    let outcome = plug_in(&client, &secret(&bundle), STRICT).await;
    assert!(matches!(outcome, Ok(Outcome::Updated(_))), "{outcome:?}");
    assert_eq!(script.asked().len(), 2);
}

#[tokio::test]
async fn fields_of_another_writer_are_taken_over_only_when_asked_for() {
    let root = root("Root CA").unwrap();
    let (old, new) = (bundle(&root, "cluster1").unwrap(), bundle(&root, "cluster1").unwrap());
    let (client, script) = Script::play([object(&live(&old)), object(&written(&new))]);

    let take_over = PlugIn { other_writers: OtherWriters::TakeOver, ..STRICT };
    let outcome = plug_in(&client, &secret(&new), take_over).await;
    assert!(matches!(outcome, Ok(Outcome::Updated(_))), "{outcome:?}");
    let body = upon(&new, VERSION, Some(UID));
    assert_eq!(script.asked(), [got(), applied("&force=true&fieldManager=cacerts", body)]);
}

#[tokio::test]
async fn another_namespace_is_another_url() {
    let at = SecretRef::in_namespace("mesh-2").unwrap();
    let (client, script) = Script::play([absent()]);
    assert!(read(&client, &at, STRICT.limit).await.unwrap().is_none());
    let url = "/api/v1/namespaces/mesh-2/secrets/cacerts".to_owned();
    assert_eq!(script.asked(), [Asked { url, ..got() }]);
}

#[tokio::test]
async fn reading_gives_every_file_and_keeps_the_bytes() {
    let bundle = bundle(&root("Root CA").unwrap(), "cluster1").unwrap();
    let mut there = live(&bundle);
    there["data"]["note"] = json!("aGVsbG8=");
    let (client, script) = Script::play([object(&there)]);

    let at = SecretRef::istio_system();
    let files = read(&client, &at, STRICT.limit).await.unwrap().unwrap();
    let names = ["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "note", "root-cert.pem"];
    assert_eq!(files.names().collect::<Vec<_>>(), names);
    assert_eq!(files.get("note"), Some(b"hello".as_slice()));
    for name in BundleFiles::NAMES {
        assert_eq!(files.get(name), bundle.files().get(name));
    }
    assert_eq!(script.asked(), [got()]);
}

#[tokio::test]
async fn a_404_of_something_else_is_not_taken_for_an_absent_secret() {
    let page = || Answer::Body(404, "<html>no such page</html>".to_owned());
    let (client, script) = Script::play([page()]);
    let error = read(&client, &SecretRef::istio_system(), STRICT.limit).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Secret istio-system/cacerts: the API server refused to read it, status 404: \
         <html>no such page</html>"
    );
    assert!(matches!(error, Error::Refused { status: 404, .. }));
    assert_eq!(script.asked(), [got()]);
}
