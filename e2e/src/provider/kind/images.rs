//! Where the images of a kind cluster come from: built here, or from registries.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use tools::NodeImage;

use crate::release::ReleaseArgs;
use crate::rundir::write;

/// The node image of kind's own release (sigs.k8s.io/kind, `pkg/apis/config/defaults/image.go`).
const KINDS_OWN: &str = "kindest/node:v1.37.0@sha256:\
    a1ed56cfb0e7b93589bdf97c8cd566405a265939e3620fc4f5de89adff580ae5";

/// What a kind cluster is made of, as a person says it.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct KindArgs {
    /// Where a kind cluster's images come from; registry where --istio-dir is given, else built
    #[arg(long, value_enum, value_name = "SOURCE")]
    pub(crate) images: Option<ImageSource>,
    /// The node image, by digest best; kind's own default unless given (registry only)
    #[arg(long, value_name = "IMAGE")]
    pub(crate) node_image: Option<String>,
    /// A registry that the nodes ask for every image, as http://HOST:PORT (registry only)
    #[arg(long, value_name = "URL")]
    pub(crate) registry_mirror: Option<String>,
}

/// Where images come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ImageSource {
    /// From the registries that they are named after; needs --istio-dir
    Registry,
    /// Made here of pinned modules and Debian packages; nothing is pulled
    Built,
}

/// The same, and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The node's image, and who is asked before the registry of an image.
    Registry { node: String, mirror: Option<String> },
    /// All of them in the node's image.
    Built,
}

impl KindArgs {
    /// Whether anything was said of kind.
    pub(crate) fn is_empty(&self) -> bool {
        self.images.is_none() && self.node_image.is_none() && self.registry_mirror.is_none()
    }

    /// What was meant, where that is possible.
    ///
    /// # Errors
    /// The arguments do not go together.
    pub(crate) fn source(&self, release: &ReleaseArgs) -> Result<Source> {
        let default = match release.istio_dir {
            Some(_) => ImageSource::Registry,
            None => ImageSource::Built,
        };
        match self.images.unwrap_or(default) {
            ImageSource::Registry => {
                ensure!(
                    release.istio_dir.is_some(),
                    "--images registry needs --istio-dir: the Istio that is built here is in no \
                     registry"
                );
                let schemes = ["http://", "https://"];
                let mirror = self.registry_mirror.as_deref();
                if let Some(mirror) =
                    mirror.filter(|url| schemes.iter().all(|s| !url.starts_with(s)))
                {
                    bail!(
                        "--registry-mirror `{mirror}` has no scheme: http://HOST:PORT or https://HOST"
                    )
                }
                let node = self.node_image.clone().unwrap_or_else(|| KINDS_OWN.to_owned());
                Ok(Source::Registry { node, mirror: self.registry_mirror.clone() })
            }
            ImageSource::Built if self.node_image.is_some() || self.registry_mirror.is_some() => {
                bail!("--node-image and --registry-mirror go with --images registry")
            }
            ImageSource::Built => Ok(Source::Built),
        }
    }
}

/// Images that can be had.
pub(crate) struct Images {
    node: String,
    archive: Option<PathBuf>,
    mirror: Option<String>,
}

impl Images {
    /// Those that were built, all of them in the node's image.
    pub(super) fn built(node: &NodeImage) -> Self {
        Self { node: node.name.clone(), archive: Some(node.path.clone()), mirror: None }
    }

    /// Those that registries have; the mirror is asked first.
    pub(super) fn of_registries(node: String, mirror: Option<String>) -> Self {
        Self { node, archive: None, mirror }
    }

    /// The node's image.
    pub(crate) fn node(&self) -> &str {
        &self.node
    }

    /// The file that it is loaded from, where it is not pulled.
    pub(crate) fn archive(&self) -> Option<&Path> {
        self.archive.as_deref()
    }

    /// Writes which registry the nodes ask into `folder`, which is made; nothing without a mirror.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(crate) fn mirror_files(&self, folder: &Path) -> Result<Option<PathBuf>> {
        let Some(mirror) = &self.mirror else { return Ok(None) };
        let default = folder.join("_default");
        fs::create_dir_all(&default)
            .with_context(|| format!("cannot make {}", default.display()))?;
        write(&default.join("hosts.toml"), &hosts(mirror))?;
        Ok(Some(folder.to_owned()))
    }
}

/// containerd's `hosts.toml`: one registry before whichever an image names, which is asked for what
/// the first one lacks.
fn hosts(mirror: &str) -> String {
    format!("[host.\"{mirror}\"]\n  capabilities = [\"pull\", \"resolve\"]\n")
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn release(dir: Option<&str>) -> ReleaseArgs {
        ReleaseArgs { istio_dir: dir.map(PathBuf::from), settings: Vec::new() }
    }

    #[test]
    fn images_are_built_unless_a_release_is_given() {
        let nothing = KindArgs::default();
        assert_eq!(nothing.source(&release(None)).unwrap(), Source::Built);
        let expected = Source::Registry { node: KINDS_OWN.to_owned(), mirror: None };
        assert_eq!(nothing.source(&release(Some("istio"))).unwrap(), expected);
    }

    #[test]
    fn a_registry_without_a_release_is_refused() {
        let args = KindArgs { images: Some(ImageSource::Registry), ..KindArgs::default() };
        let error = args.source(&release(None)).unwrap_err().to_string();
        assert_eq!(
            error,
            "--images registry needs --istio-dir: the Istio that is built here is in no registry"
        );
    }

    #[test]
    fn a_mirror_without_a_scheme_is_refused() {
        let source = |mirror: &str| {
            let registry_mirror = Some(mirror.to_owned());
            KindArgs { registry_mirror, ..KindArgs::default() }.source(&release(Some("istio")))
        };
        assert_eq!(
            source("127.0.0.1:5000").unwrap_err().to_string(),
            "--registry-mirror `127.0.0.1:5000` has no scheme: http://HOST:PORT or https://HOST"
        );
        source("http://127.0.0.1:5000").unwrap();
    }

    #[test]
    fn a_mirror_goes_with_a_registry_only() {
        let mirror = Some("http://127.0.0.1:5000".to_owned());
        let images = Some(ImageSource::Built);
        let args = KindArgs { images, registry_mirror: mirror, ..KindArgs::default() };
        let error = args.source(&release(None)).unwrap_err().to_string();
        assert_eq!(error, "--node-image and --registry-mirror go with --images registry");
    }
}
