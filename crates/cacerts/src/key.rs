//! Keys that sign: made, encoded, and opened where they lie.

use std::path::PathBuf;

use pki::{KeyAlgorithm, PrivateKey};
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::init::refuse_differences;
use crate::passphrase::Secret;
use crate::progress::in_parallel;

/// The file of a key that signs, with its content.
pub(crate) struct KeyFile {
    pub(crate) path: PathBuf,
    pem: Zeroizing<Vec<u8>>,
    /// Whether the key is under a passphrase.
    pub(crate) is_encrypted: bool,
}

impl KeyFile {
    /// Looks at it without opening it.
    pub(crate) fn look(path: PathBuf, pem: Zeroizing<Vec<u8>>) -> Result<Self, Failure> {
        let is_encrypted = PrivateKey::is_encrypted(&pem);
        let unusable = format!("`{}` cannot be used", path.display());
        let is_encrypted = is_encrypted.map_err(Failure::within(unusable))?;
        Ok(Self { path, pem, is_encrypted })
    }

    /// Reads the key; the passphrase is asked for where it has one.
    pub(crate) fn open(
        &self,
        passphrase: impl FnOnce() -> Result<Secret, Failure>,
    ) -> Result<PrivateKey, Failure> {
        match self.is_encrypted {
            true => PrivateKey::from_encrypted_pem(&self.pem, &passphrase()?),
            false => PrivateKey::from_pem(&self.pem),
        }
        .map_err(Failure::within(format!("`{}` cannot be used", self.path.display())))
    }

    /// A key that is there stays as it is, so that it must be as it was asked for.
    pub(crate) fn refuse_other_protection(&self, no_passphrase: bool) -> Result<(), Failure> {
        if self.is_encrypted && no_passphrase {
            let difference = "it has a passphrase, asked for was none".to_owned();
            return refuse_differences(&self.path, &[difference]);
        }
        if !self.is_encrypted && !no_passphrase {
            return Err(Failure::refused(format!(
                "`{}` is there and has no passphrase; say --no-passphrase to use it as it is, or \
                 move it away",
                self.path.display()
            )));
        }
        Ok(())
    }

    /// Its kind, too.
    pub(crate) fn refuse_other_kind(
        &self,
        key: &PrivateKey,
        asked: Option<KeyAlgorithm>,
    ) -> Result<(), Failure> {
        let Some(asked) = asked.filter(|asked| asked.kind() != key.kind()) else { return Ok(()) };
        let difference = format!("it is {}, asked for was {}", key.kind(), asked.kind());
        refuse_differences(&self.path, &[difference])
    }
}

/// Makes a key; RSA takes seconds, so that it is told.
pub(crate) fn generate(whose: &str, algorithm: KeyAlgorithm) -> Result<PrivateKey, Failure> {
    let failed = || format!("cannot make {whose} key");
    let make = |_| PrivateKey::generate(algorithm).map_err(Failure::within(failed()));
    let mut made = None;
    let take = |_, key| {
        made = Some(key);
        Ok(())
    };
    in_parallel(&format!("making {whose} key, {}", algorithm.kind()), 1, make, take)?;
    made.ok_or_else(|| Failure::could_not(failed()))
}

/// The content of a key's file. Secret.
pub(crate) fn encode(
    whose: &str,
    key: &PrivateKey,
    passphrase: Option<&Secret>,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let pem = match passphrase {
        Some(passphrase) => key.to_encrypted_pem(passphrase).map(Zeroizing::new),
        None => key.to_pem(),
    };
    let pem = pem.map_err(Failure::within(format!("cannot encode {whose} key")))?;
    Ok(Zeroizing::new(pem.as_bytes().to_vec()))
}
