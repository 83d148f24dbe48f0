//! Public files that are made anew from time to time, and that somebody may be reading.

use std::fs::rename;
use std::io::ErrorKind;
use std::path::Path;

use crate::Error;
use crate::files::{Aside, Secrecy, create, sync_folder_of};

/// Writes a file for everyone to read (0644) whole, in the place of the one that may be there:
/// who reads it finds the old one or the new one.
///
/// # Errors
/// [`Error::NotAFile`] if something else has its name; [`Error::Io`].
pub fn replace_public(path: &Path, content: &[u8]) -> Result<(), Error> {
    replace(Aside::beside(path)?, path, content)
}

/// As [`replace_public`], in a cluster's folder, in which nothing else is seen meanwhile: the new
/// file is written beside the folder.
///
/// # Errors
/// As [`replace_public`].
pub fn replace_in_bundle(dir: &Path, name: &str, content: &[u8]) -> Result<(), Error> {
    replace(Aside::beside(dir)?, &dir.join(name), content)
}

fn replace(aside: Aside, path: &Path, content: &[u8]) -> Result<(), Error> {
    match path.symlink_metadata() {
        Ok(metadata) if !metadata.is_file() => {
            return Err(Error::NotAFile { path: path.to_owned() });
        }
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(Error::io("look at", path)(error));
        }
        Ok(_) | Err(_) => {}
    }
    let new = aside.path().join(path.file_name().unwrap_or_default());
    create(&new, Secrecy::Public, content)?;
    rename(&new, path).map_err(Error::io("replace", path))?;
    sync_folder_of(path)
}
