//! The one namespace that a run makes in a mesh of others. It is labelled with the run, and nothing
//! without that label is ever removed.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Client;
use kube::api::{Api, DeleteParams, PostParams, Preconditions};
use serde::{Deserialize, Serialize};

use super::access::Access;
use crate::poll::{Seen, until};
use crate::provider::RUN_LABEL;
use crate::rundir::RunId;
use crate::terminal;

/// Every object goes before the namespace does, and pods end at their own pace.
const GONE: Duration = Duration::from_secs(180);

/// A namespace of a run, to be made or to be removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunNamespace {
    access: Access,
    /// Its name; the run's id is the random part.
    pub(crate) name: String,
    run: RunId,
}

impl RunNamespace {
    /// The namespace of this run.
    pub(super) fn new(access: Access, run: RunId) -> Self {
        Self { access, name: format!("cacerts-e2e-{run}"), run }
    }

    /// The labels that it gets beside those given.
    pub(super) fn labels(&self, more: &[(String, String)]) -> BTreeMap<String, String> {
        let own = (RUN_LABEL.to_owned(), self.run.to_string());
        more.iter().cloned().chain([own]).collect()
    }

    /// Makes it.
    ///
    /// # Errors
    /// It exists already, or the API server refuses it.
    pub(super) async fn create(
        &self,
        client: &Client,
        labels: BTreeMap<String, String>,
    ) -> Result<()> {
        let metadata = ObjectMeta {
            name: Some(self.name.clone()),
            labels: Some(labels),
            ..ObjectMeta::default()
        };
        let namespace = Namespace { metadata, ..Namespace::default() };
        let made = Api::all(client.clone()).create(&PostParams::default(), &namespace).await;
        made.with_context(|| format!("cannot make the namespace {}", self.name))?;
        Ok(())
    }

    /// Removes it and waits until it is gone. One that is gone already is no error, and one that
    /// does not carry the run's label is somebody else's and stays.
    ///
    /// # Errors
    /// The cluster cannot be reached, or the namespace does not go.
    pub(crate) async fn remove(&self) -> Result<()> {
        let removed = async { self.remove_by(&self.access.client().await?).await };
        removed.await.with_context(|| {
            let context = self.access.context();
            format!("namespace {} in context `{context}` may still be there", self.name)
        })
    }

    async fn remove_by(&self, client: &Client) -> Result<()> {
        let namespaces: Api<Namespace> = Api::all(client.clone());
        let Some(found) = namespaces.get_opt(&self.name).await? else { return Ok(()) };
        if !self.is_ours(&found) {
            terminal::say(&format!(
                "namespace {} is not labelled {RUN_LABEL}={} and is left alone",
                self.name, self.run
            ));
            return Ok(());
        }
        // Another one of the same name would not be ours.
        let uid = found.metadata.uid.clone();
        let same = Preconditions { uid: uid.clone(), resource_version: None };
        let params = DeleteParams { preconditions: Some(same), ..DeleteParams::default() };
        match namespaces.delete(&self.name, &params).await {
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(()),
            // It is being removed already.
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            deleted => drop(deleted?),
        }
        until(&format!("namespace {} is gone", self.name), GONE, 1, async || {
            Ok(match namespaces.get_opt(&self.name).await? {
                Some(left) if left.metadata.uid == uid => Seen::NotYet(what_is_left(&left)),
                _ => Seen::Ready(()),
            })
        })
        .await
    }

    fn is_ours(&self, found: &Namespace) -> bool {
        let labels = found.metadata.labels.as_ref();
        labels.and_then(|labels| labels.get(RUN_LABEL)).is_some_and(|run| run == self.run.as_str())
    }

    /// Removes it as a step of the run.
    ///
    /// # Errors
    /// As [`RunNamespace::remove`], or it is still there.
    pub(super) async fn remove_and_look(&self, client: &Client) -> Result<()> {
        self.remove_by(client).await?;
        let namespaces: Api<Namespace> = Api::all(client.clone());
        match namespaces.get_opt(&self.name).await? {
            None => Ok(()),
            Some(_) => bail!("the namespace {} is there although it was removed", self.name),
        }
    }
}

/// The namespace controller's own words.
fn what_is_left(namespace: &Namespace) -> String {
    let conditions = namespace.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let left: Vec<_> = conditions
        .filter(|condition| condition.status == "True")
        .filter_map(|condition| condition.message.clone())
        .collect();
    if left.is_empty() { "it is being removed".to_owned() } else { left.join("; ") }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::{Arc, Mutex};

    use http::{Request, Response};
    use k8s_openapi::serde_json::{Value, from_value, json};
    use kube::client::Body;
    use pretty_assertions::assert_eq;

    use super::*;

    fn ours() -> RunNamespace {
        let access: Access = from_value(json!({"files": ["/k"], "context": "prod"})).unwrap();
        RunNamespace::new(access, RunId::try_from("bcdfgh".to_owned()).unwrap())
    }

    fn namespace(run: &str) -> Value {
        json!({"metadata": {"name": "cacerts-e2e-bcdfgh", "uid": "u1", "labels": {RUN_LABEL: run}}})
    }

    /// An API server with one namespace, which goes when it is deleted; and what it was asked.
    fn server(namespace: Option<Value>) -> (Client, Arc<Mutex<Vec<String>>>) {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, state) = (Arc::clone(&asked), Arc::new(Mutex::new(namespace)));
        let service = tower::service_fn(move |request: Request<Body>| {
            log.lock().unwrap().push(format!("{} {}", request.method(), request.uri().path()));
            let mut state = state.lock().unwrap();
            let answer = state.clone();
            if request.method() == http::Method::DELETE {
                *state = None;
            }
            let missing = json!({"kind": "Status", "apiVersion": "v1", "metadata": {},
                "status": "Failure", "message": "gone", "reason": "NotFound", "code": 404});
            let (status, body) = answer.map_or((404, missing), |found| (200, found));
            let body = Body::from(body.to_string().into_bytes());
            let response = Response::builder().status(status).body(body).unwrap();
            async { Ok::<_, Infallible>(response) }
        });
        (Client::new(service, "default"), asked)
    }

    async fn removed(namespace: Option<Value>) -> Vec<String> {
        let (client, asked) = server(namespace);
        ours().remove_by(&client).await.unwrap();
        asked.lock().unwrap().clone()
    }

    const PATH: &str = "/api/v1/namespaces/cacerts-e2e-bcdfgh";

    #[tokio::test]
    async fn the_namespace_of_the_run_is_removed_and_waited_for() {
        let expected = ["GET", "DELETE", "GET"].map(|method| format!("{method} {PATH}"));
        assert_eq!(removed(Some(namespace("bcdfgh"))).await, expected);
    }

    #[tokio::test]
    async fn a_namespace_of_the_same_name_without_the_runs_label_stays() {
        for other in [namespace("ghjkmn"), json!({"metadata": {"name": "cacerts-e2e-bcdfgh"}})] {
            assert_eq!(removed(Some(other)).await, [format!("GET {PATH}")]);
        }
    }

    #[tokio::test]
    async fn a_namespace_that_is_gone_is_no_error() {
        assert_eq!(removed(None).await, [format!("GET {PATH}")]);
    }

    #[test]
    fn the_label_of_the_run_cannot_be_overridden() {
        let labels = ours().labels(&[(RUN_LABEL.to_owned(), "other".to_owned())]);
        assert_eq!(labels[RUN_LABEL], "bcdfgh");
    }

    #[test]
    fn what_keeps_a_namespace_is_said_in_the_controllers_words() {
        let left = json!({"metadata": {}, "status": {"conditions": [
            {"type": "NamespaceContentRemaining", "status": "True", "message": "pods. has 1 left"},
            {"type": "NamespaceDeletionDiscoveryFailure", "status": "False", "message": "fine"},
        ]}});
        assert_eq!(what_is_left(&from_value(left).unwrap()), "pods. has 1 left");
    }
}
