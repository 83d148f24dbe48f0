//! `cacerts`, the program; see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    cacerts::main()
}
