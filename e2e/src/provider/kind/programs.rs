//! kind, kubectl and the Istio release: those on PATH or in an unpacked release where they are of
//! the right version, else built.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use tools::{Cache, Program, Set, Toolbox, host, progress, versions};

use super::images::{Images, KindArgs, Source};
use crate::cmd::Tool;
use crate::release::{Release, ReleaseArgs};
use crate::terminal;

/// The only kind whose flaws are known.
pub(super) const KIND_VERSION: &str = versions::KIND;

/// What is called beside `docker`.
pub(crate) struct Programs {
    kind: PathBuf,
    kubectl: PathBuf,
}

impl Programs {
    fn built(toolbox: &Toolbox) -> Self {
        let [kind, kubectl] =
            [Program::Kind, Program::Kubectl].map(|program| toolbox.program(program).to_owned());
        Self { kind, kubectl }
    }

    /// Those on PATH, where both are there and this is the right kind.
    async fn on_path() -> Option<Self> {
        let this_one = format!("kind {KIND_VERSION} ");
        let kind = on_path("kind", &["version"], |told| told.starts_with(&this_one)).await?;
        let kubectl = on_path("kubectl", &["version", "--client"], |_| true).await?;
        Some(Self { kind, kubectl })
    }

    pub(super) fn kind(&self) -> &Path {
        &self.kind
    }

    pub(super) fn kubectl(&self) -> &Path {
        &self.kubectl
    }
}

/// Finds or builds the programs, and what is built of the images. With images from registries, a
/// release, and kind and kubectl on PATH, nothing is built and the machine needs no Go.
///
/// # Errors
/// The arguments do not go together, the release is none, or a build failed.
pub(super) async fn prepare(
    kind: &KindArgs,
    release: &ReleaseArgs,
    cache: &Cache,
) -> Result<(Programs, Images, Release)> {
    let source = kind.source(release)?;
    let unpacked = match &release.istio_dir {
        Some(folder) => Some(Release::unpacked(folder).await?),
        None => None,
    };
    let (programs, images, found) = match source {
        Source::Built => {
            let toolbox = toolbox(cache, host::Purpose::Kind, Set::Kind)?;
            let node = toolbox.kind_node().context("the toolbox has no image of a kind node")?;
            let release = match unpacked {
                Some(unpacked) => unpacked.with_built_images()?,
                None => Release::built(&toolbox),
            };
            (Programs::built(&toolbox), Images::built(node), release)
        }
        Source::Registry { node, mirror } => {
            let release = unpacked.context("there is no Istio release")?;
            let programs = match Programs::on_path().await {
                Some(programs) => programs,
                None => {
                    let wanted = Set::Client(&[Program::Kind, Program::Kubectl]);
                    Programs::built(&toolbox(cache, host::Purpose::Go, wanted)?)
                }
            };
            (programs, Images::of_registries(node, mirror), release)
        }
    };
    Ok((programs, images, found.with_settings(&release.settings)))
}

fn toolbox(cache: &Cache, purpose: host::Purpose, set: Set) -> Result<Toolbox> {
    host::prepare(cache, purpose, terminal::say)?;
    Ok(Toolbox::prepare_set(cache, set, progress::for_stderr().as_ref())?)
}

/// A program on PATH that says what it should.
async fn on_path(name: &str, args: &[&str], fits: impl Fn(&str) -> bool) -> Option<PathBuf> {
    let told = Tool::new(name).args(args.iter().copied()).run().await.ok()?;
    fits(told.stdout.trim()).then(|| PathBuf::from(name))
}
