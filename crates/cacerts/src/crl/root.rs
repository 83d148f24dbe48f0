//! `cacerts crl root`: on the side that has the root's key.

use std::path::PathBuf;

use ca_dir::RootSet;
use clap::Args;
use time::OffsetDateTime;

use super::side::Side;
use super::{ListArgs, report};
use crate::failure::Failure;
use crate::init::take;
use crate::issue::{open_root, root_certificate};
use crate::passphrase::Passphrase;

/// Options of `crl root`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  cacerts crl root --dir ca                       the first list, or the next\n  \
                  cacerts crl root --dir ca --revoke ca/c1 --reason cACompromise\n                                                  \
                  takes the CA of c1 out of the mesh\n  \
                  cacerts crl root --dir ca --lifetime 90d        rarely at the root's machine\n\n\
                  Writes root-crl.pem, and root-revoked.txt: its number and what it revokes. Take \
                  root-crl.pem\nto every cluster of the mesh (`cacerts crl join`), by the day the \
                  output names. An expired\nlist is a total outage; a connection that is open is \
                  not cut by a list.\n\n\
                  Exit codes: 0 made or already there, 1 refused or wrong, 2 it could not be done"
)]
pub(super) struct RootArgs {
    /// The root's folder
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    #[command(flatten)]
    list: ListArgs,
    #[command(flatten)]
    passphrase: Passphrase,
}

impl RootArgs {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let now = OffsetDateTime::now_utc();
        if !self.dir.exists() {
            root_certificate(&self.dir, &RootSet::default())?;
        }
        let _lock = take(&self.dir)?;
        let there = RootSet::read(&self.dir)?;
        let side = Side {
            whose: "the root".to_owned(),
            command: "cacerts crl root".to_owned(),
            ca: root_certificate(&self.dir, &there)?,
            list: self.dir.join(LIST),
            record: self.dir.join(RECORD),
        };
        let list = side.run(&self.list, now, |params| {
            let root = open_root(&self.dir, &there, side.ca.clone(), &self.passphrase, now)?;
            root.issue_crl(params).map_err(Failure::within("the root cannot sign this list"))
        })?;
        report::list(&list, self.list.json);
        Ok(())
    }
}

/// In the root's folder, which has no cluster of these names.
pub(super) const LIST: &str = "root-crl.pem";
const RECORD: &str = "root-revoked.txt";
