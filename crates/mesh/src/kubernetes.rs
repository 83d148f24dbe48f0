//! The few calls to the API server that several looks share: listing in pages, and the words for
//! what went wrong.

use std::fmt;

use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::{Api, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;

use crate::deadline::within;
use crate::{Error, Mesh, PodRef};

/// Objects a page: what kubectl asks for.
const PAGE: u32 = 500;

impl Mesh {
    /// Every object that fits `params`; `what` completes "cannot list WHAT".
    pub(crate) async fn list<K>(
        &self,
        api: &Api<K>,
        params: &ListParams,
        what: &str,
    ) -> Result<Vec<K>, Error>
    where
        K: Clone + DeserializeOwned + fmt::Debug + Resource,
    {
        let mut params = params.clone().limit(PAGE);
        let mut all = Vec::new();
        loop {
            let page = async {
                let page = api.list(&params).await;
                page.map_err(|source| Error::api(format!("list {what}"), source))
            };
            let page = within(self.limit, || format!("listing {what}"), page).await?;
            all.extend(page.items);
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params.continue_token = Some(token),
                None => return Ok(all),
            }
        }
    }

    pub(crate) fn pods_of(&self, namespace: &str) -> Api<Pod> {
        Api::namespaced(self.client.clone(), namespace)
    }
}

/// The name of a pod object.
pub(crate) fn pod_ref(pod: &Pod) -> PodRef {
    PodRef { namespace: pod.namespace().unwrap_or_default(), name: pod.name_any() }
}

/// The API server's refusal in its own words, with the likely cause where the code tells.
#[derive(Debug)]
pub struct ApiFailure(Box<kube::Error>);

impl ApiFailure {
    pub(crate) fn new(source: kube::Error) -> Self {
        Self(Box::new(source))
    }

    /// The client library's error.
    pub fn kube(&self) -> &kube::Error {
        &self.0
    }

    /// The HTTP status, when the API server answered at all.
    pub fn status(&self) -> Option<u16> {
        match self.0.as_ref() {
            kube::Error::Api(status) => Some(status.code),
            kube::Error::UpgradeConnection(
                kube::client::UpgradeConnectionError::ProtocolSwitch(code),
            ) => Some(code.as_u16()),
            _ => None,
        }
    }
}

impl fmt::Display for ApiFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_ref() {
            kube::Error::Api(status) => write!(f, "{} ({})", status.message, status.code)?,
            kube::Error::UpgradeConnection(error) => write!(f, "{error}")?,
            other => write!(f, "{other}")?,
        }
        match self.status() {
            Some(401) => f.write_str("; the credentials of the kubeconfig are not accepted"),
            Some(403) => f.write_str("; the kubeconfig's user lacks this right (RBAC)"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for ApiFailure {}
