//! The cluster's side: the folder in which a cluster's key was made, and which the key never leaves.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use pki::{BundleFiles, PrivateKey};

use crate::failure::Failure;
use crate::issuer::refuse_tier;
use crate::name::ClusterName;
use crate::statement::LIMIT;

/// The folder of one cluster, its key in it.
pub(crate) struct OwnFolder {
    pub(crate) path: PathBuf,
    /// All that lies there, the key among it.
    pub(crate) files: BundleFiles,
    pub(crate) key: PrivateKey,
}

impl OwnFolder {
    /// Looks at the folder; `None` where there is none yet.
    pub(crate) fn look(dir: &Path, name: &ClusterName) -> Result<Option<Self>, Failure> {
        let path = dir.join(name.as_str());
        let named = format!("`{}`", path.display());
        match path.symlink_metadata() {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => {
                let text = format!("{named} is there and is no folder; move it away");
                return Err(Failure::refused(text));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::io(format!("cannot look at {named}"))(error)),
        }
        refuse_tier(&path)?;
        let files = ca_dir::read_bundle(&path)?;
        let Some(key) = files.get(BundleFiles::CA_KEY) else {
            return Err(Failure::refused(format!(
                "{named} is there without {}; move it away",
                BundleFiles::CA_KEY
            )));
        };
        let unusable = format!("`{}` cannot be used", path.join(BundleFiles::CA_KEY).display());
        let key = PrivateKey::from_pem(key).map_err(Failure::within(unusable))?;
        Ok(Some(Self { path, files, key }))
    }
}

/// The text of a request or an answer.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    let named = || format!("`{}`", path.display());
    let mut content = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LIMIT + 1).read_to_end(&mut content))
        .map_err(Failure::io(format!("cannot read {}", named())))?;
    if content.len() as u64 > LIMIT {
        let text = format!("{} is longer than any request or answer, 1 MiB", named());
        return Err(Failure::refused(text));
    }
    let text = String::from_utf8(content)
        .map_err(|error| Failure::refused(format!("{} is no text: {error}", named())))?;
    if text.contains("PRIVATE KEY-----") {
        return Err(Failure::refused(format!(
            "{} holds a private key, which no request and no answer does: it has left its place, \
             so that a new one should be made",
            named()
        )));
    }
    Ok(text)
}

/// As [`read_text`]; `None` where nothing has the name.
pub(crate) fn read_text_if_there(path: &Path) -> Result<Option<String>, Failure> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        _ => read_text(path).map(Some),
    }
}
