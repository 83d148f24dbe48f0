//! The things that the cache holds: programs, sources, layers and images, and what each is made of.

use crate::Program;
use crate::error::{Error, Result};
use crate::versions::{Content, ENVOY, GO_BUILDS, GoBuild, IMAGES, ISTIO, ISTIO_MODULE, ImageSpec};

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

    /// The item that the program or image of this name is part of.
    pub(crate) fn named(name: &str) -> Result<Self> {
        let image = IMAGES
            .iter()
            .find(|spec| spec.name == name)
            .map(Self::Image);
        let program = Program::ALL.iter().find(|program| program.name() == name);
        image
            .or(program.map(|program| Self::with(*program)))
            .ok_or_else(|| Error::UnknownName {
                name: name.to_owned(),
                known: Program::ALL
                    .iter()
                    .map(|program| program.name())
                    .chain(IMAGES.iter().map(|spec| spec.name))
                    .collect::<Vec<_>>()
                    .join(", "),
            })
    }

    /// What it is made of, and itself.
    pub(crate) fn with_parts(self) -> Vec<Self> {
        let Self::Image(spec) = self else {
            return vec![self];
        };
        let parts = spec.files.iter().map(|(_, content)| match content {
            Content::Program(program) => Self::with(*program),
            Content::Istio(_) => Self::IstioSource,
        });
        std::iter::once(Self::Base)
            .chain(parts)
            .chain([self])
            .collect()
    }

    /// The version of what is in it; empty for what is made here.
    pub(crate) fn version(self) -> &'static str {
        match self {
            // A commit says less than the version that the programs print.
            Self::Go(GoBuild {
                module: (_, ISTIO_MODULE),
                ..
            })
            | Self::IstioSource => ISTIO,
            Self::Go(build) => build.module.1,
            Self::Envoy => ENVOY.version,
            Self::Base => "",
            Self::Image(spec) => spec.name.rsplit_once(':').map_or("", |(_, tag)| tag),
        }
    }

    /// Name and version, for people.
    pub(crate) fn label(self) -> String {
        match self {
            Self::Go(build) => format!("{} {}", build.name, self.version()),
            Self::IstioSource => format!("istio samples {}", self.version()),
            Self::Envoy => format!("envoy {}", self.version()),
            Self::Base => "base image".to_owned(),
            Self::Image(spec) => format!("image {}", spec.name),
        }
    }
}
