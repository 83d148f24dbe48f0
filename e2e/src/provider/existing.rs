//! A mesh that is already there, and must not be harmed: everything of it is only looked at. What
//! the provider makes is one namespace of a random name, which goes with the run.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use tools::{Cache, Program, Set, Toolbox, host, progress};

use crate::cluster::Cluster;
use crate::cmd::Tool;
use crate::release::{Release, ReleaseArgs};
use crate::run::Run;
use crate::terminal;

mod access;
pub(crate) mod namespace;
mod prove;
mod rights;
mod role;
mod site;
mod truth;

use access::Access;
pub(crate) use prove::STEPS;
use truth::Source;

/// Where istiod runs unless something else is said.
const SYSTEM_NAMESPACE: &str = crate::steps::cacerts::SYSTEM_NAMESPACE;

/// Which mesh that is there, and what it is held against.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ExistingArgs {
    /// The kubeconfig's context that is the mesh's cluster (existing)
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// The kubeconfig, if not the user's own (existing)
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The public half of the CA: ca-cert.pem, cert-chain.pem, root-cert.pem; without it, what the
    /// cluster's Secret cacerts holds (existing)
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,
    /// Where istiod runs, if not in istio-system (existing)
    #[arg(long, value_name = "NS")]
    istio_namespace: Option<String>,
    /// The revision or tag that injects the samples, where there are several (existing)
    #[arg(long, value_name = "REV")]
    revision: Option<String>,
    /// One more label for the run's namespace, such as a policy asks for; may be repeated (existing)
    #[arg(long = "namespace-label", value_name = "KEY=VALUE")]
    labels: Vec<String>,
    /// Print the roles that a run needs, and stop (existing)
    #[arg(long)]
    pub(crate) print_role: bool,
}

impl ExistingArgs {
    /// Whether nothing of it was said.
    pub(crate) fn is_empty(&self) -> bool {
        self.flags().is_empty() && !self.print_role
    }

    /// The flags that say the same again, with their values.
    pub(crate) fn flags(&self) -> Vec<(&'static str, String)> {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let given = [
            ("--context", self.context.clone()),
            ("--kubeconfig", path(&self.kubeconfig)),
            ("--bundle", path(&self.bundle)),
            ("--istio-namespace", self.istio_namespace.clone()),
            ("--revision", self.revision.clone()),
        ];
        let given = given.into_iter().filter_map(|(flag, value)| Some((flag, value?)));
        given.chain(self.labels.iter().map(|label| ("--namespace-label", label.clone()))).collect()
    }

    /// The roles that the claims with these numbers need, as YAML.
    pub(crate) fn roles(&self, claims: &[u8]) -> String {
        role::yaml(&rights::needed(claims, self.bundle.is_none()), self.system_namespace())
    }

    fn system_namespace(&self) -> &str {
        self.istio_namespace.as_deref().unwrap_or(SYSTEM_NAMESPACE)
    }

    fn labels(&self) -> Result<Vec<(String, String)>> {
        let pair = |label: &String| {
            let (key, value) = label.split_once('=').with_context(|| {
                format!("--namespace-label `{label}` is not of the form KEY=VALUE")
            })?;
            Ok((key.to_owned(), value.to_owned()))
        };
        self.labels.iter().map(pair).collect()
    }
}

/// A mesh that is there, and how it is reached.
pub(crate) struct Existing {
    access: Access,
    kubectl: PathBuf,
    source: Source,
    system_namespace: String,
    revision: Option<String>,
    labels: Vec<(String, String)>,
}

impl Existing {
    /// Reads the kubeconfig and the bundle, and gets kubectl and the samples; the cluster is not
    /// asked yet.
    ///
    /// # Errors
    /// There is no such context or no usable bundle, or a build failed.
    pub(crate) async fn prepare(
        args: &ExistingArgs,
        release: &ReleaseArgs,
        cache: &Cache,
    ) -> Result<(Self, Release)> {
        let context = args.context.clone().context(
            "--provider existing needs --context NAME: a mesh that is not to be mistaken is named, \
             not taken from the current context (`kubectl config get-contexts` lists them)",
        )?;
        let access = Access::new(args.kubeconfig.as_deref(), context)?;
        let source = match &args.bundle {
            Some(folder) => Source::folder(folder)?,
            None => Source::Secret,
        };
        ensure!(
            release.settings.is_empty(),
            "--istio-set is for an Istio that is installed: this one is there already"
        );
        let labels = args.labels()?;
        let (kubectl, release) = programs(release, cache).await?;
        let existing = Self {
            access,
            kubectl,
            source,
            system_namespace: args.system_namespace().to_owned(),
            revision: args.revision.clone(),
            labels,
        };
        Ok((existing, release))
    }

    /// The cluster as a handle; nothing is asked of it.
    ///
    /// # Errors
    /// The context's cluster or user cannot be used.
    pub(crate) async fn open(&self, run: &Run) -> Result<Cluster> {
        let client = self.access.client().await?;
        let cache = run.dir.root().join("kubectl-cache");
        let kubectl = self.access.kubectl(&self.kubectl)?.arg("--cache-dir").arg(cache);
        Ok(Cluster::of_others(&self.access.first_file(), client, kubectl))
    }

    /// Which mesh it is.
    pub(crate) fn versions(&self) -> Vec<(String, String)> {
        vec![
            ("context".to_owned(), self.access.context().to_owned()),
            ("Istio's namespace".to_owned(), self.system_namespace.clone()),
        ]
    }
}

/// Gets all that needs the network.
///
/// # Errors
/// A build failed.
pub(super) async fn build(release: &ReleaseArgs, cache: &Cache) -> Result<()> {
    programs(release, cache).await.map(drop)
}

/// kubectl on PATH, else built; the samples of the release that is given, else of Istio's module.
async fn programs(release: &ReleaseArgs, cache: &Cache) -> Result<(PathBuf, Release)> {
    let unpacked = match &release.istio_dir {
        Some(folder) => Some(Release::unpacked(folder).await?),
        None => None,
    };
    let on_path = Tool::new("kubectl").args(["version", "--client"]).run().await;
    let on_path = on_path.is_ok().then(|| PathBuf::from("kubectl"));
    let wanted: &'static [Program] = match (&on_path, &unpacked) {
        (Some(_), Some(_)) => &[],
        (None, Some(_)) => &[Program::Kubectl],
        // The samples come with it.
        (Some(_), None) => &[Program::Istioctl],
        (None, None) => &[Program::Kubectl, Program::Istioctl],
    };
    if let (Some(kubectl), Some(unpacked)) = (&on_path, &unpacked) {
        return Ok((kubectl.clone(), unpacked.clone()));
    }
    let build = || {
        host::prepare(cache, host::Purpose::Go, terminal::say)?;
        Toolbox::prepare_set(cache, Set::Client(wanted), progress::for_stderr().as_ref())
    };
    let made = build().context(
        "what is missing has to be built; with kubectl on PATH and an unpacked Istio release \
         (--istio-dir) nothing is",
    )?;
    let kubectl = on_path.unwrap_or_else(|| made.program(Program::Kubectl).to_owned());
    Ok((kubectl, unpacked.unwrap_or_else(|| Release::built(&made))))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_label_without_a_value_is_named() {
        let args = ExistingArgs { labels: vec!["team".to_owned()], ..ExistingArgs::default() };
        assert_eq!(
            args.labels().unwrap_err().to_string(),
            "--namespace-label `team` is not of the form KEY=VALUE"
        );
    }

    #[test]
    fn what_was_said_can_be_said_again() {
        let args = ExistingArgs {
            context: Some("prod".to_owned()),
            bundle: Some("ca".into()),
            labels: vec!["a=b".to_owned()],
            ..ExistingArgs::default()
        };
        let expected = [("--context", "prod"), ("--bundle", "ca"), ("--namespace-label", "a=b")];
        assert_eq!(args.flags(), expected.map(|(flag, value)| (flag, value.to_owned())));
        assert!(!args.is_empty() && ExistingArgs::default().is_empty());
    }
}
