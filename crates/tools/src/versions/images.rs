//! What is in each image.

use super::{
    APISERVER_IMAGE, COREDNS_IMAGE, CURL_IMAGE, HTTPBIN_IMAGE, PAUSE_IMAGE, PILOT_IMAGE,
    PROXY_IMAGE,
};
use crate::Program;
use crate::spec::{ImageSpec, Part};

/// The images of the local node itself.
pub(crate) static NODE_IMAGES: &[ImageSpec] = &[
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
