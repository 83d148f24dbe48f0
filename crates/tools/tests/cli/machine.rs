//! A machine for `tools` to run on: a cache of its own, and a PATH where `go`, `dpkg-query` and
//! `python3` are small scripts that write down how they were called.

use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// Writes the program that `-o` names; before that, if there is a pipe called `hold`, waits until
/// someone writes to it.
const GO: &str = r#"#!/bin/sh
case "$1" in
env) echo go1.26.8; exit ;;
version) exit ;;
esac
echo "CGO_ENABLED=$CGO_ENABLED GOFLAGS=$GOFLAGS GOTOOLCHAIN=$GOTOOLCHAIN GOPROXY=$GOPROXY" >>"$MACHINE/calls"
echo "go $*" >>"$MACHINE/calls"
if [ -p "$MACHINE/hold" ]; then
    exec 9>"$MACHINE/started"
    echo started >&9
    read -r _ <"$MACHINE/hold"
fi
while [ "$1" != -o ]; do shift; done
echo '#!program' >"$2"
"#;

pub(crate) struct Machine {
    folder: TempDir,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(machine.path("bin")).unwrap();
        machine.program("go", GO);
        machine.program("dpkg-query", "#!/bin/sh\n");
        machine.program("python3", "#!/bin/sh\n");
        machine
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a program onto PATH, in place of one of the same name.
    pub(crate) fn program(&self, name: &str, script: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn tools(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    pub(crate) fn start(&self, args: &[&str]) -> Child {
        self.command(args).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
    }

    /// How Go was called, a line each.
    pub(crate) fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.path("calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }

    /// Makes every `go build` stop half-way until [`Self::release`].
    pub(crate) fn hold(&self) {
        for pipe in ["hold", "started"] {
            assert!(command("mkfifo").arg(self.path(pipe)).status().unwrap().success());
        }
    }

    /// Returns once a `go build` has stopped half-way.
    pub(crate) fn wait_for_build(&self) -> RunningGo {
        let mut pipe = BufReader::new(File::open(self.path("started")).unwrap());
        let mut line = String::new();
        pipe.read_line(&mut line).unwrap();
        assert_eq!(line, "started\n");
        RunningGo(pipe)
    }

    pub(crate) fn release(&self) {
        let mut hold = fs::OpenOptions::new().write(true).open(self.path("hold")).unwrap();
        self.hold_no_more();
        hold.write_all(b"\n").unwrap();
    }

    pub(crate) fn hold_no_more(&self) {
        fs::remove_file(self.path("hold")).unwrap();
    }

    /// Everything below the cache's folder for Go programs, except lock files.
    pub(crate) fn cached(&self) -> Vec<String> {
        let Ok(found) = fs::read_dir(self.path("cache/go")) else { return Vec::new() };
        let mut names: Vec<_> = found
            .map(|found| found.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.ends_with(".lock"))
            .collect();
        names.sort();
        names
    }

    fn command(&self, args: &[&str]) -> Command {
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        let mut command = command(env!("CARGO_BIN_EXE_tools"));
        command
            .args(args)
            .env_clear()
            .env("PATH", path)
            .env("CACERTS_CACHE", self.path("cache"))
            .env("MACHINE", self.folder.path())
            .env("GOPROXY", "https://proxy.example")
            .stdin(Stdio::null());
        command
    }
}

/// A `go build` that has stopped half-way: it keeps the other end of the pipe open.
pub(crate) struct RunningGo(BufReader<File>);

impl RunningGo {
    pub(crate) fn wait_for_end(mut self) {
        self.0.read_to_end(&mut Vec::new()).unwrap();
    }
}

fn command(program: &str) -> Command {
    #[expect(clippy::disallowed_methods, reason = "the one place of this test that runs programs")]
    Command::new(program)
}
