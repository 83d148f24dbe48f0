//! containerd's store with images in it, written by a containerd that runs only for that. Layers
//! are not unpacked: a node does that for the images that it starts.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::command::{Command, Running};
use crate::error::{Error, FileContext, Result};

/// The namespace in which a kubelet finds its images.
const NAMESPACE: &str = "k8s.io";
/// containerd's socket, in the folder in which it and ctr run: the path of a socket has 107
/// characters at most (unix(7)), and the cache may be deep.
const SOCKET: &str = "/proc/self/cwd/containerd.sock";
/// containerd starts in a fraction of a second; ctr(8) waits that long for its socket.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// Importing all images takes half a minute on a slow disk.
const LIMIT: Duration = Duration::from_secs(600);

/// Imports the archives into a new store at `store`.
///
/// # Errors
/// [`Error::DaemonSilent`] if containerd does not start, [`Error::CommandFailed`] with what it said
/// about an archive.
pub(super) fn fill(archives: &[PathBuf], store: &Path, scratch: &Path) -> Result<()> {
    let config = scratch.join("containerd.toml");
    fs::write(&config, config_text(store, &scratch.join("state"))).file("write", &config)?;
    let log = scratch.join("containerd.log");
    // What bounds all waiting for it: it is asked to end after that time, and killed if it does not.
    let containerd = Command::dying_with_us("timeout")
        .args(["--kill-after=10", &LIMIT.as_secs().to_string(), "containerd", "--config"])
        .arg(&config)
        .folder(scratch)
        .start(&log)?;
    let imported = import(archives, scratch, &containerd);
    containerd.end()?;
    imported
}

fn import(archives: &[PathBuf], scratch: &Path, containerd: &Running) -> Result<()> {
    let options = ["--address", SOCKET, "--namespace", NAMESPACE];
    let ctr = || Command::new("ctr").folder(scratch).args(options);
    let timeout = format!("{}s", START_TIMEOUT.as_secs());
    match ctr().args(["--connect-timeout", &timeout, "version"]).run() {
        Err(Error::CommandFailed { .. }) => {
            return Err(Error::DaemonSilent {
                program: "containerd",
                waited: START_TIMEOUT,
                said: containerd.said()?,
            });
        }
        answer => answer.map(drop)?,
    }
    archives.iter().try_for_each(|file| {
        ctr().args(["images", "import", "--no-unpack"]).arg(file).run().map(drop)
    })
}

/// Only what an import needs. The snapshotters other than the plain one would try out mounts, `opt`
/// would make a folder in /opt, and nothing is to run.
fn config_text(store: &Path, state: &Path) -> String {
    let (store, state) = (store.display(), state.display());
    format!(
        r#"version = 2
root = "{store}"
state = "{state}"
oom_score = 0
disabled_plugins = [
  "io.containerd.grpc.v1.cri",
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.overlayfs",
  "io.containerd.snapshotter.v1.zfs",
]
[grpc]
  address = "{SOCKET}"
"#
    )
}
