//! The Docker engine: whether it answers, whether it has the node's image, and whether it can run
//! it. It is looked at through the `docker` command, which finds it as the user's own does.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use tokio::time::timeout;

use super::advice::{Said, with_advice};
use super::images::Images;
use crate::cmd::{Output, Tool};
use crate::terminal;

/// An engine that is alive answers at once.
const ANSWER: Duration = Duration::from_secs(20);
/// A node's image has a gigabyte.
const LOAD: Duration = Duration::from_secs(300);
const PULL: Duration = Duration::from_secs(900);
/// Starting a container that ends at once.
const PROBE: Duration = Duration::from_secs(60);
/// The oldest engine that kind was tried with.
const OLDEST: (u32, u32) = (20, 10);
/// What a node's image and the images of a mesh take, unpacked.
const NEEDED_DISK: u64 = 6 << 30;

/// An engine that answers.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    info: Info,
}

/// What `docker info` says (Docker Engine API, `GET /info`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Info {
    server_version: String,
    cgroup_version: String,
    architecture: String,
    #[serde(rename = "OSType")]
    os_type: String,
    docker_root_dir: String,
    server_errors: Vec<String>,
}

impl Engine {
    /// Asks the engine that `docker` finds: `DOCKER_HOST`, the current context, or the default.
    ///
    /// # Errors
    /// There is no `docker`, no engine answers, or it is too old or not Linux's.
    pub(crate) async fn find() -> Result<Self> {
        let info = docker(["info", "--format", "{{json .}}"]);
        let answer = match timeout(ANSWER, info.output()).await {
            Ok(answer) => answer.context("kind needs a Docker engine and the command `docker`")?,
            Err(_elapsed) => {
                bail!("the Docker engine did not answer within {} s", ANSWER.as_secs())
            }
        };
        let engine = Self { info: understood(&answer)? };
        engine.is_usable()?;
        Ok(engine)
    }

    fn is_usable(&self) -> Result<()> {
        let Info { server_version, os_type, docker_root_dir, .. } = &self.info;
        ensure!(
            os_type == "linux",
            "the Docker engine runs {os_type} containers; kind's nodes are Linux containers"
        );
        ensure!(
            version(server_version).is_none_or(|version| version >= OLDEST),
            "the Docker engine is {server_version}; {}.{} is the oldest that runs these nodes",
            OLDEST.0,
            OLDEST.1
        );
        // Of an engine elsewhere nothing can be said.
        if let Ok(disk) = rustix::fs::statvfs(docker_root_dir.as_str()) {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            ensure!(
                free >= NEEDED_DISK,
                "{docker_root_dir} has {} MiB free, a run needs {}: remove what the engine no longer \
                 needs (`docker system df` lists it), or give it another disk",
                free >> 20,
                NEEDED_DISK >> 20
            );
        }
        Ok(())
    }

    /// The engine's version.
    pub(crate) fn version(&self) -> &str {
        &self.info.server_version
    }

    /// Whether the machine of the engine has cgroup v1.
    pub(crate) fn has_cgroup_v1(&self) -> bool {
        self.info.cgroup_version == "1"
    }

    /// Gets the node's image into the engine, unless it is there.
    ///
    /// # Errors
    /// It cannot be loaded or pulled, or is of another architecture than the machine.
    pub(crate) async fn provide(&self, images: &Images) -> Result<()> {
        let node = images.node();
        if self.architecture_of(node).await?.is_none() {
            let load = || docker(["load", "--quiet", "--input"]);
            let (words, said, get, limit) = match images.archive() {
                Some(archive) => ("loading", Said::Engine, load().arg(archive), LOAD),
                None => ("pulling", Said::Pull, docker(["pull", "--quiet", node]), PULL),
            };
            terminal::say(&format!("{words} the node image {node}, once for this engine"));
            let got = timeout(limit, get.run()).await;
            let got = got.with_context(|| format!("not within {} s", limit.as_secs()));
            got.and_then(|output| output)
                .map_err(|error| with_advice(said, error))
                .with_context(|| format!("{words} the node image {node} failed"))?;
        }
        let found = self.architecture_of(node).await?;
        let found = found.with_context(|| format!("the engine does not have the image {node}"))?;
        ensure!(
            same_architecture(&found, &self.info.architecture),
            "the node image {node} is for {found}, this machine is {}: name one for it with \
             --node-image",
            self.info.architecture
        );
        Ok(())
    }

    /// The architecture of an image, if the engine has it.
    async fn architecture_of(&self, image: &str) -> Result<Option<String>> {
        let inspect = docker(["image", "inspect", "--format", "{{.Architecture}}", image]);
        let found = inspect.output().await?;
        Ok(found.status.success().then(|| found.stdout.trim().to_owned()))
    }

    /// Starts a privileged container of the node's image, which is what kind does.
    ///
    /// # Errors
    /// The engine refuses; the text has its reason and what can be done.
    pub(crate) async fn runs_privileged(&self, image: &str) -> Result<()> {
        let run =
            ["run", "--rm", "--privileged", "--network=none", "--entrypoint=/bin/true", image];
        let ran = timeout(PROBE, docker(run).run()).await;
        let ran = ran.with_context(|| format!("not within {} s", PROBE.as_secs()));
        let advised = |error| with_advice(Said::Engine, error);
        ran.and_then(|output| output).map_err(advised).context(
            "the Docker engine cannot run a privileged container, and kind's nodes are such",
        )?;
        Ok(())
    }
}

fn docker<const N: usize>(args: [&str; N]) -> Tool {
    Tool::new("docker").args(args)
}

/// An old client ends well without a server, a new one does not; both say what is wrong.
fn understood(answer: &Output) -> Result<Info> {
    let info: Info = serde_json::from_str(answer.stdout.trim()).unwrap_or_default();
    if answer.status.success() && info.server_errors.is_empty() && !info.server_version.is_empty() {
        return Ok(info);
    }
    let said = match info.server_errors.first() {
        Some(error) => error.clone(),
        None if answer.stderr.trim().is_empty() => {
            format!("`docker info` says no version of a server ({})", answer.status)
        }
        None => answer.stderr.trim().to_owned(),
    };
    Err(with_advice(Said::Engine, anyhow::anyhow!("{said}")))
        .context("no Docker engine can be used")
}

/// `(20, 10)` of `20.10.24+dfsg1`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split('.').map(|part| part.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

/// An image has Go's name for an architecture, the engine the kernel's.
fn same_architecture(image: &str, machine: &str) -> bool {
    let of_go = match machine {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    image == of_go
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    use pretty_assertions::assert_eq;

    use super::*;

    fn answer(status: i32, stdout: &str, stderr: &str) -> Output {
        Output {
            status: ExitStatus::from_raw(status << 8),
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
            elapsed: Duration::ZERO,
        }
    }

    const ANSWERS: &str = r#"{"ServerVersion": "20.10.24+dfsg1", "CgroupVersion": "1",
        "Architecture": "x86_64", "OSType": "linux", "DockerRootDir": "/nowhere"}"#;

    #[test]
    fn an_engine_that_answers_is_understood() {
        let engine = Engine { info: understood(&answer(0, ANSWERS, "")).unwrap() };
        engine.is_usable().unwrap();
        assert!(engine.has_cgroup_v1());
        assert_eq!(engine.version(), "20.10.24+dfsg1");
    }

    #[test]
    fn an_engine_without_rights_is_said_with_the_way_out() {
        let words = "permission denied while trying to connect to the Docker daemon socket at \
                     unix:///var/run/docker.sock";
        let old = answer(0, &format!(r#"{{"ServerErrors": ["{words}"]}}"#), "");
        let new = answer(1, "", words);
        for answer in [old, new] {
            let error = format!("{:#}", understood(&answer).unwrap_err());
            assert_eq!(
                error,
                format!(
                    "no Docker engine can be used: {words}; this user may not use the engine: run \
                     as root, or join the group that owns the socket (`docker`) and log in again"
                )
            );
        }
    }

    #[test]
    fn an_answer_without_a_server_is_said_to_be_one() {
        let error = format!("{:#}", understood(&answer(0, "{}", "")).unwrap_err());
        assert_eq!(
            error,
            "no Docker engine can be used: `docker info` says no version of a server (exit status: \
             0)"
        );
    }

    #[test]
    fn an_engine_that_is_too_old_is_refused_by_its_version() {
        let old = ANSWERS.replace("20.10.24+dfsg1", "19.03.15");
        let engine = Engine { info: understood(&answer(0, &old, "")).unwrap() };
        let error = engine.is_usable().unwrap_err().to_string();
        let expected = "the Docker engine is 19.03.15; 20.10 is the oldest that runs these nodes";
        assert_eq!(error, expected);
    }

    #[test]
    fn an_engine_whose_disk_is_full_is_refused_before_anything_is_made() {
        // A file system that has no room at all.
        let full = ANSWERS.replace("/nowhere", "/proc");
        let engine = Engine { info: understood(&answer(0, &full, "")).unwrap() };
        assert_eq!(
            engine.is_usable().unwrap_err().to_string(),
            "/proc has 0 MiB free, a run needs 6144: remove what the engine no longer needs \
             (`docker system df` lists it), or give it another disk"
        );
    }

    #[test]
    fn an_engine_of_windows_containers_is_refused() {
        let windows = ANSWERS.replace("linux", "windows");
        let engine = Engine { info: understood(&answer(0, &windows, "")).unwrap() };
        let error = engine.is_usable().unwrap_err().to_string();
        assert!(error.starts_with("the Docker engine runs windows containers"), "{error}");
    }

    #[test]
    fn architectures_are_compared_across_their_names() {
        assert!(same_architecture("amd64", "x86_64") && same_architecture("arm64", "aarch64"));
        assert!(!same_architecture("arm64", "x86_64"));
    }
}
