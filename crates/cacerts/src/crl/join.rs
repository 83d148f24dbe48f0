//! `cacerts crl join`: the lists of a mesh, checked, in the one file that istiod loads.

use std::path::{Path, PathBuf};

use clap::Args;
use pki::{
    BundleFiles, Certificate, Context, Crl, CrlError, CrlSet, Hierarchy, IstioVersion, TrustBundle,
};
use time::OffsetDateTime;

use super::cluster::{self, Place};
use super::report::{self, Joined};
use super::{read, root};
use crate::clock;
use crate::failure::Failure;
use crate::init::take;
use crate::terminal;

/// The file that istiod looks for (Istio security/pkg/pki/ca/ca.go).
const CA_CRL: &str = "ca-crl.pem";

/// Options of `crl join`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  cacerts crl join ca/c1                        root and cluster in one folder\n  \
                  cacerts crl join c1 root-crl.pem              the root's list was brought here\n  \
                  cacerts crl join c1 root-crl.pem --peer c2    a mesh of two clusters\n\n\
                  Joins the given lists, c1.crl.pem beside the folder (`cacerts crl cluster`), and, \
                  where none\nis given, root-crl.pem beside it, or the lists of the tiers and the \
                  root that it lies below;\nwrites c1/ca-crl.pem. Every root of the trust bundle and \
                  every CA of the chain needs its list,\nand so does the CA of every other cluster: \
                  proxies here refuse its workloads otherwise. What\nistiod and Envoy would refuse is \
                  not written.\n\n\
                  An expired list is a total outage: every new connection of the mesh is refused. \
                  A connection\nthat is open is not cut by a list.\n\n\
                  Exit codes: 0 written or already there, 1 refused or wrong, 2 it could not be done"
)]
pub(super) struct JoinArgs {
    /// The cluster's folder, as it is plugged in
    folder: PathBuf,
    /// Lists of other CAs: the root's, and those of tiers between
    #[arg(value_name = "LIST")]
    lists: Vec<PathBuf>,
    /// The folder of another cluster of the mesh, its key not needed, and its list beside it
    /// (c2/ca-cert.pem and c2.crl.pem). May be repeated
    #[arg(long, value_name = "FOLDER")]
    peer: Vec<PathBuf>,
    /// The mesh's trust domain, which matters under a CA with name constraints
    #[arg(long, value_name = "DOMAIN", default_value = "cluster.local")]
    trust_domain: String,
    /// Prints the lists as a JSON object
    #[arg(long)]
    json: bool,
}

impl JoinArgs {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let now = clock::now()?;
        let place = Place::of(&self.folder)?;
        let _lock = take(&place.parent)?;
        let mut files = ca_dir::read_bundle(&self.folder)?;
        let no_bundle = || format!("`{}` is no bundle", self.folder.display());
        let hierarchy = Hierarchy::from_files(&files).map_err(Failure::within(no_bundle()))?;
        let mut cas = path(&hierarchy);
        if let Some(chain) = files.get(BundleFiles::CERT_CHAIN).filter(|chain| !chain.is_empty()) {
            // istiod asks for the list of each, whether the chain needs it or not.
            cas.extend(Certificate::all_from_pem(chain).map_err(Failure::within(no_bundle()))?);
        }
        cas.extend_from_slice(hierarchy.trust_bundle().certificates());
        let mut lists = self.given(&place)?;
        for folder in &self.peer {
            let (peer, list) = peer(folder, hierarchy.trust_bundle())?;
            cas.extend(peer);
            lists.extend(list);
        }
        let set = CrlSet::new(&cas, lists, now).map_err(|error| self.unfit(error))?;
        let path = self.folder.join(CA_CRL);
        let unwritable = format!("`{}` cannot be written", path.display());
        let pem = set.to_pem().map_err(Failure::within(unwritable))?;
        let is_there = files.get(CA_CRL).is_some_and(|present| present == pem.as_bytes());
        if !is_there {
            prove_newer(&set, files.get(CA_CRL).unwrap_or_default(), &path)?;
        }
        files.insert(CA_CRL, &pem);
        self.judge(&files, now)?;
        if !is_there {
            ca_dir::replace_in_bundle(&self.folder, CA_CRL, pem.as_bytes())?;
        }
        if self.peer.is_empty() {
            terminal::note(
                "proxies with this file refuse the workloads of every CA whose list is not in it; \
                 --peer adds another cluster of the mesh",
            );
        }
        report::joined(&Joined::new(&path, &set, !is_there, now), self.json);
        Ok(())
    }

    /// The given lists and the cluster's own; the root's, and the tiers', where none is given.
    fn given(&self, place: &Place) -> Result<Vec<Crl>, Failure> {
        let mut lists = Vec::new();
        for path in &self.lists {
            lists.extend(read::lists(path, &read::bytes(path)?)?);
        }
        let no_list = self.lists.is_empty();
        let above = if no_list { root::lists_above(&place.parent)? } else { Vec::new() };
        for path in above.into_iter().chain([place.beside(cluster::LIST)]) {
            lists.extend(beside(&path)?);
        }
        Ok(lists)
    }

    fn unfit(&self, error: pki::Error) -> Failure {
        let fix = match &error {
            pki::Error::Crl(flaw) => match **flaw {
                CrlError::Missing { .. } | CrlError::NotValidAt { .. } => {
                    "; `cacerts crl root` and `cacerts crl cluster` make them"
                }
                CrlError::NoCrlSign { .. } => {
                    "; a mesh with lists needs CAs of --profile hardened only"
                }
                _ => "",
            },
            _ => "",
        };
        let folder = self.folder.display();
        Failure::within(format!("these are not the lists that the mesh of `{folder}` needs{fix}"))(
            error,
        )
    }

    /// What istiod and Envoy would say, before anything is written.
    fn judge(&self, files: &BundleFiles, now: OffsetDateTime) -> Result<(), Failure> {
        let context = Context::new(now, IstioVersion::NEWEST, self.trust_domain.as_str());
        let judged = files.judge(&context);
        let report = judged.map_err(Failure::within("the lists cannot be judged"))?;
        if !report.refused() {
            return Ok(());
        }
        Err(Failure::refused(format!(
            "`{}` would be refused with these lists, so that they are not written\n{report}",
            self.folder.display()
        )))
    }
}

/// The lists in a file that may be missing.
fn beside(path: &Path) -> Result<Vec<Crl>, Failure> {
    match read::if_there(path)? {
        Some(content) => read::lists(path, &content),
        None => Ok(Vec::new()),
    }
}

fn prove_newer(set: &CrlSet, present: &[u8], path: &Path) -> Result<(), Failure> {
    if present.is_empty() {
        return Ok(());
    }
    let path = path.display();
    let unreadable = format!("`{path}` is there and cannot be compared; move it away");
    let present = Crl::all_from_pem(present).map_err(Failure::within(unreadable))?;
    let older = format!("`{path}` stays as it is: these lists have less than it");
    set.prove_newer(&present).map_err(Failure::within(older))
}

/// The CAs of another cluster, and its list.
fn peer(folder: &Path, trust: &TrustBundle) -> Result<(Vec<Certificate>, Vec<Crl>), Failure> {
    let named = || format!("`{}`", folder.display());
    let place = Place::of(folder)?;
    let files = ca_dir::read_bundle(folder)?;
    let ca = cluster::certificate(folder, &files)?;
    let foreign = || format!("{} is no CA under the trust bundle", named());
    let chain = files.get(BundleFiles::CERT_CHAIN).filter(|chain| !chain.is_empty());
    let chain = chain.map(Certificate::all_from_pem).transpose();
    let chain = chain.map_err(Failure::within(foreign()))?.unwrap_or_default();
    let hierarchy =
        Hierarchy::new(ca, &chain, trust.clone()).map_err(Failure::within(foreign()))?;
    Ok((path(&hierarchy), beside(&place.beside(cluster::LIST))?))
}

fn path(hierarchy: &Hierarchy) -> Vec<Certificate> {
    let lower = [hierarchy.cluster_ca()].into_iter().chain(hierarchy.tiers());
    lower.chain([hierarchy.root()]).cloned().collect()
}
