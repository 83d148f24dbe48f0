//! The user's cache folder: entries that are either whole or not there.
//!
//! An entry is `<kind>/<name>-<key>/`, where the key is a hash of everything that goes in. It is
//! built in a hidden sibling and renamed, under a lock of its own: of two runs that want it one
//! builds and the other waits. Entries are never changed and never expire; what the pins no
//! longer name is removed on request, and the folder may be deleted whenever nothing runs.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::{Error, FileContext, Result};

/// The folder with everything this crate has built or downloaded.
#[derive(Clone, Debug)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// The cache of this user: `$CACERTS_CACHE`, else `$XDG_CACHE_HOME/cacerts`, else
    /// `~/.cache/cacerts`. The folder is made when the first entry is.
    ///
    /// # Errors
    /// [`Error::NoCacheFolder`] if none of the variables is set.
    pub fn of_user() -> Result<Self> {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let root = root_from(set("CACERTS_CACHE"), set("XDG_CACHE_HOME"), set("HOME"))
            .ok_or(Error::NoCacheFolder)?;
        Ok(Self::at(std::path::absolute(&root).file("find", &root)?))
    }

    /// A cache in this folder.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The entry of this kind, name and key, whether it exists or not.
    pub fn entry(&self, kind: &str, name: &str, key: &Key) -> Entry {
        let folder = self.root.join(kind);
        let stem = format!("{name}-{}", key.0);
        Entry { path: folder.join(&stem), folder, stem }
    }

    /// All entries of this kind that exist, sorted.
    ///
    /// # Errors
    /// [`Error::File`] if the folder of the kind is there but cannot be read.
    pub fn entries(&self, kind: &str) -> Result<Vec<Entry>> {
        let folder = self.root.join(kind);
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let mut entries = Vec::new();
        for found in fs::read_dir(&folder).file("list", &folder)? {
            let found = found.file("list", &folder)?;
            let stem = found.file_name().to_string_lossy().into_owned();
            if found.path().is_dir() && !stem.starts_with('.') {
                entries.push(Entry { path: found.path(), folder: folder.clone(), stem });
            }
        }
        entries.sort_by(|one, other| one.stem.cmp(&other.stem));
        Ok(entries)
    }

    /// Removes what killed builds of this kind left behind, each told to `found` before it goes.
    /// What somebody is building stays.
    ///
    /// # Errors
    /// [`Error::File`] if the folder of the kind is there but cannot be read.
    pub fn sweep(&self, kind: &str, found: impl FnMut(&Path)) -> Result<()> {
        let folder = self.root.join(kind);
        if folder.is_dir() { sweep(&folder, None, found) } else { Ok(()) }
    }
}

fn root_from<S: Into<PathBuf>>(own: Option<S>, xdg: Option<S>, home: Option<S>) -> Option<PathBuf> {
    own.map(Into::into)
        // The XDG specification has relative paths ignored.
        .or_else(|| {
            Some(xdg?.into()).filter(|xdg| xdg.is_absolute()).map(|xdg| xdg.join("cacerts"))
        })
        .or_else(|| Some(home?.into().join(".cache/cacerts")))
}

/// A hash of everything that goes into an entry, 16 hex digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// The key of these labelled inputs. Labels and lengths are hashed too, so that no two
    /// different lists look the same.
    pub fn of<'a>(inputs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut hash = Sha256::new();
        for text in inputs.into_iter().flat_map(|(label, value)| [label, value]) {
            hash.update(text.len().to_le_bytes());
            hash.update(text);
        }
        let mut hex = crate::hex(&hash.finalize());
        hex.truncate(16);
        Self(hex)
    }

    /// The hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One entry of a [`Cache`].
#[derive(Clone, Debug)]
pub struct Entry {
    folder: PathBuf,
    stem: String,
    path: PathBuf,
}

impl Entry {
    /// Where the entry is, or will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it exists, and so is whole.
    pub fn exists(&self) -> bool {
        self.path.is_dir()
    }

    /// Builds the entry unless it exists. `build` fills an empty folder; `waiting` is called once
    /// if another run holds the entry's lock.
    ///
    /// # Errors
    /// Whatever `build` returns, and [`Error::File`]; the entry then does not exist.
    pub fn ensure<E: From<Error>>(
        &self,
        waiting: impl FnOnce(),
        build: impl FnOnce(&Work) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.exists() {
            return Ok(());
        }
        fs::create_dir_all(&self.folder).file("create", &self.folder)?;
        let _lock = self.lock(waiting)?;
        if self.exists() {
            return Ok(());
        }
        sweep(&self.folder, Some(&self.stem), |_| ())?;
        let partial = tempfile::Builder::new()
            .prefix(&format!(".{}{PARTIAL}", self.stem))
            .tempdir_in(&self.folder)
            .file("create a folder in", &self.folder)?;
        let work = Work::in_folder(partial.path())?;
        build(&work)?;
        sync(&work.entry)?;
        fs::rename(&work.entry, &self.path).file("rename into place", &self.path)?;
        Ok(sync_folder(&self.folder)?)
    }

    /// Removes the entry, unless another run holds its lock; returns whether it did. Nobody may be
    /// using the entry.
    ///
    /// # Errors
    /// [`Error::File`]; the entry is then whole, or absent with a leftover that the next build of
    /// its kind sweeps.
    pub fn remove(&self) -> Result<bool> {
        let path = lock_path(&self.folder, &self.stem);
        let lock = File::create(&path).file("create", &path)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(source)) => return Err(source).file("lock", &path),
        }
        let aside = self.folder.join(format!(".{}{PARTIAL}removed", self.stem));
        fs::rename(&self.path, &aside).file("rename", &self.path)?;
        fs::remove_dir_all(&aside).file("remove", &aside)?;
        Ok(true)
    }

    /// Takes the entry's lock. The lock file stays: deleting it would let two runs hold two locks.
    fn lock(&self, waiting: impl FnOnce()) -> Result<File> {
        let path = lock_path(&self.folder, &self.stem);
        let file = File::create(&path).file("create", &path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                waiting();
                file.lock().file("lock", &path)?;
            }
            Err(TryLockError::Error(source)) => return Err(source).file("lock", &path),
        }
        Ok(file)
    }
}

/// Removes what killed runs left in a folder of entries: of the entry `own`, whose lock the caller
/// holds, and of every other whose lock is free.
fn sweep(folder: &Path, own: Option<&str>, mut leftover: impl FnMut(&Path)) -> Result<()> {
    for found in fs::read_dir(folder).file("list", folder)? {
        let found = found.file("list", folder)?;
        let name = found.file_name().to_string_lossy().into_owned();
        let Some((stem, _)) = name.strip_prefix('.').and_then(|name| name.split_once(PARTIAL))
        else {
            continue;
        };
        let lock = lock_path(folder, stem);
        let lock = File::create(&lock).file("create", &lock)?;
        let path = found.path();
        // A build that ended since the folder was listed has left nothing.
        if (own == Some(stem) || lock.try_lock().is_ok()) && path.exists() {
            leftover(&path);
            // A compiler of a killed build may still be writing there: the next sweep gets it.
            if let Err(error) = fs::remove_dir_all(&path) {
                tracing::warn!(path = %path.display(), %error, "cannot remove a leftover yet");
            }
        }
    }
    Ok(())
}

/// Between an entry's name and random letters, in the name of the folder it is built in.
const PARTIAL: &str = ".partial-";

fn lock_path(folder: &Path, stem: &str) -> PathBuf {
    folder.join(format!("{stem}.lock"))
}

/// Two folders for whoever builds an entry. Both are gone afterwards, whatever happens.
#[derive(Debug)]
pub struct Work {
    /// What is put here becomes the entry.
    pub entry: PathBuf,
    /// For everything that does not.
    pub scratch: PathBuf,
}

impl Work {
    fn in_folder(folder: &Path) -> Result<Self> {
        let work = Self { entry: folder.join("entry"), scratch: folder.join("scratch") };
        for folder in [&work.entry, &work.scratch] {
            fs::create_dir(folder).file("create", folder)?;
        }
        Ok(work)
    }
}

/// Writes a folder to disk with everything in it: after a power cut, a renamed entry must not have
/// empty files.
fn sync(folder: &Path) -> Result<()> {
    for found in fs::read_dir(folder).file("list", folder)? {
        let found = found.file("list", folder)?;
        let (path, kind) = (found.path(), found.file_type().file("look at", found.path())?);
        if kind.is_dir() {
            sync(&path)?;
        } else if kind.is_file() {
            File::open(&path).and_then(|file| file.sync_all()).file("write to disk", &path)?;
        }
    }
    sync_folder(folder)
}

fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|file| file.sync_all()).file("write to disk", folder)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn the_users_folder_is_the_first_that_is_set() {
        let root = |own, xdg, home| root_from::<&str>(own, xdg, home);
        let path = |path: &str| Some(PathBuf::from(path));
        assert_eq!(root(Some("/own"), Some("/xdg"), Some("/home")), path("/own"));
        assert_eq!(root(None, Some("/xdg"), Some("/home")), path("/xdg/cacerts"));
        assert_eq!(root(None, None, Some("/home")), path("/home/.cache/cacerts"));
        assert_eq!(root(None, None, None), None);
    }

    #[test]
    fn a_relative_xdg_folder_is_ignored() {
        let found = root_from(None, Some("xdg"), Some("/home"));
        assert_eq!(found, Some("/home/.cache/cacerts".into()));
    }
}
