//! One program at a time in a CA's folder.

use std::fs::File;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::Error;
use crate::files::remove_leftovers;

/// A folder that no other holder of such a lock works in, until this is dropped or the process
/// ends, however it does. Nothing of it is seen in the folder.
#[derive(Debug)]
pub struct Lock {
    _folder: File,
}

impl Lock {
    /// Takes the folder, which must exist. Where another has it, calls `waiting` and waits. What a
    /// program that was killed left half-written is removed.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn take(dir: &Path, waiting: impl FnOnce()) -> Result<Self, Error> {
        let folder = File::open(dir).map_err(Error::io("open", dir))?;
        match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                waiting();
                flock(&folder, FlockOperation::LockExclusive)
                    .map_err(|errno| Error::io("lock", dir)(errno.into()))?;
            }
            Err(errno) => return Err(Error::io("lock", dir)(errno.into())),
        }
        remove_leftovers(dir)?;
        Ok(Self { _folder: folder })
    }
}
