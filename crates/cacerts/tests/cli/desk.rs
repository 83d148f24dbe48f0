//! A folder to work in, and the program in it.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tempfile::TempDir;

/// What a run left behind on its streams.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) struct Desk {
    folder: TempDir,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// With a root in `ca` whose key has no passphrase.
    pub(crate) fn with_root() -> Self {
        let desk = Self::new();
        desk.ok(&["init", "ca", "--no-passphrase"]);
        desk
    }

    /// The program in the folder, with nothing of this process's environment and no terminal.
    #[expect(clippy::disallowed_methods, reason = "this is the module that runs programs")]
    pub(crate) fn program(&self, args: &[&str], env: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cacerts"));
        command.args(args).env_clear().envs(env.iter().copied()).current_dir(&self.folder);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run_with(&self, args: &[&str], env: &[(&str, &str)]) -> Said {
        said(self.program(args, env).spawn().unwrap())
    }

    pub(crate) fn run(&self, args: &[&str]) -> Said {
        self.run_with(args, &[])
    }

    /// Runs it with a text on its standard input.
    pub(crate) fn fed(&self, args: &[&str], input: impl AsRef<[u8]>) -> Said {
        let mut child = self.program(args, &[]).stdin(Stdio::piped()).spawn().unwrap();
        // A program that has read enough closes its end.
        drop(child.stdin.take().unwrap().write_all(input.as_ref()));
        said(child)
    }

    /// Runs it with a terminal as its standard input, on which this is typed.
    pub(crate) fn typed(&self, args: &[&str], typed: &str) -> Said {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let path = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
        let flags = OFlags::NOCTTY.bits().cast_signed();
        let stdin = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path);
        let child = self.program(args, &[]).stdin(stdin.unwrap()).spawn().unwrap();
        // The terminal keeps it until it is read.
        let mut terminal = std::fs::File::from(terminal);
        terminal.write_all(typed.as_bytes()).unwrap();
        said(child)
    }

    /// Runs it where nothing can go wrong.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let said = self.run(args);
        assert_eq!(said.code, Some(0), "{args:?}: {}", said.err);
        said.out
    }

    /// What openssl says, a witness of its own; refused or not.
    #[expect(clippy::disallowed_methods, reason = "this is the module that runs programs")]
    pub(crate) fn openssl(&self, args: &[&str]) -> String {
        let output = Command::new("openssl").args(args).current_dir(&self.folder).output().unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(crate) fn mode(&self, name: &str) -> u32 {
        self.path(name).metadata().unwrap().permissions().mode() & 0o777
    }

    /// Every file below, with its content, date and inode.
    pub(crate) fn state(&self) -> Vec<(PathBuf, Vec<u8>, std::time::SystemTime, u64)> {
        let mut state = Vec::new();
        collect(self.folder.path(), &mut state);
        state.sort();
        state
    }
}

fn collect(folder: &Path, state: &mut Vec<(PathBuf, Vec<u8>, std::time::SystemTime, u64)>) {
    use std::os::unix::fs::MetadataExt as _;
    for entry in std::fs::read_dir(folder).unwrap() {
        let (path, metadata) = {
            let entry = entry.unwrap();
            (entry.path(), entry.metadata().unwrap())
        };
        if metadata.is_dir() {
            collect(&path, state);
        } else {
            let content = std::fs::read(&path).unwrap();
            state.push((path, content, metadata.modified().unwrap(), metadata.ino()));
        }
    }
}

/// Waits for the end of a program that was started.
pub(crate) fn said(child: Child) -> Said {
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// A run that was refused (1) or could not be done (2), and its one line.
pub(crate) fn stopped(code: i32, line: &str) -> Said {
    Said { code: Some(code), out: String::new(), err: format!("error: {line}\n") }
}
