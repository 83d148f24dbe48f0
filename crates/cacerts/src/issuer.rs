//! The folder that CAs are issued from: a root's, or a tier's.

use std::path::{Path, PathBuf};

use ca_dir::{Lock, ROOT_CERT, ROOT_KEY, RootSet, TIER_CERT, TIER_KEY, TIER_ROOT, TierSet};
use pki::{Certificate, Hierarchy, IssuingCa, RootCa, TierCa, TrustBundle};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::init::take;
use crate::key::KeyFile;
use crate::passphrase::Passphrase;

#[cfg(fuzzing)]
mod fuzzing;

/// What lies in such a folder, its key not opened. That the certificates lead to the root is proved.
pub(crate) struct IssuerFolder {
    pub(crate) dir: PathBuf,
    key: Option<Zeroizing<Vec<u8>>>,
    certificate: Certificate,
    kind: Kind,
}

enum Kind {
    Root,
    Tier {
        /// Nearest first, without the root.
        above: Vec<Certificate>,
        root: Certificate,
    },
}

impl IssuerFolder {
    /// Takes the folder for this program alone, and reads it.
    pub(crate) fn taken(dir: &Path) -> Result<(Self, Lock), Failure> {
        if !dir.exists() {
            // The folder that is not there is told as the root that is not there.
            return Err(no_root(dir));
        }
        let lock = take(dir)?;
        Ok((Self::read(dir)?, lock))
    }

    /// Reads the folder, which must be of one or the other.
    pub(crate) fn read(dir: &Path) -> Result<Self, Failure> {
        Self::read_if_there(dir)?.ok_or_else(|| no_root(dir))
    }

    /// As [`IssuerFolder::read`]; `None` where the folder has no certificate of a root and nothing of a
    /// tier.
    pub(crate) fn read_if_there(dir: &Path) -> Result<Option<Self>, Failure> {
        let root = RootSet::read(dir)?;
        let is_root = root.key.is_some() || root.certificate.is_some();
        match (is_root, TierSet::is_in(dir)) {
            (true, true) => Err(Failure::refused(format!(
                "`{}` has the files of a root and of a tier; move those away that do not belong \
                 there",
                dir.display()
            ))),
            (_, false) => Self::of_root(dir, root),
            (false, true) => Self::of_tier(dir, TierSet::read(dir)?).map(Some),
        }
    }

    fn of_root(dir: &Path, there: RootSet) -> Result<Option<Self>, Failure> {
        let Some(pem) = &there.certificate else { return Ok(None) };
        let no_root = format!("`{}` is no root", dir.join(ROOT_CERT).display());
        let certificate = Certificate::from_pem(pem).map_err(Failure::within(no_root))?;
        Ok(Some(Self { dir: dir.to_owned(), key: there.key, certificate, kind: Kind::Root }))
    }

    fn of_tier(dir: &Path, there: TierSet) -> Result<Self, Failure> {
        let named = |name| format!("`{}`", dir.join(name).display());
        let missing =
            |name| Failure::refused(format!("there is no whole tier: {} is missing", named(name)));
        let pem = there.certificates.ok_or_else(|| missing(TIER_CERT))?;
        let root = there.root.ok_or_else(|| missing(TIER_ROOT))?;
        let no_tier = || format!("{} is no tier under {}", named(TIER_CERT), named(TIER_ROOT));
        let read = || {
            let mut all = Certificate::all_from_pem(&pem)?;
            let trust = TrustBundle::new(vec![Certificate::from_pem(&root)?])?;
            Hierarchy::new(all.remove(0), &all, trust)
        };
        let hierarchy = read().map_err(Failure::within(no_tier()))?;
        if hierarchy.cluster_ca() == hierarchy.root() {
            return Err(Failure::refused(format!("{}: it is the root itself", no_tier())));
        }
        let kind = Kind::Tier { above: hierarchy.tiers().to_vec(), root: hierarchy.root().clone() };
        let certificate = hierarchy.cluster_ca().clone();
        Ok(Self { dir: dir.to_owned(), key: there.key, certificate, kind })
    }

    /// The certificate of the CA that issues.
    pub(crate) fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The root that all of it leads to; of a root, itself.
    pub(crate) fn root(&self) -> &Certificate {
        match &self.kind {
            Kind::Root => &self.certificate,
            Kind::Tier { root, .. } => root,
        }
    }

    /// What stands between a CA that is issued here and the root, nearest first.
    pub(crate) fn tiers(&self) -> impl Iterator<Item = &Certificate> {
        let (own, above) = match &self.kind {
            Kind::Root => (None, &[][..]),
            Kind::Tier { above, .. } => (Some(&self.certificate), &above[..]),
        };
        own.into_iter().chain(above)
    }

    /// Every CA above what is issued here, the root last.
    pub(crate) fn way_up(&self) -> impl Iterator<Item = &Certificate> {
        self.tiers().chain([self.root()])
    }

    /// The last moment at which all of them are valid.
    pub(crate) fn end(&self) -> OffsetDateTime {
        let own = self.certificate.validity().not_after();
        self.way_up().map(|ca| ca.validity().not_after()).fold(own, OffsetDateTime::min)
    }

    /// `root` or `tier`.
    pub(crate) fn noun(&self) -> &'static str {
        match self.kind {
            Kind::Root => "root",
            Kind::Tier { .. } => "tier",
        }
    }

    fn key_path(&self) -> PathBuf {
        self.dir.join(match self.kind {
            Kind::Root => ROOT_KEY,
            Kind::Tier { .. } => TIER_KEY,
        })
    }

    /// The CA with its key, to sign with.
    pub(crate) fn open(
        &self,
        passphrase: &Passphrase,
        now: OffsetDateTime,
    ) -> Result<IssuingCa, Failure> {
        let noun = self.noun();
        let Some(pem) = &self.key else {
            return Err(Failure::refused(format!(
                "the {noun}'s key is not there: `{}` is missing",
                self.key_path().display()
            )));
        };
        let file = KeyFile::look(self.key_path(), pem.clone())?;
        let key = file.open(|| passphrase.of(&file.path))?;
        let certificate = self.certificate.clone();
        match &self.kind {
            Kind::Root => RootCa::with_key(certificate, key, now).map(IssuingCa::Root),
            Kind::Tier { above, root } => TrustBundle::new(vec![root.clone()])
                .and_then(|trust| TierCa::with_key(certificate, key, above, trust, now))
                .map(IssuingCa::Tier),
        }
        .map_err(Failure::within(format!("the {noun} of `{}` cannot sign", self.dir.display())))
    }
}

fn no_root(dir: &Path) -> Failure {
    Failure::refused(format!(
        "there is no root: `{}` is missing; `cacerts init` makes one, --dir names its folder",
        dir.join(ROOT_CERT).display()
    ))
}

/// A tier's folder is never one that is plugged in, asked for or made anew.
pub(crate) fn refuse_tier(dir: &Path) -> Result<(), Failure> {
    if !TierSet::is_in(dir) {
        return Ok(());
    }
    let dir = dir.display();
    Err(Failure::refused(format!(
        "`{dir}` is the folder of a tier: clusters' CAs are issued from it (`cacerts issue NAME --dir \
         {dir}`) and lie in folders of their own in it"
    )))
}
