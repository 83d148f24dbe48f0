//! The mesh's own configuration: the ConfigMap `istio` (`istio-REVISION` for a revision) in istiod's
//! namespace, key `mesh`. Of it only what the looks depend on is read.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::Api;
use kube::core::{Selector, SelectorExt as _};
use serde::Deserialize;

use crate::deadline::within;
use crate::injection::selector;
use crate::{Error, Mesh};

/// The trust domain of a mesh whose configuration names none.
const TRUST_DOMAIN: &str = "cluster.local";
/// The revision whose ConfigMap has no suffix.
const DEFAULT_REVISION: &str = "default";
const KEY: &str = "mesh";

/// What the mesh's configuration says (`meshconfig.v1alpha1`, MeshConfig).
#[derive(Clone, Debug)]
pub struct MeshConfig {
    /// The name of the ConfigMap it was read from.
    pub config_map: String,
    /// The trust domain of every workload's identity.
    pub trust_domain: String,
    discovery: Vec<Selector>,
}

impl MeshConfig {
    /// Whether istiod looks at a namespace with these labels: it writes no root into one that its
    /// `discoverySelectors` leave out, and its pods are in no mesh.
    pub fn discovers(&self, namespace: &BTreeMap<String, String>) -> bool {
        self.discovery.is_empty() || self.discovery.iter().any(|one| one.matches(namespace))
    }

    /// The `discoverySelectors` as text, each as `kubectl -l` takes it.
    pub fn discovery_selectors(&self) -> Vec<String> {
        self.discovery.iter().map(ToString::to_string).collect()
    }
}

/// The name of the ConfigMap that configures a revision.
pub fn config_map_name(revision: Option<&str>) -> String {
    match revision {
        None | Some("" | DEFAULT_REVISION) => "istio".to_owned(),
        Some(revision) => format!("istio-{revision}"),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Yaml {
    trust_domain: Option<String>,
    #[serde(default)]
    discovery_selectors: Vec<LabelSelector>,
}

impl Mesh {
    /// Reads the configuration of a revision; of the default one if none is named.
    ///
    /// # Errors
    /// [`Error::Api`], also when there is no such ConfigMap; [`Error::ApiAnswer`] when it has no
    /// key `mesh`; [`Error::MeshConfig`]; [`Error::Selector`]
    pub async fn config(&self, revision: Option<&str>) -> Result<MeshConfig, Error> {
        let name = config_map_name(revision);
        let maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), &self.system_namespace);
        let doing = || format!("read ConfigMap {}/{name}", self.system_namespace);
        let reading = async { maps.get(&name).await.map_err(|e| Error::api(doing(), e)) };
        let map = within(self.limit, doing, reading).await?;
        let text = map.data.as_ref().and_then(|data| data.get(KEY));
        let text =
            text.ok_or_else(|| Error::ApiAnswer { doing: doing(), missing: "the key `mesh`" })?;
        parse(&name, text)
    }
}

pub(crate) fn parse(name: &str, text: &str) -> Result<MeshConfig, Error> {
    let unreadable = |reason: String| Error::MeshConfig { config_map: name.to_owned(), reason };
    // An empty configuration is one: everything has a default.
    let yaml: Option<Yaml> =
        serde_saphyr::from_str(text).map_err(|error| unreadable(error.to_string()))?;
    let yaml = yaml.unwrap_or(Yaml { trust_domain: None, discovery_selectors: Vec::new() });
    let of = || format!("`discoverySelectors` in ConfigMap {name}");
    let discovery = yaml.discovery_selectors.into_iter().map(|one| selector(one, of));
    let trust_domain = yaml.trust_domain.filter(|domain| !domain.is_empty());
    Ok(MeshConfig {
        config_map: name.to_owned(),
        trust_domain: trust_domain.unwrap_or_else(|| TRUST_DOMAIN.to_owned()),
        discovery: discovery.collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    const YAML: &str = "\
accessLogFile: /dev/stdout
defaultConfig:
  discoveryAddress: istiod.istio-system.svc:15012
discoverySelectors:
- matchLabels:
    mesh: \"on\"
- matchExpressions:
  - key: team
    operator: In
    values: [a, b]
trustDomain: example.org
";

    fn labels(key: &str, value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(key.to_owned(), value.to_owned())])
    }

    #[test]
    fn the_trust_domain_is_the_configured_one() {
        assert_eq!(parse("istio", YAML).unwrap().trust_domain, "example.org");
    }

    #[test]
    fn a_configuration_without_a_trust_domain_means_cluster_local() {
        for text in ["", "{}", "enableTracing: true\n", "trustDomain: \"\"\n"] {
            assert_eq!(parse("istio", text).unwrap().trust_domain, "cluster.local", "{text:?}");
        }
    }

    #[test]
    fn one_selector_that_fits_is_enough() {
        let config = parse("istio", YAML).unwrap();
        assert!(config.discovers(&labels("mesh", "on")));
        assert!(config.discovers(&labels("team", "b")));
        assert!(!config.discovers(&labels("team", "c")));
        assert_eq!(config.discovery_selectors(), ["mesh=on", "team in (a,b)"]);
    }

    #[test]
    fn without_selectors_every_namespace_is_looked_at() {
        assert!(parse("istio", "{}").unwrap().discovers(&BTreeMap::new()));
    }

    #[test]
    fn a_revision_has_a_config_map_of_its_own() {
        let names = [None, Some("default"), Some("canary")].map(config_map_name);
        assert_eq!(names, ["istio", "istio", "istio-canary"]);
    }

    #[test]
    fn what_is_no_configuration_is_named() {
        let error = parse("istio", "trustDomain: [").unwrap_err().to_string();
        assert!(
            error.starts_with("key `mesh` of ConfigMap istio is no mesh configuration: "),
            "{error}"
        );
    }
}
