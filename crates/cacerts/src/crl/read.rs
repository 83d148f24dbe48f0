//! Reads the small text files of this command.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use pki::Crl;

use crate::failure::Failure;

/// More than a Secret holds is no file of this command.
const LIMIT: u64 = ca_dir::SECRET_LIMIT as u64;

/// The content of a file; `None` where nothing has its name. A file with a private key is refused.
pub(super) fn if_there(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        _ => bytes(path).map(Some),
    }
}

/// The content of a file. One with a private key is refused: no file of this command has one.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let named = || format!("`{}`", path.display());
    let cannot = || Failure::io(format!("cannot read {}", named()));
    if !path.metadata().map_err(cannot())?.is_file() {
        return Err(Failure::refused(format!("{} is not a file", named())));
    }
    let mut content = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LIMIT + 1).read_to_end(&mut content))
        .map_err(cannot())?;
    if content.len() as u64 > LIMIT {
        return Err(Failure::refused(format!("{} is larger than 1 MiB", named())));
    }
    if content.windows(16).any(|window| window == b"PRIVATE KEY-----") {
        return Err(Failure::refused(format!("{} holds a private key", named())));
    }
    Ok(content)
}

/// The lists in a file, at least one.
pub(super) fn lists(path: &Path, content: &[u8]) -> Result<Vec<Crl>, Failure> {
    let refused = format!("`{}` holds something else than revocation lists", path.display());
    Crl::all_from_pem(content).map_err(Failure::within(refused))
}
