//! What is sent to the API server, and what is made of its answers. The answers are those that
//! kube-apiserver v1.36.3 gives; `tests/api_server` gets them from a real one.

#[path = "../common/bundles.rs"]
mod bundles;
mod errors;
mod leaks;
mod requests;
mod script;

use std::time::Duration;

use k8s_secret::{CacertsSecret, OtherWriters, PlugIn, RootChange, SecretRef};
use pki::Bundle;
use serde_json::{Value, json};

/// Nothing is allowed that does not have to be.
const STRICT: PlugIn = PlugIn {
    root_change: RootChange::Refuse,
    other_writers: OtherWriters::Refuse,
    limit: Duration::from_secs(10),
};

const UID: &str = "7feeee3d-783f-4c75-bad5-b725ddcae5fc";
const VERSION: &str = "64";

fn secret(bundle: &Bundle) -> CacertsSecret {
    CacertsSecret::new(bundle, SecretRef::istio_system())
}

/// The Secret as the API server has it after this bundle was plugged in.
fn live(bundle: &Bundle) -> Value {
    let mut object = json!(secret(bundle).manifest());
    object["metadata"]["uid"] = json!(UID);
    object["metadata"]["resourceVersion"] = json!(VERSION);
    object["type"] = json!("Opaque");
    object
}

/// What the API server answers when this bundle has been written.
fn written(bundle: &Bundle) -> Value {
    let mut object = live(bundle);
    object["kind"] = json!("PartialObjectMetadata");
    object["apiVersion"] = json!("meta.k8s.io/v1");
    for field in ["data", "type"] {
        object[field].take();
    }
    object
}
