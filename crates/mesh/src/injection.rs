//! Which namespaces istiod's webhooks inject proxies into: read off the webhooks themselves, since
//! the label that a mesh wants depends on its revisions and tags.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::admissionregistration::v1::{MutatingWebhook, MutatingWebhookConfiguration};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::Api;
use kube::api::ListParams;
use kube::core::{Selector, SelectorExt as _};

use crate::webhooks::{calls_istiod, revision};
use crate::{Error, Mesh};

/// The label of a namespace that the default revision injects into.
pub const INJECTION_LABEL: &str = "istio-injection";
/// The label that names a revision or a tag.
pub const REVISION_LABEL: &str = "istio.io/rev";

/// A webhook of istiod that injects proxies.
#[derive(Clone, Debug)]
pub struct Injector {
    /// The name of the object, as `istio-sidecar-injector`.
    pub configuration: String,
    /// The webhook's name within it.
    pub name: String,
    /// The revision that injects, by the object's `istio.io/rev` label.
    pub revision: Option<String>,
    namespaces: Selector,
    pods: Selector,
    names: BTreeSet<String>,
}

impl Mesh {
    /// Every webhook by which istiod of this mesh injects proxies.
    ///
    /// # Errors
    /// [`Error::Api`] when the configurations cannot be listed; [`Error::Selector`]
    pub async fn injectors(&self) -> Result<Vec<Injector>, Error> {
        let configurations: Api<MutatingWebhookConfiguration> = Api::all(self.client.clone());
        let what = "the mutating webhook configurations";
        let found = self.list(&configurations, &ListParams::default(), what).await?;
        Injector::of_istiod(&found, &self.system_namespace)
    }
}

impl Injector {
    /// Whether a pod with these labels in a namespace with these labels gets a proxy.
    pub fn injects(
        &self,
        namespace: &BTreeMap<String, String>,
        pod: &BTreeMap<String, String>,
    ) -> bool {
        self.namespaces.matches(namespace) && self.pods.matches(pod)
    }

    /// The revisions and tags by which a namespace can ask for this webhook.
    pub fn names(&self) -> &BTreeSet<String> {
        &self.names
    }
}

impl Injector {
    /// The webhooks among these by which the istiod of a namespace injects.
    ///
    /// # Errors
    /// [`Error::Selector`]
    pub fn of_istiod(
        configurations: &[MutatingWebhookConfiguration],
        system_namespace: &str,
    ) -> Result<Vec<Self>, Error> {
        let mut found = Vec::new();
        for object in configurations {
            for hook in object.webhooks.iter().flatten() {
                if calls_istiod(&object.metadata, &hook.client_config, system_namespace) {
                    found.push(Self::read(object, hook)?);
                }
            }
        }
        Ok(found)
    }

    fn read(object: &MutatingWebhookConfiguration, hook: &MutatingWebhook) -> Result<Self, Error> {
        let configuration = object.metadata.name.clone().unwrap_or_default();
        let of = || format!("webhook {configuration}/{}", hook.name);
        let namespaces = hook.namespace_selector.clone().unwrap_or_default();
        let names = names(&namespaces);
        Ok(Self {
            namespaces: selector(namespaces, of)?,
            pods: selector(hook.object_selector.clone().unwrap_or_default(), of)?,
            names,
            revision: revision(&object.metadata),
            name: hook.name.clone(),
            configuration: configuration.clone(),
        })
    }
}

/// The values of `istio.io/rev` that a selector asks for.
fn names(selector: &LabelSelector) -> BTreeSet<String> {
    let plain = selector.match_labels.iter().flatten();
    let plain = plain.filter(|(key, _)| *key == REVISION_LABEL).map(|(_, value)| value.clone());
    let expressions = selector.match_expressions.iter().flatten();
    let asked = expressions.filter(|e| e.key == REVISION_LABEL && e.operator == "In");
    plain.chain(asked.flat_map(|e| e.values.clone().unwrap_or_default())).collect()
}

/// A selector as the API server reads it. `of` says whose it is.
pub(crate) fn selector(
    selector: LabelSelector,
    of: impl Fn() -> String,
) -> Result<Selector, Error> {
    selector.try_into().map_err(|source| Error::Selector { of: of(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use serde_json::{Value, from_value, json};

    fn hook(name: &str, namespaces: &Value) -> Value {
        json!({
            "name": name,
            "clientConfig": {"service": {"namespace": "istio-system", "name": "istiod"}},
            "namespaceSelector": namespaces,
            "objectSelector": {"matchExpressions": [
                {"key": "sidecar.istio.io/inject", "operator": "NotIn", "values": ["false"]},
            ]},
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        })
    }

    /// The two webhooks of `istio-sidecar-injector` that look at namespaces.
    fn default_revision() -> Vec<Injector> {
        let revision = json!({"matchExpressions": [
            {"key": "istio.io/rev", "operator": "In", "values": ["default"]},
            {"key": "istio-injection", "operator": "DoesNotExist"},
        ]});
        let enabled = json!({"matchExpressions": [
            {"key": "istio-injection", "operator": "In", "values": ["enabled"]},
        ]});
        let object = json!({
            "metadata": {"name": "istio-sidecar-injector", "labels": {"istio.io/rev": "default"}},
            "webhooks": [hook("rev.namespace", &revision), hook("namespace", &enabled)],
        });
        Injector::of_istiod(&[from_value(object).unwrap()], "istio-system").unwrap()
    }

    fn labels(of: &[(&str, &str)]) -> BTreeMap<String, String> {
        of.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn injecting(namespace: &[(&str, &str)], pod: &[(&str, &str)]) -> Vec<String> {
        let (namespace, pod) = (labels(namespace), labels(pod));
        let all = default_revision().into_iter().filter(|i| i.injects(&namespace, &pod));
        all.map(|injector| injector.name).collect()
    }

    #[test]
    fn a_namespace_is_injected_by_the_webhook_whose_label_it_has() {
        assert_eq!(injecting(&[("istio-injection", "enabled")], &[]), ["namespace"]);
        assert_eq!(injecting(&[("istio.io/rev", "default")], &[]), ["rev.namespace"]);
    }

    #[test]
    fn another_revision_or_no_label_is_not_injected() {
        assert_eq!(injecting(&[("istio.io/rev", "canary")], &[]), Vec::<String>::new());
        assert_eq!(injecting(&[], &[]), Vec::<String>::new());
    }

    #[test]
    fn a_pod_that_declines_is_not_injected() {
        let declines = [("sidecar.istio.io/inject", "false")];
        assert_eq!(injecting(&[("istio-injection", "enabled")], &declines), Vec::<String>::new());
    }

    #[test]
    fn the_names_are_those_a_namespace_can_ask_for() {
        let names: Vec<_> = default_revision().iter().map(|i| i.names().clone()).collect();
        assert_eq!(names, [BTreeSet::from(["default".to_owned()]), BTreeSet::new()]);
    }

    #[test]
    fn an_operator_that_does_not_exist_is_named() {
        let selector = json!({"matchExpressions": [{"key": "a", "operator": "Like"}]});
        let object = json!({"metadata": {"name": "x"}, "webhooks": [hook("h", &selector)]});
        let found = Injector::of_istiod(&[from_value(object).unwrap()], "istio-system");
        let error = found.unwrap_err();
        assert_eq!(error.to_string(), "the label selector of webhook x/h cannot be read");
    }
}
