//! Runs other programs: the only module of the harness that starts a process.
//!
//! A [`Tool`] is a program and its arguments, never a line for a shell. It says what it runs (at
//! debug), captures both streams, and a failure names the command, its status, how long it took
//! and the end of what it wrote to stderr. It does not retry and knows no deadline: the caller
//! drops the future, and the process dies with it.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::io::AsyncWriteExt as _;

/// Lines of stderr that an error shows.
const TAIL_LINES: usize = 20;

/// A program with the arguments given so far. Cheap to clone, so that `kubectl --kubeconfig F` can
/// be the start of many commands.
#[derive(Clone, Debug)]
pub(crate) struct Tool {
    program: OsString,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    stdin: Option<Vec<u8>>,
}

/// What a program left behind when it ended.
#[derive(Debug)]
pub(crate) struct Output {
    /// Its exit status, successful or not.
    pub(crate) status: ExitStatus,
    /// Standard output; bytes that are not UTF-8 are replaced.
    pub(crate) stdout: String,
    /// Standard error, in the same way.
    pub(crate) stderr: String,
    /// From start to end.
    pub(crate) elapsed: Duration,
}

impl Tool {
    /// Names a program: a path, or a name to be looked up on PATH.
    pub(crate) fn new(program: impl Into<OsString>) -> Self {
        Self { program: program.into(), args: Vec::new(), env: Vec::new(), stdin: None }
    }

    /// Adds one argument.
    pub(crate) fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    pub(crate) fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable in the program's environment, on top of the harness's own.
    pub(crate) fn env(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((key.into(), value.into()));
        self
    }

    /// Gives the program these bytes to read; without them it reads nothing. They are not shown.
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// Runs the program, which must succeed.
    ///
    /// # Errors
    /// The program cannot be started, or ends in any way but with status 0.
    pub(crate) async fn run(&self) -> Result<Output> {
        let output = self.output().await?;
        if !output.status.success() {
            bail!("{}", failure(self, &output));
        }
        Ok(output)
    }

    /// Runs the program; whether its status is good is for the caller to say.
    ///
    /// # Errors
    /// The program cannot be started, or does not take what it is given to read.
    pub(crate) async fn output(&self) -> Result<Output> {
        tracing::debug!(command = %self, "run");
        let start = Instant::now();
        let mut command = self.tied();
        command.stdin(if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("cannot start `{self}`"))?;
        let pipe = child.stdin.take();
        // A program may write before it has read everything, so both go on at once.
        let feed = async {
            match (pipe, &self.stdin) {
                (Some(mut pipe), Some(bytes)) => match pipe.write_all(bytes).await {
                    // It ended without reading to the end: its status and stderr say why.
                    Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
                    other => other,
                },
                _ => Ok(()),
            }
        };
        let (fed, ended) = tokio::join!(feed, child.wait_with_output());
        fed.with_context(|| format!("cannot write to `{self}`"))?;
        let ended = ended.with_context(|| format!("cannot wait for `{self}`"))?;
        let output = Output {
            status: ended.status,
            stdout: String::from_utf8_lossy(&ended.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&ended.stderr).into_owned(),
            elapsed: start.elapsed(),
        };
        tracing::debug!(command = %self, status = %output.status, ?output.elapsed, "ended");
        Ok(output)
    }

    /// Starts a program that is spoken to through its stdin and stdout while it runs. It is not
    /// tied to the life of the harness: it has to notice the end of its stdin.
    ///
    /// # Errors
    /// The program cannot be started.
    pub(crate) fn converse(&self, stderr: File) -> Result<tokio::process::Child> {
        tracing::debug!(command = %self, "start");
        let mut command = self.command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr);
        command.spawn().with_context(|| format!("cannot start `{self}`"))
    }

    /// Starts a program that is waited for, or killed, while it runs. It writes both streams to
    /// `log`, and dies with the harness.
    ///
    /// # Errors
    /// The program cannot be started, or the log cannot be shared.
    pub(crate) fn supervise(&self, log: File) -> Result<tokio::process::Child> {
        tracing::debug!(command = %self, "start");
        let mut command = self.tied();
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
        command.spawn().with_context(|| format!("cannot start `{self}`"))
    }

    /// Starts a program that writes both streams to `log`, and returns its process id. Whoever
    /// calls this reaps it: only `node-init` does, which reaps every process of its namespace.
    ///
    /// # Errors
    /// The program cannot be started, or the log cannot be shared.
    pub(crate) fn launch(&self, log: File) -> Result<u32> {
        tracing::debug!(command = %self, "launch");
        let mut command = self.command().into_std();
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().with_context(|| format!("cannot start `{self}`"))?;
        Ok(child.id())
    }

    fn command(&self) -> tokio::process::Command {
        bare(&self.program, &self.args, &self.env)
    }

    /// The command, dying with the harness whatever ends it: `setpriv` asks the kernel for that.
    /// Valid since commands are started from the one thread the harness's runtime has.
    fn tied(&self) -> tokio::process::Command {
        if cfg!(target_os = "linux") {
            let prefix = ["--pdeathsig", "KILL", "--"].map(OsString::from);
            let args: Vec<_> =
                prefix.into_iter().chain([self.program.clone()]).chain(self.args.clone()).collect();
            bare(OsStr::new("setpriv"), &args, &self.env)
        } else {
            self.command()
        }
    }
}

/// Every program gets a process group of its own: a Ctrl-C is for the harness, which then ends what
/// it started in the right order.
#[expect(clippy::disallowed_methods, reason = "this is the module that runs programs")]
fn bare(
    program: &OsStr,
    args: &[OsString],
    env: &[(OsString, OsString)],
) -> tokio::process::Command {
    let mut command = tokio::process::Command::new(program);
    command.args(args).envs(env.iter().map(|(key, value)| (key, value))).process_group(0);
    command
}

/// The command line, quoted where an argument would read as several.
impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.program.to_string_lossy())?;
        for arg in &self.args {
            write!(f, " {}", quoted(&arg.to_string_lossy()))?;
        }
        Ok(())
    }
}

/// An argument as a shell takes it for one.
pub(crate) fn quoted(arg: &str) -> Cow<'_, str> {
    if arg.is_empty() || arg.contains(|c: char| c.is_whitespace() || "'\"$\\".contains(c)) {
        Cow::Owned(format!("'{}'", arg.replace('\'', r"'\''")))
    } else {
        Cow::Borrowed(arg)
    }
}

fn failure(tool: &Tool, output: &Output) -> String {
    let tail = tail(&output.stderr, TAIL_LINES);
    let said = if tail.is_empty() { "it wrote nothing to stderr" } else { tail };
    format!(
        "`{tool}` failed ({status}) after {elapsed:.1} s: {said}",
        status = output.status,
        elapsed = output.elapsed.as_secs_f64(),
    )
}

/// The last `lines` lines of `text`, without blank space around them.
pub(crate) fn tail(text: &str, lines: usize) -> &str {
    let text = text.trim();
    match text.rmatch_indices('\n').nth(lines.saturating_sub(1)) {
        Some((at, _)) => &text[at + 1..],
        None => text,
    }
}

#[cfg(test)]
mod tests;
