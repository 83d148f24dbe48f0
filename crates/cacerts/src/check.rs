//! `cacerts check`: would it work? Every judge's verdict on a bundle, before a mesh depends on it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use pki::{BundleFiles, Context, IstioVersion, SpiffeId};
use time::{Duration, OffsetDateTime};

use crate::clock;
use crate::failure::Failure;
use crate::lifetime::utc;
use crate::progress::in_parallel;
use crate::target::{self, Found, Origin};
use crate::terminal;

#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod json;
mod judged;
mod junit;
mod prometheus;
mod sarif;
mod span;
mod text;

use judged::{Checked, Judged, Outcome};
use span::Span;

/// Options of `check`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  cacerts check ca/cluster1                        a folder\n  \
                  cacerts check ca/*/                              every cluster's\n  \
                  kubectl -n istio-system get secret cacerts -o yaml | cacerts check -\n  \
                  cacerts check ca/new --current ca/cluster1       would a running istiod take \
                  it?\n  \
                  cacerts check ca/cluster1 --istio 1.26 --fail 14d --format sarif\n  \
                  cacerts explain path-length                      more about a finding\n\n\
                  Exit codes: 0 every judge who counts accepts; 1 one refuses, a certificate ends \
                  within --fail,\nor a private key lies in a file that istiod hands out; 2 it \
                  could not be checked; 3 it works, with\nwarnings. istiod at start, the agents \
                  and Envoy count; a reload with --current, ztunnel with\n--ambient; other TLS \
                  clients never do. Of several targets the worst counts: 1, 2, 3, 0"
)]
pub(crate) struct CheckArgs {
    /// A folder, the manifest of a Secret (YAML or JSON), or - for a manifest on standard input
    #[arg(required = true, value_name = "TARGET")]
    targets: Vec<PathBuf>,
    /// What the running istiod has now: whether it takes TARGET without a restart is judged too
    #[arg(long, value_name = "TARGET")]
    current: Option<PathBuf>,
    /// The Istio it is for, for example 1.26 or 1.31.0 [default: newer than any]
    #[arg(long, value_name = "VERSION")]
    istio: Option<IstioVersion>,
    /// The mesh's trust domain
    #[arg(long, value_name = "NAME", default_value = "cluster.local")]
    trust_domain: String,
    /// ztunnel takes part, and its verdict counts
    #[arg(long)]
    ambient: bool,
    /// istiod runs with ISTIO_MULTIROOT_MESH=true
    #[arg(long)]
    multi_root: bool,
    /// The moment to judge for, in RFC 3339 [default: this one]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    now: Option<OffsetDateTime>,
    /// Warns of a certificate that ends within this time: 36h, 60d, 8w; 0 for never
    #[arg(long, value_name = "TIME", default_value = "60d")]
    warn: Span,
    /// Refuses a certificate that ends within this time
    #[arg(long, value_name = "TIME", default_value = "0")]
    fail: Span,
    /// How long workload certificates live (SECRET_TTL)
    #[arg(long, value_name = "TIME", default_value = "24h")]
    workload_lifetime: Span,
    /// How the answer is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Short for --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs; docs/check.schema.json is its shape
    Json,
    /// SARIF 2.1.0, for what shows the findings of linters
    Sarif,
    /// JUnit XML, for what shows the results of tests
    Junit,
    /// A text file for Prometheus, with the dates of every certificate
    Prometheus,
}

impl CheckArgs {
    pub(crate) fn run(&self) -> Result<ExitCode, Failure> {
        let context = self.context()?;
        let mut all = Vec::new();
        for (target, found) in self.targets.iter().zip(self.judged(&context)?) {
            match found {
                Ok(judged) => all.extend(judged),
                Err(failure) => {
                    terminal::failure(&failure);
                    all.push(Checked {
                        name: target.display().to_string(),
                        origin: origin(target),
                        result: Err(failure.whole()),
                    });
                }
            }
        }
        name_apart(&mut all);
        let outcome = all.iter().map(Checked::outcome).min().unwrap_or(Outcome::NotChecked);
        let format = if self.json { Format::Json } else { self.format };
        let document = match format {
            Format::Text => text::render(&all, terminal::width()),
            Format::Json => json::render(&all, outcome, &context)?,
            Format::Sarif => sarif::render(&all, outcome),
            Format::Junit => junit::render(&all)?,
            Format::Prometheus => prometheus::render(&all, &context),
        };
        terminal::print(&document)?;
        Ok(ExitCode::from(outcome.exit_code()))
    }

    /// What lies at each target, judged; the reason where one could not be read.
    fn judged(&self, context: &Context) -> Result<Vec<Result<Vec<Checked>, Failure>>, Failure> {
        let mut all: Vec<_> = self.targets.iter().map(|_| Ok(Vec::new())).collect();
        in_parallel(
            "checking",
            self.targets.len(),
            |index| match target::read(&self.targets[index]) {
                Ok(found) => {
                    let judged = found.into_iter().map(|found| judge(found, context));
                    judged.collect::<Result<Vec<_>, _>>().map(Ok)
                }
                Err(failure) => Ok(Err(failure)),
            },
            |index, judged| {
                all[index] = judged;
                Ok(())
            },
        )?;
        Ok(all)
    }

    fn context(&self) -> Result<Context, Failure> {
        // Held against nothing yet: a wrong one is no bundle's fault.
        let id = SpiffeId::workload(&self.trust_domain, "default", "default");
        if let Err(error) = id {
            return Err(Failure::could_not(format!("--trust-domain cannot be used: {error}")));
        }
        let now = self.now.map_or_else(clock::now, Ok)?;
        // X.509 knows no parts of a second, and so neither does an answer.
        let now = now - Duration::nanoseconds(now.nanosecond().into());
        let istio = self.istio.unwrap_or(IstioVersion::NEWEST);
        Ok(Context {
            multi_root: self.multi_root,
            ambient: self.ambient,
            current: self.current.as_deref().map(current_root).transpose()?,
            fail_within: self.fail.0,
            warn_within: self.warn.0,
            workload_lifetime: self.workload_lifetime.0,
            ..Context::new(now, istio, &self.trust_domain)
        })
    }
}

fn judge(found: Found, context: &Context) -> Result<Checked, Failure> {
    let Found { name, origin, files } = found;
    let judged = Judged::new(files, context)
        .map_err(|error| Failure::could_not(format!("`{name}` cannot be judged: {error}")))?;
    Ok(Checked { name, origin, result: Ok(judged) })
}

/// A name stands for one bundle, also where the same one was asked for twice.
fn name_apart(all: &mut [Checked]) {
    let mut seen = BTreeMap::new();
    for checked in all {
        let times = seen.entry(checked.name.clone()).and_modify(|times| *times += 1).or_insert(1);
        if *times > 1 {
            checked.name.push_str(&format!(" ({times})"));
        }
    }
}

/// The root-cert.pem that a running istiod has, in either layout.
fn current_root(target: &Path) -> Result<Vec<u8>, Failure> {
    let refuse =
        |why: &str| Err(Failure::could_not(format!("--current `{}` {why}", target.display())));
    let mut found = target::read(target)
        .map_err(|failure| Failure::could_not(format!("--current: {}", failure.whole())))?;
    let (Some(Found { files, .. }), true) = (found.pop(), found.is_empty()) else {
        return refuse("holds several Secrets `cacerts`; give one of them");
    };
    // A `tls.crt` makes istiod read the other layout, whatever lies beside it.
    let name = if files.get("tls.crt").is_some() { "ca.crt" } else { BundleFiles::ROOT_CERT };
    match files.get(name) {
        Some(bytes) => Ok(bytes.to_vec()),
        None => refuse(&format!("has no {name}, so that no istiod runs with it")),
    }
}

fn origin(target: &Path) -> Origin {
    if target == Path::new("-") {
        Origin::Stdin
    } else if target.is_dir() {
        Origin::Folder(target.to_owned())
    } else {
        Origin::Manifest(target.to_owned())
    }
}

fn moment(text: &str) -> Result<OffsetDateTime, String> {
    utc(text)
        .ok_or_else(|| format!("`{text}` is no time, expected for example 2026-11-24T12:00:00Z"))
}
