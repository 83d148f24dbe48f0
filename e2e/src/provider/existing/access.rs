//! How a cluster of others is reached: kubeconfig files and a context, by name. Credentials stay
//! where they are: neither is a file copied nor the user's current context changed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde::{Deserialize, Serialize};

use crate::cluster::with_patience;
use crate::cmd::Tool;

/// Kubeconfig files, absolute, and the context in them. Can be written down, so that a later sweep
/// reaches the same cluster from another shell, and no other one that took over the name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Access {
    files: Vec<PathBuf>,
    context: String,
    /// The API server's address when this was written down.
    server: Option<String>,
}

impl Access {
    /// The context in this file, or in the user's own: those of KUBECONFIG, else ~/.kube/config.
    ///
    /// # Errors
    /// A file cannot be read, or there is no such context; those that exist are named.
    pub(super) fn new(kubeconfig: Option<&Path>, context: String) -> Result<Self> {
        let files = match kubeconfig {
            Some(file) => vec![file.to_owned()],
            None => of_user(std::env::var_os("KUBECONFIG"), std::env::var_os("HOME"))?,
        };
        let absolute = |file: &PathBuf| {
            std::path::absolute(file).with_context(|| format!("cannot find {}", file.display()))
        };
        let files = files.iter().map(absolute).collect::<Result<_>>()?;
        let mut access = Self { files, context, server: None };
        let read = access.read()?;
        access.server = server(&read, &access.context);
        let known = read.contexts;
        if known.iter().all(|known| known.name != access.context) {
            let known: Vec<_> = known.iter().map(|context| context.name.as_str()).collect();
            bail!(
                "{} has no context `{}`; it has: {}",
                access.files_as_text(),
                access.context,
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            );
        }
        Ok(access)
    }

    /// The context's name.
    pub(crate) fn context(&self) -> &str {
        &self.context
    }

    /// The file that kubectl would write to.
    pub(super) fn first_file(&self) -> PathBuf {
        self.files.first().cloned().unwrap_or_default()
    }

    /// A client of the context's cluster, as the context's user.
    ///
    /// # Errors
    /// The files cannot be read, the user's credentials cannot be had, or the context has another
    /// server by now.
    pub(super) async fn client(&self) -> Result<kube::Client> {
        let read = self.read()?;
        self.same_server(&read)?;
        let options =
            KubeConfigOptions { context: Some(self.context.clone()), ..Default::default() };
        let config = kube::Config::from_custom_kubeconfig(read, &options).await;
        let config = config.with_context(|| {
            format!("context `{}` of {} cannot be used", self.context, self.files_as_text())
        })?;
        Ok(kube::Client::try_from(with_patience(config))?)
    }

    /// kubectl, pointed at the context. The user's home stays: programs that get credentials
    /// (`exec` in a kubeconfig) keep theirs there.
    ///
    /// # Errors
    /// There are several files, and the path of one cannot stand in a list.
    pub(super) fn kubectl(&self, kubectl: &Path) -> Result<Tool> {
        let tool = Tool::new(kubectl);
        let tool = match &self.files[..] {
            [file] => tool.arg("--kubeconfig").arg(file),
            files => tool.env("KUBECONFIG", std::env::join_paths(files)?),
        };
        Ok(tool.arg("--context").arg(&self.context))
    }

    /// A namespace that is missing in another cluster would pass for removed.
    fn same_server(&self, read: &Kubeconfig) -> Result<()> {
        let (now, then) = (server(read, &self.context), &self.server);
        ensure!(
            then.is_none() || now == *then,
            "context `{}` of {} is not the cluster any more that it was: its server was {}, and is {}",
            self.context,
            self.files_as_text(),
            then.as_deref().unwrap_or("none"),
            now.as_deref().unwrap_or("none")
        );
        Ok(())
    }

    fn read(&self) -> Result<Kubeconfig> {
        self.files.iter().try_fold(Kubeconfig::default(), |merged, file| {
            let context = || format!("cannot read the kubeconfig {}", file.display());
            let next = Kubeconfig::read_from(file).with_context(context)?;
            merged.merge(next).with_context(context)
        })
    }

    fn files_as_text(&self) -> String {
        let files: Vec<_> = self.files.iter().map(|file| file.display().to_string()).collect();
        files.join(", ")
    }
}

/// The address of a context's API server.
fn server(kubeconfig: &Kubeconfig, context: &str) -> Option<String> {
    let context = kubeconfig.contexts.iter().find(|known| known.name == context)?;
    let cluster = &context.context.as_ref()?.cluster;
    let cluster = kubeconfig.clusters.iter().find(|known| known.name == *cluster)?;
    cluster.cluster.as_ref()?.server.clone()
}

/// kubectl's own rule: files of KUBECONFIG that do not exist are passed over.
fn of_user(kubeconfig: Option<OsString>, home: Option<OsString>) -> Result<Vec<PathBuf>> {
    let listed = kubeconfig.filter(|list| !list.is_empty());
    if let Some(list) = listed {
        let files: Vec<_> = std::env::split_paths(&list).filter(|file| file.is_file()).collect();
        if files.is_empty() {
            bail!("KUBECONFIG names no file that exists: {}", list.to_string_lossy());
        }
        return Ok(files);
    }
    let home = home.context("there is no KUBECONFIG and no HOME: name a file with --kubeconfig")?;
    Ok(vec![PathBuf::from(home).join(".kube/config")])
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    const KUBECONFIG: &str = "\
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: 'https://192.0.2.1:6443'}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: prod, context: {cluster: c, user: u}}]
current-context: prod
";

    #[test]
    fn a_context_that_is_not_there_is_named_with_those_that_are() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        std::fs::write(&file, KUBECONFIG).unwrap();
        assert_eq!(Access::new(Some(&file), "prod".to_owned()).unwrap().context(), "prod");
        assert_eq!(
            Access::new(Some(&file), "dev".to_owned()).unwrap_err().to_string(),
            format!("{} has no context `dev`; it has: prod", file.display())
        );
    }

    #[test]
    fn a_context_that_leads_to_another_cluster_by_now_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        std::fs::write(&file, KUBECONFIG).unwrap();
        let access = Access::new(Some(&file), "prod".to_owned()).unwrap();
        access.same_server(&access.read().unwrap()).unwrap();
        std::fs::write(&file, KUBECONFIG.replace("192.0.2.1", "192.0.2.2")).unwrap();
        let error = access.same_server(&access.read().unwrap()).unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "context `prod` of {} is not the cluster any more that it was: its server was \
                 https://192.0.2.1:6443, and is https://192.0.2.2:6443",
                file.display()
            )
        );
    }

    #[test]
    fn the_users_files_are_those_of_kubectl() {
        let folder = tempfile::tempdir().unwrap();
        let (there, gone) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&there, "").unwrap();
        let list = std::env::join_paths([&gone, &there]).unwrap();
        assert_eq!(of_user(Some(list), None).unwrap(), [there]);
        let at_home = of_user(None, Some("/home/u".into())).unwrap();
        assert_eq!(at_home, [PathBuf::from("/home/u/.kube/config")]);
        let error = of_user(Some(gone.clone().into()), None).unwrap_err().to_string();
        assert_eq!(error, format!("KUBECONFIG names no file that exists: {}", gone.display()));
    }

    #[test]
    fn kubectl_is_told_the_context_and_keeps_the_users_home() {
        let kubectl = |files: &[&str]| {
            let files = files.iter().map(PathBuf::from).collect();
            let access = Access { files, context: "prod".to_owned(), server: None };
            access.kubectl(Path::new("kubectl")).map(|kubectl| kubectl.to_string())
        };
        assert_eq!(kubectl(&["/a:b"]).unwrap(), "kubectl --kubeconfig /a:b --context prod");
        assert_eq!(kubectl(&["/a", "/b"]).unwrap(), "kubectl --context prod");
        // A list that is not understood would end in another cluster of the same name.
        assert_eq!(
            kubectl(&["/a:b", "/c"]).unwrap_err().to_string(),
            "path segment contains separator `:`"
        );
    }
}
