//! The only module that prints: progress on standard error, results on standard output.

use std::io::{IsTerminal as _, Write as _, stderr, stdout};

/// Back to the start of the line, and nothing left on it.
const ERASE: &str = "\r\x1b[K";

/// Prints a line of progress, in place of a passing one.
pub(crate) fn say(line: &str) {
    let erase = if stderr().is_terminal() { ERASE } else { "" };
    // Nothing better can be done about a stderr that is gone.
    drop(stderr().write_fmt(format_args!("{erase}{line}\n")));
}

/// Shows a line that the next one replaces; on anything but a terminal, shows nothing.
pub(crate) fn pass(line: &str) {
    if stderr().is_terminal() {
        drop(stderr().write_fmt(format_args!("{ERASE}{line}")));
    }
}

/// Prints a result.
pub(crate) fn answer(line: &str) {
    // A reader that went away (`| head`) has what it wanted.
    drop(writeln!(stdout(), "{line}"));
}
