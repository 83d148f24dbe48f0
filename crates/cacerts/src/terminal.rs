//! The only place where `cacerts` prints: results on standard output, all else on standard error.

use std::error::Error as _;
use std::io::{ErrorKind, IsTerminal as _, Write as _, stderr, stdin, stdout};

use anstream::AutoStream;

use crate::failure::Failure;

/// Back to the start of the line, and nothing left on it.
const ERASE: &str = "\r\x1b[K";

/// Longer lines are hard to read.
const WIDTH: usize = 100;

/// Prints a result.
pub(crate) fn answer(text: &str) {
    // A reader that went away (`| head`) has what it wanted.
    drop(writeln!(stdout(), "{text}"));
}

/// Prints a whole document, which may have colours: they are left out where nobody sees them or
/// `NO_COLOR` is set. Unlike a line that went nowhere, half a document is a failure.
pub(crate) fn print(document: &str) -> Result<(), Failure> {
    if document.is_empty() {
        return Ok(());
    }
    // In one piece: line by line, a thousand bundles take thousands of calls.
    let mut text = AutoStream::new(Vec::new(), AutoStream::choice(&stdout()));
    let written = writeln!(text, "{document}").map(|()| text.into_inner());
    let mut out = stdout().lock();
    match written.and_then(|text| out.write_all(&text)).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::io("cannot write to standard output")(error))
        }
        _ => Ok(()),
    }
}

/// The columns of the terminal that `print` prints to, and what is easy to read elsewhere.
pub(crate) fn width() -> usize {
    let columns = terminal_size::terminal_size_of(stdout()).map(|(width, _)| width.0.into());
    columns.unwrap_or(WIDTH).clamp(40, WIDTH)
}

/// Foreign text for a line of a terminal: what would end the line, move the cursor or turn the text
/// around is written out.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        let turns = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}');
        if turns || character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Prints what the administrator should know besides the result.
pub(crate) fn note(text: &str) {
    write(&format!("note: {}\n", lines(text)));
}

/// Prints why nothing came of it, with the causes.
pub(crate) fn failure(failure: &Failure) {
    let mut text = format!("error: {}\n", lines(&failure.to_string()));
    let mut cause = failure.source();
    while let Some(found) = cause {
        text.push_str(&format!("caused by: {}\n", lines(&found.to_string())));
        cause = found.source();
    }
    write(&text);
}

/// Text of this program, which may have several lines, with foreign names in it.
fn lines(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
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
