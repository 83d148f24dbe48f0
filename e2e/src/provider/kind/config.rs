//! kind's own configuration of a cluster. JSON: every JSON text is YAML.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::provider::RUN_LABEL;
use crate::rundir::RunId;

/// Where containerd looks for the registries to ask in place of others.
const REGISTRIES: &str = "/etc/containerd/certs.d";

/// One node, kind's own networks, and nothing else but what the claims, the machine and a mirror
/// need. `mirror` is the folder that says which registry to ask.
///
/// # Errors
/// The folder's path is not UTF-8.
pub(super) fn text(run: &RunId, cgroup_v1: bool, mirror: Option<&Path>) -> Result<String> {
    let mut node = json!({"role": "control-plane", "labels": {RUN_LABEL: run.as_str()}});
    let mut kubelet = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        // A changed Secret reaches a pod within this time, and not after the default minute.
        "syncFrequency": "2s",
    });
    if cgroup_v1 {
        // From 1.35 on a kubelet refuses cgroup v1 unless it is told not to.
        kubelet["failCgroupV1"] = json!(false);
    }
    let mut containerd = Vec::new();
    if let Some(folder) = mirror {
        let folder = folder.to_str().context("the path of the run's folder is not UTF-8")?;
        let mount = json!({"hostPath": folder, "containerPath": REGISTRIES, "readOnly": true});
        node["extraMounts"] = json!([mount]);
        containerd.push(format!(
            "[plugins.\"io.containerd.grpc.v1.cri\".registry]\n  config_path = \"{REGISTRIES}\"\n"
        ));
    }
    let config = json!({
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": [node],
        "kubeadmConfigPatches": [kubelet.to_string()],
        "containerdConfigPatches": containerd,
    });
    Ok(format!("{config:#}\n"))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::Value;

    use super::*;

    fn config(cgroup_v1: bool, mirror: Option<&Path>) -> Value {
        let run = RunId::try_from("bcdfgh".to_owned()).unwrap();
        serde_json::from_str(&text(&run, cgroup_v1, mirror).unwrap()).unwrap()
    }

    fn kubelet(config: &Value) -> Value {
        serde_json::from_str(config["kubeadmConfigPatches"][0].as_str().unwrap()).unwrap()
    }

    #[test]
    fn only_a_kubelet_on_cgroup_v1_is_told_to_bear_it() {
        assert_eq!(kubelet(&config(true, None))["failCgroupV1"], json!(false));
        assert_eq!(kubelet(&config(false, None))["failCgroupV1"], Value::Null);
    }

    #[test]
    fn the_node_is_labelled_with_its_run() {
        assert_eq!(config(false, None)["nodes"][0]["labels"], json!({RUN_LABEL: "bcdfgh"}));
    }

    #[test]
    fn a_mirror_is_mounted_where_containerd_looks_for_it() {
        let with = config(false, Some(Path::new("/run/registries")));
        let mount = &with["nodes"][0]["extraMounts"][0];
        assert_eq!(mount["containerPath"], REGISTRIES);
        assert_eq!(
            with["containerdConfigPatches"][0],
            "[plugins.\"io.containerd.grpc.v1.cri\".registry]\n  \
             config_path = \"/etc/containerd/certs.d\"\n"
        );
        let without = config(false, None);
        assert_eq!(without["containerdConfigPatches"], json!([]));
        assert_eq!(without["nodes"][0]["extraMounts"], Value::Null);
    }
}
