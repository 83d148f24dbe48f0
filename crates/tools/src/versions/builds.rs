//! Every `go build`, and the parts of modules that are kept as they are.

use super::{
    ACTIONLINT, COREDNS, CRI_TOOLS, ETCD, GO_HTTPBIN, ISTIO_MODULE, KIND, KUBEADM_COREDNS,
    KUBEADM_ETCD,
};
use crate::Kubernetes;
use crate::program::Program;
use crate::spec::{Family, GoBuild, ModuleSource};

macro_rules! family {
    ($name:literal) => {
        Family {
            go_mod: include_str!(concat!("../../go/", $name, "/go.mod")),
            go_sum: include_str!(concat!("../../go/", $name, "/go.sum")),
        }
    };
}

const ISTIO_FAMILY: Family = family!("istio");
const KIND_FAMILY: Family = family!("kind");

const STRIPPED: &str = "-s -w";

const ISTIO_LDFLAGS: &str = "-s -w \
    -X istio.io/istio/pkg/version.buildVersion=1.31-dev \
    -X istio.io/istio/pkg/version.buildTag=1.31-dev \
    -X istio.io/istio/pkg/version.buildHub=registry.local/istio \
    -X istio.io/istio/pkg/version.buildGitRevision=eed52ebb66ad \
    -X istio.io/istio/pkg/version.buildStatus=Clean";

/// A build of a node's programs, and the version that they print.
macro_rules! kubernetes {
    ($name:literal, $version:literal, $minor:literal) => {
        GoBuild {
            name: $name,
            module: ("k8s.io/kubernetes", $version),
            family: family!($name),
            packages: NODE_PACKAGES,
            tags: "",
            ldflags: kubernetes_ldflags!($version, $minor),
        }
    };
}

macro_rules! kubernetes_ldflags {
    ($version:literal, $minor:literal) => {
        concat!(
            "-s -w -X k8s.io/component-base/version.gitVersion=",
            $version,
            " -X k8s.io/component-base/version.gitMajor=1",
            " -X k8s.io/component-base/version.gitMinor=",
            $minor,
            " -X k8s.io/component-base/version.gitTreeState=clean",
            " -X k8s.io/client-go/pkg/version.gitVersion=",
            $version,
            " -X k8s.io/client-go/pkg/version.gitMajor=1",
            " -X k8s.io/client-go/pkg/version.gitMinor=",
            $minor,
            " -X k8s.io/client-go/pkg/version.gitTreeState=clean",
        )
    };
}

const NODE_PACKAGES: &[(Program, &str)] = &[
    (Program::KubeApiserver, "k8s.io/kubernetes/cmd/kube-apiserver"),
    (Program::KubeControllerManager, "k8s.io/kubernetes/cmd/kube-controller-manager"),
    (Program::KubeScheduler, "k8s.io/kubernetes/cmd/kube-scheduler"),
    (Program::Kubelet, "k8s.io/kubernetes/cmd/kubelet"),
    (Program::KubeProxy, "k8s.io/kubernetes/cmd/kube-proxy"),
    (Program::Kubectl, "k8s.io/kubernetes/cmd/kubectl"),
];

const KUBERNETES_1_34: GoBuild = kubernetes!("kubernetes-1.34", "v1.34.4", "34");
const KUBERNETES_1_36: GoBuild = kubernetes!("kubernetes", "v1.36.3", "36");
const KUBERNETES_1_37: GoBuild = kubernetes!("kubernetes-1.37", "v1.37.2", "37");

/// The programs of a node of this Kubernetes.
pub(crate) fn kubernetes(version: Kubernetes) -> &'static GoBuild {
    match version {
        Kubernetes::V1_34 => &KUBERNETES_1_34,
        Kubernetes::V1_36 => &KUBERNETES_1_36,
        Kubernetes::V1_37 => &KUBERNETES_1_37,
    }
}

/// kubectl alone, for clusters whose nodes are made by others: a minute instead of six.
pub(crate) static KUBECTL: GoBuild = GoBuild {
    name: "kubectl",
    packages: &[(Program::Kubectl, "k8s.io/kubernetes/cmd/kubectl")],
    ..KUBERNETES_1_36
};

/// What a mesh on the local node needs besides, the quick ones first.
pub(crate) static LOCAL_BUILDS: &[GoBuild] = &[
    GoBuild {
        name: "go-httpbin",
        module: ("github.com/mccutchen/go-httpbin/v2", GO_HTTPBIN),
        family: family!("httpbin"),
        packages: &[(Program::GoHttpbin, "github.com/mccutchen/go-httpbin/v2/cmd/go-httpbin")],
        tags: "",
        ldflags: STRIPPED,
    },
    GoBuild {
        name: "etcd",
        module: ("go.etcd.io/etcd/server/v3", ETCD),
        family: family!("etcd"),
        packages: &[(Program::Etcd, "go.etcd.io/etcd/server/v3")],
        tags: "",
        ldflags: STRIPPED,
    },
    GoBuild {
        name: "istio",
        module: (ISTIO_SOURCE.module, ISTIO_MODULE),
        family: ISTIO_FAMILY,
        packages: &[
            (Program::Istioctl, "istio.io/istio/istioctl/cmd/istioctl"),
            (Program::PilotDiscovery, "istio.io/istio/pilot/cmd/pilot-discovery"),
        ],
        tags: "vtprotobuf,disable_pgv",
        ldflags: ISTIO_LDFLAGS,
    },
    GoBuild {
        name: "pilot-agent",
        module: (ISTIO_SOURCE.module, ISTIO_MODULE),
        family: ISTIO_FAMILY,
        packages: &[(Program::PilotAgent, "istio.io/istio/pilot/cmd/pilot-agent")],
        tags: "agent,disable_pgv,grpcnotrace,retrynotrace",
        ldflags: ISTIO_LDFLAGS,
    },
    GoBuild {
        name: "coredns",
        module: ("github.com/coredns/coredns", COREDNS),
        family: family!("coredns"),
        packages: &[(Program::Coredns, "github.com/coredns/coredns")],
        tags: "",
        ldflags: STRIPPED,
    },
];

/// What the kind node image needs beyond the programs of a node, and kind itself.
pub(crate) static KIND_BUILDS: &[GoBuild] = &[
    GoBuild {
        name: "kind",
        module: (KIND_SOURCE.module, KIND),
        family: KIND_FAMILY,
        packages: &[(Program::Kind, "sigs.k8s.io/kind")],
        tags: "",
        ldflags: STRIPPED,
    },
    GoBuild {
        name: "crictl",
        module: ("sigs.k8s.io/cri-tools", CRI_TOOLS),
        family: family!("crictl"),
        packages: &[(Program::Crictl, "sigs.k8s.io/cri-tools/cmd/crictl")],
        tags: "",
        ldflags: "-s -w -X sigs.k8s.io/cri-tools/pkg/version.Version=v1.36.0",
    },
    GoBuild {
        name: "kubeadm",
        family: family!("kubeadm"),
        packages: &[(Program::Kubeadm, "k8s.io/kubernetes/cmd/kubeadm")],
        ..KUBERNETES_1_36
    },
    GoBuild {
        name: "kubeadm-etcd",
        module: ("go.etcd.io/etcd/server/v3", KUBEADM_ETCD),
        family: family!("kubeadm-etcd"),
        packages: &[(Program::KubeadmEtcd, "go.etcd.io/etcd/server/v3")],
        tags: "",
        ldflags: STRIPPED,
    },
    GoBuild {
        name: "kubeadm-coredns",
        module: ("github.com/coredns/coredns", KUBEADM_COREDNS),
        family: family!("kubeadm-coredns"),
        packages: &[(Program::KubeadmCoredns, "github.com/coredns/coredns")],
        tags: "",
        ldflags: STRIPPED,
    },
];

/// What the checks of this project run, and no mesh.
pub(crate) static CHECK_BUILDS: &[GoBuild] = &[GoBuild {
    name: "actionlint",
    module: ("github.com/rhysd/actionlint", ACTIONLINT),
    family: family!("actionlint"),
    packages: &[(Program::Actionlint, "github.com/rhysd/actionlint/cmd/actionlint")],
    tags: "",
    ldflags: STRIPPED,
}];

/// The samples and Makefiles that the task page names, and the bootstrap template of the proxy.
pub(crate) static ISTIO_SOURCE: ModuleSource = ModuleSource {
    name: "istio",
    module: "istio.io/istio",
    version: ISTIO_MODULE,
    family: ISTIO_FAMILY,
    parts: &["LICENSE", "samples", "tools/certs", "tools/packaging/common"],
};

/// The files that kind puts into its node images.
pub(crate) static KIND_SOURCE: ModuleSource = ModuleSource {
    name: "kind",
    module: "sigs.k8s.io/kind",
    version: KIND,
    family: KIND_FAMILY,
    parts: &["LICENSE", "images/base/files"],
};
