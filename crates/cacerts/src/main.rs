//! `cacerts`, the program; see the library.

use std::process::ExitCode;

#[cfg(fuzzing)]
compile_error!("built for fuzzing, `pki` takes marked signatures for good ones: no program may be");

fn main() -> ExitCode {
    cacerts::main()
}
