//! The configuration files of a node's components, as text. Writes them; starts nothing.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tools::versions::PAUSE_IMAGE;

use super::components::{CONFIG, CONTAINERD_SOCKET, STORE, VOLUME_PLUGINS};
use super::names::Names;
use crate::rundir::write;

/// Where Debian's containernetworking-plugins puts its programs.
const CNI_PLUGINS: &str = "/usr/lib/cni";

/// The settings that a kubelet makes on its machine (k8s.io/kubernetes,
/// pkg/kubelet/cm/container_manager_linux.go, `setupKernelTunables`). They are the whole machine's,
/// not the node's: the kubelet finds these files in their place, already as it wants them.
pub(crate) const KERNEL_SETTINGS: [(&str, u32); 6] = [
    ("vm/overcommit_memory", 1),
    ("vm/panic_on_oom", 0),
    ("kernel/panic", 10),
    ("kernel/panic_on_oops", 1),
    ("kernel/keys/root_maxkeys", 1_000_000),
    ("kernel/keys/root_maxbytes", 25_000_000),
];

/// Writes the files of the node called `node` into `dir`, which becomes [`CONFIG`] on it and has
/// the certificates in `pki`.
///
/// # Errors
/// A file cannot be written.
pub(crate) fn write_all(dir: &Path, node: &str, names: &Names) -> Result<()> {
    write(&dir.join("containerd.toml"), &containerd(STORE, "/run/containerd", CONTAINERD_SOCKET))?;
    write(&dir.join("kubelet.json"), &format!("{:#}", kubelet(names)))?;
    // Names resolve in the cluster or not at all.
    write(&dir.join("resolv.conf"), "")?;
    make(&dir.join("cni"))?;
    write(&dir.join("cni/pods.conflist"), &format!("{:#}", cni(names)))?;
    for client in ["controller-manager", "scheduler", "kubelet", "proxy"] {
        let user = json!({
            "client-certificate": format!("{CONFIG}/pki/{client}.crt"),
            "client-key": format!("{CONFIG}/pki/{client}.key"),
        });
        let ca = json!({ "certificate-authority": format!("{CONFIG}/pki/ca.crt") });
        let text = format!("{:#}", kubeconfig(node, names, ca, user));
        write(&dir.join(format!("{client}.kubeconfig")), &text)?;
    }
    for (name, value) in KERNEL_SETTINGS {
        let path = kernel_setting(dir, name);
        path.parent().map_or(Ok(()), make)?;
        write(&path, &format!("{value}\n"))?;
    }
    Ok(())
}

/// Where the stand-in for a kernel setting is, below the folder of the configuration files.
pub(crate) fn kernel_setting(dir: &Path, name: &str) -> PathBuf {
    dir.join("kernel").join(name)
}

/// The administrator's kubeconfig, complete in itself; `pki` has the certificates.
///
/// # Errors
/// A certificate cannot be read.
pub(crate) fn admin_kubeconfig(cluster: &str, names: &Names, pki: &Path) -> Result<String> {
    let read = |file: &str| {
        let path = pki.join(file);
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        anyhow::Ok(BASE64_STANDARD.encode(bytes))
    };
    let ca = json!({ "certificate-authority-data": read("ca.crt")? });
    let user = json!({
        "client-certificate-data": read("admin.crt")?,
        "client-key-data": read("admin.key")?,
    });
    Ok(format!("{:#}\n", kubeconfig(cluster, names, ca, user)))
}

fn kubeconfig(name: &str, names: &Names, mut cluster: Value, user: Value) -> Value {
    cluster["server"] = json!(format!("https://{}:6443", names.node_ip()));
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": name, "cluster": cluster }],
        "users": [{ "name": name, "user": user }],
        "contexts": [{ "name": name, "context": { "cluster": name, "user": name } }],
        "current-context": name,
    })
}

/// containerd's configuration. All paths are absolute and need no quoting in TOML.
pub(crate) fn containerd(root: &str, state: &str, socket: &str) -> String {
    format!(
        r#"version = 2
root = "{root}"
state = "{state}"
# A lower score needs CAP_SYS_RESOURCE, which not every root has.
oom_score = 0

[grpc]
address = "{socket}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{CNI_PLUGINS}"
conf_dir = "{CONFIG}/cni"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
"#
    )
}

fn cni(names: &Names) -> Value {
    json!({
        "cniVersion": "0.4.0",
        "name": "pods",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni0",
                "isGateway": true,
                // Nothing outside of the node is reached, and between nodes pods keep their
                // addresses.
                "ipMasq": false,
                "hairpinMode": true,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{ "subnet": names.ranges().pods.to_string() }]],
                    "routes": [{ "dst": "0.0.0.0/0" }],
                },
            },
            { "type": "portmap", "capabilities": { "portMappings": true } },
        ],
    })
}

fn kubelet(names: &Names) -> Value {
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": { "enabled": false },
            "webhook": { "enabled": true },
            "x509": { "clientCAFile": format!("{CONFIG}/pki/ca.crt") },
        },
        "authorization": { "mode": "Webhook" },
        "tlsCertFile": format!("{CONFIG}/pki/kubelet-server.crt"),
        "tlsPrivateKeyFile": format!("{CONFIG}/pki/kubelet-server.key"),
        "containerRuntimeEndpoint": format!("unix://{CONTAINERD_SOCKET}"),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": format!("/{}", names.cgroup),
        "failCgroupV1": false,
        "failSwapOn": false,
        "oomScoreAdj": 0,
        "maxOpenFiles": 20_000,
        "clusterDomain": "cluster.local",
        "clusterDNS": [names.dns_ip().to_string()],
        "resolvConf": format!("{CONFIG}/resolv.conf"),
        // The disk is the machine's: its owner decides how full it may be.
        "evictionHard": { "memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
        "imageGCHighThresholdPercent": 100,
        // A changed Secret reaches a pod within this time.
        "configMapAndSecretChangeDetectionStrategy": "Watch",
        "syncFrequency": "2s",
        "volumePluginDir": VOLUME_PLUGINS,
        "registryPullQPS": 0,
        "eventRecordQPS": 0,
        "makeIPTablesUtilChains": false,
        "protectKernelDefaults": true,
    })
}

fn make(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))
}

#[cfg(test)]
mod tests;
