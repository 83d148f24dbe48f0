//! An answer that cannot be parsed may hold the key: neither the error nor a log may show it.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use k8s_openapi::api::core::v1::Secret;
use k8s_secret::{Error, SecretRef, plug_in, read};
use kube::Api;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use crate::bundles::{bundle, root};
use crate::script::{Answer, Script, absent, object};
use crate::{STRICT, live, secret, written};

/// Keeps every line of a log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Everything that is logged on this thread from now on.
fn listen() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    (log, tracing::subscriber::set_default(subscriber))
}

#[tokio::test]
async fn an_answer_that_is_no_secret_is_not_quoted() {
    let bundle = bundle(&root("Root CA").unwrap(), "cluster1").unwrap();
    let key = live(&bundle)["data"]["ca-key.pem"].as_str().unwrap().to_owned();
    let mut wrong_type = live(&bundle);
    wrong_type["data"] = json!(key);
    let mut cut_off = live(&bundle).to_string();
    cut_off.truncate(cut_off.len() - 2);
    let (log, _listening) = listen();

    for (answer, reason) in [
        (wrong_type.to_string(), "Data error in its JSON"),
        (cut_off, "Eof error in its JSON"),
        (format!("<p>{key}</p>"), "Syntax error in its JSON"),
    ] {
        let (client, _script) = Script::play([Answer::Body(200, answer)]);
        let error = read(&client, &SecretRef::istio_system(), STRICT.limit).await.unwrap_err();
        let text = error.to_string();
        let start = format!(
            "Secret istio-system/cacerts: the answer to read it is not one of an API server: \
             {reason}, line 1 column "
        );
        assert!(text.starts_with(&start), "{text}");
        assert!(!format!("{text} {error:?}").contains(&key));
    }
    // A whole plug-in, so that the body of a request has its chance too.
    let (client, script) = Script::play([absent(), object(&written(&bundle))]);
    plug_in(&client, &secret(&bundle), STRICT).await.unwrap();
    assert_eq!(script.asked()[1].body["data"]["ca-key.pem"], json!(key));
    assert!(!log.text().contains(&key), "{}", log.text());

    // The control: what this crate keeps away from does log the key, and this log would show it.
    let (client, _script) = Script::play([object(&wrong_type)]);
    let secrets: Api<Secret> = Api::namespaced(client, "istio-system");
    let error = secrets.get("cacerts").await.unwrap_err();
    assert!(matches!(error, kube::Error::SerdeError(_)), "{error}");
    assert!(log.text().contains(&key), "{}", log.text());
}

#[tokio::test]
async fn a_success_that_does_not_confirm_what_was_written_is_none() {
    let root = root("Root CA").unwrap();
    let (bundle, other) = (bundle(&root, "cluster1").unwrap(), bundle(&root, "other").unwrap());
    for answer in [written(&other), json!({ "metadata": { "name": "cacerts" } })] {
        let (client, _script) = Script::play([absent(), object(&answer)]);
        let error = plug_in(&client, &secret(&bundle), STRICT).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "Secret istio-system/cacerts: the answer to write it is not one of an API server: it \
             lacks the annotations that were written"
        );
    }
    let (client, _script) = Script::play([absent(), object(&Value::Null)]);
    let error = plug_in(&client, &secret(&bundle), STRICT).await.unwrap_err();
    assert!(matches!(error, Error::Answer { .. }), "{error}");
}
