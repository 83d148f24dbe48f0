//! The three files of a tier: a CA between the root and the clusters' CAs.
//!
//! None has a name that istiod, Istio's Makefile or a root's folder knows. So istiod finds no CA in a
//! tier's folder, and make, which writes cert-chain.pem and root-cert.pem anew, none of its files.

use std::path::Path;

use zeroize::Zeroizing;

use crate::Error;
use crate::files::{Aside, Secrecy, create, read_if_there};
use crate::folder::link_all;

/// The tier's key, in the tier's folder and nowhere else.
pub const TIER_KEY: &str = "tier-key.pem";

/// The tier's certificate, and behind it those of the tiers above, nearest first.
pub const TIER_CERT: &str = "tier-cert.pem";

/// The root's certificate, in which chains under the tier end.
pub const TIER_ROOT: &str = "tier-root.pem";

/// The content of each file; `None` where it is not there. Nothing is judged here.
#[derive(Default)]
pub struct TierSet {
    /// tier-key.pem: PKCS#8, under a passphrase or not. Secret.
    pub key: Option<Zeroizing<Vec<u8>>>,
    /// tier-cert.pem.
    pub certificates: Option<Vec<u8>>,
    /// tier-root.pem.
    pub root: Option<Vec<u8>>,
}

impl TierSet {
    /// Reads what is there; a folder that is not there has nothing.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn read(dir: &Path) -> Result<Self, Error> {
        let public = |name| Ok(read_if_there(&dir.join(name))?.map(|bytes| bytes.to_vec()));
        Ok(Self {
            key: read_if_there(&dir.join(TIER_KEY))?,
            certificates: public(TIER_CERT)?,
            root: public(TIER_ROOT)?,
        })
    }

    /// Whether one of the files is in `dir`, which makes it the folder of a tier. Nothing is read.
    pub fn is_in(dir: &Path) -> bool {
        [TIER_KEY, TIER_CERT, TIER_ROOT]
            .iter()
            .any(|name| dir.join(name).symlink_metadata().is_ok())
    }

    /// Writes the files as the folder `dir`, with mode 0700. The folder appears whole or not at
    /// all; its parent must exist.
    ///
    /// # Errors
    /// [`Error::Exists`] if `dir` is there already; [`Error::Io`].
    pub fn write(&self, dir: &Path) -> Result<(), Error> {
        let aside = Aside::beside(dir)?;
        self.write_in(aside.path())?;
        aside.put(dir)
    }

    /// Adds the files to the folder `dir`, in which none of them is yet. What is in it stays, a key
    /// to the inode; the old folder is exchanged for the complete one at once.
    ///
    /// # Errors
    /// [`Error::NotAFile`] if something else than files lies in `dir`; [`Error::Io`], also if one of
    /// the files is there.
    pub fn add_to(&self, dir: &Path) -> Result<(), Error> {
        let aside = Aside::beside(dir)?;
        link_all(dir, aside.path(), &[])?;
        self.write_in(aside.path())?;
        aside.exchange(dir)
    }

    fn write_in(&self, dir: &Path) -> Result<(), Error> {
        let files = [
            (TIER_KEY, self.key.as_ref().map(|key| key.as_slice()), Secrecy::Key),
            (TIER_ROOT, self.root.as_deref(), Secrecy::Public),
            (TIER_CERT, self.certificates.as_deref(), Secrecy::Public),
        ];
        for (name, content, secrecy) in files {
            if let Some(content) = content {
                create(&dir.join(name), secrecy, content)?;
            }
        }
        Ok(())
    }
}
