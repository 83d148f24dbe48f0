//! Two programs in one folder, and what a killed one leaves.

use std::io::{BufRead as _, BufReader, Read as _};

use ca_dir::Lock;
use pretty_assertions::assert_eq;

use crate::desk::{Desk, said};

#[test]
fn of_two_that_make_a_root_at_once_one_does_and_the_other_finds_it() {
    let desk = Desk::new();
    let args = ["init", "ca", "--no-passphrase", "--key", "rsa2048"];
    let programs = [0, 1, 2].map(|_| desk.program(&args, &[]).spawn().unwrap());
    let outcomes = programs.map(said);
    assert!(outcomes.iter().all(|said| said.code == Some(0)), "{outcomes:?}");
    let made = outcomes.iter().filter(|said| said.out.starts_with("made the root ")).count();
    assert_eq!(made, 1, "{outcomes:?}");
    desk.ok(&["issue", "c1", "--dir", "ca"]);
}

#[test]
fn who_finds_another_at_work_says_so_and_waits() {
    let desk = Desk::with_root();
    let lock = Lock::take(&desk.path("ca"), || panic!("nobody else is here")).unwrap();
    let mut program = desk.program(&["issue", "c1", "--dir", "ca"], &[]).spawn().unwrap();
    let mut errors = BufReader::new(program.stderr.take().unwrap());
    let mut line = String::new();
    errors.read_line(&mut line).unwrap();
    assert_eq!(line, "note: waiting for another cacerts that is at work in `ca`\n");
    assert!(!desk.path("ca/c1").exists(), "it did not wait");
    drop(lock);
    let outcome = said(program);
    errors.read_to_string(&mut line).unwrap();
    assert_eq!(outcome.code, Some(0), "{line}");
    assert!(desk.path("ca/c1/ca-cert.pem").exists());
}

#[test]
fn what_a_killed_program_left_half_written_is_removed_and_nothing_else_is() {
    let desk = Desk::with_root();
    for folder in ["ca/.c1.4711.new", "ca/.git", "ca/.c1.x.new", "ca/c1.4711.new"] {
        std::fs::create_dir(desk.path(folder)).unwrap();
        desk.write(&format!("{folder}/ca-key.pem"), "a key, or half of it");
    }
    desk.ok(&["issue", "c1", "--dir", "ca"]);
    let others: Vec<_> =
        desk.names("ca").into_iter().filter(|name| !name.starts_with("root-")).collect();
    assert_eq!(others, [".c1.x.new", ".git", "c1", "c1.4711.new"]);
}
