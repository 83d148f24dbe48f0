//! `cacerts accept`: on the cluster's side, a whole CA of the key that stayed and what came back.

use std::path::PathBuf;

use ca_dir::{ROOT_CERT, RootSet, TIER_ROOT, TierSet};
use clap::Args;
use pki::{
    Bundle, BundleFiles, Certificate, ClusterCa, Context, Fingerprint, IstioVersion, Profile,
    Refusal, Severity,
};
use time::OffsetDateTime;

use crate::asked::{self, RequestFile};
use crate::clock;
use crate::failure::Failure;
use crate::init::take;
use crate::lifetime::rfc3339;
use crate::name::ClusterName;
use crate::own::{OwnFolder, read_text, read_text_if_there};
use crate::report::{self, Ca};
use crate::response::Response;
use crate::terminal;
use crate::wish::{Said, profile_of};

/// Options of `accept`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  cacerts accept cluster1.response.pem                  \
                  cluster1 is whole\n  \
                  cacerts accept cluster1.response.pem --root sha256:.. \
                  and under this root only\n  \
                  cacerts accept chain.pem --name cluster1              \
                  what Vault, step or openssl signed\n\n\
                  Adds ca-cert.pem, cert-chain.pem and root-cert.pem to the folder with the key, at \
                  once, where\nevery rule of a mesh takes them together. A root-cert.pem that is \
                  there already, in NAME or\nbeside it, is the only root that is taken. Certificates \
                  of another tool are one file of PEM.\n\n\
                  Exit codes: 0 accepted or already there, 1 refused or wrong, 2 it could not be \
                  done")]
pub(crate) struct AcceptArgs {
    /// The response
    file: PathBuf,
    /// Where the cluster's folder is
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// The cluster, for certificates that do not say it
    #[arg(long)]
    name: Option<String>,
    /// The fingerprint of the only root that is taken, as its administrator tells it
    #[arg(long, value_name = "FINGERPRINT")]
    root: Option<Fingerprint>,
    /// Prints the CA as a JSON object
    #[arg(long)]
    json: bool,
}

impl AcceptArgs {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let now = clock::now()?;
        let response = Response::read(&read_text(&self.file)?)
            .map_err(|reason| self.refused(&format!("is no response: {reason}")))?;
        let name = self.cluster(&response)?;
        let no_key = || {
            Failure::refused(format!(
                "`{}` is not there; `cacerts request {name}` makes it, before anything is signed",
                self.dir.join(name.as_str()).join(BundleFiles::CA_KEY).display()
            ))
        };
        if !self.dir.exists() {
            return Err(no_key());
        }
        let _lock = take(&self.dir)?;
        let folder = OwnFolder::look(&self.dir, &name)?.ok_or_else(no_key)?;
        let ca = self.own(&response, &folder)?.clone();
        let (trusted, told) = self.trusted(&response, &folder)?;
        let bundle = self.judged(&response, &folder, &ca, &trusted, now)?;
        let root = bundle.hierarchy().root().clone();
        if let Some(expected) = self.root.filter(|expected| *expected != root.fingerprint()) {
            return Err(self.refused(&format!(
                "is of another root: {}, expected {expected}",
                root.fingerprint()
            )));
        }
        let is_whole = BundleFiles::NAMES.iter().all(|name| folder.files.get(name).is_some());
        if !is_whole {
            ca_dir::complete_bundle(&folder.path, &bundle)?;
            self.tell_what_differs(&name, &ca)?;
            if !told {
                terminal::note(
                    "the root is taken as it came: compare its fingerprint with what its \
                     administrator tells",
                );
            }
        }
        let ca = Ca::cluster(name.as_str(), &folder.path, &ca, !is_whole);
        report::accepted(&ca, &root, self.json);
        Ok(())
    }

    fn refused(&self, reason: &str) -> Failure {
        Failure::refused(format!("`{}` {reason}", self.file.display()))
    }

    fn cluster(&self, response: &Response) -> Result<ClusterName, Failure> {
        let said = self.name.as_deref().map(ClusterName::read).transpose();
        match (response.cluster.clone(), said.map_err(Failure::refused)?) {
            (Some(told), Some(said)) if told != said => {
                Err(self.refused(&format!("is for {told}, and --name says {said}")))
            }
            (None, None) => {
                Err(self.refused("does not say for which cluster it is; say it with --name"))
            }
            (Some(cluster), _) | (None, Some(cluster)) => Ok(cluster),
        }
    }

    /// The certificate of the key that is here.
    fn own<'a>(
        &self,
        response: &'a Response,
        folder: &OwnFolder,
    ) -> Result<&'a Certificate, Failure> {
        let key = folder.key.public_key_der();
        response.all().find(|certificate| certificate.public_key_der() == key).ok_or_else(|| {
            self.refused(&format!(
                "answers another request: its CA is of the public key {}, and `{}` is {}",
                response.ca.public_key_fingerprint(),
                folder.path.join(BundleFiles::CA_KEY).display(),
                folder.key.public_key_fingerprint()
            ))
        })
    }

    /// The trust bundle as PEM, and whether anybody here knew it before.
    fn trusted(&self, response: &Response, folder: &OwnFolder) -> Result<(Vec<u8>, bool), Failure> {
        let is_root = |it: &&Certificate| it.is_self_issued() && it.is_signed_by(it);
        let came: Vec<_> = response.all().filter(is_root).collect();
        let (beside, tiers) = (RootSet::read(&self.dir)?, TierSet::read(&self.dir)?);
        let there = [
            (folder.path.join(ROOT_CERT), folder.files.get(BundleFiles::ROOT_CERT)),
            (self.dir.join(ROOT_CERT), beside.certificate.as_deref()),
            (self.dir.join(TIER_ROOT), tiers.root.as_deref()),
        ];
        let mut there = there.into_iter().filter_map(|(path, pem)| Some((path, pem?)));
        if let Some((path, pem)) = there.next() {
            let unusable = format!("`{}` is there and cannot be used", path.display());
            let known = Certificate::all_from_pem(pem).map_err(Failure::within(unusable))?;
            if let Some(other) = came.iter().find(|root| !known.contains(root)) {
                return Err(self.refused(&format!(
                    "is of another root, {}, than `{}`, which is there: {}",
                    other.fingerprint(),
                    path.display(),
                    known
                        .iter()
                        .map(|root| root.fingerprint().to_string())
                        .collect::<Vec<_>>()
                        .join(", ")
                )));
            }
            return Ok((pem.to_vec(), true));
        }
        match came[..] {
            [root] => Ok((root.to_pem().into_bytes(), self.root.is_some())),
            [] => Err(self.refused(&format!(
                "has no root, and none is there; put it beside the folder, as `{}`",
                self.dir.join(ROOT_CERT).display()
            ))),
            _ => Err(self.refused(&format!("has {} roots, expected one", came.len()))),
        }
    }

    /// What will lie in the folder, if every rule takes it.
    fn judged(
        &self,
        response: &Response,
        folder: &OwnFolder,
        ca: &Certificate,
        trusted: &[u8],
        now: OffsetDateTime,
    ) -> Result<Bundle, Failure> {
        let unusable = || format!("`{}` is no CA of this key and its root", self.file.display());
        let has_root = profile_of(ca) == Profile::Makefile;
        let mut chain: String =
            response.all().filter(|it| !it.is_self_issued()).map(Certificate::to_pem).collect();
        if has_root {
            chain.push_str(&String::from_utf8_lossy(trusted));
        }
        let key = folder.files.get(BundleFiles::CA_KEY).unwrap_or_default();
        let made = ClusterCa::from_pem(ca.to_pem().as_bytes(), key, chain.as_bytes(), trusted, now)
            .and_then(ClusterCa::bundle)
            .map_err(Failure::within(unusable()))?;
        let mut files = BundleFiles::new();
        for name in folder.files.names() {
            files.insert(name, folder.files.get(name).unwrap_or_default());
        }
        for name in [BundleFiles::CA_CERT, BundleFiles::CERT_CHAIN, BundleFiles::ROOT_CERT] {
            let new = made.files().get(name).unwrap_or_default();
            match files.get(name) {
                Some(found) if found != new && name != BundleFiles::ROOT_CERT => {
                    return Err(Failure::refused(format!(
                        "`{}` is there and is not what `{}` would put in its place; it is never \
                         replaced: move it away",
                        folder.path.join(name).display(),
                        self.file.display()
                    )));
                }
                Some(_) => {}
                None => files.insert(name, new),
            }
        }
        // The mesh is not known here; `ClusterCa::bundle` judges the same way.
        let context = Context::new(now, IstioVersion::NEWEST, "cluster.local");
        let report = files.judge(&context).map_err(Failure::within(unusable()))?;
        for finding in report.findings.iter().filter(|it| it.rule.severity == Severity::Warn) {
            let file = finding.file.as_deref().unwrap_or("the CA");
            terminal::note(&format!("{} in {file}: {}", finding.rule.id, finding.rule.what));
        }
        files.into_bundle(&context).map_err(|refusal| match refusal {
            Refusal::Refused(report) => Failure::refused(format!("{}\n{report}", unusable())),
            Refusal::NotJudged(error) => Failure::within(unusable())(error),
        })
    }

    /// The root may grant something else than what was asked for.
    fn tell_what_differs(&self, name: &ClusterName, ca: &Certificate) -> Result<(), Failure> {
        let Some(text) = read_text_if_there(&asked::path(&self.dir, name))? else { return Ok(()) };
        let Some(asked) = RequestFile::read(&text).ok().and_then(|file| file.asked) else {
            return Ok(());
        };
        let wished = Said {
            profile: Some(asked.profile),
            organization: Some(asked.organization),
            common_name: Some(asked.common_name),
            dns_name: Some(asked.dns_name),
            ..Said::default()
        };
        let mut differences = wished.differences(ca);
        if !asked.lifetime.is_of(ca.validity()) {
            let (end, lifetime) = (rfc3339(ca.validity().not_after()), asked.lifetime);
            differences.push(format!("it ends {end}, asked for was a lifetime of {lifetime}"));
        }
        if !differences.is_empty() {
            let differences = differences.join("; ");
            terminal::note(&format!("the root granted something else: {differences}"));
        }
        Ok(())
    }
}
