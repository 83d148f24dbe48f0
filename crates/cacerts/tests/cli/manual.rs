//! `cacerts completions` and `cacerts man`, and the program as a plugin of kubectl.

use std::os::unix::process::CommandExt as _;

use pretty_assertions::assert_eq;

use crate::desk::{Desk, said, stopped};

#[test]
fn every_shell_completes_every_command() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = desk.ok(&["completions", shell]);
        for word in ["init", "issue", "check", "no-passphrase"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
    }
    assert_eq!(desk.run(&["completions", "dash"]).code, Some(2));
}

#[test]
fn a_man_page_is_of_the_program_or_of_a_command() {
    let desk = Desk::new();
    let page = desk.ok(&["man"]);
    assert!(page.contains(".TH cacerts 1"), "{page}");
    let page = desk.ok(&["man", "issue"]);
    assert!(page.contains(".TH cacerts-issue 1"), "{page}");
    assert!(page.contains("Exit codes: 0 made or already there"), "{page}");
    let page = desk.ok(&["man", "crl", "root"]);
    assert!(page.contains(".TH cacerts-crl-root 1"), "{page}");
    let expected = "`cacerts-issue` has no commands below it, and no `everything`";
    assert_eq!(desk.run(&["man", "issue", "everything"]), stopped(1, expected));
    let refused = desk.run(&["man", "plug"]);
    let expected = "error: `cacerts` has no command `plug`; it has init, issue, ";
    assert_eq!(
        (refused.code, refused.err.starts_with(expected)),
        (Some(1), true),
        "{}",
        refused.err
    );
}

#[test]
fn a_plugin_of_kubectl_goes_by_its_name_there() {
    let desk = Desk::new();
    let usage = |name: &str| {
        let mut program = desk.program(&["issue", "--help"], &[]);
        let said = said(program.arg0(name).spawn().unwrap());
        said.out.lines().find(|line| line.starts_with("Usage: ")).unwrap_or_default().to_owned()
    };
    assert_eq!(
        usage("/usr/bin/kubectl-cacerts"),
        "Usage: kubectl cacerts issue [OPTIONS] <NAME>..."
    );
    assert_eq!(usage("cacerts"), "Usage: cacerts issue [OPTIONS] <NAME>...");
}
