//! `cacerts sign`: on the side of the root, or of a tier, a CA for each request that came over the
//! air gap.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ca_dir::Lock;
use clap::Args;
use pki::{Certificate, ClusterCaParams, IssuingCa};

use crate::asked::RequestFile;
use crate::clock;
use crate::failure::Failure;
use crate::init::{refuse_differences, take};
use crate::issuer::IssuerFolder;
use crate::name::ClusterName;
use crate::own::{read_text, read_text_if_there};
use crate::passphrase::Passphrase;
use crate::report::{self, Signed};
use crate::response::{self, Response};
use crate::terminal;
use crate::variables::{Level, Variables};

#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod policy;
mod review;

use policy::{Policy, PolicyArgs};

/// Options of `sign`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  cacerts sign cluster1.request.pem --dir ca          \
                  shows it, asks, and signs\n  \
                  cacerts sign *.request.pem --dir ca --lifetime 1y   \
                  nobody gets more than a year\n  \
                  cacerts sign vault.csr --dir ca --name cluster1     \
                  what openssl, step, cert-manager\n                                                      \
                  or Vault made\n\n\
                  Writes NAME.response.pem, the CA and those above it, beside each request: `cacerts \
                  accept` takes it\non the cluster's side. Of a request only the public key is \
                  certified. Everything else is this\nside's: its options and defaults, and what is \
                  asked for where --as-asked says so.\n\n\
                  Exit codes: 0 signed or already there, 1 refused or wrong, 2 it could not be done")]
pub(crate) struct SignArgs {
    /// The requests
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The folder of the root, or of a tier (`cacerts tier`)
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// The cluster, for a request that does not say it
    #[arg(long)]
    name: Option<String>,
    /// Where the responses go [default: beside each request]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    passphrase: Passphrase,
    /// Signs without asking
    #[arg(long)]
    yes: bool,
    /// Prints what was signed as a JSON array
    #[arg(long)]
    json: bool,
}

/// One request on its way.
struct Job<'a> {
    path: &'a Path,
    file: RequestFile,
    cluster: ClusterName,
    policy: Policy,
    response: PathBuf,
}

impl SignArgs {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let now = clock::now()?;
        let issuer = IssuerFolder::read(&self.dir)?;
        // Every request is read before any is signed.
        let jobs = self.jobs(&issuer)?;
        let _locks = self.lock(&jobs)?;
        let mut signed = Vec::new();
        let mut granted = Vec::new();
        for job in &jobs {
            signed.push(job.earlier(&issuer)?);
            let what = format!("`{}` is not signed", job.path.display());
            let params = job.policy.grant(&job.cluster, &job.file, &issuer, now);
            granted.push(params.map_err(|failure| failure.about(&what))?);
        }
        let missing: Vec<_> = (0..jobs.len()).filter(|&at| signed[at].is_none()).collect();
        if !missing.is_empty() {
            for &at in &missing {
                terminal::show(&review::table(jobs[at].path, &jobs[at].file, &granted[at]));
            }
            self.confirm(missing.len(), &issuer)?;
            let ca = issuer.open(&self.passphrase, now)?;
            for at in missing {
                signed[at] = Some(jobs[at].sign(&issuer, &ca, &granted[at])?);
            }
        }
        let report = jobs.iter().zip(&signed).filter_map(|(job, signed)| {
            let (ca, created) = signed.as_ref()?;
            let (request, response) = (job.path, job.response.as_path());
            let (cluster, asked) = (&job.cluster, job.file.asked.as_ref());
            let root = issuer.root();
            Some(Signed { cluster, asked, request, response, created: *created, ca, root })
        });
        report::signed(&report.collect::<Vec<_>>(), self.json);
        Ok(())
    }

    fn jobs(&self, issuer: &IssuerFolder) -> Result<Vec<Job<'_>>, Failure> {
        let variables = Variables::of(Level::Cluster)?;
        let mut notes = BTreeSet::new();
        let mut jobs: Vec<Job<'_>> = Vec::new();
        for path in &self.files {
            let named = format!("`{}`", path.display());
            let refused = |reason| Failure::refused(format!("{named} is not signed: {reason}"));
            let file = RequestFile::read(&read_text(path)?).map_err(refused)?;
            let cluster = self.cluster(&file).map_err(refused)?;
            let public_key = file.request.public_key_der();
            if let Some(ca) = issuer.way_up().find(|ca| ca.public_key_der() == public_key) {
                return Err(refused(format!("its key is that of `{}`", ca.subject())));
            }
            for other in &jobs {
                let same = if other.cluster == cluster {
                    format!("a request for {cluster}")
                } else if other.file.request.public_key_der() == public_key {
                    "a request of the same key".to_owned()
                } else {
                    continue;
                };
                return Err(refused(format!("`{}` is {same} too", other.path.display())));
            }
            let (policy, note) = self.policy.of(&file, issuer.certificate(), &variables);
            notes.extend(note);
            let folder =
                self.out.as_deref().or_else(|| path.parent()).unwrap_or_else(|| Path::new(""));
            let response = response::path(folder, &cluster);
            jobs.push(Job { path, file, cluster, policy, response });
        }
        notes.iter().for_each(|note| terminal::note(note));
        Ok(jobs)
    }

    fn cluster(&self, file: &RequestFile) -> Result<ClusterName, String> {
        let name = self.name.as_deref().map(ClusterName::read).transpose()?;
        if self.files.len() > 1 && name.is_some() {
            return Err("--name is for one request at a time".to_owned());
        }
        match (file.asked.as_ref().map(|asked| asked.cluster.clone()), name) {
            (Some(asked), Some(name)) if asked != name => {
                Err(format!("it is for {asked}, and --name says {name}"))
            }
            (None, None) => {
                Err("it does not say for which cluster it is; say it with --name".to_owned())
            }
            (Some(cluster), _) | (None, Some(cluster)) => Ok(cluster),
        }
    }

    /// The folders that are written to, for this program alone; in one order for all programs.
    fn lock(&self, jobs: &[Job<'_>]) -> Result<Vec<Lock>, Failure> {
        let mut folders = BTreeSet::new();
        for job in jobs {
            let folder = job.response.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or_else(|| Path::new("."));
            let cannot = format!("cannot write responses to `{}`", folder.display());
            folders.insert(folder.canonicalize().map_err(Failure::io(cannot))?);
        }
        folders.iter().map(|folder| take(folder)).collect()
    }

    fn confirm(&self, count: usize, issuer: &IssuerFolder) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        match terminal::confirmed(&review::question(count, issuer)) {
            None => Err(Failure::could_not(
                "nothing was signed: there is no terminal to ask for confirmation; look at what \
                 is granted above, and say --yes",
            )),
            Some(Ok(true)) => Ok(()),
            Some(Ok(false)) => Err(Failure::refused("nothing was signed: it was not confirmed")),
            Some(Err(error)) => Err(Failure::io("cannot ask for confirmation")(error)),
        }
    }
}

impl Job<'_> {
    /// What was signed for this very request, and that nothing was made.
    fn earlier(&self, issuer: &IssuerFolder) -> Result<Option<(Certificate, bool)>, Failure> {
        let Some(text) = read_text_if_there(&self.response)? else { return Ok(None) };
        let named = format!("`{}` is there", self.response.display());
        let response = Response::read(&text)
            .map_err(|reason| Failure::refused(format!("{named} and is no response: {reason}")))?;
        let of = if response.cluster.as_ref() != Some(&self.cluster)
            || response.ca.public_key_der() != self.file.request.public_key_der()
        {
            "another request"
        } else if !response.above.iter().eq(issuer.way_up())
            || !response.ca.is_signed_by(issuer.certificate())
        {
            &format!("another {}", issuer.noun())
        } else {
            refuse_differences(&self.response, &self.policy.differences(&response.ca))?;
            return Ok(Some((response.ca, false)));
        };
        Err(Failure::refused(format!("{named} and is of {of}; move it away")))
    }

    fn sign(
        &self,
        issuer: &IssuerFolder,
        signer: &IssuingCa,
        granted: &ClusterCaParams,
    ) -> Result<(Certificate, bool), Failure> {
        let refused = || format!("`{}` is not signed", self.path.display());
        let ca = signer.certify(&self.file.request, granted).map_err(Failure::within(refused()))?;
        let text = response::file(&self.cluster, &ca, issuer)
            .map_err(|reason| Failure::refused(format!("{}: {reason}", refused())))?;
        ca_dir::write_public(&self.response, text.as_bytes())?;
        Ok((ca, true))
    }
}
