//! The Secret `cacerts`: from a judged bundle to the object istiod mounts, and back.
//!
//! A [`CacertsSecret`] is made from a `&pki::Bundle` only, so what the rules refuse cannot become
//! one. [`from_secret`] reads any Secret back as raw `BundleFiles`, also one that others laid out.
//! A [`Difference`] names certificates by fingerprint and never shows a key.
//!
//! With the feature `client`, `read` and `plug_in` talk to the API server: server-side apply with
//! the field manager [`FIELD_MANAGER`], under the precondition that nobody wrote in between. No
//! other object is touched, and istiod is neither watched nor restarted.
//!
//! ```
//! # use pki::{ClusterCaParams, KeyAlgorithm, Profile, RootCa, RootCaParams, Validity};
//! # use time::{Duration, macros::datetime};
//! # let now = datetime!(2026-11-24 12:00 UTC);
//! # let validity = Validity::new(now, now + Duration::days(730))?;
//! # let (profile, key) = (Profile::Hardened, KeyAlgorithm::EcdsaP256);
//! # let root = RootCa::generate(&RootCaParams {
//! #     profile, common_name: "Root CA".into(), organization: "Example".into(), validity, key,
//! # })?;
//! # let cluster_ca = root.issue_cluster_ca(&ClusterCaParams {
//! #     profile, common_name: "Intermediate CA".into(), organization: "Example".into(),
//! #     cluster: "cluster1".into(), dns_name: "istiod.istio-system.svc".into(), validity, key,
//! # })?;
//! use k8s_secret::{CacertsSecret, SecretRef};
//!
//! let bundle = cluster_ca.bundle()?;
//! let secret = CacertsSecret::new(&bundle, SecretRef::istio_system());
//! let manifest = secret.manifest();
//!
//! // For `kubectl apply -f -`: this JSON holds the private key.
//! let json = serde_json::to_string(&manifest)?;
//! // For people and logs: this text does not.
//! println!("{manifest}");
//!
//! let files = k8s_secret::from_secret(&serde_json::from_str(&json)?);
//! assert_eq!(files.get("root-cert.pem"), bundle.files().get("root-cert.pem"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "client")]
mod client;
mod difference;
mod error;
mod layout;
mod manifest;
mod redacted;
mod secret;
mod secret_ref;

#[cfg(feature = "client")]
pub use client::{OtherWriters, Outcome, PlugIn, RootChange, plug_in, read};
pub use difference::{Change, Difference, Held, KeyChange};
pub use error::{Call, Error, OwnedField};
pub use manifest::{Manifest, from_secret};
pub use redacted::Redacted;
pub use secret::{CacertsSecret, FIELD_MANAGER};
pub use secret_ref::SecretRef;
