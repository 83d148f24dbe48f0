//! Where one command is stopped, again and again, in a folder that is made anew each time.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::state::State;
use super::work::{Replaced, Work};
use crate::command::{Program, target_dir};

/// More of one call than any of the commands makes: beyond it, the injection does not work.
const LIMIT: u32 = 200;

pub(super) struct Desk<'a> {
    work: &'a Work,
    folder: PathBuf,
    /// What the folder is made from, again and again.
    template: PathBuf,
    before: State,
    /// What strace writes.
    log: PathBuf,
}

/// The numbers of a list and its record.
struct Numbers {
    list: u64,
    record: u64,
}

/// Whether strace is there and may stop programs.
pub(super) fn may_trace() -> bool {
    let strace = Program::new("strace").args(["-qq", "-o", "/dev/null"]);
    strace.arg(cacerts()).arg("--version").stdout().is_ok()
}

fn cacerts() -> PathBuf {
    target_dir().join("debug/cacerts")
}

impl<'a> Desk<'a> {
    /// Makes the folder that the command is to find, once.
    pub(super) fn new(index: usize, work: &'a Work) -> Result<Self> {
        let place = target_dir().join("crash").join(index.to_string());
        let [folder, template] = ["folder", "template"].map(|name| place.join(name));
        empty(&folder)?;
        let mut desk =
            Self { work, folder, template, before: State::default(), log: place.join("log") };
        for command in work.before {
            desk.cacerts(command).stdout()?;
        }
        for file in work.missing {
            fs::remove_file(desk.folder.join(file)).context("cannot remove a file")?;
        }
        empty(&desk.template)?;
        copy(&desk.folder, &desk.template)?;
        desk.before = State::read(&desk.folder)?;
        Ok(desk)
    }

    /// Injects `what` at the first of each call, then at the second, until there is none; returns
    /// how often.
    pub(super) fn every_call(&self, calls: &[&str], what: &str) -> Result<u32> {
        self.prepare()?;
        let all = format!("trace={}", calls.join(","));
        self.traced(&["-e", &all])?;
        let log = self.log()?;
        let mut times = 0;
        for call in calls.iter().filter(|call| log.contains(&format!("{call}("))) {
            for number in 1.. {
                ensure!(number < LIMIT, "{call}: the injection has no end");
                if !self
                    .at(call, number, what)
                    .with_context(|| format!("{call} {number}, {what}"))?
                {
                    break;
                }
                times += 1;
            }
        }
        Ok(times)
    }

    /// Whether there is such a call, at which `what` was injected.
    fn at(&self, call: &str, number: u32, what: &str) -> Result<bool> {
        self.prepare()?;
        let (trace, inject) =
            (format!("trace={call}"), format!("inject={call}:{what}:when={number}"));
        let outcome = self.traced(&["-e", &trace, "-e", &inject]);
        if outcome.is_ok() && !self.log()?.contains("INJECTED") {
            return Ok(false);
        }
        if let Err(error) = outcome {
            let words = format!("{error:#}");
            let told = what.starts_with("signal") || words.contains("error: cannot ");
            // A library that cannot be loaded is told by the loader.
            let loading = words.contains("error while loading shared libraries");
            ensure!(told || loading, "it says {words}");
        }
        self.old_or_new()?;
        Ok(true)
    }

    /// How long the command takes.
    pub(super) fn duration(&self) -> Result<Duration> {
        self.prepare()?;
        Ok(self.cacerts(self.work.command).killed_after(None)?.0)
    }

    /// Whether the command was killed, and had not ended before.
    pub(super) fn killed_after(&self, moment: Duration) -> Result<bool> {
        self.prepare()?;
        let (_, was_killed) = self.cacerts(self.work.command).killed_after(Some(moment))?;
        self.old_or_new().with_context(|| format!("killed after {moment:?}"))?;
        Ok(was_killed)
    }

    /// What has its name is old or new, and the same command again ends well: with every file that
    /// was there, nothing beside, and the witnesses' agreement.
    fn old_or_new(&self) -> Result<()> {
        let found = State::read(&self.folder)?;
        found.prove_old_or_new(self.work, &self.before)?;
        let numbers = self.numbers()?;
        if let Some(Numbers { list, record }) = numbers {
            ensure!(list <= record, "the list has number {list}, the record {record}");
        }
        self.cacerts(self.work.command).stdout().context("the same again")?;
        let done = State::read(&self.folder)?;
        done.prove_done(self.work, &self.before, &found)?;
        if let Replaced::File(file) = self.work.replaces {
            let (old, now, new) = (self.before.get(file), found.get(file), done.get(file));
            ensure!(old != new, "there was nothing to write");
            ensure!(now == old || now == new, "{file} is neither the old one nor the new one");
        }
        if let (Some(then), Some(now)) = (numbers, self.numbers()?) {
            let (used, next) = (then.record, now.list);
            ensure!(next > used, "number {next} comes after {used}");
        }
        self.work.witnesses.iter().try_for_each(|witness| self.agrees(witness))
    }

    fn agrees(&self, witness: &str) -> Result<()> {
        let program = match witness.strip_prefix("cacerts ") {
            Some(command) => self.cacerts(command),
            None => self.program(witness),
        };
        program.stdout().map(drop)
    }

    fn numbers(&self) -> Result<Option<Numbers>> {
        let Replaced::Numbered { list, record, ca } = self.work.replaces else { return Ok(None) };
        let said =
            self.program(&format!("openssl crl -noout -crlnumber -verify -in {list} -CAfile {ca}"));
        let said = said.stdout()?;
        let number = said.lines().find_map(|line| line.strip_prefix("crlNumber=0x"));
        let list = u64::from_str_radix(number.context("openssl printed no number")?, 16)?;
        let text =
            fs::read_to_string(self.folder.join(record)).context("cannot read the record")?;
        let number = text.lines().find_map(|line| line.strip_prefix("number "));
        let record = number.context("the record has no number")?.parse()?;
        Ok(Some(Numbers { list, record }))
    }

    fn traced(&self, args: &[&str]) -> Result<()> {
        let strace = Program::new("strace").args(["-f", "-qq", "-o"]).arg(&self.log).args(args);
        let traced = strace.arg("--").arg(cacerts()).args(self.work.command.split(' '));
        traced.in_folder(&self.folder).stdout().map(drop)
    }

    fn log(&self) -> Result<String> {
        fs::read_to_string(&self.log).context("strace wrote no log")
    }

    fn cacerts(&self, command: &str) -> Program {
        Program::new(cacerts()).args(command.split(' ')).in_folder(&self.folder)
    }

    fn program(&self, words: &str) -> Program {
        let (name, args) = words.split_once(' ').unwrap_or((words, ""));
        Program::new(name).args(args.split(' ')).in_folder(&self.folder)
    }

    /// The folder as the command finds it.
    fn prepare(&self) -> Result<()> {
        empty(&self.folder)?;
        copy(&self.template, &self.folder)
    }
}

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).context("cannot remove the last folder")?;
    }
    fs::create_dir_all(folder).context("cannot create a folder")
}

/// Copies what is in a folder, with its modes.
fn copy(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).context("cannot read a folder")? {
        let (from, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        let to = to.join(name);
        if from.is_dir() {
            fs::create_dir(&to).context("cannot create a folder")?;
            copy(&from, &to)?;
        } else {
            fs::copy(&from, &to).context("cannot copy a file")?;
        }
    }
    Ok(())
}
