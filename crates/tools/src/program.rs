//! The programs by name. Where they come from is in `versions.rs`, where they are in the toolbox.

use std::fmt;

macro_rules! programs {
    ($($variant:ident $name:literal $what:literal,)*) => {
        /// A pinned program.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Program {
            $(#[doc = $what] $variant,)*
        }

        impl Program {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name of the program's file.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

programs! {
    Etcd "etcd" "The API server's database.",
    KubeApiserver "kube-apiserver" "The Kubernetes API server.",
    KubeControllerManager "kube-controller-manager" "The Kubernetes controllers.",
    KubeScheduler "kube-scheduler" "The Kubernetes scheduler.",
    Kubelet "kubelet" "The agent of a Kubernetes node.",
    KubeProxy "kube-proxy" "What makes Service addresses work on a node.",
    Kubectl "kubectl" "The Kubernetes command line.",
    Istioctl "istioctl" "The Istio command line.",
    PilotDiscovery "pilot-discovery" "istiod.",
    PilotAgent "pilot-agent" "What runs Envoy in a sidecar and fetches its certificates.",
    GoHttpbin "go-httpbin" "The server of Istio's httpbin sample.",
    Coredns "coredns" "The cluster's name server.",
    Envoy "envoy" "The proxy.",
    Kind "kind" "What makes clusters of containers.",
    Crictl "crictl" "The command line of a node's container runtime; kubeadm calls it.",
    Kubeadm "kubeadm" "What makes a Kubernetes node of a kind container.",
    KubeadmEtcd "kubeadm-etcd" "The etcd that kubeadm asks for.",
    KubeadmCoredns "kubeadm-coredns" "The CoreDNS that kubeadm asks for.",
    Actionlint "actionlint" "What checks the workflows of GitHub.",
    CargoFuzz "cargo-fuzz" "What builds the fuzz targets.",
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
