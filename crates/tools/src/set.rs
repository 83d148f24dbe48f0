//! What a toolbox is filled with: each purpose has its own programs and images, and nothing is built
//! for a purpose that is not asked for.

use crate::item::Item;
use crate::spec::ImageSpec;
use crate::versions::{self, ENVOY, LOCAL_BUILDS, MESH_IMAGES, NODE_IMAGES};
use crate::{Kubernetes, Program};

/// What a toolbox is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    /// A mesh on a local node of this Kubernetes: all of a node's programs, Istio, all images.
    Local(Kubernetes),
    /// A cluster whose nodes and images come from elsewhere: these programs, each built alone where
    /// that is quicker. With istioctl come Istio's samples.
    Client(&'static [Program]),
    /// A kind cluster with nothing from a registry: the node image with all other images in it, and
    /// kind, kubectl and istioctl.
    Kind,
}

impl Set {
    /// The programs, and what each is part of.
    pub(crate) fn programs(self) -> Vec<(Program, Item)> {
        match self {
            Self::Local(version) => {
                let built = LOCAL_BUILDS.iter().chain([versions::kubernetes(version)]);
                built
                    .flat_map(|build| {
                        build.packages.iter().map(|(program, _)| (*program, Item::Go(build)))
                    })
                    .chain([(ENVOY.program, Item::Envoy)])
                    .collect()
            }
            Self::Client(programs) => {
                programs.iter().map(|&program| (program, Item::alone(program))).collect()
            }
            Self::Kind => [Program::Kind, Program::Kubectl, Program::Istioctl]
                .map(|program| (program, Item::with(program)))
                .to_vec(),
        }
    }

    /// The images that a toolbox hands out.
    pub(crate) fn images(self) -> Vec<&'static ImageSpec> {
        match self {
            Self::Local(_) => NODE_IMAGES.iter().chain(MESH_IMAGES).collect(),
            Self::Client(_) => Vec::new(),
            Self::Kind => MESH_IMAGES.iter().collect(),
        }
    }

    /// Everything that has to be made, each after what it is made of.
    pub(crate) fn items(self) -> Vec<Item> {
        let programs = self.programs();
        let istio = programs.iter().any(|(program, _)| *program == Program::Istioctl);
        let sources = istio.then_some(Item::Source(&versions::ISTIO_SOURCE));
        let images = self.images().into_iter().flat_map(|spec| Item::Image(spec).with_parts());
        let node = if self == Self::Kind { Item::KindNode.with_parts() } else { Vec::new() };
        let programs = programs.into_iter().map(|(_, item)| item);
        programs.chain(sources).chain(images).chain(node).collect()
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn labels(set: Set) -> Vec<String> {
        set.items().into_iter().map(Item::label).collect()
    }

    #[test]
    fn a_local_node_needs_nothing_of_kinds() {
        let labels = labels(Set::Local(Kubernetes::default()));
        for wanted in ["kubernetes v1.36.3", "etcd v3.7.3", "istio files 1.31-dev"] {
            assert!(labels.iter().any(|label| label == wanted), "{labels:?}");
        }
        let of_kind = versions::KIND_BUILDS.iter().map(|build| Item::Go(build).label());
        assert_eq!(of_kind.filter(|label| labels.contains(label)).count(), 0);
    }

    #[test]
    fn another_kubernetes_changes_the_nodes_programs_and_nothing_else() {
        let kept = |set| -> Vec<_> {
            labels(set).into_iter().filter(|label| !label.starts_with("kubernetes")).collect()
        };
        let other = Set::Local(Kubernetes::V1_34);
        assert_eq!(kept(other), kept(Set::Local(Kubernetes::default())));
        assert!(labels(other).contains(&"kubernetes-1.34 v1.34.4".to_owned()));
        assert!(!labels(other).contains(&"kubernetes v1.36.3".to_owned()));
    }

    #[test]
    fn kind_gets_its_node_image_and_no_node_of_the_machines_own() {
        let labels = labels(Set::Kind);
        assert_eq!(labels.last().unwrap(), "image kind-node v1.36.3");
        for wanted in ["kind v0.33.0", "istio 1.31-dev", "istio files 1.31-dev"] {
            assert!(labels.iter().any(|label| label == wanted), "{labels:?}");
        }
        for unwanted in ["etcd v3.7.3", "coredns v1.15.0", "image pause:1"] {
            assert!(!labels.iter().any(|label| label == unwanted), "{labels:?}");
        }
    }

    #[test]
    fn a_client_gets_its_programs_and_no_image() {
        let set = Set::Client(&[Program::Kind, Program::Kubectl]);
        assert_eq!(labels(set), ["kind v0.33.0", "kubectl v1.36.3"]);
        assert_eq!(
            labels(Set::Client(&[Program::Istioctl])),
            ["istio 1.31-dev", "istio files 1.31-dev"]
        );
    }
}
