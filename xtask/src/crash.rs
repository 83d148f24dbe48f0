//! `cacerts` killed, or refused by the disk, at every call that changes files: what is found is old
//! or new, never half, and the same command finishes the work.
//!
//! strace stops the program at the call; where it may not trace, that part is skipped and says so.
//! The random moments need no strace.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail, ensure};

use crate::claims;
use crate::command::{Program, target_dir};
use crate::tally::Tally;
use crate::terminal;

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Kill it also at so many random moments
    #[arg(long, default_value_t = 200)]
    random: u32,
}

/// The calls that change what a folder holds; a file that was opened and not written is seen by
/// the kill at its first write.
const CALLS: [&str; 7] = ["mkdir", "write", "fsync", "renameat2", "linkat", "unlinkat", "rmdir"];
/// Calls that a disk can refuse.
const REFUSABLE: [&str; 5] = ["mkdir", "openat", "write", "fsync", "linkat"];
/// More of one call than any of the commands makes: beyond it, the injection does not work.
const LIMIT: u32 = 200;

/// A command that changes a folder, and the folder before it.
struct Work {
    name: &'static str,
    before: &'static [&'static [&'static str]],
    /// Removed before the command runs: what an earlier one did not come to.
    missing: &'static [&'static str],
    command: &'static [&'static str],
    /// Every file when the command is done.
    files: &'static [&'static str],
}

const INIT: &[&str] = &["init", "ca", "--no-passphrase"];
const ISSUE: &[&str] = &["issue", "c1", "c2", "--dir", "ca"];
const ROOT: [&str; 4] = ["root-ca.conf", "root-cert.csr", "root-cert.pem", "root-key.pem"];
const BUNDLE: [&str; 4] = ["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"];

const WORKS: &[Work] = &[
    Work { name: "init", before: &[], missing: &[], command: INIT, files: &[] },
    Work { name: "issue", before: &[INIT], missing: &[], command: ISSUE, files: &["c1", "c2"] },
    Work {
        name: "issue in a folder that was begun",
        before: &[INIT, ISSUE],
        missing: &["c1/cert-chain.pem", "c1/root-cert.pem"],
        command: ISSUE,
        files: &["c1", "c2"],
    },
];

/// Runs all of it and closes with the count.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let mut tally = killed()?;
    tally += full_disks()?;
    tally += random_moments(args.random)?;
    terminal::result(&tally.to_string());
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Kills each command at each call in turn.
pub(crate) fn killed() -> Result<Tally> {
    every_call("killed at every call", &CALLS, "signal=KILL")
}

/// Refuses each command the space for each call in turn.
pub(crate) fn full_disks() -> Result<Tally> {
    every_call("on a disk that is full at any call", &REFUSABLE, "error=ENOSPC")
}

/// What `ci --full` runs besides [`killed`].
pub(crate) fn at_length() -> Result<Tally> {
    let mut tally = full_disks()?;
    tally += random_moments(200)?;
    Ok(tally)
}

fn every_call(how: &str, calls: &[&str], what: &str) -> Result<Tally> {
    let desk = Desk::new()?;
    let mut tally = Tally::default();
    if !desk.may_trace() {
        terminal::say(&format!("  {} skipped: no strace that may trace programs", WORKS.len()));
        return Ok(Tally { skipped: WORKS.len(), ..tally });
    }
    for work in WORKS {
        desk.template(work)?;
        let each = |sum, call: &&str| Ok(sum + desk.each(work, call, what)?);
        tally += told(&format!("{} {how}", work.name), calls.iter().try_fold(0, each));
    }
    Ok(tally)
}

/// Kills each command at moments that are spread over the time it takes.
pub(crate) fn random_moments(count: u32) -> Result<Tally> {
    let desk = Desk::new()?;
    let mut tally = Tally::default();
    for work in WORKS {
        desk.template(work)?;
        let sentence = format!("{} killed at {count} moments", work.name);
        tally += told(&sentence, desk.moments(work, count));
    }
    Ok(tally)
}

/// A claim's line: what was seen so often, or what went wrong.
fn told(sentence: &str, outcome: Result<u32>) -> Tally {
    match outcome {
        Ok(0) => {
            terminal::say(&format!("  {sentence} .. FAILED\n    it never happened"));
            Tally::ONE_FAILURE
        }
        Ok(times) => {
            terminal::say(&format!("  {sentence} .. ok ({times} times)"));
            Tally { passed: 1, ..Tally::default() }
        }
        Err(error) => {
            terminal::say(&format!("  {sentence} .. FAILED\n    {error:#}"));
            Tally::ONE_FAILURE
        }
    }
}

/// Where the commands run.
struct Desk {
    cacerts: PathBuf,
    folder: PathBuf,
    /// What the folder is made from, again and again.
    template: PathBuf,
    /// What strace writes.
    log: PathBuf,
}

impl Desk {
    fn new() -> Result<Self> {
        claims::build_cacerts()?;
        let target = target_dir();
        let own = |name| target.join("crash").join(name);
        let (folder, template, log) = (own("folder"), own("template"), own("strace.log"));
        Ok(Self { cacerts: target.join("debug/cacerts"), folder, template, log })
    }

    fn may_trace(&self) -> bool {
        let strace = Program::new("strace").args(["-qq", "-o", "/dev/null"]);
        strace.arg(&self.cacerts).arg("--version").stdout().is_ok()
    }

    fn cacerts(&self, args: &[&str]) -> Program {
        Program::new(&self.cacerts).args(args).in_folder(&self.folder)
    }

    /// Makes the folder that the command is to find, once.
    fn template(&self, work: &Work) -> Result<()> {
        empty(&self.folder)?;
        fs::create_dir(self.ca()).context("cannot create a folder")?;
        for args in work.before {
            self.cacerts(args).stdout()?;
        }
        for file in work.missing {
            fs::remove_file(self.ca().join(file)).context("cannot remove a file")?;
        }
        empty(&self.template)?;
        copy(&self.folder, &self.template)
    }

    /// The folder as the command finds it.
    fn prepare(&self) -> Result<()> {
        empty(&self.folder)?;
        copy(&self.template, &self.folder)
    }

    /// Injects `what` at the first such call, then at the second, until there is none; returns how
    /// many there are.
    fn each(&self, work: &Work, call: &str, what: &str) -> Result<u32> {
        for number in 1..LIMIT {
            self.prepare()?;
            let keys = self.keys()?;
            let inject = format!("inject={call}:{what}:when={number}");
            let strace = Program::new("strace").args(["-f", "-qq", "-o"]).arg(&self.log);
            let trace = format!("trace={call}");
            let traced = strace.args(["-e", &trace, "-e", &inject, "--"]).arg(&self.cacerts);
            let outcome = traced.args(work.command).in_folder(&self.folder).stdout();
            let at = || format!("{call} {number}, {what}");
            if let Err(error) = &outcome {
                self.old_or_new(&keys).with_context(at)?;
                let words = format!("{error:#}");
                let told = what.starts_with("signal") || words.contains("error: cannot ");
                // A library that cannot be loaded is told by the loader.
                let loading = words.contains("error while loading shared libraries");
                ensure!(told || loading, "{}: it says {words}", at());
            }
            self.finishes(work, &keys).with_context(at)?;
            let log = fs::read_to_string(&self.log).context("strace wrote no log")?;
            if outcome.is_ok() && !log.contains("INJECTED") {
                return Ok(number - 1);
            }
        }
        bail!("{call}: the injection has no end")
    }

    /// Kills the command later and later within the time that it takes.
    fn moments(&self, work: &Work, count: u32) -> Result<u32> {
        self.prepare()?;
        let whole = self.cacerts(work.command).killed_after(None)?.0;
        let mut killed = 0;
        for number in 0..count {
            self.prepare()?;
            let keys = self.keys()?;
            let moment = whole * number / count;
            killed += u32::from(self.cacerts(work.command).killed_after(Some(moment))?.1);
            let at = || format!("killed after {moment:?}");
            self.old_or_new(&keys).with_context(at)?;
            self.finishes(work, &keys).with_context(at)?;
        }
        Ok(killed)
    }

    fn ca(&self) -> PathBuf {
        self.folder.join("ca")
    }

    /// Each key that has its name, with its bytes.
    fn keys(&self) -> Result<Vec<(PathBuf, Vec<u8>)>> {
        let names =
            ["root-key.pem", "c1/ca-key.pem", "c2/ca-key.pem"].map(|key| self.ca().join(key));
        let there = names.into_iter().filter(|path| path.exists());
        there.map(|path| Ok((path.clone(), fs::read(&path)?))).collect()
    }

    /// What has its name is complete, keys are as they were, and nobody else may read any of them.
    fn old_or_new(&self, keys: &[(PathBuf, Vec<u8>)]) -> Result<()> {
        for (path, key) in keys {
            let now = fs::read(path).with_context(|| format!("{} is gone", path.display()))?;
            ensure!(&now == key, "{} is another one", path.display());
        }
        self.complete("root-key.pem", &["pkey", "-noout"])?;
        self.complete("root-cert.csr", &["req", "-noout", "-verify"])?;
        self.complete("root-cert.pem", &["x509", "-noout"])?;
        for cluster in ["c1", "c2"].map(|cluster| self.ca().join(cluster)) {
            for name in names(&cluster)? {
                let known = BUNDLE.contains(&name.as_str());
                ensure!(known, "{} in {}", name, cluster.display());
            }
        }
        private(&self.folder)
    }

    fn complete(&self, file: &str, openssl: &[&str]) -> Result<()> {
        let path = self.ca().join(file);
        if path.exists() {
            Program::new("openssl").args(openssl).arg("-in").arg(path).stdout()?;
        }
        Ok(())
    }

    /// The same command ends well, with every key that was there, and leaves nothing beside.
    fn finishes(&self, work: &Work, keys: &[(PathBuf, Vec<u8>)]) -> Result<()> {
        self.cacerts(work.command).stdout().context("the same again")?;
        self.old_or_new(keys)?;
        let mut expected: Vec<_> = ROOT.iter().chain(work.files).copied().collect();
        expected.sort_unstable();
        let found: Vec<_> =
            names(&self.ca())?.into_iter().filter(|name| name != ".cacerts.lock").collect();
        ensure!(found == expected, "found {found:?}, expected {expected:?}");
        for cluster in work.files {
            let found = names(&self.ca().join(cluster))?;
            ensure!(found == BUNDLE, "{cluster} has {found:?}");
            let certificate = format!("ca/{cluster}/ca-cert.pem");
            let verify = ["verify", "-x509_strict", "-CAfile", "ca/root-cert.pem", &certificate];
            Program::new("openssl").args(verify).in_folder(&self.folder).stdout()?;
        }
        Ok(())
    }
}

/// The names in a folder, sorted; none where there is no folder.
fn names(folder: &Path) -> Result<Vec<String>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).context("cannot read a folder")? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).context("cannot remove the last folder")?;
    }
    fs::create_dir_all(folder).context("cannot create a folder")
}

/// Copies what is in a folder, with its modes.
fn copy(from: &Path, to: &Path) -> Result<()> {
    for name in names(from)? {
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            fs::create_dir(&to).context("cannot create a folder")?;
            copy(&from, &to)?;
        } else {
            fs::copy(&from, &to).context("cannot copy a file")?;
        }
    }
    Ok(())
}

/// Every key below is for its owner alone, even one that never got its name.
fn private(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).context("cannot read a folder")? {
        let (path, metadata) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))?;
        let is_key =
            path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.ends_with("-key.pem"));
        if metadata.is_dir() {
            private(&path)?;
        } else if is_key {
            let mode = metadata.permissions().mode() & 0o777;
            ensure!(mode == 0o600, "{} has mode {mode:o}", path.display());
        }
    }
    Ok(())
}
