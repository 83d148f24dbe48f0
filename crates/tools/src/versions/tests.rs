//! The pins agree with each other and with the `go.mod` files.

use std::collections::BTreeSet;

use pretty_assertions::assert_eq;

use super::*;
use crate::Kubernetes;
use crate::spec::GoBuild;

/// The builds that one program each comes from.
fn default_builds() -> impl Iterator<Item = &'static GoBuild> {
    let others = KIND_BUILDS.iter().chain(CHECK_BUILDS);
    LOCAL_BUILDS.iter().chain(others).chain([kubernetes(Kubernetes::default())])
}

fn all_builds() -> impl Iterator<Item = &'static GoBuild> {
    LOCAL_BUILDS
        .iter()
        .chain(KIND_BUILDS)
        .chain(CHECK_BUILDS)
        .chain([&KUBECTL])
        .chain(Kubernetes::ALL.into_iter().map(kubernetes))
}

#[test]
fn every_program_comes_from_exactly_one_place() {
    let built = default_builds().flat_map(|build| build.packages).map(|(program, _)| *program);
    let mut all: Vec<_> = built.chain([ENVOY.program, CARGO_FUZZ.program]).collect();
    all.sort();
    assert_eq!(all, Program::ALL);
}

#[test]
fn every_go_mod_pins_the_version_that_is_named_here() {
    for build in all_builds() {
        let (module, version) = build.module;
        let line = format!("{module} {version} // indirect");
        let found = build
            .family
            .go_mod
            .lines()
            .any(|found| found.trim().trim_start_matches("require ") == line);
        assert!(found, "{}: no `{line}` in its go.mod", build.name);
        let sum = format!("{module} {version} h1:");
        assert!(build.family.go_sum.contains(&sum), "{}: no `{sum}` in its go.sum", build.name);
    }
    assert_eq!((ISTIO_SOURCE.module, ISTIO_SOURCE.version), ("istio.io/istio", ISTIO_MODULE));
}

#[test]
fn every_package_is_a_tool_of_its_go_mod() {
    for build in all_builds() {
        for (_, package) in build.packages {
            let found = build
                .family
                .go_mod
                .lines()
                .any(|line| line.trim().trim_start_matches("tool ") == *package);
            assert!(found, "{}: `{package}` is no tool of its go.mod", build.name);
        }
    }
}

#[test]
fn the_newest_go_that_a_go_mod_needs_is_asked_for() {
    let needed = all_builds().map(|build| {
        let line = build.family.go_mod.lines().find_map(|line| line.strip_prefix("go "));
        line.unwrap().split('.').map(|number| number.parse().unwrap()).collect::<Vec<u32>>()
    });
    let newest = needed.max().unwrap();
    assert_eq!(GO_NEEDED, format!("go{}.{}.{}", newest[0], newest[1], newest[2]));
}

#[test]
fn programs_that_are_built_together_have_the_names_that_go_gives_them() {
    for build in all_builds().filter(|build| build.packages.len() > 1) {
        for (program, package) in build.packages {
            assert_eq!(package.rsplit('/').next(), Some(program.name()));
        }
    }
}

#[test]
fn version_stamps_name_the_pinned_versions() {
    for version in Kubernetes::ALL {
        let found = kubernetes(version).ldflags;
        let minor = version.version().split('.').nth(1).unwrap();
        for stamp in [format!("version.gitVersion={version} "), format!("gitMinor={minor} ")] {
            assert_eq!(found.matches(&stamp).count(), 2, "{found}");
        }
        assert!(kubernetes(version).family.go_mod.contains(&format!(
            "k8s.io/api => k8s.io/api {}\n",
            version.version().replace("v1.", "v0.")
        )));
    }
    let ldflags = |name| all_builds().find(|build| build.name == name).map(|b| b.ldflags);
    let crictl = ldflags("crictl").unwrap();
    assert!(crictl.ends_with(&format!("version.Version={CRI_TOOLS}")), "{crictl}");
    for name in ["istio", "pilot-agent"] {
        let istio = ldflags(name).unwrap();
        for stamp in [format!("buildTag={ISTIO} "), format!("buildHub={ISTIO_HUB} ")] {
            assert!(istio.contains(&stamp), "{istio}");
        }
        let commit = ISTIO_MODULE.rsplit('-').next().unwrap();
        assert!(istio.contains(&format!("buildGitRevision={commit} ")), "{istio}");
    }
}

#[test]
fn image_names_carry_the_pinned_versions_and_are_unique() {
    assert_eq!(PILOT_IMAGE, format!("{ISTIO_HUB}/pilot:{ISTIO}"));
    assert_eq!(PROXY_IMAGE, format!("{ISTIO_HUB}/proxyv2:{ISTIO}"));
    assert!(HTTPBIN_IMAGE.ends_with(&format!(":{GO_HTTPBIN}")), "{HTTPBIN_IMAGE}");
    assert!(COREDNS_IMAGE.ends_with(&format!(":{COREDNS}")), "{COREDNS_IMAGE}");
    assert!(APISERVER_IMAGE.ends_with(&format!(":{KUBERNETES}")), "{APISERVER_IMAGE}");
    for (image, version) in [
        ("kube-apiserver", KUBERNETES),
        ("kube-controller-manager", KUBERNETES),
        ("kube-scheduler", KUBERNETES),
        ("kube-proxy", KUBERNETES),
        ("etcd", &format!("{}-0", KUBEADM_ETCD.trim_start_matches('v'))),
        ("coredns/coredns", KUBEADM_COREDNS),
    ] {
        let wanted = format!("registry.k8s.io/{image}:{version}");
        let found = KIND_IMAGES.iter().find(|spec| spec.name == wanted);
        // kubeadm starts CoreDNS by arguments alone.
        assert_eq!(found.map(|spec| spec.entrypoint.len()), Some(1), "{wanted}");
    }
    let lists = [NODE_IMAGES, MESH_IMAGES, KIND_IMAGES, TEST_IMAGES];
    let names: Vec<_> = lists.into_iter().flatten().map(|spec| spec.name).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    assert_eq!(names.iter().find(|name| name.ends_with(":latest")), None);
}

#[test]
fn the_pod_network_of_kind_is_asked_for_in_the_words_that_kind_looks_for() {
    // sigs.k8s.io/kind, pkg/cluster/internal/create/actions/installcni/cni.go
    let manifest = include_str!("../../images/kind-node/default-cni.yaml");
    for words in [
        "would you kindly template this file",
        "would you kindly patch this file",
        "{{ .PodSubnet }}",
        &format!("image: {KIND_CNI_IMAGE}\n"),
    ] {
        assert!(manifest.contains(words), "{words}");
    }
}
