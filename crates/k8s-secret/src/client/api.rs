//! The two requests, each within the time that is left.

use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{GetParams, Patch, PatchParams};
use kube::core::{PartialObjectMeta, Request};
use kube::{Client, Resource};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::OtherWriters;
use super::answer::{explain, is_absent, parse};
use crate::{CacertsSecret, Call, Error, FIELD_MANAGER, Manifest, SecretRef};

/// The API server, for one Secret and up to a deadline.
pub(super) struct Api<'a> {
    client: &'a Client,
    at: &'a SecretRef,
    limit: Duration,
    deadline: Instant,
}

/// What was read before a write: its precondition.
pub(super) enum Seen<'a> {
    Nothing,
    Object(&'a ObjectMeta),
}

/// A version that no object has: etcd's revisions are signed. The API server applies an object
/// with it where there is none, and answers with a conflict where there is one by now
/// (`k8s.io/apiserver`, `pkg/registry/generic/registry/store.go`, `Update`).
const NO_VERSION: u64 = u64::MAX;

impl<'a> Api<'a> {
    pub(super) fn new(client: &'a Client, at: &'a SecretRef, limit: Duration) -> Self {
        Self { client, at, limit, deadline: Instant::now() + limit }
    }

    /// The Secret as it is, or nothing.
    pub(super) async fn get(&self) -> Result<Option<Manifest>, Error> {
        let request = self.request().get(SecretRef::NAME, &GetParams::default());
        match self.send(Call::Read, request).await? {
            Ok(text) => parse(self.at, Call::Read, &text).map(|secret| Some(Manifest::new(secret))),
            Err(kube::Error::Api(status)) if is_absent(&status) => Ok(None),
            Err(error) => Err(explain(self.at, Call::Read, &error)),
        }
    }

    /// Applies the Secret, provided that what was seen is still what is there.
    pub(super) async fn apply(
        &self,
        secret: &CacertsSecret,
        seen: Seen<'_>,
        other_writers: OtherWriters,
    ) -> Result<(), Error> {
        let mut manifest = secret.manifest();
        let metadata = manifest.metadata_mut();
        match seen {
            Seen::Nothing => metadata.resource_version = Some(NO_VERSION.to_string()),
            Seen::Object(ObjectMeta { uid, resource_version, .. }) => {
                metadata.resource_version.clone_from(resource_version);
                metadata.uid.clone_from(uid);
            }
        }
        let mut params = PatchParams::apply(FIELD_MANAGER);
        params.force = other_writers == OtherWriters::TakeOver;
        // The answer is asked for without the data: the key need not travel back.
        let request =
            self.request().patch_metadata(SecretRef::NAME, &params, &Patch::Apply(&manifest));
        let text = self
            .send(Call::Write, request)
            .await?
            .map_err(|error| explain(self.at, Call::Write, &error))?;
        let written: PartialObjectMeta<Secret> = parse(self.at, Call::Write, &text)?;
        if secret.is_marked(&written.metadata) {
            Ok(())
        } else {
            let reason = "it lacks the annotations that were written".to_owned();
            Err(Error::Answer { object: self.at.clone(), call: Call::Write, reason })
        }
    }

    fn request(&self) -> Request {
        Request::new(Secret::url_path(&(), Some(self.at.namespace())))
    }

    /// The outer error is that of this crate, the inner one still wants explaining.
    async fn send(
        &self,
        call: Call,
        request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
    ) -> Result<Result<Zeroizing<String>, kube::Error>, Error> {
        let request = match request {
            Ok(request) => request,
            Err(error) => return Ok(Err(kube::Error::BuildRequest(error))),
        };
        let answer = tokio::time::timeout_at(self.deadline, self.client.request_text(request));
        match answer.await {
            Ok(answer) => Ok(answer.map(Zeroizing::new)),
            Err(_elapsed) => {
                Err(Error::TooSlow { object: self.at.clone(), call, limit: self.limit })
            }
        }
    }
}
