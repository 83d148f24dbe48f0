//! The passphrase of the root's key: from a file, from the environment, or from the terminal.

use std::io::{IsTerminal as _, stdin};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::failure::Failure;

const VARIABLE: &str = "CACERTS_PASSPHRASE";

/// Where the passphrase is.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Passphrase {
    /// The root key's passphrase: the first line of FILE. Else CACERTS_PASSPHRASE has it, else it
    /// is asked for on the terminal
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// Wiped when dropped.
pub(crate) type Secret = Zeroizing<Vec<u8>>;

impl Passphrase {
    /// One for a new key; a person types it twice.
    pub(crate) fn choose(&self) -> Result<Secret, Failure> {
        if let Some(told) = self.told()? {
            return Ok(told);
        }
        let first = ask("Passphrase for the new root key: ")?;
        if first != ask("Once more: ")? {
            return Err(Failure::refused("the two passphrases differ"));
        }
        Ok(first)
    }

    /// The one of a key that is there.
    pub(crate) fn of(&self, key: &Path) -> Result<Secret, Failure> {
        match self.told()? {
            Some(told) => Ok(told),
            None => ask(&format!("Passphrase of `{}`: ", key.display())),
        }
    }

    /// Without asking anybody.
    pub(crate) fn told(&self) -> Result<Option<Secret>, Failure> {
        if let Some(file) = &self.passphrase_file {
            let content = std::fs::read(file).map(Zeroizing::new);
            let content =
                content.map_err(Failure::io(format!("cannot read `{}`", file.display())))?;
            let line = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            return something(line.to_vec(), &format!("`{}`", file.display())).map(Some);
        }
        match std::env::var_os(VARIABLE) {
            Some(value) => something(value.into_vec(), VARIABLE).map(Some),
            None => Ok(None),
        }
    }
}

fn ask(prompt: &str) -> Result<Secret, Failure> {
    if !stdin().is_terminal() {
        return Err(Failure::could_not(format!(
            "the root key has a passphrase and there is no terminal to ask for it; give \
             --passphrase-file FILE or set {VARIABLE}"
        )));
    }
    let typed = rpassword::prompt_password(prompt)
        .map_err(Failure::io("cannot ask for the passphrase on the terminal"))?;
    something(typed.into_bytes(), "what was typed")
}

fn something(secret: Vec<u8>, source: &str) -> Result<Secret, Failure> {
    let secret = Zeroizing::new(secret);
    if secret.is_empty() {
        return Err(Failure::refused(format!("the passphrase is empty ({source})")));
    }
    Ok(secret)
}
