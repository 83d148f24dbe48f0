//! `cacerts tier`: CAs between a root and the clusters' CAs, each in a folder that one issues from.

use std::path::PathBuf;

use clap::Args;
use pki::{Certificate, IssuingCa, TierCaParams, Validity};

use crate::cli::CaArgs;
use crate::clock;
use crate::failure::Failure;
use crate::issuer::IssuerFolder;
use crate::key::{encode, generate};
use crate::name::TierName;
use crate::passphrase::{NewPassphrase, Passphrase, Secret};
use crate::report::{self, Ca};
use crate::terminal;
use crate::variables::Level;
use crate::wish::{Said, Wish, profile_of};

mod folder;

use folder::TierFolder;

/// For clusters' CAs and nothing between.
const PATH_LENGTH: u32 = 1;

/// Options of `tier`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  cacerts tier prod test --dir ca             a CA for each environment\n  \
                  cacerts issue cluster1 --dir ca/prod        a cluster's CA below one of them\n  \
                  cacerts tier eu --dir ca --path-length 2    one that has tiers below it, too\n\n\
                  Writes NAME/tier-key.pem (0600), NAME/tier-cert.pem and NAME/tier-root.pem. Such \
                  a folder stands\nalone and may be kept elsewhere: `issue`, `sign`, `tier` and `crl \
                  root` work in it as in the\nroot's. It is never plugged into a mesh. No tier \
                  outlives what is above it.\n\n\
                  Exit codes: 0 made or already there, 1 refused or wrong, 2 it could not be done"
)]
pub(crate) struct TierArgs {
    /// The tiers; each gets a folder of its name in DIR
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// The folder of the root, or of the tier above
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// How many CAs may follow below, one under the other: 1 for clusters' CAs, 2 for a tier between
    /// [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=255))]
    path_length: Option<u32>,
    #[command(flatten)]
    ca: CaArgs,
    #[command(flatten)]
    passphrase: Passphrase,
    #[command(flatten)]
    new: NewPassphrase,
    /// Prints the tiers as a JSON array
    #[arg(long)]
    json: bool,
}

impl TierArgs {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let now = clock::now()?;
        let names = TierName::all(&self.names)?;
        let (issuer, _lock) = IssuerFolder::taken(&self.dir)?;
        let said = self.said(&names)?;
        let profile = said.profile.unwrap_or_else(|| profile_of(issuer.certificate()));
        let wishes = names
            .iter()
            .map(|name| said.clone().wish(Level::Tier(name.as_str()), profile, now))
            .collect::<Result<Vec<_>, _>>()?;
        // Every folder is looked at before anything is written.
        let folders = names
            .into_iter()
            .map(|name| TierFolder::look(&issuer, name, now))
            .collect::<Result<Vec<_>, _>>()?;
        for folder in &folders {
            folder.refuse_other(&said, self.path_length, &self.new)?;
        }
        let mut certificates: Vec<_> = folders.iter().map(|it| it.certificate().cloned()).collect();
        let missing: Vec<_> = (0..folders.len()).filter(|&at| certificates[at].is_none()).collect();
        if !missing.is_empty() {
            self.prove_room(&issuer)?;
            let ca = issuer.open(&self.passphrase, now)?;
            let needs_key = missing.iter().any(|&at| folders[at].key().is_none());
            let secret = if needs_key { self.new.choose()? } else { None };
            tell_shortened(&issuer, &wishes);
            for at in missing {
                let tier = self.make(&ca, &issuer, &folders[at], &wishes[at], secret.as_ref())?;
                certificates[at] = Some(tier);
            }
        }
        let report = folders.iter().zip(&certificates).filter_map(|(folder, certificate)| {
            let encrypted = folder.key().map_or(!self.new.no_passphrase, |key| key.is_encrypted);
            let (name, path, created) =
                (folder.name(), folder.path(), folder.certificate().is_none());
            Some(Ca::tier(name, path, certificate.as_ref()?, created, encrypted))
        });
        report::all(&report.collect::<Vec<_>>(), self.json);
        Ok(())
    }

    fn said(&self, names: &[TierName]) -> Result<Said, Failure> {
        let said = self.ca.said(None);
        match &said.common_name {
            Some(name) if names.len() > 1 => Err(Failure::refused(format!(
                "--common-name {name} is for one tier at a time: no two CAs should share a name"
            ))),
            _ => Ok(said),
        }
    }

    fn path_length(&self) -> u32 {
        self.path_length.unwrap_or(PATH_LENGTH)
    }

    /// Every CA below counts against the path length of the one that is to issue.
    fn prove_room(&self, issuer: &IssuerFolder) -> Result<(), Failure> {
        let wanted = self.path_length();
        let Some(found) = issuer.certificate().path_len().filter(|found| *found <= wanted) else {
            return Ok(());
        };
        let fix = match found {
            0 | 1 => {
                "a tier that is to have tiers below is made with --path-length 2 or more".into()
            }
            more => format!("say --path-length {} or less", more - 1),
        };
        Err(Failure::refused(format!(
            "`{}` has path length {found}, which leaves no room for a tier of path length {wanted}; \
             {fix}",
            issuer.dir.display()
        )))
    }

    fn make(
        &self,
        ca: &IssuingCa,
        issuer: &IssuerFolder,
        folder: &TierFolder<'_>,
        wish: &Wish,
        secret: Option<&Secret>,
    ) -> Result<Certificate, Failure> {
        let whose = format!("the tier {}'s", folder.name());
        let refused = || format!("the tier {} cannot be made as asked for", folder.name());
        let (key, key_pem) = match folder.key() {
            Some(file) => {
                let key = file.open(|| self.new.of(&file.path))?;
                file.refuse_other_kind(&key, self.ca.said(None).key)?;
                (key, None)
            }
            None => {
                let key = generate(&whose, wish.key)?;
                let pem = encode(&whose, &key, secret)?;
                (key, Some(pem))
            }
        };
        // In whichever profile: no tier outlives what is above it.
        let end = wish.validity.not_after().min(issuer.end());
        let validity = Validity::new(wish.validity.not_before(), end);
        let params = TierCaParams {
            profile: wish.profile,
            common_name: wish.common_name.clone(),
            organization: wish.organization.clone(),
            path_len: self.path_length(),
            validity: validity.map_err(Failure::within(refused()))?,
            key: wish.key,
        };
        let tier = ca.issue_tier_ca_for(key, &params).map_err(Failure::within(refused()))?;
        folder.write(tier.certificate(), key_pem)?;
        Ok(tier.certificate().clone())
    }
}

fn tell_shortened(issuer: &IssuerFolder, wishes: &[Wish]) {
    if wishes.iter().any(|wish| wish.validity.not_after() > issuer.end()) {
        terminal::note("a CA above ends before the lifetime does, and the tiers end with it");
    }
}
