//! `cacerts crl` killed at every call that changes files: a list is the old or the new one, and no
//! number comes twice.

use anyhow::{Context as _, Result, bail, ensure};

use super::Desk;
use crate::claims::Claim;
use crate::command::{Program, target_dir};

pub(super) const CLAIMS: &[Claim<Desk>] = &[
    ("crl root killed at every call leaves a list, and no number comes twice", root),
    ("crl join killed at every call leaves the old lists or the new ones", join),
];

const CALLS: [&str; 6] = ["mkdir", "write", "fsync", "rename", "unlinkat", "rmdir"];
/// More of one call than either command makes: beyond it, the injection does not work.
const LIMIT: u32 = 100;

/// Whether strace is there and may stop programs.
pub(super) fn may_trace() -> bool {
    let strace = Program::new("strace").args(["-qq", "-o", "/dev/null"]);
    strace.arg(target_dir().join("debug/cacerts")).arg("--version").stdout().is_ok()
}

fn root(desk: &Desk) -> Result<()> {
    const COMMAND: &str = "crl root --dir ca --anew";
    desk.joined()?;
    at_every_call(desk, COMMAND, |at| {
        let (list, record) = (number_of_list(desk)?, number_of_record(desk)?);
        ensure!(list <= record, "{at}: the list has number {list}, the record {record}");
        desk.cacerts(COMMAND)?;
        let next = number_of_list(desk)?;
        ensure!(next > record, "{at}: number {next} comes after {record}");
        nothing_beside(desk)
    })
}

fn join(desk: &Desk) -> Result<()> {
    const COMMAND: &str = "crl join ca/c1 --peer ca/c2";
    desk.joined()?;
    let mut old = desk.read("ca/c1/ca-crl.pem")?;
    desk.cacerts("crl root --dir ca --anew")?;
    at_every_call(desk, COMMAND, |at| {
        let found = desk.read("ca/c1/ca-crl.pem")?;
        desk.cacerts(COMMAND)?;
        let new = desk.read("ca/c1/ca-crl.pem")?;
        ensure!(old != new, "{at}: there was nothing to write");
        ensure!(found == old || found == new, "{at}: neither the old lists nor the new ones");
        let count = std::fs::read_dir(desk.path.join("ca/c1")).context("cannot read c1")?.count();
        ensure!(count == 5, "{at}: {count} files in c1");
        nothing_beside(desk)?;
        old = new;
        desk.cacerts("crl root --dir ca --anew").map(drop)
    })
}

/// Kills the command at the first such call, then at the second, until there is none; `found` looks
/// at what is left each time.
fn at_every_call(
    desk: &Desk,
    command: &str,
    mut found: impl FnMut(&str) -> Result<()>,
) -> Result<()> {
    let mut killed = 0;
    for call in CALLS {
        for number in 1.. {
            ensure!(number < LIMIT, "{call}: the injection has no end");
            let at = format!("{call} {number}");
            let was_killed = kill_at(desk, command, call, number)?;
            found(&at).with_context(|| at.clone())?;
            if !was_killed {
                break;
            }
            killed += 1;
        }
    }
    ensure!(killed >= CALLS.len(), "it was killed {killed} times only");
    Ok(())
}

/// Whether there is such a call, at which the command was killed.
fn kill_at(desk: &Desk, command: &str, call: &str, number: u32) -> Result<bool> {
    let (trace, inject) =
        (format!("trace={call}"), format!("inject={call}:signal=KILL:when={number}"));
    let strace = Program::new("strace").args(["-f", "-qq", "-o", "strace.log", "-e", &trace, "-e"]);
    let traced = strace.arg(inject).arg("--").arg(target_dir().join("debug/cacerts"));
    let outcome = traced.args(command.split(' ')).in_folder(&desk.path).stdout();
    let log = String::from_utf8(desk.read("strace.log")?).context("strace wrote no text")?;
    match outcome {
        Ok(_) => Ok(false),
        Err(_) if log.contains("killed by SIGKILL") => Ok(true),
        Err(error) => Err(error),
    }
}

fn number_of_list(desk: &Desk) -> Result<u64> {
    let of = "crl -in ca/root-crl.pem -noout -crlnumber -verify -CAfile ca/root-cert.pem";
    let said = desk.openssl(of)?;
    let number = said.lines().find_map(|line| line.strip_prefix("crlNumber=0x"));
    u64::from_str_radix(number.context("openssl printed no number")?, 16).context("no number")
}

fn number_of_record(desk: &Desk) -> Result<u64> {
    let record = String::from_utf8(desk.read("ca/root-revoked.txt")?).context("no text")?;
    let number = record.lines().find_map(|line| line.strip_prefix("number "));
    number.context("the record has no number")?.parse().context("the number is none")
}

fn nothing_beside(desk: &Desk) -> Result<()> {
    for entry in std::fs::read_dir(desk.path.join("ca")).context("cannot read the folder")? {
        let name = entry?.file_name();
        if name.to_string_lossy().starts_with('.') {
            bail!("{} is left", name.display());
        }
    }
    Ok(())
}
