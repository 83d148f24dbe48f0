//! What lies in the folder of a root and of a cluster's CA.

use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use pki::{Bundle, BundleFiles, RootCa};
use rustix::fs::OFlags;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::files::{Aside, Secrecy, create, rename_new};
use crate::{Error, StagedBundle};

/// The root certificate's file, in the root's folder.
pub const ROOT_CERT: &str = "root-cert.pem";

/// The root key's file, in the root's folder and nowhere else.
pub const ROOT_KEY: &str = "root-key.pem";

/// Writes `root-key.pem` and `root-cert.pem` into `dir`, which is created if it is missing.
///
/// Both files are complete before either has its name; the key gets its name first, so that
/// no certificate is ever published whose key was lost.
///
/// # Errors
/// [`Error::Exists`] if either file is there already: a root is never replaced, and nothing has
/// been written then. [`Error::Io`] if the operating system refuses.
pub fn write_root(dir: &Path, root: &RootCa) -> Result<(), Error> {
    std::fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
    let (key, certificate) = (dir.join(ROOT_KEY), dir.join(ROOT_CERT));
    for path in [&key, &certificate] {
        // A link that points nowhere is in the way too, so the name is looked up, not its target.
        if path.symlink_metadata().is_ok() {
            return Err(Error::Exists { path: path.clone() });
        }
    }
    let aside = Aside::beside(&certificate)?;
    let (new_key, new_certificate) = (aside.path().join(ROOT_KEY), aside.path().join(ROOT_CERT));
    let key_pem = root
        .expose_private_key()
        .to_pem()
        .map_err(|source| Error::NotARoot { path: dir.to_owned(), source })?;
    create(&new_key, Secrecy::Key, key_pem.as_bytes())?;
    create(&new_certificate, Secrecy::Public, root.certificate().to_pem().as_bytes())?;
    rename_new(&new_key, &key)?;
    rename_new(&new_certificate, &certificate)
}

/// Reads the root of `dir` and proves that it is one that can sign at `now`.
///
/// # Errors
/// [`Error::Io`] if a file cannot be read, [`Error::NotARoot`] with the broken rule otherwise.
pub fn read_root(dir: &Path, now: OffsetDateTime) -> Result<RootCa, Error> {
    let read = |name| {
        let path = dir.join(name);
        std::fs::read(&path).map(Zeroizing::new).map_err(Error::io("read", path))
    };
    RootCa::from_pem(&read(ROOT_CERT)?, &read(ROOT_KEY)?, now)
        .map_err(|source| Error::NotARoot { path: dir.to_owned(), source })
}

/// Writes a cluster's CA as the folder `dir`, with the four files that go into the Secret
/// `cacerts`. The folder appears whole or not at all; its parent must exist.
///
/// # Errors
/// [`Error::Exists`] if `dir` is there already; [`Error::Io`] if the operating system refuses.
pub fn write_bundle(dir: &Path, bundle: &Bundle) -> Result<(), Error> {
    StagedBundle::put(vec![StagedBundle::new(dir, bundle)?])
}

/// Adds to the folder `dir` what it lacks of a bundle, as [`StagedBundle::completing`] does. The old
/// folder is exchanged for the complete one at once.
///
/// # Errors
/// [`Error::NotAFile`] if something else than files lies in it; [`Error::Io`].
pub fn complete_bundle(dir: &Path, bundle: &Bundle) -> Result<(), Error> {
    StagedBundle::put(vec![StagedBundle::completing(dir, bundle)?])
}

/// Gives every file of a folder a second name in another one, but for those that are left out.
pub(crate) fn link_all(from: &Path, to: &Path, left_out: &[&str]) -> Result<(), Error> {
    for entry in std::fs::read_dir(from).map_err(Error::io("read", from))? {
        let entry = entry.map_err(Error::io("read", from))?;
        let (path, name) = (entry.path(), entry.file_name());
        if !entry.file_type().map_err(Error::io("read", &path))?.is_file() {
            return Err(Error::NotAFile { path });
        }
        if !left_out.iter().any(|own| name == *own) {
            std::fs::hard_link(&path, to.join(name)).map_err(Error::io("link", &path))?;
        }
    }
    Ok(())
}

/// What the values of a Secret may have together, in bytes (Kubernetes, `MaxSecretSize`).
pub const SECRET_LIMIT: usize = 1 << 20;

/// Names under which istiod looks for a file, besides the four.
const OTHER_NAMES: [&str; 4] = ["ca-crl.pem", "tls.crt", "tls.key", "ca.crt"];

/// Reads every file that lies in `dir`, whatever its name; subfolders, pipes and sockets are
/// passed over, unless they have the name of a file that istiod reads.
///
/// Nothing is judged here: a stray key or a missing file is for [`BundleFiles::judge`] to find.
///
/// # Errors
/// [`Error::Io`] if the folder or a file in it cannot be read, [`Error::NotAFile`] if something
/// else has the name of one that istiod reads, [`Error::TooLarge`] beyond [`SECRET_LIMIT`].
pub fn read_bundle(dir: &Path) -> Result<BundleFiles, Error> {
    let mut files = BundleFiles::new();
    let mut left = SECRET_LIMIT;
    for entry in std::fs::read_dir(dir).map_err(Error::io("read", dir))? {
        let path = entry.map_err(Error::io("read", dir))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match read_file(&path, left).map_err(Error::io("read", &path))? {
            Some(content) if content.len() > left => {
                return Err(Error::TooLarge {
                    path: dir.to_owned(),
                    file: name,
                    limit: SECRET_LIMIT,
                });
            }
            Some(content) => {
                left -= content.len();
                files.insert(name, content);
            }
            None if BundleFiles::NAMES.iter().chain(&OTHER_NAMES).any(|it| *it == name) => {
                return Err(Error::NotAFile { path });
            }
            None => {}
        }
    }
    Ok(files)
}

/// At most one byte more than `limit`; `None` for what is no file. Links are followed: a mounted
/// Secret consists of them.
fn read_file(path: &Path, limit: usize) -> std::io::Result<Option<Zeroizing<Vec<u8>>>> {
    if !path.metadata()?.is_file() {
        return Ok(None);
    }
    // It may have become a pipe by now, which must not be waited for.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(None);
    }
    // Sized up front: growing would leave copies of a key behind in freed memory.
    let size = usize::try_from(metadata.len()).unwrap_or(usize::MAX).min(limit) + 2;
    let mut content = Zeroizing::new(Vec::with_capacity(size));
    file.take(limit as u64 + 1).read_to_end(&mut content)?;
    Ok(Some(content))
}
