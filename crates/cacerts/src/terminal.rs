//! The only place where `cacerts` prints: results on standard output, all else on standard error.

use std::error::Error as _;
use std::io::{IsTerminal as _, Write as _, stderr, stdin, stdout};

use crate::failure::Failure;

/// Back to the start of the line, and nothing left on it.
const ERASE: &str = "\r\x1b[K";

/// Prints a result.
pub(crate) fn answer(text: &str) {
    // A reader that went away (`| head`) has what it wanted.
    drop(writeln!(stdout(), "{text}"));
}

/// Prints what the administrator should know besides the result.
pub(crate) fn note(text: &str) {
    write(&format!("note: {text}\n"));
}

/// Prints why nothing came of it, with the causes.
pub(crate) fn failure(failure: &Failure) {
    let mut text = format!("error: {failure}\n");
    let mut cause = failure.source();
    while let Some(found) = cause {
        text.push_str(&format!("caused by: {found}\n"));
        cause = found.source();
    }
    write(&text);
}

/// Shows a line that the next one replaces; on anything but a terminal, shows nothing.
pub(crate) fn pass(line: &str) {
    if stderr().is_terminal() {
        write(&format!("{ERASE}{line}"));
    }
}

/// Shows what is to be looked at before a question.
pub(crate) fn show(text: &str) {
    write(&format!("{text}\n"));
}

/// Asks for a yes; `None` where there is no terminal to ask on. Everything else is a no.
pub(crate) fn confirmed(question: &str) -> Option<std::io::Result<bool>> {
    if !stdin().is_terminal() {
        return None;
    }
    write(question);
    let mut typed = String::new();
    let read = stdin().read_line(&mut typed);
    Some(read.map(|_| ["y", "yes"].contains(&typed.trim().to_lowercase().as_str())))
}

/// Takes a passing line away.
pub(crate) fn passed() {
    pass("");
}

fn write(text: &str) {
    // Nothing better can be done about a stderr that is gone.
    drop(stderr().write_all(text.as_bytes()));
}
