//! Looks at a running Istio mesh through the Kubernetes API: what istiod signs with, what each
//! proxy serves and trusts, and what a client of the caller's making meets at a workload's port.
//!
//! The crate changes no object. Two of its looks leave something behind for the time they take: a
//! [`Relay`] is a second Envoy process inside a proxy that the caller names, and
//! [`Mesh::fresh_certificate`] has istiod sign one more workload certificate.
//!
//! It judges no certificate. It hands out what was served, to the byte, and `pki::Hierarchy`
//! judges that. It never keeps a private key of a workload: Envoy redacts them, and the parsers
//! have no field to put one in.
//!
//! ```no_run
//! # async fn look(client: kube::Client) -> Result<(), mesh::Error> {
//! use std::time::Duration;
//!
//! let mesh = mesh::Mesh::new(client, "istio-system", Duration::from_secs(10));
//! for proxy in mesh.proxies().await? {
//!     let secrets = mesh.proxy_secrets(&proxy).await?;
//!     assert!(!secrets.chain.is_empty());
//! }
//! # Ok(())
//! # }
//! ```

mod config;
mod csr;
mod deadline;
mod error;
mod exec;
mod forward;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod handshake;
mod identity;
mod injection;
pub mod istiod;
mod kubernetes;
mod mesh;
pub mod plaintext;
mod proxies;
mod relay;
mod request;
mod roots;
mod secrets;
mod served;
mod tls;
mod webhooks;

pub use config::{MeshConfig, config_map_name};
pub use csr::{FreshCertificate, IssuedChain, SigningRequest};
pub use error::Error;
pub use handshake::{Alert, Hello, Look, Outcome, Phase};
pub use identity::ClientIdentity;
pub use injection::{INJECTION_LABEL, Injector, REVISION_LABEL};
pub use istiod::{Istiod, SigningCa};
pub use kubernetes::ApiFailure;
pub use mesh::{Mesh, PodRef};
pub use plaintext::PlainOutcome;
pub use proxies::{Proxy, ProxyKind, ProxyState};
pub use relay::Relay;
pub use request::{Answer, Request};
pub use roots::{NamespaceRoot, RootState};
pub use secrets::ProxySecrets;
pub use served::ServedChain;
pub use webhooks::{CaBundle, Webhook, WebhookKind};
