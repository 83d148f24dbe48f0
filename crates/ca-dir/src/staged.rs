//! Folders of cluster CAs that are written aside, and then put in their places together.

use std::fs::File;
use std::path::{Path, PathBuf};

use pki::{Bundle, BundleFiles};
use rustix::fs::syncfs;

use crate::Error;
use crate::files::{Aside, Secrecy, parent_of, sync_folder, write};
use crate::folder::link_all;

/// So many folders are synced with the whole file system, fewer file by file: a thousand clusters
/// take seconds otherwise, and with one cluster nobody should wait for what other programs wrote.
const MANY: usize = 32;

/// What make needs on the way to a cluster CA, and removes when it is there.
const MAKES_OWN: [&str; 2] = ["intermediate.conf", "cluster-ca.csr"];

/// The folder of one cluster's CA, complete beside its place. It goes when this is dropped, unless
/// [`StagedBundle::put`] has put it there.
pub struct StagedBundle {
    aside: Aside,
    target: PathBuf,
    /// A folder is there, and what it holds is in the new one as well.
    exchanges: bool,
}

impl StagedBundle {
    /// Writes the four files for the folder `dir`, which is not there yet; its parent must exist.
    ///
    /// # Errors
    /// [`Error::Io`] if the operating system refuses.
    pub fn new(dir: &Path, bundle: &Bundle) -> Result<Self, Error> {
        let aside = Aside::beside(dir)?;
        write_missing(aside.path(), bundle)?;
        Ok(Self { aside, target: dir.to_owned(), exchanges: false })
    }

    /// Writes what the folder `dir` lacks of a bundle. What is in it stays, the key to the inode;
    /// make's intermediate.conf and cluster-ca.csr go, as make removes them itself.
    ///
    /// # Errors
    /// [`Error::NotAFile`] if something else than files lies in it; [`Error::Io`].
    pub fn completing(dir: &Path, bundle: &Bundle) -> Result<Self, Error> {
        let aside = Aside::beside(dir)?;
        link_all(dir, aside.path(), &MAKES_OWN)?;
        write_missing(aside.path(), bundle)?;
        Ok(Self { aside, target: dir.to_owned(), exchanges: true })
    }

    /// Puts each folder in its place, at once and whole. All have reached the disk before the first
    /// has its name, and every name before this returns.
    ///
    /// # Errors
    /// [`Error::Exists`] if a place is taken, [`Error::Io`]; folders before that one are in their
    /// places then, the others are gone.
    pub fn put(all: Vec<Self>) -> Result<(), Error> {
        match all.first() {
            Some(first) if all.len() >= MANY => {
                let path = first.aside.path();
                let folder = File::open(path).map_err(Error::io("open", path))?;
                syncfs(folder).map_err(|errno| Error::io("sync", path)(errno.into()))?;
            }
            _ => {
                for staged in &all {
                    staged.aside.sync()?;
                }
            }
        }
        for staged in &all {
            if staged.exchanges {
                staged.aside.swap_with(&staged.target)?;
            } else {
                staged.aside.rename_to(&staged.target)?;
            }
        }
        let mut parents: Vec<_> = all.iter().map(|staged| parent_of(&staged.target)).collect();
        parents.dedup();
        // What an exchange left in the old places goes with `all`, behind this.
        parents.into_iter().try_for_each(sync_folder)
    }
}

/// In make's order: it makes anew what is older than what it is made from.
fn write_missing(dir: &Path, bundle: &Bundle) -> Result<(), Error> {
    let order = [
        BundleFiles::CA_KEY,
        BundleFiles::CA_CERT,
        BundleFiles::CERT_CHAIN,
        BundleFiles::ROOT_CERT,
    ];
    for name in order {
        let (path, content) = (dir.join(name), bundle.files().get(name).unwrap_or_default());
        let secrecy = if name == BundleFiles::CA_KEY { Secrecy::Key } else { Secrecy::Public };
        if path.symlink_metadata().is_err() {
            write(&path, secrecy, content)?;
        }
    }
    Ok(())
}
