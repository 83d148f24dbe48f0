//! Runs the programs of a task: cargo, make, openssl. No shell is involved.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::terminal;

/// The workspace's root folder, known since this crate was compiled in it.
pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or_else(|| Path::new("."))
}

/// Where cargo puts what it builds: its target folder, which holds the harness's runs too.
pub(crate) fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| workspace().join("target"), |dir| workspace().join(dir))
}

/// A program that runs until this is dropped.
pub(crate) struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended by itself cannot be killed, and is waited for all the same.
        if let Err(error) = self.0.kill().and_then(|()| self.0.wait().map(drop)) {
            terminal::say(&format!("warning: a program was not ended: {error}"));
        }
    }
}

/// A program with its arguments, run in the workspace's root unless told otherwise.
pub(crate) struct Program {
    command: Command,
}

impl Program {
    /// Names the program; it is looked up on PATH.
    #[expect(clippy::disallowed_methods, reason = "this is the module that runs programs")]
    pub(crate) fn new(name: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(name);
        command.current_dir(workspace()).stdin(Stdio::null());
        Self { command }
    }

    /// The cargo that runs this task.
    pub(crate) fn cargo() -> Self {
        Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// Adds one argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    pub(crate) fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets one variable of the program's environment.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it in another folder.
    pub(crate) fn in_folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Runs it on this terminal, standard input included, and returns how it ended.
    pub(crate) fn status(mut self) -> Result<ExitStatus> {
        self.command.stdin(Stdio::inherit());
        let words = self.words();
        self.command.status().with_context(|| format!("cannot run `{words}`"))
    }

    /// Runs it and hands every line of its standard output on, printed as it comes.
    /// Standard error goes to this task's own.
    pub(crate) fn each_line(mut self, mut seen: impl FnMut(&str)) -> Result<ExitStatus> {
        let words = self.words();
        let mut child = self
            .command
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run `{words}`"))?;
        if let Some(stdout) = child.stdout.take() {
            for line in BufReader::new(stdout).lines() {
                let line = line.with_context(|| format!("cannot read what `{words}` prints"))?;
                terminal::say(&line);
                seen(&line);
            }
        }
        child.wait().with_context(|| format!("cannot wait for `{words}`"))
    }

    /// Runs it and hands every line of its standard error on; nothing else of it is shown.
    pub(crate) fn each_error(mut self, mut seen: impl FnMut(&str)) -> Result<ExitStatus> {
        let words = self.words();
        let child = self.command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut running = Running(child.with_context(|| format!("cannot run `{words}`"))?);
        if let Some(stderr) = running.0.stderr.take() {
            for line in BufReader::new(stderr).split(b'\n') {
                let line = line.with_context(|| format!("cannot read what `{words}` says"))?;
                seen(&String::from_utf8_lossy(&line));
            }
        }
        running.0.wait().with_context(|| format!("cannot wait for `{words}`"))
    }

    /// Starts it, and returns once a line of its standard error has these words. It ends when what
    /// is returned is dropped.
    pub(crate) fn until_it_says(mut self, words: &str) -> Result<Running> {
        let program = self.words();
        let child = self.command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut running = Running(child.with_context(|| format!("cannot run `{program}`"))?);
        let stderr = running.0.stderr.take().context("its standard error is not piped")?;
        let mut said = BufReader::new(stderr).lines();
        let mut last = String::new();
        for line in said.by_ref() {
            last = line.with_context(|| format!("cannot read what `{program}` says"))?;
            if last.contains(words) {
                // Read on: a program whose pipe is full or closed stops.
                std::thread::spawn(move || said.for_each(drop));
                return Ok(running);
            }
        }
        bail!("`{program}` ended before it said `{words}`; its last words: {last}")
    }

    /// Runs it on this terminal but for its standard output, which is returned.
    pub(crate) fn answer(mut self) -> Result<String> {
        let words = self.words();
        let output = self.command.stderr(Stdio::inherit()).output();
        let output = output.with_context(|| format!("cannot run `{words}`"))?;
        ensure!(output.status.success(), "`{words}`: {}", output.status);
        String::from_utf8(output.stdout).with_context(|| format!("`{words}` printed no UTF-8"))
    }

    /// Runs it silently and returns its standard output; a failure carries its standard error.
    pub(crate) fn stdout(self) -> Result<String> {
        self.both().map(|(out, _)| out)
    }

    /// As [`Program::stdout`], with the standard error of a success behind it.
    pub(crate) fn both(mut self) -> Result<(String, String)> {
        let words = self.words();
        let output = self.command.output().with_context(|| format!("cannot run `{words}`"))?;
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "`{words}`: {}: {}", output.status, err.trim());
        let out = String::from_utf8(output.stdout);
        Ok((out.with_context(|| format!("`{words}` printed no UTF-8"))?, err))
    }

    /// Runs it silently and kills it after a while; returns how long it ran, and whether it was
    /// killed and had not ended by itself.
    pub(crate) fn killed_after(mut self, moment: Option<Duration>) -> Result<(Duration, bool)> {
        let words = self.words();
        self.command.stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        let child = self.command.spawn().with_context(|| format!("cannot run `{words}`"))?;
        let mut running = Running(child);
        if let Some(moment) = moment {
            let (_nobody, end) = channel::<()>();
            let waited = end.recv_timeout(moment);
            ensure!(waited == Err(RecvTimeoutError::Timeout), "nobody sends, and somebody did");
            running.0.kill().with_context(|| format!("cannot kill `{words}`"))?;
        }
        let status = running.0.wait().with_context(|| format!("cannot wait for `{words}`"))?;
        ensure!(moment.is_some() || status.success(), "`{words}`: {status}");
        Ok((start.elapsed(), status.code().is_none()))
    }

    fn words(&self) -> String {
        std::iter::once(self.command.get_program())
            .chain(self.command.get_args())
            .map(OsStr::to_string_lossy)
            .collect::<Vec<_>>()
            .join(" ")
    }
}
