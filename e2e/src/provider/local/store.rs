//! containerd's store with the images of a mesh in it. The golden one is in the cache: imported
//! once, never run from. Every node gets a copy of its own.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures::future::try_join_all;
use tokio::runtime::Handle;
use tools::cache::{Cache, Key, Work};
use tools::{ImageArchive, Toolbox};

use super::components::{self, Component};
use super::files;
use super::node::Node;
use super::plan::Plan;
use crate::abort::Abort;
use crate::cmd::Tool;
use crate::poll::{Seen, until};
use crate::rundir::write;
use crate::terminal;

/// The namespace in which the kubelet finds its images.
const NAMESPACE: &str = "k8s.io";
/// containerd starts in a fraction of a second.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// containerd's own records, below its root. They are written to: a copy needs its own.
const DATABASES: [&str; 2] = [
    "io.containerd.metadata.v1.bolt/meta.db",
    "io.containerd.snapshotter.v1.overlayfs/metadata.db",
];

/// Makes the golden store, unless it is in the cache; returns where it is.
///
/// # Errors
/// containerd does not start, or refuses an image.
pub(crate) async fn golden(cache: &Cache, toolbox: &Toolbox, abort: &Abort) -> Result<PathBuf> {
    let version = Tool::new("containerd").arg("--version").run().await?.stdout;
    let mut inputs = vec![("containerd", version.trim())];
    inputs.extend(toolbox.images().iter().map(|image| (image.name, image.digest.as_str())));
    let entry = cache.entry("store", "containerd", &Key::of(inputs));
    if entry.exists() {
        return Ok(entry.path().to_owned());
    }
    let (images, abort, handle) = (toolbox.images().to_vec(), abort.clone(), Handle::current());
    let path = entry.path().to_owned();
    let made = tokio::task::spawn_blocking(move || {
        // The cache knows no errors but its own: the import's is kept aside, and is the better one.
        let mut failure = None;
        let ensured = entry.ensure(
            || terminal::say("waiting for another run that imports the images"),
            |work| {
                handle.block_on(import(work, &images, &abort)).map_err(|error| {
                    failure = Some(error);
                    tools::Error::NotBuilt { name: "containerd's store".to_owned() }
                })
            },
        );
        failure.map_or_else(|| ensured.map_err(Into::into), Err)
    });
    made.await.context("the import was cut short")?.context("import the images")?;
    Ok(path)
}

async fn import(work: &Work, images: &[ImageArchive], abort: &Abort) -> Result<()> {
    terminal::say("importing the images into containerd, once");
    // The path of a socket has 107 characters at most (unix(7)); the cache may be deep.
    let short = tempfile::tempdir().context("cannot make a folder for containerd's socket")?;
    let socket = short.path().join("containerd.sock");
    let state = short.path().join("state");
    let text = |path: &Path| path.to_str().map(str::to_owned).context("a path is not UTF-8");
    let config = files::containerd(&text(&work.entry)?, &text(&state)?, &text(&socket)?);
    write(&work.scratch.join("containerd.toml"), &config)?;
    let args = components::containerd(&text(&work.scratch)?);
    let plan = Plan {
        cgroups: Vec::new(),
        mounts: Vec::new(),
        hostname: "import".to_owned(),
        sysctls: Vec::new(),
        logs: work.scratch.clone(),
        lock: None,
        components: vec![Component::new("containerd", "containerd", args)],
    };
    let node = Node::start(&work.scratch, &plan, None, abort).await?;
    let ctr = Tool::new("ctr").arg("--address").arg(&socket).args(["--namespace", NAMESPACE]);
    let imported = abort.unless(async {
        until("containerd answers", START_TIMEOUT, 1, async || {
            let answer = ctr.clone().arg("version").output().await?;
            let why = || Seen::NotYet(answer.stderr.trim().to_owned());
            Ok(if answer.status.success() { Seen::Ready(()) } else { why() })
        })
        .await?;
        let import = |image: &ImageArchive| ctr.clone().args(["images", "import"]).arg(&image.path);
        let imports: Vec<_> = images.iter().map(import).collect();
        try_join_all(imports.iter().map(Tool::run)).await
    });
    let imported = imported.await;
    node.end().await?;
    imported.map(drop)
}

/// Gives a node its own copy of the golden store at `to`, which does not exist before it is whole.
/// What containerd never changes, blobs and unpacked layers, is linked where that is possible.
///
/// # Errors
/// A file cannot be copied.
pub(crate) async fn copy(golden: &Path, to: &Path) -> Result<()> {
    let aside = to.with_extension("partial");
    let parent = to.parent().context("the store has no parent")?;
    let device = |path: &Path| {
        path.metadata()
            .map(|metadata| metadata.dev())
            .with_context(|| format!("cannot look at {}", path.display()))
    };
    let same_disk = device(golden)? == device(parent)?;
    let how = if same_disk { "--link" } else { "--reflink=auto" };
    Tool::new("cp").args(["--archive", how, "--"]).arg(golden).arg(&aside).run().await?;
    for database in DATABASES {
        let (from, own) = (golden.join(database), aside.join(database));
        fs::remove_file(&own)
            .and_then(|()| fs::copy(&from, &own))
            .with_context(|| format!("cannot copy {}", from.display()))?;
    }
    fs::rename(&aside, to).with_context(|| format!("cannot make {}", to.display()))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[tokio::test]
    async fn a_copy_links_layers_and_owns_its_records() {
        let dir = tempfile::tempdir().unwrap();
        let (golden, copied) = (dir.path().join("golden"), dir.path().join("node"));
        let layer = "io.containerd.snapshotter.v1.overlayfs/snapshots/1/fs/bin/sh";
        for file in DATABASES.iter().chain([&layer]) {
            fs::create_dir_all(golden.join(file).parent().unwrap()).unwrap();
            fs::write(golden.join(file), "golden").unwrap();
        }
        copy(&golden, &copied).await.unwrap();
        for file in DATABASES {
            fs::write(copied.join(file), "changed").unwrap();
            assert_eq!(fs::read_to_string(golden.join(file)).unwrap(), "golden");
        }
        let inode = |path: PathBuf| path.metadata().unwrap().ino();
        assert_eq!(inode(copied.join(layer)), inode(golden.join(layer)));
    }
}
