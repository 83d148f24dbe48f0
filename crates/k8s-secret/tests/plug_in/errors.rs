//! Refusals of the API server, word for word, and what becomes of them.

use k8s_secret::{Call, Error, OwnedField, PlugIn, SecretRef, plug_in, read};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::bundles::{bundle, root};
use crate::script::{self, Answer, Script, absent, failure};
use crate::{STRICT, live, secret};

/// What plugging in over `there` ends in when the write is answered so, and how many requests that
/// took.
#[expect(clippy::unwrap_used, reason = "called by tests only, which fail by it")]
async fn refused(there: Option<Value>, answer: Option<Answer>) -> (Error, usize) {
    let root = root("Root CA").unwrap();
    let (old, new) = (bundle(&root, "cluster1").unwrap(), bundle(&root, "cluster1").unwrap());
    let read = match there {
        None => absent(),
        Some(changes) => {
            let mut object = live(&old);
            merge(&mut object, changes);
            script::object(&object)
        }
    };
    let (client, played) = Script::play([read].into_iter().chain(answer));
    let error = plug_in(&client, &secret(&new), STRICT).await.unwrap_err();
    (error, played.asked().len())
}

fn merge(into: &mut Value, changes: Value) {
    match changes {
        Value::Object(changes) => {
            for (key, change) in changes {
                merge(&mut into[key.as_str()], change);
            }
        }
        change => *into = change,
    }
}

#[tokio::test]
async fn a_missing_namespace_is_named() {
    let details = json!({ "name": "istio-system", "kind": "namespaces" });
    let answer = failure(404, "NotFound", "namespaces \"istio-system\" not found", details);
    let (error, requests) = refused(None, Some(answer)).await;
    assert_eq!(
        error.to_string(),
        "Secret istio-system/cacerts cannot be written: there is no namespace `istio-system`; \
         create it first: kubectl create namespace istio-system"
    );
    assert_eq!((error, requests), (Error::NamespaceMissing { object: at() }, 2));
}

fn at() -> SecretRef {
    SecretRef::istio_system()
}

fn forbidden(verb: &str) -> (Answer, String) {
    let message = format!(
        "secrets \"cacerts\" is forbidden: User \"limited\" cannot {verb} resource \"secrets\" in \
         API group \"\" in the namespace \"istio-system\""
    );
    let details = json!({ "name": "cacerts", "kind": "secrets" });
    (failure(403, "Forbidden", &message, details), message)
}

#[tokio::test]
async fn a_missing_right_is_named_with_all_that_are_needed() {
    let (answer, message) = forbidden("get");
    let (client, _script) = Script::play([answer]);
    let error = read(&client, &at(), STRICT.limit).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "Secret istio-system/cacerts: the right to `get` it is missing ({message}); reading \
             takes get, plugging in takes get, create and patch, on secrets in the namespace \
             istio-system"
        )
    );
    for verb in ["patch", "create"] {
        let (answer, message) = forbidden(verb);
        let (error, requests) = refused(None, Some(answer)).await;
        let expected = Error::Forbidden { object: at(), verb: verb.to_owned(), message };
        assert_eq!((error, requests), (expected, 2));
    }
}

#[tokio::test]
async fn a_denial_by_admission_is_not_called_a_missing_right() {
    let message = "admission webhook \"policy.example\" denied the request: no Secrets on Fridays";
    let (error, requests) =
        refused(None, Some(failure(403, "Forbidden", message, Value::Null))).await;
    assert_eq!(
        error.to_string(),
        format!(
            "Secret istio-system/cacerts: the API server refused to write it, status 403: {message}"
        )
    );
    assert_eq!(requests, 2);
}

#[tokio::test]
async fn another_writer_is_named_with_each_field_it_owns() {
    let cause = |field| {
        json!({
            "reason": "FieldManagerConflict",
            "message": "conflict with \"kubectl-create\" using v1",
            "field": field,
        })
    };
    let details = json!({ "causes": [cause(".data.ca-cert.pem"), cause(".data.ca-key.pem")] });
    let message = "Apply failed with 2 conflicts: conflicts with \"kubectl-create\" using v1:\n\
                   - .data.ca-cert.pem\n- .data.ca-key.pem";
    let answer = failure(409, "Conflict", message, details);
    let (error, requests) = refused(Some(json!({})), Some(answer)).await;
    assert_eq!(
        error.to_string(),
        "Secret istio-system/cacerts belongs to another writer (.data.ca-cert.pem: \
         \"kubectl-create\" using v1, .data.ca-key.pem: \"kubectl-create\" using v1); stop that \
         writer, then plug in again and ask to take over its fields"
    );
    let fields = [".data.ca-cert.pem", ".data.ca-key.pem"].map(|field| OwnedField {
        field: field.to_owned(),
        owner: "\"kubectl-create\" using v1".to_owned(),
    });
    assert_eq!(
        (error, requests),
        (Error::OtherWriter { object: at(), fields: fields.to_vec() }, 2)
    );
}

#[tokio::test]
async fn a_write_by_somebody_else_in_between_is_noticed() {
    let details = json!({ "name": "cacerts", "kind": "secrets" });
    for why in [
        "the object has been modified; please apply your changes to the latest version and try \
         again",
        "uid mismatch: the provided object specified uid 7feeee3d-783f-4c75-bad5-b725ddcae5fc, \
         and no existing object was found",
    ] {
        let message = format!("Operation cannot be fulfilled on secrets \"cacerts\": {why}");
        for there in [None, Some(json!({}))] {
            let answer = failure(409, "Conflict", &message, details.clone());
            let (error, requests) = refused(there, Some(answer)).await;
            assert_eq!(
                error.to_string(),
                "Secret istio-system/cacerts was written by somebody else while this ran, nothing \
                 was changed; plug in again"
            );
            assert_eq!((error, requests), (Error::ChangedMeanwhile { object: at() }, 2));
        }
    }
}

#[tokio::test]
async fn an_immutable_secret_is_not_tried() {
    let (error, requests) = refused(Some(json!({ "immutable": true })), None).await;
    assert_eq!(
        error.to_string(),
        "Secret istio-system/cacerts is immutable and holds another bundle; delete it and plug in \
         again, at a time when istiod does not restart: without the Secret it would make a CA of \
         its own"
    );
    assert_eq!((error, requests), (Error::Immutable { object: at() }, 1));
}

#[tokio::test]
async fn a_secret_that_is_being_deleted_is_not_written() {
    let there = json!({ "metadata": { "deletionTimestamp": "2026-11-25T00:47:53Z" } });
    let (error, requests) = refused(Some(there), None).await;
    assert_eq!(
        error.to_string(),
        "Secret istio-system/cacerts is being deleted; plug in again once it is gone"
    );
    assert_eq!((error, requests), (Error::BeingDeleted { object: at() }, 1));
}

#[tokio::test]
async fn keys_that_would_keep_istiod_from_the_bundle_are_refused() {
    for (key, why) in [
        ("tls.crt", "istiod reads it instead of ca-cert.pem"),
        ("istio-generated", "it marks a CA that istiod made and renews by itself"),
        (
            "ca-crl.pem",
            "it revokes for the CA that is replaced, and istiod refuses a bundle whose issuers it \
             does not cover",
        ),
    ] {
        let (error, requests) = refused(Some(json!({ "data": { key: "" } })), None).await;
        assert_eq!(
            error.to_string(),
            format!(
                "Secret istio-system/cacerts has the key `{key}`: {why}; remove it first: kubectl \
                 patch secret cacerts --namespace istio-system --type json --patch \
                 '[{{\"op\": \"remove\", \"path\": \"/data/{key}\"}}]'"
            )
        );
        assert_eq!((error, requests), (Error::KeyInTheWay { object: at(), key, why }, 1));
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let (client, _script) = Script::play([Answer::Refused]);
    let error = read(&client, &at(), STRICT.limit).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Secret istio-system/cacerts: the API server cannot be reached to read it: connection \
         refused"
    );
    let (error, requests) = refused(None, Some(Answer::Refused)).await;
    assert_eq!(
        error.to_string(),
        "Secret istio-system/cacerts: the API server cannot be reached to write it: connection \
         refused; whether it was written is unknown, read it back"
    );
    assert_eq!(requests, 2);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_too_slow() {
    let (client, _script) = Script::play([Answer::Silence]);
    let error = read(&client, &at(), STRICT.limit).await.unwrap_err();
    assert_eq!(error.to_string(), "Secret istio-system/cacerts: no answer within 10s to read it");
    let (error, requests) = refused(None, Some(Answer::Silence)).await;
    assert_eq!(
        error.to_string(),
        "Secret istio-system/cacerts: no answer within 10s to write it; whether it was written is \
         unknown, read it back"
    );
    let PlugIn { limit, .. } = STRICT;
    let expected = Error::TooSlow { object: at(), call: Call::Write, limit };
    assert_eq!((error, requests), (expected, 2));
}

#[tokio::test]
async fn unknown_credentials_are_told_apart_from_a_missing_right() {
    let (client, _script) =
        Script::play([failure(401, "Unauthorized", "Unauthorized", Value::Null)]);
    let error = read(&client, &at(), STRICT.limit).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Secret istio-system/cacerts: the API server does not accept the credentials (Unauthorized)"
    );
}

#[tokio::test]
async fn any_other_refusal_is_passed_on_and_a_long_one_is_cut() {
    let long = "x".repeat(400);
    let (error, requests) =
        refused(None, Some(failure(500, "InternalError", &long, Value::Null))).await;
    assert_eq!(
        error.to_string(),
        format!(
            "Secret istio-system/cacerts: the API server refused to write it, status 500: {} ..",
            "x".repeat(300)
        )
    );
    assert_eq!(requests, 2);
}
