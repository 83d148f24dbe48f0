//! The only place where a task prints.

use std::io::Write as _;

/// Prints a line of progress or an error, on standard error.
pub(crate) fn say(line: &str) {
    #[expect(clippy::print_stderr, reason = "this is the module that prints")]
    {
        eprintln!("{line}");
    }
}

/// Prints a line that a script reads, on standard output.
pub(crate) fn result(line: &str) {
    #[expect(clippy::print_stdout, reason = "this is the module that prints")]
    {
        println!("{line}");
    }
    // A reader that has gone away is no error of ours.
    std::io::stdout().flush().ok();
}
