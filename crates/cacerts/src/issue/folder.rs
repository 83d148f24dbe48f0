//! A cluster's folder before anything is written: absent, begun by make or by hand, or whole.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use ca_dir::StagedBundle;
use pki::{Bundle, BundleFiles, Certificate, ClusterCa, PrivateKey, Profile};
use time::OffsetDateTime;

use crate::failure::Failure;
use crate::issuer::{IssuerFolder, refuse_tier};
use crate::name::ClusterName;
use crate::wish::profile_of;

/// The folder of one cluster, and what was found in it. Nothing of it is ever replaced.
pub(super) struct ClusterFolder<'a> {
    name: ClusterName,
    path: PathBuf,
    issuer: &'a IssuerFolder,
    state: State,
}

enum State {
    Absent,
    /// A key, a certificate for it perhaps, and not all the rest; or nothing yet.
    Begun {
        files: BundleFiles,
        key_kind: Option<String>,
        certificate: Option<Certificate>,
    },
    Whole(Certificate),
}

impl<'a> ClusterFolder<'a> {
    /// Looks at the folder. What is in it must be of this issuer and valid at `now`.
    pub(super) fn look(
        issuer: &'a IssuerFolder,
        name: ClusterName,
        now: OffsetDateTime,
    ) -> Result<Self, Failure> {
        let path = issuer.dir.join(name.as_str());
        let mut folder = Self { name, path, issuer, state: State::Absent };
        let named = || format!("`{}`", folder.path.display());
        match folder.path.symlink_metadata() {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => {
                return Err(Failure::refused(format!(
                    "{} is there and is no folder; move it away",
                    named()
                )));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(folder),
            Err(error) => return Err(Failure::io(format!("cannot look at {}", named()))(error)),
        }
        refuse_tier(&folder.path)?;
        let files = ca_dir::read_bundle(&folder.path)?;
        let read = |name| files.get(name);
        let state = match (read(BundleFiles::CA_KEY), read(BundleFiles::CA_CERT)) {
            (None, None) if files.names().next().is_none() => {
                State::Begun { files, key_kind: None, certificate: None }
            }
            (None, found) => {
                let what = if found.is_some() { "is no whole CA" } else { "holds other files" };
                return Err(Failure::refused(format!(
                    "{} {what}: it has no {}; move it away",
                    named(),
                    BundleFiles::CA_KEY
                )));
            }
            (Some(key), certificate) => {
                let unusable = || format!("{} is there and cannot be used", named());
                let key = PrivateKey::from_pem(key).map_err(Failure::within(unusable()))?;
                let certificate = certificate.map(Certificate::from_pem).transpose();
                let certificate = certificate.map_err(Failure::within(unusable()))?;
                let key_kind = Some(key.kind());
                State::Begun { files, key_kind, certificate }
            }
        };
        folder.state = state;
        folder.prove(now)
    }

    /// A certificate that is there must hold together with the key and lead to this root, by way
    /// of this issuer.
    fn prove(mut self, now: OffsetDateTime) -> Result<Self, Failure> {
        let Some(cluster_ca) = self.cluster_ca(now)? else { return Ok(self) };
        let (hierarchy, path) = (cluster_ca.hierarchy(), self.path.display());
        if hierarchy.root() != self.issuer.root() {
            return Err(Failure::refused(format!(
                "`{path}` is there and is of another root, {}; move it away",
                hierarchy.root().fingerprint()
            )));
        }
        if !hierarchy.tiers().iter().eq(self.issuer.tiers()) {
            return Err(Failure::refused(format!(
                "`{path}` is there and is of another issuer, `{}`; move it away",
                cluster_ca.certificate().issuer()
            )));
        }
        if let State::Begun { files, .. } = &self.state
            && BundleFiles::NAMES.iter().all(|name| files.get(name).is_some())
        {
            self.state = State::Whole(cluster_ca.certificate().clone());
        }
        Ok(self)
    }

    /// The CA that is there, the missing files made of the issuer's; `None` without a certificate.
    fn cluster_ca(&self, now: OffsetDateTime) -> Result<Option<ClusterCa>, Failure> {
        let State::Begun { files, certificate: Some(certificate), .. } = &self.state else {
            return Ok(None);
        };
        let root = self.issuer.root().to_pem();
        let mut chain = certificate.to_pem();
        chain.extend(self.issuer.tiers().map(Certificate::to_pem));
        if profile_of(certificate) == Profile::Makefile {
            chain.push_str(&root);
        }
        let read = |name| files.get(name).unwrap_or_default();
        ClusterCa::from_pem(
            read(BundleFiles::CA_CERT),
            read(BundleFiles::CA_KEY),
            files.get(BundleFiles::CERT_CHAIN).unwrap_or(chain.as_bytes()),
            files.get(BundleFiles::ROOT_CERT).unwrap_or(root.as_bytes()),
            now,
        )
        .map(Some)
        .map_err(Failure::within(format!(
            "`{}` is there and is no CA of this {}",
            self.path.display(),
            self.issuer.noun()
        )))
    }

    /// The bundle of a CA that was made and not laid out; `None` where no certificate is there.
    pub(super) fn completed(&self, now: OffsetDateTime) -> Result<Option<Bundle>, Failure> {
        let refused = format!("`{}` cannot be completed", self.path.display());
        let bundle = self.cluster_ca(now)?.map(ClusterCa::bundle).transpose();
        bundle.map_err(Failure::within(refused))
    }

    /// Writes what is missing beside the folder; nothing where nothing is.
    pub(super) fn stage(&self, bundle: &Bundle) -> Result<Option<StagedBundle>, Failure> {
        Ok(match self.state {
            State::Absent => Some(StagedBundle::new(&self.path, bundle)?),
            State::Begun { .. } => Some(StagedBundle::completing(&self.path, bundle)?),
            State::Whole(_) => None,
        })
    }

    pub(super) fn name(&self) -> &ClusterName {
        &self.name
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The certificate of a folder to which nothing is to be added.
    pub(super) fn whole(&self) -> Option<&Certificate> {
        match &self.state {
            State::Whole(certificate) => Some(certificate),
            State::Absent | State::Begun { .. } => None,
        }
    }

    /// The certificate that is there.
    pub(super) fn certificate(&self) -> Option<&Certificate> {
        match &self.state {
            State::Whole(certificate) => Some(certificate),
            State::Begun { certificate, .. } => certificate.as_ref(),
            State::Absent => None,
        }
    }

    /// The kind of the key of a CA that was begun.
    pub(super) fn key_kind(&self) -> Option<&str> {
        match &self.state {
            State::Begun { key_kind, .. } => key_kind.as_deref(),
            State::Absent | State::Whole(_) => None,
        }
    }

    /// The key of a CA that was begun. Secret.
    pub(super) fn key_pem(&self) -> Option<&[u8]> {
        match &self.state {
            State::Begun { files, .. } => files.get(BundleFiles::CA_KEY),
            State::Absent | State::Whole(_) => None,
        }
    }
}
