//! `cacerts issue`: a CA for each of several clusters, under one root or tier.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use ca_dir::StagedBundle;
use clap::Args;
use pki::{Bundle, ClusterCaParams, IssuingCa, PrivateKey};
use time::OffsetDateTime;

use crate::cli::CaArgs;
use crate::clock;
use crate::failure::Failure;
use crate::init::refuse_differences;
use crate::issuer::IssuerFolder;
use crate::name::ClusterName;
use crate::passphrase::Passphrase;
use crate::progress::in_parallel;
use crate::report::{self, Ca};
use crate::terminal;
use crate::variables::{Level, Variables};
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
    /// The clusters; each gets a folder of its name in DIR
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// The folder of the root, or of a tier (`cacerts tier`)
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
        let now = clock::now()?;
        let names = ClusterName::all(&self.names)?;
        let (issuer, _lock) = IssuerFolder::taken(&self.dir)?;
        let mut said = self.ca.said(self.dns_name.clone());
        // A hierarchy is of one profile unless somebody wants otherwise.
        let profile = said.profile.unwrap_or_else(|| profile_of(issuer.certificate()));
        if let Some(note) = said.with(profile, &Variables::of(Level::Cluster)?) {
            terminal::note(&note);
        }
        let wish = said.clone().wish(Level::Cluster, profile, now)?;
        // Every folder is looked at before anything is written.
        let folders = names
            .into_iter()
            .map(|name| ClusterFolder::look(&issuer, name, now))
            .collect::<Result<Vec<_>, _>>()?;
        for folder in &folders {
            refuse_other(folder, &said, &issuer)?;
        }
        let mut certificates: Vec<_> =
            folders.iter().map(|folder| folder.whole().cloned()).collect();
        let missing: Vec<_> = (0..folders.len()).filter(|&at| certificates[at].is_none()).collect();
        if !missing.is_empty() {
            let ca = issuer.open(&self.passphrase, now)?;
            tell_shortened(&issuer, &wish);
            let mut finished = Finished { staged: Vec::new(), put: Instant::now() };
            in_parallel(
                "making the clusters' CAs",
                missing.len(),
                |index| {
                    let folder = &folders[missing[index]];
                    let bundle = issue(&ca, folder, &wish, now)?;
                    Ok((bundle.certificate().clone(), folder.stage(&bundle)?))
                },
                |index, (certificate, staged)| {
                    certificates[missing[index]] = Some(certificate);
                    finished.add(staged)
                },
            )?;
            finished.put()?;
        }
        let report = folders.iter().zip(&certificates).filter_map(|(folder, certificate)| {
            let created = folder.whole().is_none();
            let (name, path) = (folder.name().as_str(), folder.path());
            Some(Ca::cluster(name, path, certificate.as_ref()?, created))
        });
        report::all(&report.collect::<Vec<_>>(), self.json);
        Ok(())
    }
}

/// Folders that are complete and wait for their places. They get them together, since the disk makes
/// many wait no longer than one, and often enough that little is lost with the program.
struct Finished {
    staged: Vec<StagedBundle>,
    put: Instant,
}

impl Finished {
    const OFTEN: Duration = Duration::from_secs(1);

    fn add(&mut self, staged: Option<StagedBundle>) -> Result<(), Failure> {
        self.staged.extend(staged);
        if self.put.elapsed() < Self::OFTEN { Ok(()) } else { self.put() }
    }

    fn put(&mut self) -> Result<(), Failure> {
        StagedBundle::put(std::mem::take(&mut self.staged))?;
        self.put = Instant::now();
        Ok(())
    }
}

/// What is there already must be what was asked for.
fn refuse_other(
    folder: &ClusterFolder<'_>,
    said: &Said,
    issuer: &IssuerFolder,
) -> Result<(), Failure> {
    if let Some(found) = folder.certificate() {
        let said = said.but_for_a_cut(found, issuer.certificate().validity().not_after());
        refuse_differences(folder.path(), &said.differences(found))?;
    }
    if let (Some(found), Some(asked)) = (folder.key_kind(), said.key) {
        let is_other = found != asked.kind();
        let difference = format!("its key is {found}, asked for was {}", asked.kind());
        refuse_differences(folder.path(), is_other.then_some(difference).as_slice())?;
    }
    Ok(())
}

fn tell_shortened(issuer: &IssuerFolder, wish: &Wish) {
    let (asked, end) = (wish.validity.not_after(), issuer.certificate().validity().not_after());
    if asked > end && wish.profile == pki::Profile::Hardened {
        terminal::note(&format!(
            "the {} ends before the lifetime does, and the clusters' CAs end with it",
            issuer.noun()
        ));
    }
}

fn issue(
    ca: &IssuingCa,
    folder: &ClusterFolder<'_>,
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
        Some(key) => ca.issue_cluster_ca_for(key, &params),
        None => ca.issue_cluster_ca(&params),
    };
    cluster_ca.and_then(pki::ClusterCa::bundle).map_err(Failure::within(refused()))
}
