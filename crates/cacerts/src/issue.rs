//! `cacerts issue`: a CA for each of several clusters, under one root.

use std::path::{Path, PathBuf};

use ca_dir::{ROOT_CERT, ROOT_KEY, RootSet};
use clap::Args;
use pki::{Bundle, Certificate, ClusterCaParams, PrivateKey, RootCa};
use time::OffsetDateTime;

use crate::cli::CaArgs;
use crate::failure::Failure;
use crate::init::{is_encrypted, open, refuse_differences, take};
use crate::lifetime::Lifetime;
use crate::name::ClusterName;
use crate::passphrase::Passphrase;
use crate::progress::in_parallel;
use crate::report::{self, Ca};
use crate::terminal;
use crate::variables::{Tier, Variables};
use crate::wish::{Said, Wish, profile_of};

mod folder;

use folder::ClusterFolder;

/// Options of `issue`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  cacerts issue cluster1 --dir ca                     the CA of one cluster\n  \
                  cacerts issue eu us asia --dir ca --lifetime 1y     of three, at once\n  \
                  cacerts issue cluster1 --dir ca --json | jq .       for a script\n\n\
                  Writes NAME/ca-key.pem (0600), NAME/ca-cert.pem, NAME/cert-chain.pem and \
                  NAME/root-cert.pem,\nwhich go into the Secret `cacerts` of the cluster's \
                  istio-system namespace. A NAME that is there\nalready is left as it is; a key \
                  that is there is used and never overwritten.\n\n\
                  Exit codes: 0 made or already there, 1 refused or wrong, 2 it could not be done"
)]
pub(crate) struct IssueArgs {
    /// The clusters; each gets a folder of its name beside the root
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// The root's folder
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    #[command(flatten)]
    ca: CaArgs,
    /// The DNS name in the certificate [default: istiod.istio-system.svc]
    #[arg(long, value_name = "NAME")]
    dns_name: Option<String>,
    #[command(flatten)]
    passphrase: Passphrase,
    /// Prints the CAs as a JSON array
    #[arg(long)]
    json: bool,
}

impl IssueArgs {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let now = OffsetDateTime::now_utc();
        let names = ClusterName::all(&self.names)?;
        if !self.dir.exists() {
            // The folder that is not there is told as the root that is not there.
            root_certificate(&self.dir, &RootSet::default())?;
        }
        let _lock = take(&self.dir)?;
        let there = RootSet::read(&self.dir)?;
        let root = root_certificate(&self.dir, &there)?;
        let mut said = self.ca.said(self.dns_name.clone());
        // A hierarchy is of one profile unless somebody wants otherwise.
        let profile = said.profile.unwrap_or_else(|| profile_of(&root));
        if let Some(note) = said.with(profile, &Variables::of(Tier::Cluster)?) {
            terminal::note(&note);
        }
        let wish = said.clone().wish(Tier::Cluster, profile, now)?;
        // Every folder is looked at before anything is written.
        let folders = names
            .into_iter()
            .map(|name| ClusterFolder::look(&self.dir, name, &root, now))
            .collect::<Result<Vec<_>, _>>()?;
        for folder in &folders {
            refuse_other(folder, &said, &root)?;
        }
        let mut certificates: Vec<_> =
            folders.iter().map(|folder| folder.whole().cloned()).collect();
        let missing: Vec<_> = (0..folders.len()).filter(|&at| certificates[at].is_none()).collect();
        if !missing.is_empty() {
            let root = open_root(&self.dir, &there, root, &self.passphrase, now)?;
            tell_shortened(&root, &wish);
            in_parallel(
                "making the clusters' CAs",
                missing.len(),
                |index| issue(&root, &folders[missing[index]], &wish, now),
                |index, bundle| {
                    certificates[missing[index]] = Some(bundle.certificate().clone());
                    folders[missing[index]].write(&bundle)
                },
            )?;
        }
        let report = folders.iter().zip(&certificates).filter_map(|(folder, certificate)| {
            let created = folder.whole().is_none();
            let (name, path) = (folder.name().as_str(), folder.path());
            Some(Ca::cluster(name, path, certificate.as_ref()?, created))
        });
        report::clusters(&report.collect::<Vec<_>>(), self.json);
        Ok(())
    }
}

/// The root's certificate; refused where there is no root.
pub(crate) fn root_certificate(dir: &Path, there: &RootSet) -> Result<Certificate, Failure> {
    let path = dir.join(ROOT_CERT);
    match &there.certificate {
        Some(pem) => Certificate::from_pem(pem)
            .map_err(Failure::within(format!("`{}` is no root", path.display()))),
        None => Err(Failure::refused(format!(
            "there is no root: `{}` is missing; `cacerts init` makes one, --dir names its folder",
            path.display()
        ))),
    }
}

/// The root with its key, to sign with.
pub(crate) fn open_root(
    dir: &Path,
    there: &RootSet,
    certificate: Certificate,
    passphrase: &Passphrase,
    now: OffsetDateTime,
) -> Result<RootCa, Failure> {
    let path = dir.join(ROOT_KEY);
    let Some(pem) = &there.key else {
        return Err(Failure::refused(format!(
            "the root's key is not there: `{}` is missing",
            path.display()
        )));
    };
    let passphrase = if is_encrypted(dir, pem)? { Some(passphrase.of(&path)?) } else { None };
    let key = open(dir, pem, passphrase.as_ref())?;
    let unusable = format!("the root of `{}` cannot sign", dir.display());
    RootCa::with_key(certificate, key, now).map_err(Failure::within(unusable))
}

/// What is there already must be what was asked for.
fn refuse_other(folder: &ClusterFolder, said: &Said, root: &Certificate) -> Result<(), Failure> {
    if let Some(found) = folder.certificate() {
        let mut said = said.clone();
        // The root's end may have cut the life that was asked for.
        let (start, root_end) = (found.validity().not_before(), root.validity().not_after());
        let is_cut = |asked: Lifetime| {
            found.validity().not_after() == root_end
                && asked.end(start).is_none_or(|end| end > root_end)
        };
        said.lifetime = said.lifetime.filter(|asked| !is_cut(*asked));
        refuse_differences(folder.path(), &said.differences(found))?;
    }
    if let (Some(found), Some(asked)) = (folder.key_kind(), said.key) {
        let is_other = found != asked.kind();
        let difference = format!("its key is {found}, asked for was {}", asked.kind());
        refuse_differences(folder.path(), is_other.then_some(difference).as_slice())?;
    }
    Ok(())
}

fn tell_shortened(root: &RootCa, wish: &Wish) {
    let (asked, root_end) = (wish.validity.not_after(), root.certificate().validity().not_after());
    if asked > root_end && wish.profile == pki::Profile::Hardened {
        terminal::note("the root ends before the lifetime does, and the clusters' CAs end with it");
    }
}

fn issue(
    root: &RootCa,
    folder: &ClusterFolder,
    wish: &Wish,
    now: OffsetDateTime,
) -> Result<Bundle, Failure> {
    let refused = || format!("the CA of {} cannot be made as asked for", folder.name());
    let key = folder.key_pem().map(PrivateKey::from_pem).transpose();
    let key = key.map_err(Failure::within(refused()))?;
    if let Some(bundle) = folder.completed(now)? {
        return Ok(bundle);
    }
    let params = ClusterCaParams {
        profile: wish.profile,
        common_name: wish.common_name.clone(),
        organization: wish.organization.clone(),
        cluster: folder.name().as_str().to_owned(),
        dns_name: wish.dns_name.clone(),
        validity: wish.validity,
        key: wish.key,
    };
    let cluster_ca = match key {
        Some(key) => root.issue_cluster_ca_for(key, &params),
        None => root.issue_cluster_ca(&params),
    };
    cluster_ca.and_then(pki::ClusterCa::bundle).map_err(Failure::within(refused()))
}
