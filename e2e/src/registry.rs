//! The runs of this machine: who is alive, and what each has made outside of its folder.
//!
//! One folder per run under the registry's root: `lock`, held by the run for as long as it lives
//! (a kept node holds it in the harness's stead), and `entry.json`. What is about to be made is
//! written down before it is made. Nothing is removed from the machine here: that is [`crate::sweep`].

use std::cell::RefCell;
use std::fs::{self, File, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::poll::{Seen, until};
use crate::provider::Made;
use crate::provider::local::names::Names;
use crate::rundir::RunId;

/// Longer than it takes to remove what dead runs left: a namespace in a mesh of others goes within
/// 180 s, a kind cluster within 120 s.
const LOCK_TIMEOUT: Duration = Duration::from_secs(330);

/// What is known of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// The run.
    pub(crate) id: RunId,
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// The process id of the harness that made it.
    pub(crate) harness: u32,
    /// The step it was last seen to start.
    pub(crate) step: String,
    /// Whether it was asked to go on without the harness.
    pub(crate) kept: bool,
    /// What it made outside of its folder, or was about to make.
    pub(crate) made: Vec<Made>,
}

impl Entry {
    /// The local nodes among what it made.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &Names> {
        self.made.iter().filter_map(|made| match made {
            Made::LocalNode(names) => Some(names),
            Made::KindCluster(_) | Made::Namespace(_) => None,
        })
    }
}

/// Whether anyone holds a run's lock.
#[derive(Debug)]
pub(crate) enum Life {
    /// Someone does.
    Live,
    /// No one did; now the caller does, until this is dropped.
    Left(#[expect(dead_code, reason = "held, never read")] File),
}

/// The registry of this machine.
#[derive(Clone, Debug)]
pub(crate) struct Registry {
    root: PathBuf,
}

/// The machine-wide lock: taken to register and to sweep, so that neither sees half of the other.
#[derive(Debug)]
pub(crate) struct Guard<'a> {
    registry: &'a Registry,
    _lock: File,
}

/// A registered run. Its lock is released when this is dropped, or the process ends.
#[derive(Debug)]
pub(crate) struct Registration {
    dir: PathBuf,
    entry: RefCell<Entry>,
    _lock: File,
}

impl Registry {
    /// The registry in this folder, which is made if it does not exist.
    ///
    /// # Errors
    /// It cannot be made, or others may write in it.
    pub(crate) fn open(root: &Path) -> Result<Self> {
        let context = || format!("cannot make the registry of runs, {}", root.display());
        fs::DirBuilder::new().recursive(true).mode(0o700).create(root).with_context(context)?;
        is_ones_own(root)?;
        Ok(Self { root: root.to_owned() })
    }

    /// Waits for the machine-wide lock.
    ///
    /// # Errors
    /// The lock cannot be opened, or another run holds it for longer than a sweep takes.
    pub(crate) async fn lock(&self) -> Result<Guard<'_>> {
        let path = self.root.join("lock");
        let lock = open_lock(&path)?;
        until("no other run registers or sweeps", LOCK_TIMEOUT, 1, async || {
            match lock.try_lock() {
                Ok(()) => Ok(Seen::Ready(())),
                Err(TryLockError::WouldBlock) => {
                    Ok(Seen::NotYet(format!("{} is held", path.display())))
                }
                Err(TryLockError::Error(error)) => Err(error.into()),
            }
        })
        .await?;
        Ok(Guard { registry: self, _lock: lock })
    }

    /// Every entry as it is now, without a lock and so without a word about who lives.
    ///
    /// # Errors
    /// The registry cannot be read.
    pub(crate) fn entries(&self) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for dir in self.dirs()? {
            entries.extend(read_entry(&dir)?);
        }
        Ok(entries)
    }

    fn dirs(&self) -> Result<Vec<PathBuf>> {
        let context = || format!("cannot read {}", self.root.display());
        let mut dirs = Vec::new();
        for item in fs::read_dir(&self.root).with_context(context)? {
            let path = item.with_context(context)?.path();
            if path.is_dir() {
                dirs.push(path);
            }
        }
        Ok(dirs)
    }

    fn dir(&self, id: &RunId) -> PathBuf {
        self.root.join(id.as_str())
    }
}

impl Guard<'_> {
    /// Every registered run, and whether it lives. A folder without an entry, left by a run that
    /// died while it registered, is removed.
    ///
    /// # Errors
    /// The registry cannot be read.
    pub(crate) fn runs(&self) -> Result<Vec<(Entry, Life)>> {
        let mut runs = Vec::new();
        for dir in self.registry.dirs()? {
            let lock = open_lock(&dir.join("lock"))?;
            let life = match lock.try_lock() {
                Ok(()) => Life::Left(lock),
                Err(TryLockError::WouldBlock) => Life::Live,
                Err(TryLockError::Error(error)) => {
                    return Err(error).with_context(|| format!("cannot lock {}", dir.display()));
                }
            };
            match (read_entry(&dir)?, &life) {
                (Some(entry), _) => runs.push((entry, life)),
                (None, Life::Left(_)) => remove_dir(&dir)?,
                (None, Life::Live) => {}
            }
        }
        runs.sort_by(|(a, _), (b, _)| a.id.cmp(&b.id));
        Ok(runs)
    }

    /// Registers a run and takes its lock.
    ///
    /// # Errors
    /// The id is taken, or the registry cannot be written.
    pub(crate) fn register(&self, entry: Entry) -> Result<Registration> {
        let dir = self.registry.dir(&entry.id);
        fs::create_dir(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let path = dir.join("lock");
        let lock = open_lock(&path)?;
        // Shared: a node that is kept takes it as well, before the harness lets go of it.
        lock.lock_shared().with_context(|| format!("cannot lock {}", path.display()))?;
        write_entry(&dir, &entry)?;
        Ok(Registration { dir, entry: RefCell::new(entry), _lock: lock })
    }

    /// Forgets a run.
    ///
    /// # Errors
    /// Its entry cannot be removed.
    pub(crate) fn forget(&self, id: &RunId) -> Result<()> {
        remove_dir(&self.registry.dir(id))
    }
}

impl Registration {
    /// The file whose lock says that the run lives.
    pub(crate) fn lock_file(&self) -> PathBuf {
        self.dir.join("lock")
    }

    /// What is written down about the run.
    pub(crate) fn entry(&self) -> Entry {
        self.entry.borrow().clone()
    }

    /// Changes what is written down.
    ///
    /// # Errors
    /// The entry cannot be written; what was written before stays.
    pub(crate) fn update(&self, change: impl FnOnce(&mut Entry)) -> Result<()> {
        let mut entry = self.entry.borrow_mut();
        change(&mut entry);
        write_entry(&self.dir, &entry)
    }
}

/// Entries name programs to run and clusters to delete from: nobody else's are believed. A folder
/// for temporary files is everybody's.
fn is_ones_own(root: &Path) -> Result<()> {
    let found =
        fs::symlink_metadata(root).with_context(|| format!("cannot look at {}", root.display()))?;
    let own = found.is_dir() && found.uid() == rustix::process::geteuid().as_raw();
    ensure!(
        own && found.mode() & 0o022 == 0,
        "{} is not a folder that its owner, this user, alone may write in: remove it, or name \
         another place with XDG_RUNTIME_DIR",
        root.display()
    );
    Ok(())
}

fn open_lock(path: &Path) -> Result<File> {
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .with_context(|| format!("cannot open {}", path.display()))
}

fn read_entry(dir: &Path) -> Result<Option<Entry>> {
    let path = dir.join("entry.json");
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .with_context(|| {
                format!(
                    "{} was not written by this version of the harness: sweep with the one that did \
                     (`cargo xtask e2e down`), or remove its folder once nothing of that run is left",
                    path.display()
                )
            }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Whole or not at all: a run may be killed at any moment.
fn write_entry(dir: &Path, entry: &Entry) -> Result<()> {
    let path = dir.join("entry.json");
    let aside = dir.join("entry.json.new");
    fs::write(&aside, serde_json::to_vec_pretty(entry)?)
        .and_then(|()| fs::rename(&aside, &path))
        .with_context(|| format!("cannot write {}", path.display()))
}

fn remove_dir(dir: &Path) -> Result<()> {
    fs::remove_dir_all(dir).with_context(|| format!("cannot remove {}", dir.display()))
}

#[cfg(test)]
mod tests;
