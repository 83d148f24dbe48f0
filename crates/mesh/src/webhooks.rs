//! The webhooks by which the API server calls istiod (injection and validation), and the roots it
//! verifies istiod by. istiod writes its root into each `caBundle`.

use std::fmt;

use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration, WebhookClientConfig,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Api;
use kube::api::ListParams;
use pki::TrustBundle;

use crate::{Error, Mesh};

/// A webhook of istiod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Of which kind of object.
    pub kind: WebhookKind,
    /// The name of the object, as `istio-sidecar-injector`.
    pub configuration: String,
    /// The webhook's name within it.
    pub name: String,
    /// The object's `istio.io/rev` label.
    pub revision: Option<String>,
    /// What the API server verifies istiod by.
    pub ca_bundle: CaBundle,
}

/// The two kinds of webhook configurations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WebhookKind {
    /// Sidecar injection.
    Mutating,
    /// Validation of Istio's objects.
    Validating,
}

/// A webhook's `caBundle`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaBundle {
    /// istiod has not written one (the API server would trust the system's roots).
    Empty,
    /// It does not parse.
    Unreadable {
        /// Why.
        reason: String,
    },
    /// The roots.
    Roots {
        /// The bytes, as `root-cert.pem` has them.
        pem: Vec<u8>,
        /// The same, parsed.
        roots: TrustBundle,
    },
}

impl Mesh {
    /// Every webhook that calls istiod: by its service in the system namespace, or by a URL in an
    /// object that carries a revision label (an external istiod).
    ///
    /// # Errors
    /// [`Error::Api`] when the configurations cannot be listed.
    pub async fn webhooks(&self) -> Result<Vec<Webhook>, Error> {
        let mutating: Api<MutatingWebhookConfiguration> = Api::all(self.client.clone());
        let validating: Api<ValidatingWebhookConfiguration> = Api::all(self.client.clone());
        let everything = ListParams::default();
        let (mutating, validating) = tokio::try_join!(
            self.list(&mutating, &everything, "the mutating webhook configurations"),
            self.list(&validating, &everything, "the validating webhook configurations"),
        )?;
        Ok(of_istiod(&mutating, &validating, &self.system_namespace))
    }
}

fn of_istiod(
    mutating: &[MutatingWebhookConfiguration],
    validating: &[ValidatingWebhookConfiguration],
    system_namespace: &str,
) -> Vec<Webhook> {
    let mut found = Vec::new();
    let mut add = |kind, object: &ObjectMeta, name: &str, client: &WebhookClientConfig| {
        if calls_istiod(object, client, system_namespace) {
            found.push(Webhook {
                kind,
                configuration: object.name.clone().unwrap_or_default(),
                name: name.to_owned(),
                revision: revision(object),
                ca_bundle: CaBundle::read(client.ca_bundle.as_ref()),
            });
        }
    };
    for object in mutating {
        for hook in object.webhooks.iter().flatten() {
            add(WebhookKind::Mutating, &object.metadata, &hook.name, &hook.client_config);
        }
    }
    for object in validating {
        for hook in object.webhooks.iter().flatten() {
            add(WebhookKind::Validating, &object.metadata, &hook.name, &hook.client_config);
        }
    }
    found
}

/// Whether a webhook is one of the istiod in this namespace.
pub(crate) fn calls_istiod(
    object: &ObjectMeta,
    client: &WebhookClientConfig,
    system_namespace: &str,
) -> bool {
    match &client.service {
        // A revision or a tag has its own service, `istiod-REVISION`.
        Some(service) => {
            service.namespace == system_namespace
                && (service.name == "istiod" || service.name.starts_with("istiod-"))
        }
        None => revision(object).is_some(),
    }
}

pub(crate) fn revision(object: &ObjectMeta) -> Option<String> {
    object.labels.as_ref()?.get("istio.io/rev").cloned()
}

impl CaBundle {
    fn read(bytes: Option<&ByteString>) -> Self {
        let Some(ByteString(pem)) = bytes.filter(|bytes| !bytes.0.is_empty()) else {
            return Self::Empty;
        };
        match TrustBundle::from_pem(pem) {
            Ok(roots) => Self::Roots { pem: pem.clone(), roots },
            Err(error) => Self::Unreadable { reason: error.to_string() },
        }
    }
}

impl fmt::Display for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.configuration, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use serde_json::{Value, from_value, json};

    fn injector(labels: Value, client_config: Value) -> MutatingWebhookConfiguration {
        from_value(json!({
            "metadata": { "name": "istio-sidecar-injector", "labels": labels },
            "webhooks": [{
                "name": "namespace.sidecar-injector.istio.io",
                "clientConfig": client_config,
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
            }],
        }))
        .unwrap()
    }

    fn service(namespace: &str, name: &str) -> Value {
        json!({ "service": { "namespace": namespace, "name": name } })
    }

    fn found(object: MutatingWebhookConfiguration) -> Vec<Webhook> {
        of_istiod(&[object], &[], "istio-system")
    }

    #[test]
    fn a_webhook_of_a_revision_is_istiods() {
        let labels = json!({ "istio.io/rev": "canary" });
        let all = found(injector(labels, service("istio-system", "istiod-canary")));
        let expected = Webhook {
            kind: WebhookKind::Mutating,
            configuration: "istio-sidecar-injector".to_owned(),
            name: "namespace.sidecar-injector.istio.io".to_owned(),
            revision: Some("canary".to_owned()),
            ca_bundle: CaBundle::Empty,
        };
        assert_eq!(all, vec![expected]);
    }

    #[test]
    fn webhooks_of_others_are_left_out() {
        assert_eq!(found(injector(json!({}), service("cert-manager", "istiod"))), vec![]);
        assert_eq!(found(injector(json!({}), service("istio-system", "kiali"))), vec![]);
        assert_eq!(found(injector(json!({}), json!({ "url": "https://other.example" }))), vec![]);
    }

    #[test]
    fn an_external_istiod_is_known_by_its_revision_label() {
        let external = json!({ "url": "https://istiod.example/inject" });
        let all = found(injector(json!({ "istio.io/rev": "default" }), external));
        assert_eq!(all.len(), 1);
    }

    #[test]
    fn a_bundle_that_does_not_parse_is_not_taken_for_none() {
        let mut client_config = service("istio-system", "istiod");
        client_config["caBundle"] = json!("bm90IHBlbQ==");
        let all = found(injector(json!({}), client_config));
        assert!(matches!(&all[0].ca_bundle, CaBundle::Unreadable { .. }), "{:?}", all[0].ca_bundle);
    }
}
