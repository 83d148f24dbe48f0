//! A tier's folder before anything is written: absent, begun with a key, or whole.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use ca_dir::{ROOT_CERT, ROOT_KEY, TIER_CERT, TIER_KEY, TierSet};
use pki::{BundleFiles, Certificate};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::init::refuse_differences;
use crate::issuer::IssuerFolder;
use crate::key::KeyFile;
use crate::lifetime::rfc3339;
use crate::name::TierName;
use crate::passphrase::NewPassphrase;
use crate::wish::Said;

/// The folder of one tier, and what was found in it. Nothing of it is ever replaced.
pub(super) struct TierFolder<'a> {
    name: TierName,
    path: PathBuf,
    issuer: &'a IssuerFolder,
    state: State,
}

enum State {
    Absent,
    /// Empty, or with a key alone.
    Begun(Option<KeyFile>),
    Whole(Certificate, KeyFile),
}

impl<'a> TierFolder<'a> {
    /// Looks at the folder. A tier in it must be of this issuer and valid at `now`.
    pub(super) fn look(
        issuer: &'a IssuerFolder,
        name: TierName,
        now: OffsetDateTime,
    ) -> Result<Self, Failure> {
        let path = issuer.dir.join(name.as_str());
        let mut folder = Self { name, path, issuer, state: State::Absent };
        match folder.path.symlink_metadata() {
            Ok(metadata) if metadata.is_dir() => folder.state = folder.found(now)?,
            Ok(_) => return Err(folder.refused("is no folder")),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                let cannot = format!("cannot look at `{}`", folder.path.display());
                return Err(Failure::io(cannot)(error));
            }
        }
        Ok(folder)
    }

    fn found(&self, now: OffsetDateTime) -> Result<State, Failure> {
        let has = |name| self.path.join(name).symlink_metadata().is_ok();
        if [BundleFiles::CA_KEY, BundleFiles::CA_CERT].into_iter().any(has) {
            return Err(self.refused("is a cluster's CA"));
        }
        if [ROOT_KEY, ROOT_CERT].into_iter().any(has) {
            return Err(self.refused("is a root"));
        }
        let there = TierSet::read(&self.path)?;
        let key = there.key.map(|pem| KeyFile::look(self.path.join(TIER_KEY), pem)).transpose()?;
        if there.certificates.is_some() || there.root.is_some() {
            let certificate = self.ours(&IssuerFolder::read(&self.path)?, now)?;
            let key = key.ok_or_else(|| self.refused(&format!("has no {TIER_KEY}")))?;
            return Ok(State::Whole(certificate, key));
        }
        let cannot = || format!("cannot read `{}`", self.path.display());
        let mut entries = self.path.read_dir().map_err(Failure::io(cannot()))?;
        if key.is_none() && entries.next().is_some() {
            return Err(self.refused(&format!("holds other files and no {TIER_KEY}")));
        }
        Ok(State::Begun(key))
    }

    fn ours(&self, tier: &IssuerFolder, now: OffsetDateTime) -> Result<Certificate, Failure> {
        let (certificate, issuer) = (tier.certificate(), self.issuer);
        let life = certificate.validity();
        if tier.root() != issuer.root() || !tier.tiers().skip(1).eq(issuer.tiers()) {
            let of = certificate.issuer();
            return Err(self.refused(&format!("is of another issuer, `{of}`")));
        }
        if !life.contains(now) {
            let now = rfc3339(now.truncate_to_second());
            return Err(self.refused(&format!("is valid {life}, and it is {now}")));
        }
        Ok(certificate.clone())
    }

    fn refused(&self, why: &str) -> Failure {
        Failure::refused(format!("`{}` is there and {why}; move it away", self.path.display()))
    }

    /// What is there already must be what was asked for.
    pub(super) fn refuse_other(
        &self,
        said: &Said,
        path_length: Option<u32>,
        new: &NewPassphrase,
    ) -> Result<(), Failure> {
        let key = self.key();
        let Some(found) = self.certificate() else {
            return key.map_or(Ok(()), |key| key.refuse_other_protection(new.no_passphrase));
        };
        let said = said.but_for_a_cut(found, self.issuer.end());
        let mut differences = said.differences(found);
        if let Some(asked) = path_length.filter(|asked| found.path_len() != Some(*asked)) {
            let found = found.path_len().map_or_else(|| "none".to_owned(), |it| it.to_string());
            differences.push(format!("its path length is {found}, asked for was {asked}"));
        }
        if new.no_passphrase && key.is_some_and(|key| key.is_encrypted) {
            differences.push("its key has a passphrase, asked for was none".to_owned());
        }
        refuse_differences(&self.path.join(TIER_CERT), &differences)
    }

    /// Writes what is missing; the folder is whole at once.
    pub(super) fn write(
        &self,
        certificate: &Certificate,
        key: Option<Zeroizing<Vec<u8>>>,
    ) -> Result<(), Failure> {
        let all = [certificate].into_iter().chain(self.issuer.tiers());
        let set = TierSet {
            key,
            certificates: Some(all.map(Certificate::to_pem).collect::<String>().into_bytes()),
            root: Some(self.issuer.root().to_pem().into_bytes()),
        };
        match self.state {
            State::Absent => set.write(&self.path)?,
            State::Begun(_) => set.add_to(&self.path)?,
            State::Whole(..) => {}
        }
        Ok(())
    }

    pub(super) fn name(&self) -> &str {
        self.name.as_str()
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The certificate of a tier that is there.
    pub(super) fn certificate(&self) -> Option<&Certificate> {
        match &self.state {
            State::Whole(certificate, _) => Some(certificate),
            State::Absent | State::Begun(_) => None,
        }
    }

    /// The key that is there.
    pub(super) fn key(&self) -> Option<&KeyFile> {
        match &self.state {
            State::Absent => None,
            State::Begun(key) => key.as_ref(),
            State::Whole(_, key) => Some(key),
        }
    }
}
