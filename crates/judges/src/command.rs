//! Runs other programs: the only module of this crate that starts a process.
//!
//! Every program dies with this one: it is killed when the future or handle that waits for it is
//! dropped, and the kernel ends it where this program is killed itself.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::time::timeout;

use crate::poll::{self, Seen};

/// A program with its arguments, and the folder it runs in.
#[derive(Clone, Debug)]
pub(crate) struct Tool {
    program: OsString,
    args: Vec<OsString>,
    env: Vec<(&'static str, OsString)>,
    folder: PathBuf,
}

/// What a program left behind when it ended.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// The last line of stderr that says something.
    pub(crate) fn last_words(&self) -> &str {
        self.stderr.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("nothing")
    }
}

impl Tool {
    /// Names a program: a path, or a name to be looked up on PATH.
    pub(crate) fn new(program: impl AsRef<OsStr>, folder: &Path) -> Self {
        let program = program.as_ref().to_owned();
        Self { program, args: Vec::new(), env: Vec::new(), folder: folder.to_owned() }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable on top of this program's own environment.
    pub(crate) fn env(mut self, name: &'static str, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name, value.as_ref().to_owned()));
        self
    }

    /// Runs it to its end, which must come within `deadline`; whether the end is good is for the
    /// caller to say.
    pub(crate) async fn output(&self, deadline: Duration) -> Result<Output> {
        let mut command = self.command();
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().with_context(|| format!("cannot start `{self}`"))?;
        let ended = timeout(deadline, child.wait_with_output()).await;
        let ended = ended
            .with_context(|| format!("`{self}` did not end within {} s", deadline.as_secs()))?;
        let ended = ended.with_context(|| format!("cannot wait for `{self}`"))?;
        Ok(Output {
            status: ended.status,
            stdout: String::from_utf8_lossy(&ended.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&ended.stderr).into_owned(),
        })
    }

    /// Runs it, and it must succeed; returns what it printed.
    pub(crate) async fn succeed(&self, deadline: Duration) -> Result<String> {
        let output = self.output(deadline).await?;
        ensure!(
            output.status.success(),
            "`{self}` failed ({}): {}",
            output.status,
            output.stderr.trim()
        );
        Ok(output.stdout)
    }

    /// `setpriv` asks the kernel to end the program with the thread that started it: there is only
    /// one.
    #[expect(clippy::disallowed_methods, reason = "this is the module that runs programs")]
    fn command(&self) -> tokio::process::Command {
        let mut command = if cfg!(target_os = "linux") {
            let mut command = tokio::process::Command::new("setpriv");
            command.args(["--pdeathsig", "KILL", "--"]).arg(&self.program);
            command
        } else {
            tokio::process::Command::new(&self.program)
        };
        command.args(&self.args).envs(self.env.iter().map(|(name, value)| (name, value)));
        command.current_dir(&self.folder).stdin(Stdio::null()).kill_on_drop(true);
        command
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.program.to_string_lossy())?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", arg.to_string_lossy()))
    }
}

/// Runs a short program while nothing else goes on; it must succeed. Returns what it printed.
#[expect(clippy::disallowed_methods, reason = "this is the module that runs programs")]
pub(crate) fn at_once<'a>(
    program: &str,
    args: impl IntoIterator<Item = &'a str>,
    folder: &Path,
) -> Result<String> {
    let mut command = std::process::Command::new(program);
    command.args(args).current_dir(folder).stdin(Stdio::null());
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} failed ({}): {}", output.status, said.trim());
    String::from_utf8(output.stdout).with_context(|| format!("{command:?} printed no UTF-8"))
}

/// A program that goes on until it is stopped, or this is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: tokio::process::Child,
    /// Where both its streams go.
    pub(crate) log: PathBuf,
    pub(crate) name: String,
}

impl Tool {
    /// Starts it; both streams go to a new file in its folder.
    pub(crate) fn start(&self, log: &str) -> Result<Running> {
        let log = self.folder.join(log);
        let file = File::create(&log).with_context(|| format!("cannot make {}", log.display()))?;
        let mut command = self.command();
        command.stdout(file.try_clone().context("cannot share a log")?).stderr(file);
        let child = command.spawn().with_context(|| format!("cannot start `{self}`"))?;
        let name = Path::new(&self.program).file_name().unwrap_or(&self.program);
        Ok(Running { child, log, name: name.to_string_lossy().into_owned() })
    }
}

impl Running {
    /// What it has written so far.
    pub(crate) fn said(&self) -> Result<String> {
        let bytes = std::fs::read(&self.log);
        let bytes = bytes.with_context(|| format!("cannot read {}", self.log.display()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Waits until `look` finds something in what it has written, which may be after its end.
    /// `None` if it ended without.
    pub(crate) async fn until<T>(
        &mut self,
        what: &str,
        deadline: Duration,
        look: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>> {
        let what = format!("{} {what}", self.name);
        poll::until(&what, deadline, async || {
            let ended = self.ended()?;
            let said = self.said()?;
            Ok(match (look(&said), ended) {
                (Some(found), _) => Seen::Ready(Some(found)),
                (None, Some(_)) => Seen::Ready(None),
                (None, None) => {
                    Seen::NotYet(said.lines().last().unwrap_or("it said nothing").to_owned())
                }
            })
        })
        .await
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().with_context(|| format!("cannot look after {}", self.name))
    }

    /// Ends it, and waits for its end.
    pub(crate) async fn stop(mut self) -> Result<()> {
        self.child.kill().await.with_context(|| format!("cannot end {}", self.name))
    }
}
