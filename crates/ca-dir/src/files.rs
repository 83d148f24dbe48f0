//! Files that are whole or absent: written aside, synced, then renamed without replacing.

use std::ffi::OsStr;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use zeroize::Zeroizing;

use crate::Error;

/// Who may read a file.
#[derive(Clone, Copy)]
pub(crate) enum Secrecy {
    /// A certificate: 0644.
    Public,
    /// A key: 0600 from the moment it exists.
    Key,
}

/// Creates a file that did not exist, with its final mode, and syncs it.
pub(crate) fn create(path: &Path, secrecy: Secrecy, content: &[u8]) -> Result<(), Error> {
    write(path, secrecy, content)?.sync_all().map_err(Error::io("sync", path))
}

/// As [`create`]; the caller syncs it before it gets its name.
pub(crate) fn write(path: &Path, secrecy: Secrecy, content: &[u8]) -> Result<File, Error> {
    let mode = match secrecy {
        Secrecy::Public => 0o644,
        Secrecy::Key => 0o600,
    };
    // `create_new` follows no link and opens nothing that is there already.
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .map_err(Error::io("create", path))?;
    file.write_all(content).map_err(Error::io("write", path))?;
    Ok(file)
}

/// A folder beside its final place, removed again unless it is put there.
pub(crate) struct Aside {
    path: PathBuf,
}

impl Aside {
    /// Creates an empty folder with mode 0700 beside `target`. The name carries the process's id,
    /// so that two programs at once do not meet; what an earlier process of the same id left
    /// half-made is removed first.
    pub(crate) fn beside(target: &Path) -> Result<Self, Error> {
        let parent = parent_of(target);
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let path = parent.join(format!(".{name}.{}.new", std::process::id()));
        if path.exists() {
            std::fs::remove_dir_all(&path).map_err(Error::io("remove", &path))?;
        }
        DirBuilder::new().mode(0o700).create(&path).map_err(Error::io("create", &path))?;
        Ok(Self { path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts the whole folder in its place; what exists there stays and is an error.
    pub(crate) fn put(self, target: &Path) -> Result<(), Error> {
        sync_folder(&self.path)?;
        rename_new(&self.path, target)
    }

    /// Syncs every file in it, and itself.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        for entry in std::fs::read_dir(&self.path).map_err(Error::io("read", &self.path))? {
            let path = entry.map_err(Error::io("read", &self.path))?.path();
            File::open(&path).and_then(|file| file.sync_all()).map_err(Error::io("sync", &path))?;
        }
        sync_folder(&self.path)
    }

    /// Takes its place, where nothing may be; the caller syncs the folder around it.
    pub(crate) fn rename_to(&self, target: &Path) -> Result<(), Error> {
        rename_unsynced(&self.path, target)
    }

    /// Takes the place of the folder that is there, at once; the old one goes with this, with what
    /// it held. The caller syncs the folder around it.
    pub(crate) fn swap_with(&self, target: &Path) -> Result<(), Error> {
        renameat_with(CWD, &self.path, CWD, target, RenameFlags::EXCHANGE)
            .map_err(|errno| Error::io("exchange", target)(errno.into()))
    }

    /// Takes the place of the folder that is there, at once; the old one goes, with what it held.
    pub(crate) fn exchange(self, target: &Path) -> Result<(), Error> {
        sync_folder(&self.path)?;
        self.swap_with(target)?;
        sync_folder_of(target)
    }
}

/// Removes the folders that a killed program left beside what it was making. Only for who knows
/// that no other is at work.
pub(crate) fn remove_leftovers(dir: &Path) -> Result<(), Error> {
    for entry in std::fs::read_dir(dir).map_err(Error::io("read", dir))? {
        let entry = entry.map_err(Error::io("read", dir))?;
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && is_leftover(&entry.file_name()) {
            let path = entry.path();
            std::fs::remove_dir_all(&path).map_err(Error::io("remove", &path))?;
        }
    }
    Ok(())
}

/// `.NAME.PID.new`, as [`Aside::beside`] writes it.
fn is_leftover(name: &OsStr) -> bool {
    let parts = || {
        let name = name.to_str()?.strip_prefix('.')?.strip_suffix(".new")?;
        name.rsplit_once('.')
    };
    parts().is_some_and(|(name, pid)| !name.is_empty() && pid.parse::<u32>().is_ok())
}

/// Creates a folder and those above it that are missing; what is created has mode 0700.
pub(crate) fn create_folder(path: &Path) -> Result<(), Error> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(Error::io("create", path))
}

/// The content of a file, or `None` where nothing has its name.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    match std::fs::read(path) {
        Ok(content) => Ok(Some(Zeroizing::new(content))),
        // A link that points nowhere is in the way of what would be written.
        Err(error) if error.kind() == ErrorKind::NotFound && path.symlink_metadata().is_err() => {
            Ok(None)
        }
        Err(error) => Err(Error::io("read", path)(error)),
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // Gone already where it was put in its place; a folder that cannot be removed holds only
        // what the next attempt removes.
        std::fs::remove_dir_all(&self.path).ok();
    }
}

/// Renames where nothing is yet (`RENAME_NOREPLACE`), and syncs the folder that holds the name.
pub(crate) fn rename_new(from: &Path, to: &Path) -> Result<(), Error> {
    rename_unsynced(from, to)?;
    sync_folder_of(to)
}

fn rename_unsynced(from: &Path, to: &Path) -> Result<(), Error> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        Err(Errno::EXIST) => Err(Error::Exists { path: to.to_owned() }),
        Err(errno) => Err(Error::io("rename", to)(errno.into())),
    }
}

pub(crate) fn sync_folder(path: &Path) -> Result<(), Error> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(Error::io("sync", path))
}

/// Syncs the folder in which a file has its name.
pub(crate) fn sync_folder_of(path: &Path) -> Result<(), Error> {
    sync_folder(parent_of(path))
}

/// The folder a name lies in; a bare name lies in the current one.
pub(crate) fn parent_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}
