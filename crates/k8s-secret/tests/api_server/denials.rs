//! Why the API server cannot be asked, or does not do it.

use std::rc::Rc;
use std::time::Duration;

use k8s_openapi::api::authorization::v1::SubjectAccessReview;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use k8s_secret::{Call, Error, Outcome, PlugIn, SecretRef, plug_in, read};
use kube::Api;
use kube::api::PostParams;
use pretty_assertions::assert_eq;
use serde_json::json;
use tokio::net::TcpListener;

use crate::bundles::{bundle, root};
use crate::server::{Result, Server, until};
use crate::{STRICT, secret};

pub(crate) async fn a_missing_namespace_is_named(server: Rc<Server>) -> Result<()> {
    let at = SecretRef::in_namespace("no-such-namespace")?;
    let bundle = bundle(&root("Root CA")?, "cluster1")?;
    assert!(read(server.admin(), &at, STRICT.limit).await?.is_none());
    assert_eq!(
        plug_in(server.admin(), &secret(&bundle, &at), STRICT).await,
        Err(Error::NamespaceMissing { object: at })
    );
    Ok(())
}

/// Lets `user` do `verbs` to the Secret, and returns once the API server knows.
async fn allow(server: &Server, at: &SecretRef, user: &str, verbs: &[&str]) -> Result<()> {
    let role: Role = serde_json::from_value(json!({
        "metadata": { "name": user },
        "rules": [{
            "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["cacerts"],
            "verbs": verbs,
        }],
    }))?;
    let binding: RoleBinding = serde_json::from_value(json!({
        "metadata": { "name": user },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": user },
        "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user }],
    }))?;
    let (admin, create) = (server.admin(), PostParams::default());
    Api::namespaced(admin.clone(), at.namespace()).create(&create, &role).await?;
    Api::namespaced(admin.clone(), at.namespace()).create(&create, &binding).await?;
    let reviews: Api<SubjectAccessReview> = Api::all(admin.clone());
    for verb in verbs {
        let review: SubjectAccessReview = serde_json::from_value(json!({
            "metadata": {},
            "spec": { "user": user, "resourceAttributes": {
                "namespace": at.namespace(), "resource": "secrets", "name": "cacerts",
                "verb": verb,
            } },
        }))?;
        until(&format!("{user} may {verb}"), async || {
            let review = reviews.create(&create, &review).await?;
            Ok(review.status.is_some_and(|status| status.allowed))
        })
        .await?;
    }
    Ok(())
}

pub(crate) async fn each_missing_right_is_named(server: Rc<Server>) -> Result<()> {
    let at = server.namespace("rights").await?;
    let bundle = bundle(&root("Root CA")?, "cluster1")?;
    let secret = secret(&bundle, &at);
    for (user, verbs, missing) in [
        ("nobody", [].as_slice(), "get"),
        ("reader", &["get"], "patch"),
        ("patcher", &["get", "patch"], "create"),
    ] {
        if !verbs.is_empty() {
            allow(&server, &at, user, verbs).await?;
        }
        let message = format!(
            "secrets \"cacerts\" is forbidden: User \"{user}\" cannot {missing} resource \
             \"secrets\" in API group \"\" in the namespace \"rights\""
        );
        assert_eq!(
            plug_in(&server.client_of(user).await?, &secret, STRICT).await,
            Err(Error::Forbidden { object: at.clone(), verb: missing.to_owned(), message })
        );
    }
    // The control, and the proof that the error's list of rights is complete.
    allow(&server, &at, "writer", &["get", "create", "patch"]).await?;
    let writer = server.client_of("writer").await?;
    assert_eq!(plug_in(&writer, &secret, STRICT).await, Ok(Outcome::Created));
    assert_eq!(plug_in(&writer, &secret, STRICT).await, Ok(Outcome::Unchanged));
    Ok(())
}

pub(crate) async fn unknown_credentials_are_told(server: Rc<Server>) -> Result<()> {
    let at = SecretRef::istio_system();
    let stranger = server
        .client(|config| {
            config.auth_info.client_certificate_data = None;
            config.auth_info.client_key_data = None;
        })
        .await?;
    assert_eq!(
        read(&stranger, &at, STRICT.limit).await.map(drop),
        Err(Error::Unauthorized { object: at, message: "Unauthorized".to_owned() })
    );
    Ok(())
}

pub(crate) async fn a_server_that_is_not_there_is_unreachable(server: Rc<Server>) -> Result<()> {
    let at = SecretRef::istio_system();
    // A port that was free a moment ago and that nobody listens on.
    let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let client = server.client(|config| config.cluster_url = url(address)).await?;
    assert_eq!(
        read(&client, &at, STRICT.limit).await.map(drop),
        Err(Error::Unreachable {
            object: at,
            call: Call::Read,
            reason: "client error (Connect): tcp connect error: Connection refused (os error 111)"
                .to_owned(),
        })
    );
    Ok(())
}

fn url(address: std::net::SocketAddr) -> http::Uri {
    http::Uri::builder()
        .scheme("https")
        .authority(address.to_string())
        .path_and_query("/")
        .build()
        .unwrap_or_default()
}

pub(crate) async fn a_server_under_another_name_is_unreachable(server: Rc<Server>) -> Result<()> {
    let at = SecretRef::istio_system();
    let other_name = "other.example".to_owned();
    let client = server.client(|config| config.tls_server_name = Some(other_name)).await?;
    let outcome = read(&client, &at, STRICT.limit).await.map(drop);
    let Err(Error::Unreachable { object, call: Call::Read, reason }) = outcome else {
        return Err(format!("{outcome:?}").into());
    };
    assert_eq!(object, at);
    // The names that the certificate does have follow.
    let start = "client error (Connect): invalid peer certificate: certificate not valid for name \
                 \"other.example\"";
    assert!(reason.starts_with(start), "{reason}");
    Ok(())
}

pub(crate) async fn a_server_that_says_nothing_is_too_slow(server: Rc<Server>) -> Result<()> {
    let at = SecretRef::istio_system();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let client = server.client(|config| config.cluster_url = url(address)).await?;
    let limit = Duration::from_millis(300);
    assert_eq!(
        read(&client, &at, limit).await.map(drop),
        Err(Error::TooSlow { object: at.clone(), call: Call::Read, limit })
    );
    let bundle = bundle(&root("Root CA")?, "cluster1")?;
    assert_eq!(
        plug_in(&client, &secret(&bundle, &at), PlugIn { limit, ..STRICT }).await,
        Err(Error::TooSlow { object: at, call: Call::Read, limit })
    );
    Ok(())
}
