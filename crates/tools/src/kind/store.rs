//! containerd's store with images in it, written by a containerd that runs only for that. Layers
//! are not unpacked: a node does that for the images that it starts.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::command::{Command, Running};
use crate::error::{Error, FileContext, Result};

/// The namespace in which a kubelet finds its images.
const NAMESPACE: &str = "k8s.io";
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
    // The path of a socket has 107 characters at most (unix(7)); the cache may be deep.
    let short = tempfile::tempdir().file("create a folder in", std::env::temp_dir())?;
    let socket = short.path().join("containerd.sock");
    let config = scratch.join("containerd.toml");
    let text = config_text(store, &short.path().join("state"), &socket);
    fs::write(&config, text).file("write", &config)?;
    let log = scratch.join("containerd.log");
    // What bounds all waiting for it: it is asked to end after that time, and killed if it does not.
    let containerd = Command::dying_with_us("timeout")
        .args(["--kill-after=10", &LIMIT.as_secs().to_string(), "containerd", "--config"])
        .arg(&config)
        .start(&log)?;
    let imported = import(archives, &socket, &containerd);
    containerd.end()?;
    imported
}

fn import(archives: &[PathBuf], socket: &Path, containerd: &Running) -> Result<()> {
    let ctr = || Command::new("ctr").arg("--address").arg(socket).args(["--namespace", NAMESPACE]);
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
fn config_text(store: &Path, state: &Path, socket: &Path) -> String {
    let (store, state, socket) = (store.display(), state.display(), socket.display());
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
  address = "{socket}"
"#
    )
}
