//! What can go wrong between a folder and the CA in it.

use std::path::PathBuf;

/// A folder or file that could not be read or written, or does not hold what it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something is there already, and nothing that exists is replaced.
    #[error(
        "`{}` exists already and is not overwritten; choose another folder, or move it away",
        path.display()
    )]
    Exists {
        /// The file or folder that is in the way.
        path: PathBuf,
    },
    /// Something else than a file lies where only files belong.
    #[error("`{}` is not a file; move it away", path.display())]
    NotAFile {
        /// The folder, link or device.
        path: PathBuf,
    },
    /// More than a Secret can hold.
    #[error(
        "`{}` holds more than {} KiB with `{file}`, which is more than any Secret can; leave only \
         a CA's files in it",
        path.display(), limit / 1024
    )]
    TooLarge {
        /// The folder.
        path: PathBuf,
        /// The file with which it was too much.
        file: String,
        /// What all files together may have, in bytes.
        limit: usize,
    },
    /// The operating system refused.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried, as a verb: `read`, `create`, `rename` ...
        action: &'static str,
        /// The file or folder it was tried on.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// The files are there, but they are no CA.
    #[error("`{}` does not hold a usable root CA", path.display())]
    NotARoot {
        /// The folder with `root-cert.pem` and `root-key.pem`.
        path: PathBuf,
        /// The rule that is broken.
        source: pki::Error,
    },
}

impl Error {
    /// For `map_err`: the operating system refused `action` on `path`.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
