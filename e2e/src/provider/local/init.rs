//! PID 1 of a node: the hidden command `node-init` of the harness.
//!
//! It prepares the namespaces it was started in, starts the components and watches them, reaps
//! what nobody waits for, and ends with its parent: when it ends, the kernel ends everything else
//! in the node. It restarts nothing: a component that ends has failed, and the harness is told.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use rustix::io::Errno;
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_bind, mount_change};
use rustix::process::{WaitOptions, WaitStatus, wait};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::net::unix::pipe;
use tokio::signal::unix::{SignalKind, signal};

use super::components::{After, Component};
use super::plan::{Event, KEEP, Mount, Plan};
use crate::cmd::Tool;
use crate::poll::{Seen, until};

/// The harness gives up long before; this only bounds what nobody waits for any more.
const START_TIMEOUT: Duration = Duration::from_secs(600);

/// Does what the plan in this file says, until the node is to end.
///
/// # Errors
/// The node cannot be prepared or watched. The harness has been told as well.
pub(crate) async fn run(plan: &Path) -> Result<()> {
    let result = prepared(plan).await;
    if let Err(error) = &result {
        tell(&Event::Failed { reason: format!("{error:#}") });
    }
    result
}

async fn prepared(path: &Path) -> Result<()> {
    let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let plan: Plan = serde_json::from_slice(&text).context("cannot read the plan")?;
    // First of all: from here on the node is found, whatever happens to it.
    for procs in &plan.cgroups {
        // To the kernel, 0 is the process that writes.
        fs::write(procs, "0").with_context(|| format!("cannot enter {}", procs.display()))?;
    }
    // The mounts hide it.
    let lock = plan.lock.as_deref().map(File::open).transpose().context("cannot open the lock")?;
    prepare(&plan)?;
    watch(plan, lock).await
}

fn prepare(plan: &Plan) -> Result<()> {
    for item in &plan.mounts {
        let (at, done) = match item {
            Mount::Tmpfs { at } => {
                (at, mount("tmpfs", at, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, None))
            }
            Mount::Bind { from, at } => (at, mount_bind(from, at)),
        };
        done.with_context(|| format!("cannot mount on {}", at.display()))?;
    }
    // Below the node's own mount namespace, volumes have to reach the pods.
    mount_change("/", MountPropagationFlags::SHARED | MountPropagationFlags::REC)
        .context("cannot share the mounts below /")?;
    rustix::system::sethostname(plan.hostname.as_bytes()).context("cannot set the host name")?;
    for (name, value) in &plan.sysctls {
        fs::write(Path::new("/proc/sys").join(name), value)
            .with_context(|| format!("cannot set {name} to {value}"))?;
    }
    Ok(())
}

async fn watch(plan: Plan, lock: Option<File>) -> Result<()> {
    let mut ended = signal(SignalKind::child())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut orders = pipe::Receiver::from_owned_fd(std::io::stdin().as_fd().try_clone_to_owned()?)
        .context("stdin is no pipe from the harness")?;
    let mut kept = false;
    let mut running = BTreeMap::new();
    let mut waiting: FuturesUnordered<_> = plan.components.iter().map(due).collect();
    tell(&Event::Up);
    loop {
        let mut order = [0];
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = ended.recv() => reap(&mut running)?,
            Some(component) = waiting.next() => {
                let component = component?;
                running.insert(start(component, &plan.logs)?, component.name.clone());
            }
            read = orders.read(&mut order), if !kept => match read.context("cannot read stdin")? {
                1 if order[0] == KEEP => {
                    if let Some(lock) = &lock {
                        lock.lock_shared().context("cannot take the run's lock")?;
                    }
                    kept = true;
                    tell(&Event::Kept);
                }
                // The harness is gone, or wants the node gone.
                _ => return Ok(()),
            },
        }
    }
}

/// Returns the component once what it waits for is there.
async fn due(component: &Component) -> Result<&Component> {
    if let Some(after) = &component.after {
        let what = format!("{} can start", component.name);
        until(&what, START_TIMEOUT, 1, async || {
            Ok(match missing(after).await {
                None => Seen::Ready(()),
                Some(why) => Seen::NotYet(why),
            })
        })
        .await?;
    }
    Ok(component)
}

async fn missing(after: &After) -> Option<String> {
    match after {
        After::Path(path) => (!path.exists()).then(|| format!("{} does not exist", path.display())),
        After::Listener(address) => {
            TcpStream::connect(address).await.err().map(|error| format!("{address}: {error}"))
        }
    }
}

fn start(component: &Component, logs: &Path) -> Result<u32> {
    let path = logs.join(format!("{}.log", component.name));
    let log = OpenOptions::new()
        .append(true)
        .create(true)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    Tool::new(&component.program).args(&component.args).launch(log)
}

/// Waits for everything that has ended: components, and processes whose parents ended before.
fn reap(running: &mut BTreeMap<u32, String>) -> Result<()> {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) => {
                let ended = u32::try_from(pid.as_raw_nonzero().get()).ok();
                if let Some(component) = ended.and_then(|pid| running.remove(&pid)) {
                    tell(&Event::Ended { component, status: in_words(status) });
                }
            }
            Ok(None) | Err(Errno::CHILD) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error).context("cannot wait for processes"),
        }
    }
}

fn in_words(status: WaitStatus) -> String {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => format!("{status:?}"),
    }
}

fn tell(event: &Event) {
    let mut out = std::io::stdout().lock();
    // A kept node has nobody to tell.
    let told = serde_json::to_writer(&mut out, event).map_err(std::io::Error::from);
    if let Err(error) = told.and_then(|()| writeln!(out)) {
        tracing::debug!(%error, ?event, "nobody listens");
    }
}
