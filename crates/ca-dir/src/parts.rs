//! What lies in or beside a folder whose CA is still to be certified: the key, and what travels.

use std::path::Path;

use pki::BundleFiles;

use crate::Error;
use crate::files::{Aside, Secrecy, create, rename_new};

/// Writes the key of a CA that is still to be certified as the folder `dir`, with mode 0700 and
/// ca-key.pem alone in it. The folder appears whole or not at all; its parent must exist.
///
/// # Errors
/// [`Error::Exists`] if `dir` is there already, whatever is in it; [`Error::Io`].
pub fn write_key(dir: &Path, key_pem: &[u8]) -> Result<(), Error> {
    let aside = Aside::beside(dir)?;
    create(&aside.path().join(BundleFiles::CA_KEY), Secrecy::Key, key_pem)?;
    aside.put(dir)
}

/// Writes a file for everyone to read (0644), whole or not at all.
///
/// # Errors
/// [`Error::Exists`] if something of its name is there already; [`Error::Io`].
pub fn write_public(path: &Path, content: &[u8]) -> Result<(), Error> {
    let aside = Aside::beside(path)?;
    let new = aside.path().join(path.file_name().unwrap_or_default());
    create(&new, Secrecy::Public, content)?;
    rename_new(&new, path)
}
