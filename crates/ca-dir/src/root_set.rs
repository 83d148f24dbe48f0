//! The four files of a root, as Istio's Makefile keeps them, and what of them is there.

use std::io::ErrorKind;
use std::path::Path;
use std::time::SystemTime;

use zeroize::Zeroizing;

use crate::Error;
use crate::files::{Aside, Secrecy, create, create_folder, read_if_there, rename_new};
use crate::folder::{ROOT_CERT, ROOT_KEY};

/// What the Makefile tells openssl about the root; see [`crate::root_conf`].
pub const ROOT_CONF: &str = "root-ca.conf";

/// The request that the Makefile makes the root from, and keeps.
pub const ROOT_CSR: &str = "root-cert.csr";

/// The content of each file; `None` where it is not there. Nothing is judged here.
#[derive(Default)]
pub struct RootSet {
    /// root-key.pem: PKCS#8, under a passphrase or not. Secret.
    pub key: Option<Zeroizing<Vec<u8>>>,
    /// root-ca.conf.
    pub conf: Option<Vec<u8>>,
    /// root-cert.csr.
    pub request: Option<Vec<u8>>,
    /// root-cert.pem.
    pub certificate: Option<Vec<u8>>,
}

impl RootSet {
    /// Reads what is there; a folder that is not there has nothing.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn read(dir: &Path) -> Result<Self, Error> {
        let public = |name| Ok(read_if_there(&dir.join(name))?.map(|bytes| bytes.to_vec()));
        Ok(Self {
            key: read_if_there(&dir.join(ROOT_KEY))?,
            conf: public(ROOT_CONF)?,
            request: public(ROOT_CSR)?,
            certificate: public(ROOT_CERT)?,
        })
    }

    /// Writes the files into `dir`. All are complete before the first has its name, and the
    /// certificate gets its name last: as long as it is missing, there is no root.
    ///
    /// # Errors
    /// [`Error::Exists`] if one is there already, [`Error::Io`].
    pub fn write(&self, dir: &Path) -> Result<(), Error> {
        // make's order: it makes anew what is older than what it is made from.
        let files = [
            (ROOT_KEY, self.key.as_ref().map(|key| key.as_slice()), Secrecy::Key),
            (ROOT_CONF, self.conf.as_deref(), Secrecy::Public),
            (ROOT_CSR, self.request.as_deref(), Secrecy::Public),
            (ROOT_CERT, self.certificate.as_deref(), Secrecy::Public),
        ];
        let aside = Aside::beside(&dir.join(ROOT_CERT))?;
        for (name, content, secrecy) in files {
            if let Some(content) = content {
                create(&aside.path().join(name), secrecy, content)?;
            }
        }
        for (name, ..) in files.iter().filter(|(_, content, _)| content.is_some()) {
            rename_new(&aside.path().join(name), &dir.join(name))?;
        }
        Ok(())
    }

    /// Creates `dir`, and the folders above it that are missing, with mode 0700. One that exists
    /// keeps its mode.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn create_folder(dir: &Path) -> Result<(), Error> {
        create_folder(dir)
    }
}

/// Whether make, run in `dir`, would make the root that is there anew: it does where a file is older
/// than what it is made from. A request or root-ca.conf that is missing is not asked for.
///
/// # Errors
/// [`Error::Io`].
pub fn make_would_reissue(dir: &Path) -> Result<bool, Error> {
    let dated = |name| date(&dir.join(name));
    let (key, conf) = (dated(ROOT_KEY)?, dated(ROOT_CONF)?);
    let (request, certificate) = (dated(ROOT_CSR)?, dated(ROOT_CERT)?);
    // Where the request is missing, the certificate is measured against what that is made from.
    let sources = [key, conf];
    let is_older = |file: SystemTime| sources.iter().flatten().any(|source| file < *source);
    Ok(request.is_some_and(is_older)
        || certificate.is_some_and(|file| is_older(file) || request.is_some_and(|r| file < r)))
}

fn date(path: &Path) -> Result<Option<SystemTime>, Error> {
    match path.metadata().and_then(|metadata| metadata.modified()) {
        Ok(date) => Ok(Some(date)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", path)(error)),
    }
}
