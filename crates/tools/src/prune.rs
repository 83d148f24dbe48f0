//! Removes what the cache has and the pins no longer name: entries of older versions. What others
//! keep in the cache's folder, and what somebody is making at the moment, stays.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cache::Entry;
use crate::error::{FileContext, Result};
use crate::item::Item;
use crate::stock::Stock;

/// The kinds of entries that this crate makes.
const KINDS: [&str; 6] = ["debian", "go", "image", "layer", "source", "wheel"];

/// An entry that the pins do not name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outdated {
    /// Where it is, or was.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// Whether it has been removed: it stays while somebody holds its lock.
    pub removed: bool,
}

impl Stock<'_> {
    /// Removes every outdated entry. Only this checkout's pins count, with this Go on this Debian:
    /// another one makes anew what it misses. Nothing may be running that was started from them.
    ///
    /// # Errors
    /// [`crate::Error::File`]; what was removed before is gone.
    pub fn prune(&self) -> Result<Vec<Outdated>> {
        let current: BTreeSet<_> =
            Item::all().into_iter().map(|item| self.entry(item).path().to_owned()).collect();
        let mut outdated = Vec::new();
        for kind in KINDS {
            for entry in self.cache().entries(kind)? {
                if !current.contains(entry.path()) {
                    outdated.push(prune(&entry)?);
                }
            }
        }
        Ok(outdated)
    }
}

fn prune(entry: &Entry) -> Result<Outdated> {
    let (path, size) = (entry.path().to_owned(), size(entry.path())?);
    Ok(Outdated { path, size, removed: entry.remove()? })
}

fn size(folder: &Path) -> Result<u64> {
    let mut sum = 0;
    for found in fs::read_dir(folder).file("list", folder)? {
        let found = found.file("list", folder)?;
        let metadata = found.metadata().file("look at", found.path())?;
        sum += if metadata.is_dir() { size(&found.path())? } else { metadata.len() };
    }
    Ok(sum)
}
