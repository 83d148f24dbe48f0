//! What others do between the read and the write.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use http::{Method, Request};
use k8s_secret::{Error, Outcome, SecretRef, plug_in};
use kube::Client;
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::client::Body;
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::bundles::{bundle, root};
use crate::claims::assert_holds;
use crate::server::{Result, Server};
use crate::{STRICT, secret};

/// The administrator's client, except that `meddling` happens right before the first write.
fn meddled(server: &Server, meddling: impl Future<Output = Result<()>> + Send + 'static) -> Client {
    type Meddling = Pin<Box<dyn Future<Output = Result<()>> + Send>>;
    let client = server.admin().clone();
    let once: Arc<Mutex<Option<Meddling>>> = Arc::new(Mutex::new(Some(Box::pin(meddling))));
    let service = tower::service_fn(move |request: Request<Body>| {
        let (client, once) = (client.clone(), Arc::clone(&once));
        async move {
            if request.method() == Method::PATCH {
                let meddling = once.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(meddling) = meddling {
                    meddling.await?;
                }
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(client.send(request).await?)
        }
    });
    Client::new(service, "default")
}

/// By the same field manager, so that server-side apply itself sees no conflict.
pub(crate) async fn a_secret_created_meanwhile_is_not_overwritten(
    server: Rc<Server>,
) -> Result<()> {
    let at = server.namespace("race-created").await?;
    let first = bundle(&root("Root CA")?, "cluster1")?;
    let second = bundle(&root("Root CA")?, "cluster1")?;
    let client = meddled(&server, {
        let (admin, first) = (server.admin().clone(), secret(&first, &at));
        async move {
            assert_eq!(plug_in(&admin, &first, STRICT).await, Ok(Outcome::Created));
            Ok(())
        }
    });
    assert_eq!(
        plug_in(&client, &secret(&second, &at), STRICT).await,
        Err(Error::ChangedMeanwhile { object: at.clone() })
    );
    assert_holds(&server, &at, &first).await
}

/// In a field that is none of the bundle's.
pub(crate) async fn a_secret_changed_meanwhile_is_not_overwritten(
    server: Rc<Server>,
) -> Result<()> {
    let at = server.namespace("race-changed").await?;
    let root = root("Root CA")?;
    let (old, new) = (bundle(&root, "cluster1")?, bundle(&root, "cluster1")?);
    assert_eq!(plug_in(server.admin(), &secret(&old, &at), STRICT).await, Ok(Outcome::Created));
    let client = meddled(&server, {
        let secrets = server.secrets(&at);
        async move {
            let note = Patch::Merge(json!({ "data": { "note": "aGVsbG8=" } }));
            secrets.patch(SecretRef::NAME, &PatchParams::default(), &note).await?;
            Ok(())
        }
    });
    assert_eq!(
        plug_in(&client, &secret(&new, &at), STRICT).await,
        Err(Error::ChangedMeanwhile { object: at.clone() })
    );
    assert_holds(&server, &at, &old).await?;
    // The control: the same client, undisturbed.
    let outcome = plug_in(&client, &secret(&new, &at), STRICT).await;
    assert!(matches!(outcome, Ok(Outcome::Updated(_))), "{outcome:?}");
    assert_holds(&server, &at, &new).await
}

pub(crate) async fn a_secret_deleted_meanwhile_is_not_created_again(
    server: Rc<Server>,
) -> Result<()> {
    let at = server.namespace("race-deleted").await?;
    let root = root("Root CA")?;
    let (old, new) = (bundle(&root, "cluster1")?, bundle(&root, "cluster1")?);
    assert_eq!(plug_in(server.admin(), &secret(&old, &at), STRICT).await, Ok(Outcome::Created));
    let client = meddled(&server, {
        let secrets = server.secrets(&at);
        async move {
            secrets.delete(SecretRef::NAME, &DeleteParams::default()).await?;
            Ok(())
        }
    });
    assert_eq!(
        plug_in(&client, &secret(&new, &at), STRICT).await,
        Err(Error::ChangedMeanwhile { object: at.clone() })
    );
    assert_eq!(server.secrets(&at).get_opt(SecretRef::NAME).await?, None);
    Ok(())
}
