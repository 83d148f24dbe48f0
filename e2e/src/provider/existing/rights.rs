//! What a run may have to do in a mesh of others, as data, and the question whether it may: all of
//! it is asked before anything is made.

use std::fmt;

use anyhow::{Context as _, Result, bail};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::Client;
use kube::api::{Api, PostParams};

use super::role;

/// Questions at a time.
const AT_ONCE: usize = 8;

/// Some verbs on one kind of object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Right {
    pub(super) scope: Scope,
    /// The API group; empty for the core.
    pub(super) group: &'static str,
    /// The plural, with a subresource: `pods/exec`.
    pub(super) resource: &'static str,
    /// The one object; any if there is none.
    pub(super) name: Option<&'static str>,
    pub(super) verbs: &'static [&'static str],
    /// What for.
    pub(super) why: &'static str,
}

/// Where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// An object of no namespace.
    Cluster,
    /// In every namespace.
    Everywhere,
    /// In the namespace that the run makes. Its name is not known beforehand, so a role grants it
    /// everywhere.
    Own,
    /// In istiod's namespace.
    System,
}

/// Which claims need a right.
enum For {
    All,
    Claims(&'static [u8]),
}

/// A stream into a pod: a WebSocket is a GET, SPDY a POST, and from Kubernetes 1.35 on the API
/// server asks for `create` in both cases.
const STREAM: &[&str] = &["get", "create"];
const MADE: &[&str] = &["get", "create"];

/// Everything but the truth. A sidecar's own needs are istiod's affair.
const RIGHTS: &[(For, Right)] = {
    use For::{All, Claims};
    use Scope::{Cluster, Everywhere, Own, System};
    const ADMISSION: &str = "admissionregistration.k8s.io";
    const SECURITY: &str = "security.istio.io";
    const fn right(
        scope: Scope,
        group: &'static str,
        resource: &'static str,
        verbs: &'static [&'static str],
        why: &'static str,
    ) -> Right {
        Right { scope, group, resource, name: None, verbs, why }
    }
    const fn named(name: &'static str, right: Right) -> Right {
        Right { name: Some(name), ..right }
    }
    &[
        (
            All,
            right(Cluster, "", "namespaces", &["get", "create", "delete"], "the run's namespace"),
        ),
        (Claims(&[7]), right(Cluster, "", "namespaces", &["list"], "claim 7")),
        (
            All,
            right(
                Cluster,
                ADMISSION,
                "mutatingwebhookconfigurations",
                &["list"],
                "to find the label that injects",
            ),
        ),
        (
            Claims(&[9]),
            right(Cluster, ADMISSION, "validatingwebhookconfigurations", &["list"], "claim 9"),
        ),
        (All, right(Own, "", "serviceaccounts", MADE, "the samples")),
        (All, right(Own, "", "services", MADE, "the samples")),
        (All, right(Own, "apps", "deployments", MADE, "the samples")),
        (All, right(Own, SECURITY, "peerauthentications", MADE, "STRICT mutual TLS")),
        (All, right(Own, "", "pods", &["get", "list"], "whether the samples are ready")),
        (
            Claims(&[2, 3, 4, 5, 10, 11, 12]),
            right(Own, "", "pods/exec", STREAM, "requests from the client's pod"),
        ),
        (
            Claims(&[2, 3, 4, 5, 11, 12]),
            right(Own, "", "pods/portforward", STREAM, "handshakes from the client's pod"),
        ),
        (
            Claims(&[8, 9, 12]),
            right(Own, "", "serviceaccounts/token", &["create"], "a request to istiod"),
        ),
        (
            Claims(&[8, 12]),
            named(
                "istio-ca-root-cert",
                right(Own, "", "configmaps", &["get"], "whom the pods' agents trust"),
            ),
        ),
        (All, right(System, "", "pods", &["list"], "the replicas of istiod")),
        (All, right(System, "", "configmaps", &["get"], "the mesh's configuration")),
        (
            All,
            right(System, "", "pods/portforward", STREAM, "istiod's version, and requests to it"),
        ),
        (Claims(&[1]), right(System, "", "pods/log", &["get"], "claim 1")),
        (Claims(&[6]), right(Everywhere, "", "pods", &["get", "list"], "claim 6")),
        (Claims(&[6]), right(Everywhere, "", "pods/portforward", STREAM, "claim 6")),
        (
            Claims(&[7]),
            named(
                "istio-ca-root-cert",
                right(Everywhere, "", "configmaps", &["get", "list"], "claim 7"),
            ),
        ),
    ]
};

/// Where there is no bundle.
const SECRET: Right = Right {
    scope: Scope::System,
    group: "",
    resource: "secrets",
    name: Some("cacerts"),
    verbs: &["get"],
    why: "the truth; not needed with --bundle",
};

/// What a run with these claims needs; `secret` if the truth is the cluster's own Secret.
pub(super) fn needed(claims: &[u8], secret: bool) -> Vec<Right> {
    let asked = |needs: &For| match needs {
        For::All => true,
        For::Claims(these) => these.iter().any(|claim| claims.contains(claim)),
    };
    let rights = RIGHTS.iter().filter(|(needs, _)| asked(needs)).map(|(_, right)| right.clone());
    rights.chain(secret.then_some(SECRET)).collect()
}

/// The places that the rights are asked for.
pub(super) struct Places<'a> {
    pub(super) own: &'a str,
    pub(super) system: &'a str,
}

impl Places<'_> {
    fn namespace(&self, scope: Scope) -> Option<&str> {
        match scope {
            Scope::Cluster | Scope::Everywhere => None,
            Scope::Own => Some(self.own),
            Scope::System => Some(self.system),
        }
    }
}

/// Asks for every right.
///
/// # Errors
/// Some are missing: all of them are named, with roles that grant what a run needs. Or the API
/// server does not answer.
pub(super) async fn check(client: &Client, rights: &[Right], places: &Places<'_>) -> Result<()> {
    let single = rights.iter().flat_map(|right| right.verbs.iter().map(move |verb| (right, *verb)));
    let asked: Vec<_> = stream::iter(single.map(|(right, verb)| async move {
        let allowed = ask(client, right, verb, places).await?;
        anyhow::Ok((!allowed).then_some(Missing { right, verb, place: places }))
    }))
    .buffered(AT_ONCE)
    .try_collect()
    .await
    .context("ask what the user of the kubeconfig may do")?;
    let missing: Vec<_> = asked.into_iter().flatten().map(|m| format!("  {m}\n")).collect();
    if missing.is_empty() {
        return Ok(());
    }
    bail!(
        "the user of the kubeconfig lacks {} rights; nothing was made:\n{}these roles grant what \
         the run needs (--print-role prints them, --only needs fewer):\n{}",
        missing.len(),
        missing.concat(),
        role::yaml(rights, places.system)
    )
}

struct Missing<'a> {
    right: &'a Right,
    verb: &'static str,
    place: &'a Places<'a>,
}

impl fmt::Display for Missing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Right { group, resource, name, scope, why, .. } = self.right;
        write!(f, "{} {resource}", self.verb)?;
        if !group.is_empty() {
            write!(f, ".{group}")?;
        }
        if let Some(name) = name {
            write!(f, " {name}")?;
        }
        match (scope, self.place.namespace(*scope)) {
            (Scope::Cluster, _) => {}
            (_, None) => f.write_str(" in all namespaces")?,
            (_, Some(namespace)) => write!(f, " in namespace {namespace}")?,
        }
        write!(f, " ({why})")
    }
}

async fn ask(client: &Client, right: &Right, verb: &str, places: &Places<'_>) -> Result<bool> {
    let (resource, subresource) = match right.resource.split_once('/') {
        Some((resource, subresource)) => (resource, Some(subresource.to_owned())),
        None => (right.resource, None),
    };
    let attributes = ResourceAttributes {
        group: Some(right.group.to_owned()),
        resource: Some(resource.to_owned()),
        subresource,
        name: right.name.map(str::to_owned),
        namespace: places.namespace(right.scope).map(str::to_owned),
        verb: Some(verb.to_owned()),
        ..ResourceAttributes::default()
    };
    let spec = SelfSubjectAccessReviewSpec {
        resource_attributes: Some(attributes),
        ..SelfSubjectAccessReviewSpec::default()
    };
    let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
    let reviews: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let answer = reviews.create(&PostParams::default(), &review).await?;
    Ok(answer.status.context("the API server's review has no status")?.allowed)
}

#[cfg(test)]
mod tests;
