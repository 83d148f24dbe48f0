//! `cacerts crl root`: on the side that has the root's key, or a tier's.

use std::path::{Path, PathBuf};

use clap::Args;

use super::side::Side;
use super::{ListArgs, report};
use crate::clock;
use crate::failure::Failure;
use crate::issuer::IssuerFolder;
use crate::passphrase::Passphrase;

/// Options of `crl root`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  cacerts crl root --dir ca                       the first list, or the next\n  \
                  cacerts crl root --dir ca --revoke ca/c1 --reason cACompromise\n                                                  \
                  takes the CA of c1 out of the mesh\n  \
                  cacerts crl root --dir ca --lifetime 90d        rarely at the root's machine\n  \
                  cacerts crl root --dir ca/prod                  the list of a tier\n\n\
                  Writes root-crl.pem, and root-revoked.txt: its number and what it revokes; of a \
                  tier, tier-crl.pem\nand tier-revoked.txt. Take the list to every cluster of the \
                  mesh (`cacerts crl join`), by the\nday the output names. An expired list is a \
                  total outage; a connection that is open is not cut\nby a list.\n\n\
                  Exit codes: 0 made or already there, 1 refused or wrong, 2 it could not be done"
)]
pub(super) struct RootArgs {
    /// The folder of the root, or of a tier
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    #[command(flatten)]
    list: ListArgs,
    #[command(flatten)]
    passphrase: Passphrase,
}

impl RootArgs {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let now = clock::now()?;
        let (issuer, _lock) = IssuerFolder::taken(&self.dir)?;
        let whose = format!("the {}", issuer.noun());
        let refused = format!("{whose} cannot sign this list");
        let side = Side {
            whose,
            command: "cacerts crl root".to_owned(),
            ca: issuer.certificate().clone(),
            list: self.dir.join(list(issuer.noun())),
            record: self.dir.join(format!("{}-revoked.txt", issuer.noun())),
        };
        let list = side.run(&self.list, now, |params| {
            let ca = issuer.open(&self.passphrase, now)?;
            ca.issue_crl(params).map_err(Failure::within(refused))
        })?;
        report::list(&list, self.list.json);
        Ok(())
    }
}

/// Where the lists are of the CAs above what lies in a folder: in it, and, while that is the folder of
/// a tier, in the one that it lies in, if that is of the CA above.
pub(super) fn lists_above(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut lists = ["root", "tier"].map(|noun| dir.join(list(noun))).to_vec();
    let mut at = IssuerFolder::read_if_there(dir)?;
    while let Some(issuer) = at
        && let Some(above) = issuer.way_up().nth(1)
    {
        let outer = IssuerFolder::read_if_there(&outer(&issuer.dir))?;
        at = outer.filter(|outer| outer.certificate() == above);
        lists.extend(at.as_ref().map(|issuer| issuer.dir.join(list(issuer.noun()))));
    }
    Ok(lists)
}

fn outer(dir: &Path) -> PathBuf {
    match dir.parent() {
        // `.` and `..` have no folder's name in them.
        Some(parent) if dir.file_name().is_some() && parent != Path::new("") => parent.to_owned(),
        Some(_) if dir.file_name().is_some() => PathBuf::from("."),
        _ => dir.join(".."),
    }
}

/// No cluster has this name.
fn list(noun: &str) -> String {
    format!("{noun}-crl.pem")
}
