//! One cluster of kind's, by its name: how it is entered, explained and removed, also by a harness
//! that did not make it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Error, Result, anyhow, ensure};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::advice::{Said, advice, with_advice};
use crate::cmd::Tool;
use crate::rundir::RunId;

/// By hand 3 to 8 s.
const DELETE: Duration = Duration::from_secs(120);
const EXPORT: Duration = Duration::from_secs(60);
/// Files of an exported node that say why it did not come up.
const TELLING: [&str; 3] = ["kubelet.log", "containerd.log", "journal.log"];

/// Everything that it takes to find a cluster again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KindCluster {
    /// kind's name for it.
    pub(crate) name: String,
    /// The program that made it.
    program: PathBuf,
    /// The engine that it is in, as the environment named it.
    docker_host: Option<String>,
    docker_context: Option<String>,
}

impl KindCluster {
    /// The cluster of a run, in the engine that the environment names.
    pub(crate) fn new(run: &RunId, program: &Path) -> Self {
        let [docker_host, docker_context] =
            ["DOCKER_HOST", "DOCKER_CONTEXT"].map(|name| std::env::var(name).ok());
        let (name, program) = (format!("cacerts-{run}"), program.to_owned());
        Self { name, program, docker_host, docker_context }
    }

    /// `kind VERB cluster --name NAME ..`
    pub(crate) fn kind<const N: usize>(&self, args: [&str; N]) -> Tool {
        let kind = Tool::new(&self.program).env("KIND_EXPERIMENTAL_PROVIDER", "docker");
        self.in_engine(kind).args(args).args(["--name", &self.name])
    }

    /// The command that enters its node.
    pub(crate) fn enter(&self) -> String {
        format!("docker exec -it {}-control-plane bash", self.name)
    }

    /// The containers that are its nodes, by name; none where it does not exist.
    ///
    /// # Errors
    /// The engine does not answer.
    pub(crate) async fn containers(&self) -> Result<Vec<String>> {
        let label = format!("label=io.x-k8s.kind.cluster={}", self.name);
        let list = self.in_engine(Tool::new("docker")).args(["ps", "--all", "--filter", &label]);
        let found = list.args(["--format", "{{.Names}}"]).run().await?;
        Ok(found.stdout.lines().map(str::to_owned).collect())
    }

    fn in_engine(&self, tool: Tool) -> Tool {
        let given = [("DOCKER_HOST", &self.docker_host), ("DOCKER_CONTEXT", &self.docker_context)];
        given.into_iter().fold(tool, |tool, (name, value)| match value {
            Some(value) => tool.env(name, value),
            None => tool,
        })
    }

    /// Removes it; that it does not exist is no error.
    ///
    /// # Errors
    /// kind's, as when the engine does not answer, or a node is there all the same.
    pub(crate) async fn remove(&self) -> Result<()> {
        let delete = async {
            self.kind(["delete", "cluster"]).run().await?;
            let left = self.containers().await?.join(", ");
            ensure!(
                left.is_empty(),
                "kind deleted the cluster, and its containers are left: {left}"
            );
            Ok(())
        };
        let deleted = timeout(DELETE, delete).await;
        let deleted = deleted.with_context(|| format!("not within {} s", DELETE.as_secs()));
        deleted.and_then(|done| done).map_err(|error| with_advice(Said::Engine, error))
    }

    /// Keeps the logs of a cluster that did not come up in `folder`, and adds to the error what
    /// they say about it.
    pub(crate) async fn explained(&self, error: Error, folder: &Path) -> Error {
        let known = with_advice(Said::Node, anyhow!("{error:#}"));
        let export = self.kind(["export", "logs"]).arg(folder);
        if !matches!(timeout(EXPORT, export.run()).await, Ok(Ok(_))) {
            return known;
        }
        let text = format!("{known:#}; the node's logs are in {}", folder.display());
        match told_by(folder) {
            Some((line, advice)) => anyhow!("{text}; the node says `{line}`: {advice}"),
            None => anyhow!("{text}"),
        }
    }
}

/// What kind and the kubeadm in the node say is wrong, among the stack traces and logs of both.
pub(super) fn failure(stderr: &str) -> String {
    let is_error =
        |line: &&str| ["ERROR: ", "error: ", "[ERROR "].iter().any(|e| line.starts_with(e));
    let errors: Vec<_> = stderr.lines().map(str::trim).filter(is_error).collect();
    match errors.is_empty() {
        true => stderr.trim().lines().last().unwrap_or("it said nothing").to_owned(),
        false => errors.join("; "),
    }
}

/// The first line of the exported logs that is known to explain a failure.
fn told_by(folder: &Path) -> Option<(String, &'static str)> {
    let nodes = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    let files = nodes.flat_map(|node| TELLING.map(|file| node.join(file)));
    let lines = files.filter_map(|file| fs::read(file).ok());
    lines.into_iter().find_map(|log| {
        let log = String::from_utf8_lossy(&log);
        log.lines().find_map(|line| Some((line.trim().to_owned(), advice(Said::Node, line)?)))
    })
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn the_nodes_own_words_are_found_in_its_logs() {
        let folder = tempfile::tempdir().unwrap();
        let node = folder.path().join("cacerts-x-control-plane");
        fs::create_dir(&node).unwrap();
        fs::write(node.join("journal.log"), "Started kubelet\n").unwrap();
        assert_eq!(told_by(folder.path()), None);
        let line = "kubelet is configured to not run on a host using cgroup v1";
        fs::write(node.join("kubelet.log"), format!("E1124 {line}\n")).unwrap();
        let (told, _) = told_by(folder.path()).unwrap();
        assert_eq!(told, format!("E1124 {line}"));
    }

    #[test]
    fn the_reason_is_found_among_stack_traces() {
        let said = "Creating cluster \"x\" ...\nERROR: failed to create cluster: exit status 1\n\
                    I1125 main.go:1] error: not the start of the line\n\
                    error: error execution phase wait-control-plane: no answer\n\
                    runtime.goexit\n\truntime/asm_amd64.s:1771\n";
        assert_eq!(
            failure(said),
            "ERROR: failed to create cluster: exit status 1; error: error execution phase \
             wait-control-plane: no answer"
        );
        assert_eq!(failure("warning\nkind: not a command\n"), "kind: not a command");
        assert_eq!(failure(""), "it said nothing");
    }

    #[test]
    fn a_cluster_is_found_again_by_what_was_written_down() {
        let id = RunId::try_from("bcdfgh".to_owned()).unwrap();
        let cluster = KindCluster::new(&id, Path::new("/bin/kind"));
        let again: KindCluster =
            serde_json::from_str(&serde_json::to_string(&cluster).unwrap()).unwrap();
        assert_eq!(again, cluster);
        assert_eq!(again.enter(), "docker exec -it cacerts-bcdfgh-control-plane bash");
    }
}
