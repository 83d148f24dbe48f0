//! What is in each image.

use super::{
    APISERVER_IMAGE, COREDNS_IMAGE, CURL_IMAGE, HTTPBIN_IMAGE, KIND_CNI_IMAGE, KIND_PAUSE_IMAGE,
    PAUSE_IMAGE, PILOT_IMAGE, PROXY_IMAGE,
};
use crate::Program;
use crate::spec::{ImageSpec, Part};

const PAUSE: ImageSpec = ImageSpec {
    name: PAUSE_IMAGE,
    files: &[],
    user: "65534:65534",
    entrypoint: &["/usr/bin/busybox", "sleep", "infinity"],
    command: &[],
};

/// The images of the local node itself.
pub(crate) static NODE_IMAGES: &[ImageSpec] = &[
    PAUSE,
    ImageSpec {
        name: COREDNS_IMAGE,
        files: &[("usr/local/bin/coredns", Part::Program(Program::Coredns))],
        user: "",
        entrypoint: &["/usr/local/bin/coredns"],
        command: &[],
    },
];

/// The images of a mesh: Istio's, and those of its samples.
pub(crate) static MESH_IMAGES: &[ImageSpec] = &[
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

/// The images of a kind node itself: kubeadm's, under the names that it asks for, and the network's.
pub(crate) static KIND_IMAGES: &[ImageSpec] = &[
    ImageSpec { name: KIND_PAUSE_IMAGE, ..PAUSE },
    kind(
        "registry.k8s.io/kube-apiserver:v1.36.3",
        &[("usr/local/bin/kube-apiserver", Part::Program(Program::KubeApiserver))],
        &["/usr/local/bin/kube-apiserver"],
    ),
    kind(
        "registry.k8s.io/kube-controller-manager:v1.36.3",
        &[("usr/local/bin/kube-controller-manager", Part::Program(Program::KubeControllerManager))],
        &["/usr/local/bin/kube-controller-manager"],
    ),
    kind(
        "registry.k8s.io/kube-scheduler:v1.36.3",
        &[("usr/local/bin/kube-scheduler", Part::Program(Program::KubeScheduler))],
        &["/usr/local/bin/kube-scheduler"],
    ),
    kind(
        "registry.k8s.io/kube-proxy:v1.36.3",
        &[("usr/local/bin/kube-proxy", Part::Program(Program::KubeProxy))],
        &["/usr/local/bin/kube-proxy"],
    ),
    kind(
        "registry.k8s.io/etcd:3.6.8-0",
        &[("usr/local/bin/etcd", Part::Program(Program::KubeadmEtcd))],
        &["/usr/local/bin/etcd"],
    ),
    kind(
        "registry.k8s.io/coredns/coredns:v1.14.2",
        &[("usr/local/bin/coredns", Part::Program(Program::KubeadmCoredns))],
        &["/usr/local/bin/coredns"],
    ),
    kind(
        KIND_CNI_IMAGE,
        &[(
            "usr/local/bin/entrypoint",
            Part::Script(include_str!("../../images/kind-cni/entrypoint.sh")),
        )],
        &["/usr/local/bin/entrypoint"],
    ),
];

/// kubeadm starts some images by a program's name, others by arguments alone: both have to work.
const fn kind(
    name: &'static str,
    files: &'static [(&'static str, Part)],
    entrypoint: &'static [&'static str],
) -> ImageSpec {
    ImageSpec { name, files, user: "", entrypoint, command: &[] }
}

/// Images that only tests use: built when asked for by name.
pub(crate) static TEST_IMAGES: &[ImageSpec] = &[ImageSpec {
    name: APISERVER_IMAGE,
    files: &[
        ("usr/local/bin/etcd", Part::Program(Program::Etcd)),
        ("usr/local/bin/kube-apiserver", Part::Program(Program::KubeApiserver)),
        (
            "usr/local/bin/entrypoint",
            Part::Script(include_str!("../../images/apiserver/entrypoint.sh")),
        ),
    ],
    user: "65534:65534",
    entrypoint: &["/usr/local/bin/entrypoint"],
    command: &[],
}];
