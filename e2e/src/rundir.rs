//! The folder of one run, and what is where in it. Creates folders, deletes none.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

/// The length of a run's id.
const ID_LENGTH: usize = 6;
/// Without vowels and look-alikes: no id reads as a word, none is misread.
const ID_ALPHABET: &[u8; 20] = b"bcdfghjkmnpqrstvwxz2";

/// The name of a run: six characters, part of everything the run makes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct RunId(String);

impl RunId {
    /// A new one, by chance.
    ///
    /// # Errors
    /// The kernel gives no random bytes.
    pub(crate) fn random() -> Result<Self> {
        let mut bytes = [0; ID_LENGTH];
        let count = rustix::rand::getrandom(&mut bytes[..], rustix::rand::GetRandomFlags::empty())
            .context("cannot get random bytes for the run's id")?;
        ensure!(count == bytes.len(), "got {count} of {ID_LENGTH} random bytes for the run's id");
        let letter = |byte: u8| char::from(ID_ALPHABET[usize::from(byte) % ID_ALPHABET.len()]);
        Ok(Self(bytes.into_iter().map(letter).collect()))
    }

    /// The id as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RunId {
    type Error = anyhow::Error;

    fn try_from(text: String) -> Result<Self> {
        let known = text.bytes().all(|byte| ID_ALPHABET.contains(&byte));
        ensure!(known && text.len() == ID_LENGTH, "`{text}` is not the id of a run");
        Ok(Self(text))
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

/// The folder of one run.
#[derive(Clone, Debug)]
pub(crate) struct RunDir {
    root: PathBuf,
}

impl RunDir {
    /// The folder of the run `id` under `parent`, which is made if need be; the folder itself is
    /// not made yet.
    ///
    /// # Errors
    /// `parent` cannot be made.
    pub(crate) fn new(parent: &Path, id: &RunId) -> Result<Self> {
        // Canonical, since it is written into configurations that are read from elsewhere.
        let parent = fs::create_dir_all(parent)
            .and_then(|()| fs::canonicalize(parent))
            .with_context(|| format!("cannot make {}", parent.display()))?;
        Ok(Self { root: parent.join(id.as_str()) })
    }

    /// Makes the folder, and its logs.
    ///
    /// # Errors
    /// It exists, or cannot be made.
    pub(crate) fn create(&self) -> Result<()> {
        for path in [self.root.clone(), self.logs()] {
            fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        }
        Ok(())
    }

    /// The folder itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// One log for each component of the node, and what was collected on a failure.
    pub(crate) fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// The kubeconfig of the cluster with this name.
    pub(crate) fn kubeconfig(&self, cluster: &str) -> PathBuf {
        self.root.join(format!("{cluster}.kubeconfig"))
    }
}

/// Writes a new file that only its owner may read: everything with a key in it.
///
/// # Errors
/// The file exists, or cannot be written.
pub(crate) fn write_secret(path: &Path, text: &str) -> Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    write_new(file, path, text)
}

/// Writes a new file.
///
/// # Errors
/// The file exists, or cannot be written.
pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(path);
    write_new(file, path, text)
}

fn write_new(file: std::io::Result<File>, path: &Path, text: &str) -> Result<()> {
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn an_id_reads_back_as_itself() {
        let id = RunId::random().unwrap();
        assert_eq!(RunId::try_from(id.to_string()).unwrap(), id);
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in ["", "bcdfg", "bcdfghj", "../../", "bcdfga"] {
            let error = RunId::try_from(text.to_owned()).unwrap_err();
            assert_eq!(error.to_string(), format!("`{text}` is not the id of a run"));
        }
    }

    #[test]
    fn a_secret_is_for_its_owner_and_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.pem");
        write_secret(&path, "first").unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let error = write_secret(&path, "second").unwrap_err().to_string();
        assert_eq!(error, format!("cannot write {}", path.display()));
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
    }

    #[test]
    fn a_run_never_takes_over_the_folder_of_another() {
        let dir = tempfile::tempdir().unwrap();
        let id = RunId::random().unwrap();
        let run = RunDir::new(dir.path(), &id).unwrap();
        run.create().unwrap();
        assert!(run.logs().is_dir());
        let error = run.create().unwrap_err().to_string();
        assert_eq!(error, format!("cannot make {}", run.root().display()));
    }
}
