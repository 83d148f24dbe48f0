//! The things that the cache holds: programs, sources, layers and images; what each is called and
//! what it is made of.

use crate::error::{Error, Result};
use crate::spec::{Crate, GoBuild, ImageSpec, ModuleSource, Part, Unpacked};
use crate::versions::{
    CARGO_FUZZ, CHECK_BUILDS, ENVOY, ISTIO, ISTIO_MODULE, ISTIO_SOURCE, KIND_BUILDS, KIND_IMAGES,
    KUBECTL, KUBERNETES, LOCAL_BUILDS, MESH_IMAGES, NODE_IMAGES, TEST_IMAGES, UNPACKED, kubernetes,
};
use crate::{Kubernetes, Program, kind};

/// What the kind node image is called; its whole name depends on what is in it.
const KIND_NODE: &str = "kind-node";

/// Something that is made once and kept.
#[derive(Clone, Copy)]
pub(crate) enum Item {
    /// Programs that one `go build` makes.
    Go(&'static GoBuild),
    /// The program of a crate.
    Crate(&'static Crate),
    /// Parts of a module as they are.
    Source(&'static ModuleSource),
    /// The proxy, out of its wheel.
    Envoy,
    /// The layer below all images.
    Base,
    /// An image archive.
    Image(&'static ImageSpec),
    /// The Debian of a kind node.
    KindRoot,
    /// The kind node image.
    KindNode,
    /// Debian packages, unpacked and not installed.
    Debian(&'static Unpacked),
}

impl Item {
    /// The item that `program` is part of; of the default version where there are several.
    pub(crate) fn with(program: Program) -> Self {
        if program == CARGO_FUZZ.program {
            return Self::Crate(&CARGO_FUZZ);
        }
        LOCAL_BUILDS
            .iter()
            .chain(KIND_BUILDS)
            .chain(CHECK_BUILDS)
            .chain([kubernetes(Kubernetes::default())])
            .find(|build| build.has(program.name()))
            .map_or(Self::Envoy, Self::Go)
    }

    /// The quickest way to this one program.
    pub(crate) fn alone(program: Program) -> Self {
        if program == Program::Kubectl { Self::Go(&KUBECTL) } else { Self::with(program) }
    }

    /// Everything that can be asked for by name, and what it is part of.
    pub(crate) fn by_name() -> impl Iterator<Item = (&'static str, Self)> {
        let programs = Program::ALL.iter().map(|&program| (program.name(), Self::with(program)));
        let images = NODE_IMAGES.iter().chain(MESH_IMAGES).chain(KIND_IMAGES).chain(TEST_IMAGES);
        let others = Kubernetes::ALL
            .into_iter()
            .filter(|version| *version != Kubernetes::default())
            .map(|version| (kubernetes(version).name, Self::Go(kubernetes(version))));
        programs
            .chain(images.map(|spec| (spec.name, Self::Image(spec))))
            .chain(others)
            .chain([(KIND_NODE, Self::KindNode)])
            .chain(UNPACKED.iter().map(|packages| (packages.name, Self::Debian(packages))))
    }

    /// Everything, with or without a name.
    pub(crate) fn all() -> Vec<Self> {
        let named = Self::by_name().flat_map(|(_, item)| item.with_parts());
        named.chain([Self::Go(&KUBECTL)]).collect()
    }

    /// The item that `name` is part of.
    pub(crate) fn named(name: &str) -> Result<Self> {
        let found = Self::by_name().find(|(known, _)| *known == name);
        found.map(|(_, item)| item).ok_or_else(|| Error::UnknownName {
            name: name.to_owned(),
            known: Self::by_name().map(|(known, _)| known).collect::<Vec<_>>().join(", "),
        })
    }

    /// What it is made of, and itself.
    pub(crate) fn with_parts(self) -> Vec<Self> {
        let mut parts = match self {
            Self::Image(spec) => {
                let parts = spec.files.iter().filter_map(|(_, part)| match part {
                    Part::Program(program) => Some(Self::with(*program)),
                    Part::Istio(_) => Some(Self::Source(&ISTIO_SOURCE)),
                    Part::Script(_) => None,
                });
                std::iter::once(Self::Base).chain(parts).collect()
            }
            Self::KindNode => kind::parts(),
            _ => Vec::new(),
        };
        parts.push(self);
        parts
    }

    /// Whether a compiler alone makes it, and no Debian package.
    pub(crate) fn is_compiled(self) -> bool {
        matches!(self, Self::Go(_) | Self::Crate(_) | Self::Source(_))
    }

    /// The version of what is in it; that of Debian packages is the distribution's.
    pub(crate) fn version(self) -> &'static str {
        match self {
            // A commit says less than the version that the programs print.
            Self::Go(GoBuild { module: (_, ISTIO_MODULE), .. })
            | Self::Source(ModuleSource { version: ISTIO_MODULE, .. }) => ISTIO,
            Self::Go(build) => build.module.1,
            Self::Crate(spec) => spec.version,
            Self::Source(source) => source.version,
            Self::Envoy => ENVOY.version,
            Self::Base | Self::KindRoot | Self::Debian(_) => "debian",
            Self::KindNode => KUBERNETES,
            Self::Image(spec) => spec.name.rsplit_once(':').map_or("", |(_, tag)| tag),
        }
    }

    /// Name and version, for people.
    pub(crate) fn label(self) -> String {
        let name = match self {
            Self::Go(build) => build.name.to_owned(),
            Self::Crate(spec) => spec.program.name().to_owned(),
            Self::Source(source) => format!("{} files", source.name),
            Self::Envoy => ENVOY.program.name().to_owned(),
            Self::Base => "base layer".to_owned(),
            Self::KindRoot => "kind node root".to_owned(),
            Self::KindNode => "image kind-node".to_owned(),
            Self::Debian(packages) => packages.name.to_owned(),
            Self::Image(spec) => {
                return format!("image {}", spec.name.rsplit('/').next().unwrap_or(spec.name));
            }
        };
        format!("{name} {}", self.version())
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn an_image_comes_after_all_its_parts() {
        let labels: Vec<_> = Item::named("registry.local/istio/proxyv2:1.31-dev")
            .unwrap()
            .with_parts()
            .into_iter()
            .map(Item::label)
            .collect();
        assert_eq!(
            labels,
            [
                "base layer debian",
                "envoy 1.40.0",
                "pilot-agent 1.31-dev",
                "istio files 1.31-dev",
                "image proxyv2:1.31-dev",
            ]
        );
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let Err(Error::UnknownName { name, known }) = Item::named("kubectll") else {
            panic!("there is no such program");
        };
        assert_eq!(name, "kubectll");
        assert_eq!(known.split(", ").count(), Item::by_name().count());
        assert!(known.starts_with("etcd, kube-apiserver, "), "{known}");
    }
}
