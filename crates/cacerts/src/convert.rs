//! `cacerts convert`: between the four files of Istio's Makefile and cert-manager's three.

use std::path::{Path, PathBuf};

use ca_dir::RootSet;
use clap::Args;
use pki::{Bundle, BundleFiles, Certificate, ClusterCa, Context, IstioVersion, Profile, Refusal};
use time::OffsetDateTime;

use crate::clock;
use crate::failure::Failure;
use crate::init::take;
use crate::issuer::refuse_tier;
use crate::report;
use crate::terminal;
use crate::wish::profile_of;

const TLS_CERT: &str = "tls.crt";
const TLS_KEY: &str = "tls.key";
const TLS_CA: &str = "ca.crt";
const CRL: &str = "ca-crl.pem";

/// Options of `convert`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  cacerts convert from-cert-manager cluster1   tls.crt, tls.key, ca.crt \
                  into the four files\n  \
                  cacerts convert cluster1 for-cert-manager    the four files into the three\n\n\
                  What is in FROM decides which way. FROM stays as it is; TO must not be there, or \
                  hold this very\nCA. What would be written is judged first, by every rule of a \
                  mesh.\n\n\
                  Exit codes: 0 made or already there, 1 refused or wrong, 2 it could not be done"
)]
pub(crate) struct ConvertArgs {
    /// The folder of a CA, in either layout
    from: PathBuf,
    /// The folder to make, in the other one
    to: PathBuf,
    /// Prints the CA as a JSON object
    #[arg(long)]
    json: bool,
}

/// A CA in the layout that it is converted to.
struct Converted {
    layout: &'static str,
    files: BundleFiles,
    ca: Certificate,
}

impl ConvertArgs {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let now = clock::now()?;
        refuse_tier(&self.from)?;
        let given = ca_dir::read_bundle(&self.from)?;
        let is_tls = given.get(TLS_CERT).is_some();
        if is_tls && BundleFiles::NAMES.iter().any(|name| given.get(name).is_some()) {
            let both = "holds both layouts, of which istiod takes tls.crt; leave one of them";
            return Err(self.refused(both));
        }
        let made = if is_tls { self.four_files(&given, now)? } else { self.three(&given, now)? };
        let parent = self.to.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or_else(|| Path::new("."));
        RootSet::create_folder(parent)?;
        let _lock = take(parent)?;
        let created = self.to.symlink_metadata().is_err();
        if created {
            ca_dir::write_files(&self.to, &made.files)?;
        } else if !self.to.is_dir() || !is_same(&ca_dir::read_bundle(&self.to)?, &made.files) {
            return Err(Failure::refused(format!(
                "`{}` is there and holds something else; choose another folder, or move it away",
                self.to.display()
            )));
        }
        report::converted(&self.to, made.layout, &made.ca, created, self.json);
        Ok(())
    }

    fn refused(&self, reason: &str) -> Failure {
        Failure::refused(format!("`{}` {reason}", self.from.display()))
    }

    fn unusable(&self) -> String {
        format!("`{}` is no CA that a mesh would take", self.from.display())
    }

    /// Of cert-manager's: tls.crt has the tiers behind the CA, and ca.crt is the root.
    fn four_files(&self, given: &BundleFiles, now: OffsetDateTime) -> Result<Converted, Failure> {
        let read = |name| {
            given.get(name).ok_or_else(|| self.refused(&format!("has {TLS_CERT} and no {name}")))
        };
        let (cert, key, root) = (read(TLS_CERT)?, read(TLS_KEY)?, read(TLS_CA)?);
        self.tell_left_out(given, &[TLS_CERT, TLS_KEY, TLS_CA]);
        let certificates = Certificate::all_from_pem(cert);
        let certificates = certificates.map_err(Failure::within(self.unusable()))?;
        let mut chain: String = certificates.iter().map(Certificate::to_pem).collect();
        if certificates.first().map(profile_of) == Some(Profile::Makefile) {
            chain.push_str(&String::from_utf8_lossy(root));
        }
        let bundle = ClusterCa::from_pem(cert, key, chain.as_bytes(), root, now)
            .and_then(ClusterCa::bundle)
            .map_err(Failure::within(self.unusable()))?;
        let ca = bundle.certificate().clone();
        Ok(Converted { layout: "four files", files: bundle.into_files(), ca })
    }

    /// To cert-manager's.
    fn three(&self, given: &BundleFiles, now: OffsetDateTime) -> Result<Converted, Failure> {
        if given.get(CRL).is_some() {
            return Err(self.refused(&format!(
                "has {CRL}, which has no place beside {TLS_CERT}: istiod reads none there"
            )));
        }
        self.tell_left_out(given, &BundleFiles::NAMES);
        let context = Context::new(now, IstioVersion::NEWEST, "cluster.local");
        let bundle =
            copied(given).into_bundle(&context).map_err(|refusal| self.because(refusal))?;
        let files = tls_files(&bundle);
        let report = files.judge(&context).map_err(Failure::within(self.unusable()))?;
        if report.refused() {
            return Err(self.because(Refusal::Refused(report)));
        }
        Ok(Converted { layout: "tls files", files, ca: bundle.certificate().clone() })
    }

    fn because(&self, refusal: Refusal) -> Failure {
        match refusal {
            Refusal::Refused(report) => Failure::refused(format!("{}\n{report}", self.unusable())),
            Refusal::NotJudged(error) => Failure::within(self.unusable())(error),
        }
    }

    fn tell_left_out(&self, given: &BundleFiles, known: &[&str]) {
        let others: Vec<_> = given.names().filter(|name| !known.contains(name)).collect();
        if !others.is_empty() {
            terminal::note(&format!("left out, since no CA has them: {}", others.join(", ")));
        }
    }
}

fn tls_files(bundle: &Bundle) -> BundleFiles {
    let hierarchy = bundle.hierarchy();
    let chain = std::iter::once(hierarchy.cluster_ca()).chain(hierarchy.tiers());
    let mut files = BundleFiles::new();
    files.insert(TLS_CERT, chain.map(Certificate::to_pem).collect::<String>());
    files.insert(TLS_KEY, bundle.files().get(BundleFiles::CA_KEY).unwrap_or_default());
    files.insert(TLS_CA, hierarchy.trust_bundle().to_pem());
    files
}

fn copied(files: &BundleFiles) -> BundleFiles {
    let mut copy = BundleFiles::new();
    for name in files.names() {
        copy.insert(name, files.get(name).unwrap_or_default());
    }
    copy
}

fn is_same(found: &BundleFiles, made: &BundleFiles) -> bool {
    found.names().eq(made.names()) && made.names().all(|name| found.get(name) == made.get(name))
}
