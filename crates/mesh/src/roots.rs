//! The trust bundle that istiod writes into every namespace, where each pod mounts it to verify
//! istiod: ConfigMap `istio-ca-root-cert`, key `root-cert.pem`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::ListParams;
use kube::{Api, ResourceExt as _};

use crate::deadline::within;
use crate::{Error, Mesh};

/// The ConfigMap's name unless `PILOT_CA_CERT_CONFIGMAP` says otherwise.
const CONFIG_MAP: &str = "istio-ca-root-cert";
/// Its one key.
const KEY: &str = "root-cert.pem";
/// Namespaces that istiod leaves out (`pilot/pkg/serviceregistry/kube/controller/namespacecontroller.go`;
/// kube-system is not among them).
const IGNORED: [&str; 3] = ["kube-public", "kube-node-lease", "local-path-storage"];

/// What a namespace's pods take for the mesh's roots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespaceRoot {
    /// The namespace.
    pub namespace: String,
    /// Its labels: by them a mesh's `discoverySelectors` choose.
    pub labels: BTreeMap<String, String>,
    /// What it holds.
    pub state: RootState,
}

/// A namespace's ConfigMap held against the expected bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootState {
    /// The expected bytes.
    Same,
    /// Other bytes.
    Differs {
        /// The value of `root-cert.pem`.
        found: String,
    },
    /// The ConfigMap has no `root-cert.pem`.
    NoKey,
    /// There is no such ConfigMap. Besides a broken istiod, a namespace outside the mesh
    /// configuration's `discoverySelectors` has none.
    NoConfigMap,
}

impl Mesh {
    /// Holds the ConfigMap of every namespace that istiod serves against `expected`, the bytes of
    /// `root-cert.pem`. Namespaces that are being deleted are left out.
    ///
    /// # Errors
    /// [`Error::Api`] when namespaces or ConfigMaps cannot be listed.
    pub async fn namespace_roots(&self, expected: &[u8]) -> Result<Vec<NamespaceRoot>, Error> {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let config_maps: Api<ConfigMap> = Api::all(self.client.clone());
        let named = ListParams::default().fields(&format!("metadata.name={CONFIG_MAP}"));
        let everything = ListParams::default();
        let (namespaces, config_maps) = tokio::try_join!(
            self.list(&namespaces, &everything, "the namespaces"),
            self.list(&config_maps, &named, "the `istio-ca-root-cert` ConfigMaps"),
        )?;
        Ok(compare(&namespaces, &config_maps, expected))
    }

    /// The same for one namespace.
    ///
    /// # Errors
    /// [`Error::Api`]
    pub async fn namespace_root(
        &self,
        namespace: &str,
        expected: &[u8],
    ) -> Result<RootState, Error> {
        let config_maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), namespace);
        let doing = || format!("read ConfigMap {namespace}/{CONFIG_MAP}");
        let asking =
            async { config_maps.get_opt(CONFIG_MAP).await.map_err(|e| Error::api(doing(), e)) };
        Ok(state(within(self.limit, doing, asking).await?.as_ref(), expected))
    }
}

fn compare(
    namespaces: &[Namespace],
    config_maps: &[ConfigMap],
    expected: &[u8],
) -> Vec<NamespaceRoot> {
    let by_namespace: BTreeMap<_, _> =
        config_maps.iter().filter_map(|map| Some((map.namespace()?, map))).collect();
    let served = namespaces.iter().filter(|namespace| {
        namespace.metadata.deletion_timestamp.is_none()
            && !IGNORED.contains(&namespace.name_any().as_str())
    });
    let mut roots: Vec<_> = served
        .map(|namespace| {
            let labels = namespace.labels().clone();
            let namespace = namespace.name_any();
            let state = state(by_namespace.get(&namespace).copied(), expected);
            NamespaceRoot { namespace, labels, state }
        })
        .collect();
    roots.sort_by(|a, b| a.namespace.cmp(&b.namespace));
    roots
}

fn state(map: Option<&ConfigMap>, expected: &[u8]) -> RootState {
    let Some(map) = map else { return RootState::NoConfigMap };
    match map.data.as_ref().and_then(|data| data.get(KEY)) {
        None => RootState::NoKey,
        Some(found) if found.as_bytes() == expected => RootState::Same,
        Some(found) => RootState::Differs { found: found.clone() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use serde_json::{Value, from_value, json};

    fn namespace(name: &str) -> Namespace {
        from_value(json!({ "metadata": { "name": name } })).unwrap()
    }

    fn config_map(namespace: &str, data: Value) -> ConfigMap {
        from_value(
            json!({ "metadata": { "name": CONFIG_MAP, "namespace": namespace }, "data": data }),
        )
        .unwrap()
    }

    fn found(namespaces: &[Namespace], maps: &[ConfigMap]) -> Vec<(String, RootState)> {
        compare(namespaces, maps, b"ROOT\n").into_iter().map(|r| (r.namespace, r.state)).collect()
    }

    #[test]
    fn one_byte_of_difference_is_a_difference() {
        let namespaces = [namespace("foo"), namespace("bar"), namespace("baz")];
        let maps = [
            config_map("foo", json!({ KEY: "ROOT\n" })),
            config_map("bar", json!({ KEY: "ROOT" })),
            config_map("baz", json!({ "other": "ROOT\n" })),
        ];
        let expected = vec![
            ("bar".to_owned(), RootState::Differs { found: "ROOT".to_owned() }),
            ("baz".to_owned(), RootState::NoKey),
            ("foo".to_owned(), RootState::Same),
        ];
        assert_eq!(found(&namespaces, &maps), expected);
    }

    #[test]
    fn a_namespace_without_the_config_map_is_reported() {
        let maps = [config_map("foo", json!({ KEY: "ROOT\n" }))];
        let namespaces = [namespace("foo"), namespace("kube-system")];
        let expected = vec![
            ("foo".to_owned(), RootState::Same),
            ("kube-system".to_owned(), RootState::NoConfigMap),
        ];
        assert_eq!(found(&namespaces, &maps), expected);
    }

    #[test]
    fn namespaces_that_istiod_ignores_or_that_are_going_are_left_out() {
        let mut going = namespace("going");
        going.metadata.deletion_timestamp = from_value(json!("2026-11-25T00:00:00Z")).unwrap();
        let namespaces = [namespace("kube-public"), namespace("kube-node-lease"), going];
        assert_eq!(found(&namespaces, &[]), vec![]);
    }
}
