//! Removes what the cache has and nobody needs: entries of older versions, which the pins no longer
//! name, and what killed builds left. What others keep in the cache's folder, and what somebody is
//! making at the moment, stays.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cache::Entry;
use crate::error::Result;
use crate::item::Item;
use crate::stock::Stock;

/// The kinds of entries that this crate makes.
const KINDS: [&str; 7] = ["crate", "debian", "go", "image", "layer", "source", "wheel"];

/// An entry that the pins do not name, or the leftover of a build that was killed.
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
    /// Removes every outdated entry, and every leftover. Only this checkout's pins count, with this
    /// Go on this Debian: another one makes anew what it misses. Nothing may be running that was
    /// started from them.
    ///
    /// # Errors
    /// [`crate::Error::File`]; what was removed before is gone.
    pub fn prune(&self) -> Result<Vec<Outdated>> {
        let current: BTreeSet<_> =
            Item::all().into_iter().map(|item| self.entry(item).path().to_owned()).collect();
        let mut outdated = Vec::new();
        for kind in KINDS {
            self.cache().sweep(kind, |path| {
                outdated.push(Outdated { path: path.to_owned(), size: size(path), removed: true });
            })?;
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
    let (path, size) = (entry.path().to_owned(), size(entry.path()));
    Ok(Outdated { path, size, removed: entry.remove()? })
}

/// The sum of all files, for people: what cannot be looked at counts nothing.
fn size(folder: &Path) -> u64 {
    let mut sum = 0;
    for found in fs::read_dir(folder).into_iter().flatten().flatten() {
        sum += match found.metadata() {
            Ok(metadata) if metadata.is_dir() => size(&found.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        };
    }
    sum
}
