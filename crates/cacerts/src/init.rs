//! `cacerts init`: a root, once.

use std::path::{Path, PathBuf};

use ca_dir::{Lock, ROOT_CERT, ROOT_CSR, ROOT_KEY, RootSet};
use clap::Args;
use pki::{CaRequest, Certificate, PrivateKey, Profile, RootCa, RootCaParams};
use time::OffsetDateTime;

use crate::cli::CaArgs;
use crate::clock;
use crate::failure::Failure;
use crate::issuer::refuse_tier;
use crate::key::{KeyFile, encode, generate};
use crate::passphrase::{Passphrase, Secret};
use crate::report::{self, Ca};
use crate::terminal;
use crate::variables::{Level, Variables};
use crate::wish::{Said, Wish};

/// Options of `init`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  cacerts init ca                               asks for a passphrase\n  \
                  cacerts init ca --passphrase-file FILE        asks nobody\n  \
                  cacerts init ca --key rsa4096 --lifetime 20y  for peers that know RSA only\n  \
                  cacerts init ca --profile makefile --no-passphrase\n                                                \
                  a root that `make` goes on from\n\n\
                  Writes root-key.pem (0600), root-ca.conf, root-cert.csr and root-cert.pem. A \
                  key that is\nthere is used and never overwritten; a root that is there is never \
                  re-issued.\n\n\
                  Exit codes: 0 made or already there, 1 refused or wrong, 2 it could not be done"
)]
pub(crate) struct InitArgs {
    /// The root's folder; it belongs on an offline machine
    #[arg(default_value = ".")]
    dir: PathBuf,
    #[command(flatten)]
    ca: CaArgs,
    #[command(flatten)]
    passphrase: Passphrase,
    /// Leaves the root's key without a passphrase. make goes on by itself from no other
    #[arg(long, conflicts_with = "passphrase_file")]
    no_passphrase: bool,
    /// Prints the root as a JSON object
    #[arg(long)]
    json: bool,
}

impl InitArgs {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let now = clock::now()?;
        let mut said = self.ca.said(None);
        let profile = said.profile.unwrap_or(Profile::Hardened);
        let variables = Variables::of(Level::Root)?;
        if let Some(note) = said.with(profile, &variables) {
            terminal::note(&note);
        }
        let wish = said.clone().wish(Level::Root, profile, now)?;
        RootSet::create_folder(&self.dir)?;
        let _lock = take(&self.dir)?;
        refuse_tier(&self.dir)?;
        let there = RootSet::read(&self.dir)?;
        let root = match &there.certificate {
            Some(pem) => self.keep(&there, pem, &said, now)?,
            None => self.make(&there, wish, &said, variables.key_size.as_deref())?,
        };
        report::root(&root, self.json);
        Ok(())
    }

    /// The root that is there, if it is what was asked for.
    fn keep(
        &self,
        there: &RootSet,
        pem: &[u8],
        said: &Said,
        now: OffsetDateTime,
    ) -> Result<Ca, Failure> {
        let path = self.dir.join(ROOT_CERT);
        let within = || format!("`{}` is there and is no root", path.display());
        let certificate = Certificate::from_pem(pem).map_err(Failure::within(within()))?;
        let Some(key) = &there.key else {
            return Err(Failure::refused(format!(
                "`{}` is there without its key, `{ROOT_KEY}`; a root is never re-issued: choose \
                 another folder",
                path.display()
            )));
        };
        let key = KeyFile::look(self.dir.join(ROOT_KEY), key.clone())?;
        let encrypted = key.is_encrypted;
        let mut differences = said.differences(&certificate);
        if encrypted && self.no_passphrase {
            differences.push("its key has a passphrase, asked for was none".to_owned());
        }
        refuse_differences(&path, &differences)?;
        // Nobody is asked for a passphrase only to hear that there is nothing to do.
        let passphrase = if encrypted { self.passphrase.told()? } else { None };
        if !encrypted || passphrase.is_some() {
            let key = key.open(|| Ok(passphrase.unwrap_or_default()))?;
            RootCa::with_key(certificate.clone(), key, now).map_err(Failure::within(within()))?;
        }
        if ca_dir::make_would_reissue(&self.dir)? {
            terminal::note(
                "make would re-issue this root, since its files are not dated in make's order \
                 (copied, perhaps): do not run make here",
            );
        }
        Ok(Ca::root(&self.dir, &certificate, false, encrypted))
    }

    fn make(
        &self,
        there: &RootSet,
        wish: Wish,
        said: &Said,
        key_size: Option<&str>,
    ) -> Result<Ca, Failure> {
        let (key, encrypted, key_pem) = match &there.key {
            Some(pem) => {
                let file = KeyFile::look(self.dir.join(ROOT_KEY), pem.clone())?;
                file.refuse_other_protection(self.no_passphrase)?;
                let key = file.open(|| self.passphrase.of(&file.path))?;
                file.refuse_other_kind(&key, said.key)?;
                (key, file.is_encrypted, None)
            }
            None => {
                let passphrase = self.chosen_passphrase()?;
                let key = generate("the root's", wish.key)?;
                let pem = encode("the root's", &key, passphrase.as_ref())?;
                (key, passphrase.is_some(), Some(pem))
            }
        };
        self.refuse_foreign_request(there, &key)?;
        let params = RootCaParams {
            profile: wish.profile,
            common_name: wish.common_name,
            organization: wish.organization,
            validity: wish.validity,
            key: wish.key,
        };
        let refused = "the root cannot be made as asked for";
        let root = RootCa::self_sign(key, &params).map_err(Failure::within(refused))?;
        let request = root.request().and_then(|request| request.to_pem());
        let request = request.map_err(Failure::within(refused))?;
        let conf = ca_dir::root_conf(&params, key_size.unwrap_or("4096"));
        let missing = RootSet {
            key: key_pem,
            conf: there.conf.is_none().then(|| conf.into_bytes()),
            request: there.request.is_none().then(|| request.into_bytes()),
            certificate: Some(root.certificate().to_pem().into_bytes()),
        };
        missing.write(&self.dir)?;
        if encrypted && wish.profile == Profile::Makefile {
            terminal::note(
                "the root's key has a passphrase, which make does not know; --no-passphrase is \
                 what lets it go on from here",
            );
        }
        Ok(Ca::root(&self.dir, root.certificate(), true, encrypted))
    }

    fn chosen_passphrase(&self) -> Result<Option<Secret>, Failure> {
        if self.no_passphrase { Ok(None) } else { self.passphrase.choose().map(Some) }
    }

    /// make makes the root anew from a request of another key.
    fn refuse_foreign_request(&self, there: &RootSet, key: &PrivateKey) -> Result<(), Failure> {
        let Some(pem) = &there.request else { return Ok(()) };
        let path = self.dir.join(ROOT_CSR);
        let request = CaRequest::from_pem(pem)
            .map_err(Failure::within(format!("`{}` is no request", path.display())))?;
        if request.public_key_der() != key.public_key_der() {
            return Err(Failure::refused(format!(
                "`{}` is there and is not of the root's key; move it away",
                path.display()
            )));
        }
        Ok(())
    }
}

/// The folder for this program alone.
pub(crate) fn take(dir: &Path) -> Result<Lock, Failure> {
    let waiting = || {
        let dir = dir.display();
        terminal::note(&format!("waiting for another cacerts that is at work in `{dir}`"));
    };
    Ok(Lock::take(dir, waiting)?)
}

/// Nothing that exists is changed, so that something else cannot be had in its place.
pub(crate) fn refuse_differences(path: &Path, differences: &[String]) -> Result<(), Failure> {
    if differences.is_empty() {
        return Ok(());
    }
    Err(Failure::refused(format!(
        "`{}` is there and not what was asked for: {}; it is never replaced: ask for what is \
         there, or move it away",
        path.display(),
        differences.join("; ")
    )))
}
