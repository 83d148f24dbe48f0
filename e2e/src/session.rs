//! What every run starts from: a checked machine, the tools, and a cluster with a CA made beside it.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum as _};
use pki::KeyAlgorithm;
use tools::{Cache, Kubernetes};

use crate::abort::Abort;
use crate::cluster::Cluster;
use crate::cmd::quoted;
use crate::provider::existing::ExistingArgs;
use crate::provider::kind::KindArgs;
use crate::provider::{Provider, ProviderName};
use crate::release::{Release, ReleaseArgs};
use crate::run::{Run, Setup, registry_root};
use crate::steps::ca::{self, Administrator, CaArgs};
use crate::steps::workloads::Client;

/// The name of the local cluster, as on the page.
pub(crate) const CLUSTER: &str = "cluster1";

/// What mesh to set up.
#[derive(Args, Clone, Debug)]
pub(crate) struct MeshArgs {
    #[command(flatten)]
    pub(crate) ca: CaArgs,
    /// Which of Istio's samples sends the requests
    #[arg(long, value_enum, default_value = "sleep")]
    pub(crate) client: Client,
    /// Where the mesh runs
    #[arg(long, value_enum, default_value = "auto", value_name = "PROVIDER")]
    pub(crate) provider: ProviderName,
    /// The Kubernetes of a local node: v1.34.4, v1.36.3 (the default) or v1.37.2
    #[arg(long, value_name = "VERSION")]
    pub(crate) kubernetes: Option<Kubernetes>,
    #[command(flatten)]
    pub(crate) release: ReleaseArgs,
    #[command(flatten)]
    pub(crate) kind: KindArgs,
    #[command(flatten)]
    pub(crate) existing: ExistingArgs,
}

/// Who reads a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Whoever ran it, on the same machine.
    Oneself,
    /// Anybody, on any machine.
    Others,
}

impl Reader {
    /// What to show of an argument: folders and addresses of a machine are nothing to others.
    fn shown(self, flag: &str, value: &str) -> String {
        let word = match flag {
            "--istio-dir" | "--bundle" => "DIR",
            "--kubeconfig" => "FILE",
            "--context" => "NAME",
            "--registry-mirror" => "URL",
            _ => value,
        };
        quoted(if self == Self::Others { word } else { value }).into_owned()
    }
}

impl MeshArgs {
    /// The arguments that say the same again, each after a space.
    pub(crate) fn command_line(&self, reader: Reader) -> String {
        // A mesh that is there has the certificates that it has.
        let made = self.provider != ProviderName::Existing;
        let mut line = if made { format!(" --profile {}", self.ca.profile) } else { String::new() };
        let client = (self.client == Client::Curl).then_some("curl");
        let provider = self.provider.to_possible_value();
        let provider = provider.as_ref().map(PossibleValue::get_name);
        let images = self.kind.images.and_then(|images| images.to_possible_value());
        let istio_dir = self.release.istio_dir.as_ref().map(|dir| dir.display().to_string());
        let given = [
            ("--key", self.ca.key.map(KeyAlgorithm::name)),
            ("--client", client),
            ("--provider", provider.filter(|_| self.provider != ProviderName::Auto)),
            ("--kubernetes", self.kubernetes.map(Kubernetes::version)),
            ("--images", images.as_ref().map(PossibleValue::get_name)),
            ("--node-image", self.kind.node_image.as_deref()),
            ("--registry-mirror", self.kind.registry_mirror.as_deref()),
            ("--istio-dir", istio_dir.as_deref()),
        ];
        let settings = self.release.settings.iter().map(|set| ("--istio-set", Some(set.as_str())));
        for (flag, value) in given.into_iter().chain(settings) {
            if let Some(value) = value {
                line.push_str(&format!(" {flag} {}", reader.shown(flag, value)));
            }
        }
        for (flag, value) in self.existing.flags() {
            line.push_str(&format!(" {flag} {}", reader.shown(flag, &value)));
        }
        line
    }
}

/// A machine on which a run can start.
pub(crate) struct Session {
    pub(crate) provider: Provider,
    pub(crate) release: Release,
    pub(crate) abort: Abort,
    parent: PathBuf,
}

impl Session {
    /// Checks the machine and builds what is missing.
    ///
    /// # Errors
    /// The machine lacks something that cannot be installed, or a build failed.
    pub(crate) async fn prepare(args: &MeshArgs) -> Result<Self> {
        args.ca.algorithm()?;
        let parent = runs_folder()?;
        let (provider, release) = Provider::prepare(args, Cache::of_user()?, &parent).await?;
        // Not before: until here a signal may end the harness where it stands.
        let abort = Abort::new();
        abort.on_signals()?;
        Ok(Self { provider, release, abort, parent })
    }

    /// A run of so many steps on a cluster of the provider's.
    pub(crate) fn setup(&self, steps: usize, keep_on_failure: bool) -> Setup<'_> {
        Setup {
            registry: registry_root(),
            parent: self.parent.clone(),
            steps,
            provider: Some(&self.provider),
            keep_on_failure,
        }
    }

    /// The first step: a cluster.
    ///
    /// # Errors
    /// A part of it does not start.
    pub(crate) async fn cluster(&self, run: &Run) -> Result<Cluster> {
        run.steps.run("Create a cluster", self.provider.up(run, CLUSTER)).await
    }

    /// The first step, and meanwhile the CA: it needs no cluster.
    ///
    /// # Errors
    /// As [`Session::cluster`], or the CA cannot be written.
    pub(crate) async fn cluster_and_ca(
        &self,
        run: &Run,
        args: CaArgs,
    ) -> Result<(Cluster, Administrator)> {
        let (folder, now) = (run.dir.root().join("ca"), run.now);
        let ca = async {
            let make = move || ca::make(&folder, CLUSTER, args, now);
            tokio::task::spawn_blocking(make).await.context("make the CA")?
        };
        let both = async {
            let ca = run.steps.part("make a root and a cluster CA", ca);
            tokio::try_join!(self.provider.up(run, CLUSTER), ca)
        };
        run.steps.run("Create a cluster", both).await
    }
}

impl Session {
    /// What a run is made of: names and versions.
    pub(crate) fn versions(&self) -> Vec<(String, String)> {
        let mut versions = self.provider.versions();
        // Of a mesh that is there the run itself finds out.
        if !matches!(self.provider, Provider::Existing(_)) {
            versions.extend(self.release.versions());
        }
        versions.push(("harness".to_owned(), env!("CARGO_PKG_VERSION").to_owned()));
        versions
    }
}

/// Beside the folder in which cargo has put this program: `target/e2e`.
///
/// # Errors
/// The program is in no such folder.
pub(crate) fn runs_folder() -> Result<PathBuf> {
    let program = std::env::current_exe().context("cannot find the harness's own program")?;
    let target = program.parent().and_then(std::path::Path::parent);
    Ok(target.context("it is not in a target folder")?.join("e2e"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use pretty_assertions::assert_eq;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        mesh: MeshArgs,
    }

    fn said_again(line: &str, reader: Reader) -> String {
        let words = std::iter::once("e2e").chain(line.split_whitespace());
        Line::try_parse_from(words).unwrap().mesh.command_line(reader)
    }

    #[test]
    fn what_is_said_again_says_the_same() {
        for line in [
            " --profile makefile",
            " --profile hardened --key rsa2048 --provider local --kubernetes v1.37.2",
            " --profile hardened --client curl --provider kind --istio-dir /opt/istio",
        ] {
            assert_eq!(said_again(line, Reader::Oneself), line);
        }
    }

    #[test]
    fn an_argument_with_blanks_stays_one() {
        let mesh = ["e2e", "--istio-set", "meshConfig.x=a b"];
        let line = Line::try_parse_from(mesh).unwrap().mesh.command_line(Reader::Oneself);
        assert_eq!(line, " --profile makefile --istio-set 'meshConfig.x=a b'");
    }

    #[test]
    fn others_read_what_to_put_in_the_place_of_a_machines_names() {
        let line = "--provider kind --istio-dir /opt/istio --registry-mirror http://10.0.0.1:5000";
        assert_eq!(
            said_again(line, Reader::Others),
            " --profile makefile --provider kind --registry-mirror URL --istio-dir DIR"
        );
        let line = "--provider existing --context production --kubeconfig /c --bundle /b";
        let shown = said_again(line, Reader::Others);
        for own in ["production", "/c", "/b"] {
            assert!(!shown.contains(own), "{shown}");
        }
        for word in [" --context NAME", " --kubeconfig FILE", " --bundle DIR"] {
            assert!(shown.contains(word), "{shown}");
        }
    }
}
