//! A folder in which make, cacerts and openssl take turns.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::command::{Program, target_dir};

/// Where one claim is proved.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    makefile: PathBuf,
    /// Of the keys that the Makefile's variables speak of, where it is not make's own.
    key_size: Option<&'static str>,
}

impl Folder {
    pub(super) fn new(index: usize, makefile: &Path) -> Result<Self> {
        let path = target_dir().join("ci/makefile").join(index.to_string());
        if path.exists() {
            std::fs::remove_dir_all(&path).context("cannot remove the folder of an earlier run")?;
        }
        std::fs::create_dir_all(&path).context("cannot create a folder for make")?;
        Ok(Self { path, makefile: makefile.to_owned(), key_size: Some("2048") })
    }

    /// The same, with keys of make's own size.
    pub(super) fn of_makes_size(&self) -> Self {
        Self { path: self.path.clone(), makefile: self.makefile.clone(), key_size: None }
    }

    pub(super) fn inside(&self, name: &str) -> Self {
        Self { path: self.path.join(name), makefile: self.makefile.clone(), ..*self }
    }

    fn run(&self, program: Program) -> Program {
        let sizes = ["ROOTCA_KEYSZ", "INTERMEDIATE_KEYSZ"]
            .into_iter()
            .zip(self.key_size.into_iter().cycle());
        sizes.fold(program.in_folder(&self.path), |program, (name, size)| program.env(name, size))
    }

    pub(super) fn make(&self, args: &[&str]) -> Program {
        self.run(Program::new("make").arg("-f").arg(&self.makefile).args(args))
    }

    /// Runs make for one target.
    pub(super) fn made(&self, target: &str) -> Result<()> {
        self.make(&[target]).stdout().map(drop)
    }

    /// Fails if make would make any of the files anew.
    pub(super) fn is_up_to_date(&self, files: &[&str]) -> Result<()> {
        let plan = self.make(&["-n"]).args(files).stdout()?;
        let asked = self.make(&["-q"]).args(files).status()?;
        ensure!(asked.code() == Some(0), "make ({asked}) would run\n{plan}");
        Ok(())
    }

    pub(super) fn cacerts(&self, args: &[&str]) -> Program {
        let program = target_dir().join("debug/cacerts");
        self.run(Program::new(program).args(args))
    }

    pub(super) fn openssl(&self, args: &[&str]) -> Result<String> {
        Program::new("openssl").args(args).in_folder(&self.path).stdout()
    }

    /// openssl verifies a cluster's certificate under the root.
    pub(super) fn verifies(&self, cluster: &str) -> Result<()> {
        let certificate = format!("{cluster}/ca-cert.pem");
        let strict = ["verify", "-x509_strict", "-CAfile", "root-cert.pem", &certificate];
        let said = self.openssl(&strict)?;
        ensure!(said.trim() == format!("{certificate}: OK"), "openssl says {said}");
        Ok(())
    }

    pub(super) fn read(&self, file: &str) -> Result<Vec<u8>> {
        std::fs::read(self.path.join(file)).with_context(|| format!("cannot read {file}"))
    }

    /// Runs `work` and fails if any of the files is another one afterwards.
    pub(super) fn unchanged(
        &self,
        files: &[&str],
        work: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let read = || files.iter().map(|file| self.read(file)).collect::<Result<Vec<_>>>();
        let before = read()?;
        work()?;
        for ((file, before), after) in files.iter().zip(before).zip(read()?) {
            ensure!(before == after, "{file} is another one now");
        }
        Ok(())
    }
}
