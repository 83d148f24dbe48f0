//! The programs of a node: their arguments, and what each waits for before it starts.
//!
//! Paths are those inside of the node, where `/var/lib` and `/var/log` are the run's own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tools::{Program, Toolbox};

use super::names::Names;

/// Certificates, kubeconfigs and configuration files of the components.
pub(crate) const CONFIG: &str = "/var/lib/kubernetes";
/// What containerd keeps; appears once the images are in it.
pub(crate) const STORE: &str = "/var/lib/containerd";
/// Volume plugins of others, which there are none of; the default is outside of the node's disk.
pub(crate) const VOLUME_PLUGINS: &str = "/var/lib/kubelet/volume-plugins";
/// Appears once the API server answers.
pub(crate) const API_READY: &str = "/var/lib/kubernetes/api-ready";
/// Where containerd is spoken to.
pub(crate) const CONTAINERD_SOCKET: &str = "/run/containerd/containerd.sock";

/// A program of the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Component {
    /// Its name, and that of its log.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) program: PathBuf,
    /// Its arguments.
    pub(crate) args: Vec<String>,
    /// What has to be there before it starts.
    pub(crate) after: Option<After>,
}

/// What a component waits for: tried too early, it would try again only after a second or more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum After {
    /// A file or socket.
    Path(PathBuf),
    /// A listener on TCP.
    Listener(SocketAddr),
}

impl Component {
    pub(crate) fn new<A: Into<String>>(
        name: &str,
        program: impl Into<PathBuf>,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        let args = args.into_iter().map(Into::into).collect();
        Self { name: name.to_owned(), program: program.into(), args, after: None }
    }

    fn after(mut self, path: &str) -> Self {
        self.after = Some(After::Path(path.into()));
        self
    }

    fn after_listener(mut self, address: SocketAddr) -> Self {
        self.after = Some(After::Listener(address));
        self
    }
}

const ETCD: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 2379);

/// The components of the node called `node`, in the order in which they become useful.
pub(crate) fn all(toolbox: &Toolbox, node: &str, names: &Names) -> Vec<Component> {
    let program = |program| toolbox.program(program);
    vec![
        Component::new("etcd", program(Program::Etcd), etcd()),
        Component::new("kube-apiserver", program(Program::KubeApiserver), apiserver(names))
            .after_listener(ETCD),
        Component::new("containerd", "containerd", containerd(CONFIG)).after(STORE),
        Component::new("kubelet", program(Program::Kubelet), kubelet(node, names))
            .after(CONTAINERD_SOCKET),
        Component::new(
            "kube-controller-manager",
            program(Program::KubeControllerManager),
            controllers(),
        )
        .after(API_READY),
        Component::new("kube-scheduler", program(Program::KubeScheduler), scheduler())
            .after(API_READY),
        Component::new("kube-proxy", program(Program::KubeProxy), proxy(node, names))
            .after(API_READY),
    ]
}

fn etcd() -> Vec<String> {
    args([
        ("name", "node"),
        ("data-dir", "/var/lib/etcd"),
        ("listen-client-urls", "http://127.0.0.1:2379"),
        ("advertise-client-urls", "http://127.0.0.1:2379"),
        ("listen-peer-urls", "http://127.0.0.1:2380"),
        ("initial-advertise-peer-urls", "http://127.0.0.1:2380"),
        ("initial-cluster", "node=http://127.0.0.1:2380"),
        // The only member elects itself: it need not wait long for others.
        ("heartbeat-interval", "20"),
        ("election-timeout", "100"),
        // The data does not outlive the node.
        ("unsafe-no-fsync", "true"),
    ])
}

fn apiserver(names: &Names) -> Vec<String> {
    let advertised = names.node_ip().to_string();
    let services = names.ranges().services.to_string();
    let mut args = args([
        ("advertise-address", advertised.as_str()),
        ("service-cluster-ip-range", &services),
        ("etcd-servers", "http://127.0.0.1:2379"),
        ("authorization-mode", "Node,RBAC"),
        ("anonymous-auth", "false"),
        ("allow-privileged", "true"),
        ("enable-admission-plugins", "NodeRestriction"),
        // Webhooks are called on their pod's address: the node's own network has no Service routes
        // before kube-proxy is up.
        ("enable-aggregator-routing", "true"),
        // The node's name is not in any DNS.
        ("kubelet-preferred-address-types", "InternalIP"),
        ("service-account-issuer", "https://kubernetes.default.svc.cluster.local"),
        ("requestheader-allowed-names", "front-proxy-client"),
        ("requestheader-username-headers", "X-Remote-User"),
        ("requestheader-group-headers", "X-Remote-Group"),
        ("requestheader-extra-headers-prefix", "X-Remote-Extra-"),
    ]);
    args.extend(files([
        ("tls-cert-file", "apiserver.crt"),
        ("tls-private-key-file", "apiserver.key"),
        ("client-ca-file", "ca.crt"),
        ("kubelet-certificate-authority", "ca.crt"),
        ("kubelet-client-certificate", "apiserver-kubelet-client.crt"),
        ("kubelet-client-key", "apiserver-kubelet-client.key"),
        ("service-account-key-file", "service-accounts.pub"),
        ("service-account-signing-key-file", "service-accounts.key"),
        ("requestheader-client-ca-file", "front-proxy-ca.crt"),
        ("proxy-client-cert-file", "front-proxy-client.crt"),
        ("proxy-client-key-file", "front-proxy-client.key"),
    ]));
    args
}

/// `config` is the folder with its configuration file.
pub(crate) fn containerd(config: &str) -> Vec<String> {
    args([("config", format!("{config}/containerd.toml").as_str()), ("log-level", "warn")])
}

fn kubelet(node: &str, names: &Names) -> Vec<String> {
    let ip = names.node_ip().to_string();
    let mut args = args([("hostname-override", node), ("node-ip", &ip)]);
    args.extend(configs([("config", "kubelet.json"), ("kubeconfig", "kubelet.kubeconfig")]));
    args
}

fn controllers() -> Vec<String> {
    let mut args = args([
        ("leader-elect", "false"),
        ("bind-address", "127.0.0.1"),
        ("use-service-account-credentials", "true"),
        // It starts 80 controllers, each with an account of its own, through one client.
        ("kube-api-qps", "500"),
        ("kube-api-burst", "1000"),
        ("flex-volume-plugin-dir", VOLUME_PLUGINS),
    ]);
    let kubeconfig = "controller-manager.kubeconfig";
    args.extend(configs([
        ("kubeconfig", kubeconfig),
        ("authentication-kubeconfig", kubeconfig),
        ("authorization-kubeconfig", kubeconfig),
    ]));
    args.extend(files([
        ("root-ca-file", "ca.crt"),
        ("service-account-private-key-file", "service-accounts.key"),
        ("cluster-signing-cert-file", "ca.crt"),
        ("cluster-signing-key-file", "ca.key"),
    ]));
    args
}

fn scheduler() -> Vec<String> {
    let mut args = args([("leader-elect", "false"), ("bind-address", "127.0.0.1")]);
    let kubeconfig = "scheduler.kubeconfig";
    args.extend(configs([
        ("kubeconfig", kubeconfig),
        ("authentication-kubeconfig", kubeconfig),
        ("authorization-kubeconfig", kubeconfig),
    ]));
    args
}

fn proxy(node: &str, names: &Names) -> Vec<String> {
    let pods = names.ranges().pods.to_string();
    let mut args = args([
        ("hostname-override", node),
        ("proxy-mode", "nftables"),
        ("cluster-cidr", pods.as_str()),
        // The table of connections is sized for the whole machine, and not by us.
        ("conntrack-max-per-core", "0"),
        // A lower score needs CAP_SYS_RESOURCE.
        ("oom-score-adj", "0"),
    ]);
    args.extend(configs([("kubeconfig", "proxy.kubeconfig")]));
    args
}

fn args<const N: usize>(pairs: [(&str, &str); N]) -> Vec<String> {
    pairs.map(|(flag, value)| format!("--{flag}={value}")).into()
}

fn configs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<String> {
    pairs.map(|(flag, file)| format!("--{flag}={CONFIG}/{file}")).into()
}

fn files<const N: usize>(pairs: [(&str, &str); N]) -> Vec<String> {
    pairs.map(|(flag, file)| format!("--{flag}={CONFIG}/pki/{file}")).into()
}

#[cfg(test)]
mod tests;
