//! A node that runs: its PID 1 as seen from the harness. Starts it, hears from it, keeps it, and
//! removes everything of it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::cgroups::{Groups, mounts};
use super::names::Names;
use super::network;
use super::plan::{Event, KEEP, Plan};
use crate::abort::Abort;
use crate::cmd::{Tool, tail};
use crate::poll::{Seen, until};
use crate::rundir::write;

/// Far longer than namespaces and mounts take.
const PREPARE_TIMEOUT: Duration = Duration::from_secs(20);
/// The kernel frees a killed node in well under a second, unless the machine is very busy.
const REMOVE_TIMEOUT: Duration = Duration::from_secs(30);
/// Lines of a component's log that the news of its end carries.
const LOG_LINES: usize = 5;

/// A running node. It ends when this is dropped, unless it was kept.
#[derive(Debug)]
pub(crate) struct Node {
    child: Child,
    stdin: ChildStdin,
    last: watch::Receiver<Option<Event>>,
    listener: JoinHandle<()>,
}

impl Node {
    /// Starts PID 1 in namespaces of its own; in the network of `names`, or else in the machine's.
    /// The plan is written into `dir`. Whatever ends in the node stops the run.
    ///
    /// # Errors
    /// It cannot be started, or cannot do what the plan says.
    pub(crate) async fn start(
        dir: &Path,
        plan: &Plan,
        names: Option<&Names>,
        abort: &Abort,
    ) -> Result<Self> {
        let path = dir.join("plan.json");
        write(&path, &serde_json::to_string_pretty(plan)?)?;
        let harness = std::env::current_exe().context("cannot find the harness's own program")?;
        let unshare =
            ["--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "--mount-proc"];
        let tool = match names {
            Some(names) => {
                let net = format!("--net={}", names.netns().display());
                Tool::new("nsenter").arg(net).args(["--", "unshare"])
            }
            None => Tool::new("unshare"),
        };
        let tool = tool.args(unshare).arg("--").arg(harness).arg("node-init").arg(path);

        let log = plan.logs.join("node-init.log");
        let stderr =
            File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut child = tool.converse(stderr)?;
        let stdin = child.stdin.take().context("PID 1 has no stdin")?;
        let stdout = child.stdout.take().context("PID 1 has no stdout")?;
        let (sender, last) = watch::channel(None);
        let listener = tokio::spawn(listen(stdout, sender, abort.clone(), plan.logs.clone()));
        let mut node = Self { child, stdin, last, listener };
        abort.unless(node.hear(&Event::Up)).await?;
        Ok(node)
    }

    /// Lets the node go on when the harness ends.
    ///
    /// # Errors
    /// The node does not answer.
    pub(crate) async fn keep(mut self) -> Result<()> {
        self.stdin.write_all(&[KEEP]).await.context("cannot speak to PID 1 of the node")?;
        self.hear(&Event::Kept).await
    }

    /// Ends the node, and returns once nothing of it runs.
    ///
    /// # Errors
    /// Its end cannot be waited for.
    pub(crate) async fn end(mut self) -> Result<()> {
        self.listener.abort();
        drop(self.stdin);
        let ended = tokio::time::timeout(REMOVE_TIMEOUT, self.child.wait());
        ended.await.context("the node does not end")?.context("cannot wait for the node")?;
        Ok(())
    }

    async fn hear(&mut self, expected: &Event) -> Result<()> {
        let heard = self.last.wait_for(|last| last.as_ref() == Some(expected));
        tokio::time::timeout(PREPARE_TIMEOUT, heard)
            .await
            .with_context(|| format!("PID 1 of the node does not say {expected:?}"))?
            .with_context(|| format!("PID 1 of the node ended before it said {expected:?}"))?;
        Ok(())
    }
}

/// Passes on what PID 1 says, until it ends.
async fn listen(
    stdout: ChildStdout,
    last: watch::Sender<Option<Event>>,
    abort: Abort,
    logs: PathBuf,
) {
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match serde_json::from_str(&line) {
            Ok(Event::Ended { component, status }) => {
                let log = logs.join(format!("{component}.log"));
                abort.raise(&format!("{component} ended ({status}); {}", log_tail(&log)));
            }
            Ok(Event::Failed { reason }) => abort.raise(&format!("the node failed: {reason}")),
            Ok(event) => drop(last.send_replace(Some(event))),
            Err(error) => abort.raise(&format!("PID 1 of the node said `{line}`: {error}")),
        }
    }
    let log = logs.join("node-init.log");
    abort.raise(&format!("PID 1 of the node ended; {}", log_tail(&log)));
}

fn log_tail(path: &Path) -> String {
    match fs::read(path) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            format!("the end of {}:\n{}", path.display(), tail(&text, LOG_LINES))
        }
        Err(error) => format!("{} cannot be read: {error}", path.display()),
    }
}

/// The groups of a node on this machine.
///
/// # Errors
/// The machine has not the cgroups that a node needs.
pub(crate) fn groups(names: &Names) -> Result<Groups> {
    let text = fs::read_to_string("/proc/self/mountinfo").context("cannot read the mounts")?;
    Ok(Groups::new(&mounts(&text)?, &names.cgroup))
}

/// The command that opens a shell on a node.
///
/// # Errors
/// The node does not run.
pub(crate) fn enter(names: &Names) -> Result<String> {
    let is_first = |pid: &Pid| {
        let status = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero()));
        let status = status.unwrap_or_default();
        // The process's id in every pid namespace it is in, its own last (proc(5)).
        let ids = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
        ids.split_whitespace().count() > 1 && ids.split_whitespace().last() == Some("1")
    };
    let mut running = groups(names)?.processes()?.into_iter();
    let pid = running.find(is_first);
    let pid = pid.with_context(|| format!("no node runs in {}", names.cgroup))?.as_raw_nonzero();
    Ok(format!("nsenter --target {pid} --mount --net --pid --ipc --uts"))
}

/// Removes everything of a node, alive or half made or dead: processes, cgroups, network, disk.
///
/// # Errors
/// Something stays; the text says what.
pub(crate) async fn remove(names: &Names) -> Result<()> {
    let groups = groups(names)?;
    until("everything in the node has ended", REMOVE_TIMEOUT, 1, async || {
        let running = groups.processes()?;
        for &pid in &running {
            match kill_process(pid, Signal::KILL) {
                Ok(()) | Err(rustix::io::Errno::SRCH) => {}
                Err(error) => return Err(error).with_context(|| format!("cannot kill {pid:?}")),
            }
        }
        Ok(if running.is_empty() {
            Seen::Ready(())
        } else {
            Seen::NotYet(format!("{} processes are left", running.len()))
        })
    })
    .await?;

    // Before the disk: the network namespace is mounted on a file of it.
    network::remove(names).await?;
    let no_groups = until("the node's cgroups are gone", REMOVE_TIMEOUT, 1, async || {
        let busy = || Seen::NotYet(format!("{} is busy", names.cgroup));
        Ok(if groups.remove()? { Seen::Ready(()) } else { busy() })
    });
    let disk = names.disk.clone();
    let no_disk = tokio::task::spawn_blocking(move || match fs::remove_dir_all(&disk) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", disk.display()))
        }
        _ => Ok(()),
    });
    let (groups, disk) = tokio::join!(no_groups, no_disk);
    groups?;
    disk.context("the removal of the disk was cut short")?
}
