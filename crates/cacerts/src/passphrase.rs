//! The passphrase of a key that signs: from a file, from the environment, or from the terminal.

use std::io::{IsTerminal as _, stdin};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::failure::Failure;

/// Where the passphrase is.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Passphrase {
    /// The passphrase of the key that signs: the first line of FILE. Else CACERTS_PASSPHRASE has
    /// it, else it is asked for on the terminal
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// Where the passphrase is of a key that is made beside the one that signs.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct NewPassphrase {
    /// The passphrase of the new key: the first line of FILE. Else CACERTS_NEW_PASSPHRASE has it,
    /// else it is asked for on the terminal
    #[arg(long, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
    /// Leaves the new key without a passphrase
    #[arg(long, conflicts_with = "new_passphrase_file")]
    pub(crate) no_passphrase: bool,
}

/// Wiped when dropped.
pub(crate) type Secret = Zeroizing<Vec<u8>>;

impl Passphrase {
    /// One for a new root key; a person types it twice.
    pub(crate) fn choose(&self) -> Result<Secret, Failure> {
        self.source().choose("the new root key")
    }

    /// The one of a key that is there.
    pub(crate) fn of(&self, key: &Path) -> Result<Secret, Failure> {
        self.source().of(key)
    }

    /// Without asking anybody.
    pub(crate) fn told(&self) -> Result<Option<Secret>, Failure> {
        self.source().told()
    }

    fn source(&self) -> Source<'_> {
        Source {
            file: self.passphrase_file.as_deref(),
            option: "--passphrase-file",
            variable: "CACERTS_PASSPHRASE",
        }
    }
}

impl NewPassphrase {
    /// One for new keys of tiers, if they are to have one; a person types it twice.
    pub(crate) fn choose(&self) -> Result<Option<Secret>, Failure> {
        if self.no_passphrase {
            return Ok(None);
        }
        self.source().choose("the new tier key").map(Some)
    }

    /// The one of a key that is there.
    pub(crate) fn of(&self, key: &Path) -> Result<Secret, Failure> {
        self.source().of(key)
    }

    fn source(&self) -> Source<'_> {
        Source {
            file: self.new_passphrase_file.as_deref(),
            option: "--new-passphrase-file",
            variable: "CACERTS_NEW_PASSPHRASE",
        }
    }
}

/// The places where one passphrase is looked for.
struct Source<'a> {
    file: Option<&'a Path>,
    option: &'static str,
    variable: &'static str,
}

impl Source<'_> {
    fn choose(&self, whose: &str) -> Result<Secret, Failure> {
        if let Some(told) = self.told()? {
            return Ok(told);
        }
        let first = self.ask(whose, &format!("Passphrase for {whose}: "))?;
        if first != self.ask(whose, "Once more: ")? {
            return Err(Failure::refused("the two passphrases differ"));
        }
        Ok(first)
    }

    fn of(&self, key: &Path) -> Result<Secret, Failure> {
        let key = format!("`{}`", key.display());
        match self.told()? {
            Some(told) => Ok(told),
            None => self.ask(&key, &format!("Passphrase of {key}: ")),
        }
    }

    fn told(&self) -> Result<Option<Secret>, Failure> {
        if let Some(file) = self.file {
            let content = std::fs::read(file).map(Zeroizing::new);
            let content =
                content.map_err(Failure::io(format!("cannot read `{}`", file.display())))?;
            let line = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            return something(line.to_vec(), &format!("`{}`", file.display())).map(Some);
        }
        match std::env::var_os(self.variable) {
            Some(value) => something(value.into_vec(), self.variable).map(Some),
            None => Ok(None),
        }
    }

    fn ask(&self, whose: &str, prompt: &str) -> Result<Secret, Failure> {
        if !stdin().is_terminal() {
            return Err(Failure::could_not(format!(
                "there is no terminal to ask for the passphrase of {whose}; give {} FILE or set {}",
                self.option, self.variable
            )));
        }
        let typed = rpassword::prompt_password(prompt)
            .map_err(Failure::io("cannot ask for the passphrase on the terminal"))?;
        something(typed.into_bytes(), "what was typed")
    }
}

fn something(secret: Vec<u8>, source: &str) -> Result<Secret, Failure> {
    let secret = Zeroizing::new(secret);
    if secret.is_empty() {
        return Err(Failure::refused(format!("the passphrase is empty ({source})")));
    }
    Ok(secret)
}
