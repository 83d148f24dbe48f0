//! The mesh that is looked at: a Kubernetes client, the namespace istiod runs in, and how long one
//! look may take. The looks themselves are in the other modules, each an `impl Mesh`.

use std::fmt;
use std::time::Duration;

/// A running mesh, seen through the Kubernetes API.
#[derive(Clone)]
pub struct Mesh {
    pub(crate) client: kube::Client,
    pub(crate) system_namespace: String,
    pub(crate) limit: Duration,
}

impl Mesh {
    /// A mesh whose istiod runs in `system_namespace` (`istio-system` unless installed otherwise).
    ///
    /// Each single look (one list, one port-forward, one handshake) ends within `limit`, by an
    /// [`Error::Deadline`](crate::Error::Deadline) if need be.
    pub fn new(client: kube::Client, system_namespace: &str, limit: Duration) -> Self {
        Self { client, system_namespace: system_namespace.to_owned(), limit }
    }

    /// The namespace of istiod.
    pub fn system_namespace(&self) -> &str {
        &self.system_namespace
    }
}

impl fmt::Debug for Mesh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mesh")
            .field("system_namespace", &self.system_namespace)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// The name of a pod; prints as `namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodRef {
    /// Its namespace.
    pub namespace: String,
    /// Its name within the namespace.
    pub name: String,
}

impl PodRef {
    /// The pod `name` of `namespace`.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

impl fmt::Display for PodRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}
