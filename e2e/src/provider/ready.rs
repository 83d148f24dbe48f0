//! Waiting until a cluster that was just started is one: its API answers, its nodes are Ready, and
//! it resolves names. What an API server that is coming up refuses or drops is asked again.

use std::time::Duration;

use anyhow::{Result, anyhow};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Node;
use kube::Client;
use kube::api::{Api, ListParams};

use crate::poll::{Seen, until};

/// Waits until the API server calls itself ready.
///
/// # Errors
/// Not within `limit`; the text has its last answer.
pub(crate) async fn api(client: &Client, limit: Duration) -> Result<()> {
    until("the API server is ready", limit, 1, async || {
        let request = http::Request::get("/readyz").body(Vec::new())?;
        Ok(client.request_text(request).await.map_or_else(not_yet, |_| Seen::Ready(())))
    })
    .await
}

/// Waits until there are nodes, and all of them are Ready.
///
/// # Errors
/// Not within `limit`; the text names the nodes that are not, and the kubelet's reason.
pub(crate) async fn nodes(client: &Client, limit: Duration) -> Result<()> {
    let nodes: Api<Node> = Api::all(client.clone());
    until("every node is Ready", limit, 1, async || {
        let found = match nodes.list(&ListParams::default()).await {
            Ok(found) => found.items,
            Err(error) => return Ok(not_yet(error)),
        };
        if found.is_empty() {
            return Ok(Seen::NotYet("no kubelet has registered a node".to_owned()));
        }
        let waiting: Vec<_> = found.iter().filter_map(not_ready).collect();
        Ok(if waiting.is_empty() { Seen::Ready(()) } else { Seen::NotYet(waiting.join("; ")) })
    })
    .await
}

/// Waits until a replica of the cluster's name server is ready.
///
/// # Errors
/// Not within `limit`.
pub(crate) async fn dns(client: &Client, limit: Duration) -> Result<()> {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), "kube-system");
    until("CoreDNS is ready", limit, 1, async || {
        let found = match deployments.get_opt("coredns").await {
            Ok(found) => found,
            Err(error) => return Ok(not_yet(error)),
        };
        let Some(status) = found.map(|deployment| deployment.status.unwrap_or_default()) else {
            return Ok(Seen::NotYet("there is no Deployment kube-system/coredns".to_owned()));
        };
        let none = || Seen::NotYet("no replica is ready".to_owned());
        Ok(if status.ready_replicas.unwrap_or(0) > 0 { Seen::Ready(()) } else { none() })
    })
    .await
}

fn not_yet<T>(error: kube::Error) -> Seen<T> {
    Seen::NotYet(format!("{:#}", anyhow!(error)))
}

/// A node that is not Ready, with the kubelet's reason.
fn not_ready(node: &Node) -> Option<String> {
    let name = node.metadata.name.as_deref().unwrap_or_default();
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let ready = conditions.into_iter().find(|condition| condition.type_ == "Ready");
    match ready {
        Some(ready) if ready.status == "True" => None,
        Some(ready) => Some(format!("{name}: {}", ready.message.as_deref().unwrap_or("no reason"))),
        None => Some(format!("{name}: it has no condition Ready")),
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::serde_json::{Value, from_value, json};
    use pretty_assertions::assert_eq;

    use super::*;

    fn node(conditions: &Value) -> Node {
        from_value(json!({"metadata": {"name": "n1"}, "status": {"conditions": conditions}}))
            .unwrap()
    }

    #[test]
    fn a_node_that_is_not_ready_gives_the_kubelets_reason() {
        let waiting = json!([{"type": "Ready", "status": "False", "message": "no CNI plugin"}]);
        assert_eq!(not_ready(&node(&waiting)).as_deref(), Some("n1: no CNI plugin"));
        let new = not_ready(&node(&json!([])));
        assert_eq!(new.as_deref(), Some("n1: it has no condition Ready"));
    }

    #[test]
    fn a_ready_node_is_not_waited_for() {
        assert_eq!(not_ready(&node(&json!([{"type": "Ready", "status": "True"}]))), None);
    }
}
