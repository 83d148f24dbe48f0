//! The one place that runs other programs: logs the command line, captures both streams, and
//! explains a failure with command, status, time and the end of what the program said.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Instant;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

use crate::error::{Error, FileContext, Result};

/// How much of a failed program's standard error an error message repeats.
const STDERR_LINES: usize = 20;

/// A command line that is to be run to its end.
pub(crate) struct Command {
    inner: std::process::Command,
}

impl Command {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the crate's one command module")]
        let mut inner = std::process::Command::new(program);
        inner.stdin(Stdio::null());
        Self { inner }
    }

    /// A program that is sent SIGTERM when the thread that runs it ends, even by SIGKILL of the
    /// whole process: setpriv(1) asks for the signal, because asking takes code between fork and
    /// exec, which is unsafe.
    pub(crate) fn dying_with_us(program: &str) -> Self {
        Self::new("setpriv").args(["--pdeathsig", "TERM", "--", program])
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.inner.arg(arg);
        self
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.inner.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.inner.env(name, value);
        self
    }

    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.inner.env_remove(name);
        self
    }

    pub(crate) fn folder(mut self, folder: &Path) -> Self {
        self.inner.current_dir(folder);
        self
    }

    /// Runs the command and returns its standard output.
    ///
    /// # Errors
    /// [`Error::CommandNotStarted`] if there is no such program, [`Error::CommandFailed`] if its
    /// exit status is not 0.
    pub(crate) fn run(mut self) -> Result<Vec<u8>> {
        let command = self.line();
        tracing::debug!(%command, "run");
        let start = Instant::now();
        let output = self.inner.output().map_err(|source| Error::CommandNotStarted {
            program: self.inner.get_program().to_string_lossy().into_owned(),
            source,
        })?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(Error::CommandFailed {
            command,
            status: output.status,
            elapsed: start.elapsed(),
            stderr: tail(&String::from_utf8_lossy(&output.stderr)),
        })
    }

    /// Like [`Self::run`], for programs that print text.
    pub(crate) fn text(self) -> Result<String> {
        let stdout = self.run()?;
        Ok(String::from_utf8_lossy(&stdout).trim_end().to_owned())
    }

    /// Starts a daemon that writes what it says to `log`.
    ///
    /// # Errors
    /// [`Error::CommandNotStarted`], or [`Error::File`] if there can be no log.
    pub(crate) fn start(mut self, log: &Path) -> Result<Running> {
        tracing::debug!(command = %self.line(), "start");
        let file = File::create(log).file("create", log)?;
        let both = file.try_clone().file("open", log)?;
        let child = self.inner.stdout(file).stderr(both).spawn().map_err(|source| {
            let program = self.inner.get_program().to_string_lossy().into_owned();
            Error::CommandNotStarted { program, source }
        })?;
        Ok(Running { child, log: log.to_owned() })
    }

    fn line(&self) -> String {
        std::iter::once(self.inner.get_program())
            .chain(self.inner.get_args())
            .map(|word| {
                let word = word.to_string_lossy();
                if word.is_empty() || word.contains(char::is_whitespace) {
                    format!("'{word}'")
                } else {
                    word.into_owned()
                }
            })
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// A daemon. Dropped, it is killed.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// The last lines that it wrote.
    pub(crate) fn said(&self) -> Result<String> {
        let text = fs::read(&self.log).file("read", &self.log)?;
        Ok(tail(&String::from_utf8_lossy(&text)))
    }

    /// Asks it to end and waits until it has.
    pub(crate) fn end(mut self) -> Result<()> {
        if let Some(pid) = Pid::from_raw(self.child.id().cast_signed()) {
            // One that has ended already is not there to be asked.
            kill_process(pid, Signal::TERM).or_else(|error| match error {
                Errno::SRCH => Ok(()),
                error => Err(std::io::Error::from(error)).file("end the daemon of", &self.log),
            })?;
        }
        self.child.wait().file("wait for the daemon of", &self.log).map(drop)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Neither can fail but for a daemon that has ended.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The last lines of `text`; says so when there were none.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    match lines.len() {
        0 => "(nothing on stderr)".to_owned(),
        len => lines[len.saturating_sub(STDERR_LINES)..].join("\n"),
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_program_that_succeeds_gives_its_output() {
        assert_eq!(Command::new("echo").args(["a", "b"]).text().unwrap(), "a b");
    }

    #[test]
    fn a_failure_names_the_command_and_repeats_the_end_of_stderr() {
        let script = "for i in $(seq 30); do echo line $i >&2; done; exit 3";
        let Err(Error::CommandFailed { command, status, stderr, .. }) =
            Command::new("sh").args(["-c", script]).run()
        else {
            panic!("the script exits 3");
        };
        assert_eq!(command, format!("sh -c '{script}'"));
        assert_eq!(status.code(), Some(3));
        assert_eq!(stderr.lines().count(), STDERR_LINES);
        assert_eq!(stderr.lines().last(), Some("line 30"));
    }

    #[test]
    fn a_program_that_does_not_exist_is_named() {
        let error = Command::new("no-such-program-here").run().unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot start `no-such-program-here`: is it installed and on PATH?"
        );
    }

    #[test]
    fn a_silent_failure_is_said_to_be_silent() {
        let Err(Error::CommandFailed { stderr, .. }) = Command::new("false").run() else {
            panic!("`false` fails");
        };
        assert_eq!(stderr, "(nothing on stderr)");
    }

    #[test]
    fn a_daemon_is_asked_to_end_and_what_it_said_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (log, ready, never) =
            (folder.path().join("log"), folder.path().join("ready"), folder.path().join("never"));
        assert!(Command::new("mkfifo").args([&ready, &never]).run().is_ok());
        let script = format!(
            "trap 'kill $!; echo ends; exit' TERM; cat {} & echo starts; echo >{}; wait",
            never.display(),
            ready.display()
        );
        let daemon = Command::new("sh").args(["-c", &script]).start(&log).unwrap();
        fs::read(&ready).unwrap();
        assert_eq!(daemon.said().unwrap(), "starts");
        daemon.end().unwrap();
        assert_eq!(fs::read_to_string(&log).unwrap(), "starts\nends\n");
    }
}
