//! What becomes of the object.

use std::rc::Rc;

use k8s_openapi::api::core::v1::Secret;
use k8s_secret::{
    Error, OtherWriters, Outcome, OwnedField, PlugIn, RootChange, SecretRef, plug_in, read,
};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use pki::{Bundle, BundleFiles};
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::bundles::{bundle, root};
use crate::server::{Result, Server};
use crate::{STRICT, secret};

/// The bytes of the bundle's files, as Kubernetes' own client reads them.
pub(crate) async fn assert_holds(server: &Server, at: &SecretRef, bundle: &Bundle) -> Result<()> {
    let live = server.secrets(at).get(SecretRef::NAME).await?;
    let data = live.data.unwrap_or_default();
    for name in BundleFiles::NAMES {
        assert_eq!(data.get(name).map(|bytes| bytes.0.as_slice()), bundle.files().get(name));
    }
    Ok(())
}

/// What `kubectl create secret generic` makes of the bundle.
async fn created_by_kubectl(server: &Server, at: &SecretRef, bundle: &Bundle) -> Result<Secret> {
    let mut object: Secret =
        serde_json::from_value(serde_json::to_value(secret(bundle, at).manifest())?)?;
    object.metadata.labels = None;
    object.metadata.annotations = None;
    let kubectl = PostParams { field_manager: Some("kubectl-create".to_owned()), dry_run: false };
    Ok(server.secrets(at).create(&kubectl, &object).await?)
}

pub(crate) async fn a_bundle_is_created_and_not_written_twice(server: Rc<Server>) -> Result<()> {
    let at = server.namespace("created").await?;
    let bundle = bundle(&root("Root CA")?, "cluster1")?;
    let secret = secret(&bundle, &at);

    assert!(read(server.admin(), &at, STRICT.limit).await?.is_none());
    assert_eq!(plug_in(server.admin(), &secret, STRICT).await, Ok(Outcome::Created));
    assert_holds(&server, &at, &bundle).await?;
    let files = read(server.admin(), &at, STRICT.limit).await?.ok_or("no Secret")?;
    assert_eq!(files.names().collect::<Vec<_>>(), BundleFiles::NAMES);
    let created = server.secrets(&at).get(SecretRef::NAME).await?;
    assert_eq!(created.type_.as_deref(), Some("Opaque"));
    let fields = created.metadata.managed_fields.clone().unwrap_or_default();
    let managers: Vec<_> =
        fields.iter().map(|entry| (entry.manager.as_deref(), entry.operation.as_deref())).collect();
    assert_eq!(managers, [(Some("cacerts"), Some("Apply"))]);

    assert_eq!(plug_in(server.admin(), &secret, STRICT).await, Ok(Outcome::Unchanged));
    let again = server.secrets(&at).get(SecretRef::NAME).await?;
    assert_eq!(again.metadata.resource_version, created.metadata.resource_version);
    Ok(())
}

pub(crate) async fn a_new_cluster_ca_replaces_the_old_and_keys_of_others_stay(
    server: Rc<Server>,
) -> Result<()> {
    let at = server.namespace("renewed").await?;
    let root = root("Root CA")?;
    let (old, new) = (bundle(&root, "cluster1")?, bundle(&root, "cluster1")?);
    assert_eq!(plug_in(server.admin(), &secret(&old, &at), STRICT).await, Ok(Outcome::Created));
    let note = Patch::Merge(json!({ "data": { "note": "aGVsbG8=" } }));
    server.secrets(&at).patch(SecretRef::NAME, &PatchParams::default(), &note).await?;

    let difference = secret(&new, &at).difference(secret(&old, &at).manifest().expose_secret());
    assert_eq!(
        plug_in(server.admin(), &secret(&new, &at), STRICT).await,
        Ok(Outcome::Updated(difference))
    );
    assert_holds(&server, &at, &new).await?;
    let files = read(server.admin(), &at, STRICT.limit).await?.ok_or("no Secret")?;
    assert_eq!(files.get("note"), Some(b"hello".as_slice()));
    Ok(())
}

pub(crate) async fn a_change_of_root_is_refused_and_changes_nothing_unless_asked_for(
    server: Rc<Server>,
) -> Result<()> {
    let at = server.namespace("root").await?;
    let old = bundle(&root("Root CA")?, "cluster1")?;
    let new = bundle(&root("Root CA")?, "cluster1")?;
    assert_eq!(plug_in(server.admin(), &secret(&old, &at), STRICT).await, Ok(Outcome::Created));

    let difference = secret(&new, &at).difference(secret(&old, &at).manifest().expose_secret());
    let change = difference.root.clone().ok_or("the roots are the same")?;
    assert_eq!(
        plug_in(server.admin(), &secret(&new, &at), STRICT).await,
        Err(Error::RootChange { object: at.clone(), change })
    );
    assert_holds(&server, &at, &old).await?;

    let allowed = PlugIn { root_change: RootChange::Allow, ..STRICT };
    assert_eq!(
        plug_in(server.admin(), &secret(&new, &at), allowed).await,
        Ok(Outcome::Updated(difference))
    );
    assert_holds(&server, &at, &new).await
}

pub(crate) async fn another_writer_is_named_and_taken_over_only_when_asked_for(
    server: Rc<Server>,
) -> Result<()> {
    let at = server.namespace("writers").await?;
    let root = root("Root CA")?;
    let (old, new) = (bundle(&root, "cluster1")?, bundle(&root, "cluster1")?);
    created_by_kubectl(&server, &at, &old).await?;

    let fields = ["ca-cert.pem", "ca-key.pem", "cert-chain.pem"].map(|name| OwnedField {
        field: format!(".data.{name}"),
        owner: "\"kubectl-create\" using v1".to_owned(),
    });
    let object = at.clone();
    assert_eq!(
        plug_in(server.admin(), &secret(&new, &at), STRICT).await,
        Err(Error::OtherWriter { object, fields: fields.to_vec() })
    );
    assert_holds(&server, &at, &old).await?;

    let take_over = PlugIn { other_writers: OtherWriters::TakeOver, ..STRICT };
    let outcome = plug_in(server.admin(), &secret(&new, &at), take_over).await;
    assert!(matches!(outcome, Ok(Outcome::Updated(_))), "{outcome:?}");
    assert_holds(&server, &at, &new).await?;
    // From now on nobody has to be asked.
    let newest = bundle(&root, "cluster1")?;
    let outcome = plug_in(server.admin(), &secret(&newest, &at), STRICT).await;
    assert!(matches!(outcome, Ok(Outcome::Updated(_))), "{outcome:?}");
    Ok(())
}

pub(crate) async fn an_immutable_secret_is_told_before_it_is_tried(
    server: Rc<Server>,
) -> Result<()> {
    let at = server.namespace("immutable").await?;
    let root = root("Root CA")?;
    let (old, new) = (bundle(&root, "cluster1")?, bundle(&root, "cluster1")?);
    assert_eq!(plug_in(server.admin(), &secret(&old, &at), STRICT).await, Ok(Outcome::Created));
    let immutable = Patch::Merge(json!({ "immutable": true }));
    server.secrets(&at).patch(SecretRef::NAME, &PatchParams::default(), &immutable).await?;

    assert_eq!(
        plug_in(server.admin(), &secret(&new, &at), STRICT).await,
        Err(Error::Immutable { object: at.clone() })
    );
    assert_eq!(plug_in(server.admin(), &secret(&old, &at), STRICT).await, Ok(Outcome::Unchanged));
    Ok(())
}

pub(crate) async fn a_secret_that_is_being_deleted_is_not_written(
    server: Rc<Server>,
) -> Result<()> {
    let at = server.namespace("deleting").await?;
    let bundle = bundle(&root("Root CA")?, "cluster1")?;
    assert_eq!(plug_in(server.admin(), &secret(&bundle, &at), STRICT).await, Ok(Outcome::Created));
    let held = Patch::Merge(json!({ "metadata": { "finalizers": ["example.com/hold"] } }));
    server.secrets(&at).patch(SecretRef::NAME, &PatchParams::default(), &held).await?;
    let deleting = server.secrets(&at).delete(SecretRef::NAME, &DeleteParams::default()).await?;
    assert!(deleting.is_left(), "it is gone at once: {deleting:?}");

    assert_eq!(
        plug_in(server.admin(), &secret(&bundle, &at), STRICT).await,
        Err(Error::BeingDeleted { object: at })
    );
    Ok(())
}
