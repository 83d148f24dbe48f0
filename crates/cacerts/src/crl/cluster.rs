//! `cacerts crl cluster`: on the side that has the cluster CA's key.

use std::path::{Path, PathBuf};

use clap::Args;
use pki::{BundleFiles, Certificate, ClusterCa};

use super::side::Side;
use super::{ListArgs, report};
use crate::clock;
use crate::failure::Failure;
use crate::init::take;
use crate::issuer::refuse_tier;

/// Options of `crl cluster`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  cacerts crl cluster ca/c1                  the first list, or the next\n  \
                  cacerts crl cluster ca/c1 --revoke leaf.pem --reason keyCompromise\n\n\
                  Writes c1.crl.pem and c1.revoked.txt beside the folder c1: what goes into the \
                  Secret stays\nas it is. `cacerts crl join` then joins the list with the root's. \
                  An expired list is a total\noutage; a connection that is open is not cut by a \
                  list.\n\n\
                  Exit codes: 0 made or already there, 1 refused or wrong, 2 it could not be done"
)]
pub(super) struct ClusterArgs {
    /// The cluster's folder: ca-cert.pem, ca-key.pem, cert-chain.pem and root-cert.pem
    folder: PathBuf,
    #[command(flatten)]
    list: ListArgs,
}

impl ClusterArgs {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let now = clock::now()?;
        let place = Place::of(&self.folder)?;
        let _lock = take(&place.parent)?;
        let files = ca_dir::read_bundle(&self.folder)?;
        let side = Side {
            whose: place.name.clone(),
            command: format!("cacerts crl cluster {}", place.name),
            ca: certificate(&self.folder, &files)?,
            list: place.beside(LIST),
            record: place.beside("revoked.txt"),
        };
        let list = side.run(&self.list, now, |params| {
            let read = |name| files.get(name).unwrap_or_default();
            let ca = ClusterCa::from_pem(
                read(BundleFiles::CA_CERT),
                read(BundleFiles::CA_KEY),
                read(BundleFiles::CERT_CHAIN),
                read(BundleFiles::ROOT_CERT),
                now,
            );
            let folder = self.folder.display();
            let ca = ca.map_err(Failure::within(format!("`{folder}` is no whole CA")))?;
            let refused = format!("the CA of `{folder}` cannot sign this list");
            ca.issue_crl(params).map_err(Failure::within(refused))
        })?;
        report::list(&list, self.list.json);
        Ok(())
    }
}

/// What a cluster's list is called, after its name.
pub(super) const LIST: &str = "crl.pem";

/// The certificate of a cluster's CA.
pub(super) fn certificate(folder: &Path, files: &BundleFiles) -> Result<Certificate, Failure> {
    let path = folder.join(BundleFiles::CA_CERT);
    let Some(pem) = files.get(BundleFiles::CA_CERT) else {
        return Err(Failure::refused(format!("there is no CA: `{}` is missing", path.display())));
    };
    let unusable = format!("`{}` is no certificate", path.display());
    Certificate::from_pem(pem).map_err(Failure::within(unusable))
}

/// A cluster's folder, by its name and the folder it is in.
pub(super) struct Place {
    pub(super) parent: PathBuf,
    pub(super) name: String,
}

impl Place {
    pub(super) fn of(folder: &Path) -> Result<Self, Failure> {
        let named = || format!("`{}`", folder.display());
        if !folder.metadata().map_err(Failure::io(format!("cannot look at {}", named())))?.is_dir()
        {
            return Err(Failure::refused(format!("{} is not a folder", named())));
        }
        refuse_tier(folder)?;
        // `.` and `..` name no folder.
        let whole = match folder.file_name() {
            Some(_) => folder.to_owned(),
            None => {
                folder.canonicalize().map_err(Failure::io(format!("cannot find {}", named())))?
            }
        };
        let parent = whole.parent().filter(|parent| !parent.as_os_str().is_empty());
        match whole.file_name() {
            Some(name) => Ok(Self {
                parent: parent.unwrap_or_else(|| Path::new(".")).to_owned(),
                name: name.to_string_lossy().into_owned(),
            }),
            None => Err(Failure::refused(format!("{} has no name", named()))),
        }
    }

    /// A file of the cluster that does not go into its Secret.
    pub(super) fn beside(&self, what: &str) -> PathBuf {
        let name = format!("{}.{what}", self.name);
        if self.parent == Path::new(".") { name.into() } else { self.parent.join(name) }
    }
}
