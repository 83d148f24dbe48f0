//! What a person sees while the harness runs: lines on stderr. Results go to stdout, through
//! [`answer`]. Nothing else in the harness prints.

use std::io::{IsTerminal as _, Write as _, stderr, stdout};

/// Back to the start of the line, and nothing left on it.
const ERASE: &str = "\r\x1b[K";

/// Prints a line of progress, in place of a passing one.
pub(crate) fn say(line: &str) {
    let erase = if stderr().is_terminal() { ERASE } else { "" };
    write(format_args!("{erase}{line}\n"));
}

/// Shows a line that the next one replaces; on anything but a terminal, shows nothing.
pub(crate) fn pass(line: &str) {
    if stderr().is_terminal() {
        write(format_args!("{ERASE}{line}"));
    }
}

/// Whether results may be coloured: on a terminal, unless `NO_COLOR` is set.
pub(crate) fn in_colour() -> bool {
    stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Prints a result.
pub(crate) fn answer(text: &str) {
    // A reader that went away (`| head`) has what it wanted.
    drop(writeln!(stdout(), "{text}"));
}

fn write(text: std::fmt::Arguments<'_>) {
    // Nothing better can be done about a stderr that is gone.
    drop(stderr().write_fmt(text));
}

/// Sends the log to stderr: warnings, with `verbose` more; RUST_LOG overrides. The Kubernetes
/// client is silent: it logs as an error what the harness waits out.
pub(crate) fn log(verbose: u8) {
    let level = match verbose {
        0 => "warn,kube_client=off",
        1 => "warn,kube_client=off,e2e=info",
        _ => "warn,kube_client=off,e2e=debug",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_unset_or_wrong| tracing_subscriber::EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_ansi(stderr().is_terminal())
        .without_time()
        .with_target(false)
        .with_env_filter(filter)
        .with_writer(stderr)
        .init();
}
