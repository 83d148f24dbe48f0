//! What lies in or beside a folder that is no whole CA of the four files: a key that is still to be
//! certified, what travels, another layout.

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

/// Writes files of a CA, in either layout, as the folder `dir` with mode 0700; ca-key.pem and tls.key
/// get mode 0600. The folder appears whole or not at all; its parent must exist.
///
/// # Errors
/// [`Error::Exists`] if `dir` is there already; [`Error::Io`].
pub fn write_files(dir: &Path, files: &BundleFiles) -> Result<(), Error> {
    let aside = Aside::beside(dir)?;
    // In make's order, which here is that of the alphabet but for the key.
    let is_key = |name: &&str| [BundleFiles::CA_KEY, "tls.key"].contains(name);
    let (keys, others): (Vec<_>, Vec<_>) = files.names().partition(is_key);
    for name in keys.into_iter().chain(others) {
        let secrecy = if is_key(&name) { Secrecy::Key } else { Secrecy::Public };
        create(&aside.path().join(name), secrecy, files.get(name).unwrap_or_default())?;
    }
    aside.put(dir)
}
