//! The rights against an API server of our own making, which allows what it is told to.

use std::convert::Infallible;

use http::{Request, Response};
use k8s_openapi::serde_json::{Value, from_slice, json};
use kube::client::Body;
use pretty_assertions::assert_eq;

use super::*;

const PLACES: Places<'_> = Places { own: "cacerts-e2e-bcdfgh", system: "istio-b" };

/// An API server that allows what `allows` says, by verb, resource with subresource, and namespace.
fn server(allows: impl Fn(&str, &str, &str) -> bool + Clone + Send + Sync + 'static) -> Client {
    let service = tower::service_fn(move |request: Request<Body>| {
        let allows = allows.clone();
        async move {
            let body = request.into_body().collect_bytes().await.unwrap();
            let mut review: Value = from_slice(&body).unwrap();
            let asked = &review["spec"]["resourceAttributes"];
            let text = |key: &str| asked[key].as_str().unwrap_or_default().to_owned();
            let resource = match asked["subresource"].as_str() {
                Some(sub) => format!("{}/{sub}", text("resource")),
                None => text("resource"),
            };
            let allowed = allows(&text("verb"), &resource, &text("namespace"));
            review["status"] = json!({ "allowed": allowed });
            let body = Body::from(review.to_string().into_bytes());
            Ok::<_, Infallible>(Response::builder().status(201).body(body).unwrap())
        }
    });
    Client::new(service, "default")
}

fn all() -> Vec<Right> {
    needed(&(1..=13).collect::<Vec<_>>(), true)
}

#[tokio::test]
async fn a_user_who_may_do_everything_is_not_stopped() {
    check(&server(|_, _, _| true), &all(), &PLACES).await.unwrap();
}

#[tokio::test]
async fn all_that_is_missing_is_named_at_once_with_roles_that_grant_it() {
    let server = server(|verb, resource, namespace| {
        !matches!(
            (verb, resource, namespace),
            (_, "pods/exec" | "validatingwebhookconfigurations", _)
                | ("get", "secrets", _)
                | ("list", "pods", "")
        )
    });
    let error = check(&server, &all(), &PLACES).await.unwrap_err().to_string();
    let (missing, roles) = error.split_once("these roles grant").unwrap();
    assert_eq!(
        missing,
        "the user of the kubeconfig lacks 5 rights; nothing was made:
  list validatingwebhookconfigurations.admissionregistration.k8s.io (claim 9)
  get pods/exec in namespace cacerts-e2e-bcdfgh (requests from the client's pod)
  create pods/exec in namespace cacerts-e2e-bcdfgh (requests from the client's pod)
  list pods in all namespaces (claim 6)
  get secrets cacerts in namespace istio-b (the truth; not needed with --bundle)
"
    );
    assert!(roles.contains("kind: ClusterRole"), "{roles}");
}

#[test]
fn fewer_claims_need_fewer_rights() {
    let everywhere = |rights: &[Right]| rights.iter().any(|r| r.scope == Scope::Everywhere);
    assert!(everywhere(&all()));
    assert!(!everywhere(&needed(&[2, 3, 4, 5, 8, 9, 10, 11, 12], true)));
    let tokens = |rights: &[Right]| rights.iter().any(|r| r.resource == "serviceaccounts/token");
    assert!(tokens(&all()) && !tokens(&needed(&[2, 10], true)));
}

#[test]
fn a_given_bundle_needs_no_right_on_secrets() {
    let secrets = |secret| needed(&[1], secret).iter().any(|right| right.resource == "secrets");
    assert!(secrets(true) && !secrets(false));
}

#[test]
fn nothing_outside_of_the_runs_namespace_is_ever_written() {
    let writes = all().into_iter().filter(|right| {
        right.scope != Scope::Own
            && right.verbs.iter().any(|verb| !["get", "list"].contains(verb))
            && !right.resource.contains('/')
    });
    let named: Vec<_> = writes.map(|right| right.resource).collect();
    assert_eq!(named, ["namespaces"]);
}
