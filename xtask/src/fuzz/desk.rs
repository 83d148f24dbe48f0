//! Where seeds are made: a folder of CAs, keys and certificates, by `cacerts` and openssl.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::claims;
use crate::command::{Program, target_dir};

/// One folder to work in and one for what is made.
pub(super) struct Desk {
    work: PathBuf,
    pub(super) seeds: PathBuf,
}

impl Desk {
    pub(super) fn new() -> Result<Self> {
        claims::build_cacerts()?;
        let folder = |name| {
            let path = target_dir().join("fuzz").join(name);
            if path.exists() {
                fs::remove_dir_all(&path).context("cannot remove the seeds of an earlier run")?;
            }
            fs::create_dir_all(&path).context("cannot create a folder for seeds")?;
            anyhow::Ok(path)
        };
        Ok(Self { work: folder("desk")?, seeds: folder("seeds")? })
    }

    pub(super) fn cacerts(&self, args: &str) -> Result<()> {
        let program = Program::new(target_dir().join("debug/cacerts"));
        program.args(args.split(' ')).in_folder(&self.work).stdout().map(drop)
    }

    pub(super) fn openssl(&self, args: &str) -> Result<String> {
        Program::new("openssl").args(args.split(' ')).in_folder(&self.work).stdout()
    }

    /// A file that was made.
    pub(super) fn read(&self, path: impl AsRef<Path>) -> Result<String> {
        let path = self.work.join(path);
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    /// The files of a folder, with their names.
    pub(super) fn files(&self, folder: &str) -> Result<Vec<(String, String)>> {
        let path = self.work.join(folder);
        let mut files = Vec::new();
        for entry in fs::read_dir(&path).with_context(|| format!("cannot list {folder}"))? {
            let path = entry.with_context(|| format!("cannot list {folder}"))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_file() && !name.starts_with('.') {
                files.push((name, self.read(&path)?));
            }
        }
        files.sort();
        Ok(files)
    }

    /// A seed of a target.
    pub(super) fn seed(&self, target: &str, name: &str, content: &str) -> Result<()> {
        let folder = self.seeds.join(target);
        fs::create_dir_all(&folder).context("cannot create a folder for seeds")?;
        fs::write(folder.join(name), content).context("cannot write a seed")
    }
}
