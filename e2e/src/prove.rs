//! A whole run: the CA, a cluster, the page, the claims, the reports.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use pki::Hierarchy;
use time::OffsetDateTime;

use crate::claim::{Claim, Verdict};
use crate::claims::{CLAIMS, table};
use crate::diagnose::diagnose;
use crate::proof::{self, Proof, Request};
use crate::provider::{Provider, ProviderName};
use crate::report::{self, Failure, Report, Sabotaged};
use crate::run::{End, Run, scoped};
use crate::sabotage::{self, SABOTAGES, Sabotage};
use crate::session::{MeshArgs, Reader, Session};
use crate::step::StepTime;
use crate::steps::workloads::NAMESPACE;
use crate::terminal;
use publish::publish;

mod publish;
mod sabotages;

/// The profile of a CA that the harness did not make.
const AS_FOUND: &str = "as found";

/// What to prove, and how.
#[derive(Args, Clone, Debug)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    mesh: MeshArgs,
    /// Test only these claims, by number or name, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "CLAIM")]
    only: Vec<String>,
    /// List the claims and stop
    #[arg(long)]
    list: bool,
    /// List them as the page docs/claims.md, sabotages included
    #[arg(long, requires = "list")]
    markdown: bool,
    /// Count a skipped claim as one that could not be tested
    #[arg(long)]
    require: bool,
    /// Break one thing on purpose; `list` names them, `all` tries every one
    #[arg(long, value_name = "NAME")]
    sabotage: Option<String>,
    /// Keep the mesh of a run that failed, until `down`
    #[arg(long)]
    keep_on_failure: bool,
    /// Write the JSON report to this file too
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write a report for others to this file: every claim, as YAML, and nothing of this machine
    #[arg(long, value_name = "FILE", conflicts_with_all = ["only", "sabotage"])]
    conformance: Option<PathBuf>,
}

/// Does what the arguments say.
///
/// # Errors
/// It could not be done at all; exit code 2.
pub(crate) async fn run(args: &RunArgs) -> Result<ExitCode> {
    if args.markdown {
        terminal::answer(table::markdown().trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    if args.list {
        for claim in CLAIMS {
            terminal::answer(&format!("{:2} {}: {}", claim.number, claim.id, claim.sentence));
        }
        return Ok(ExitCode::SUCCESS);
    }
    if args.mesh.existing.print_role {
        let claims: Vec<_> = chosen(&args.only)?.iter().map(|claim| claim.number).collect();
        terminal::answer(args.mesh.existing.roles(&claims).trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    match args.sabotage.as_deref() {
        Some("list") => {
            for sabotage in SABOTAGES {
                terminal::answer(&format!("{}: {}", sabotage.name, sabotage.sentence));
            }
            Ok(ExitCode::SUCCESS)
        }
        Some("all") => Proving::prepare(args, None).await?.all_sabotages().await,
        Some(name) => {
            let known = || SABOTAGES.iter().map(|s| s.name).collect::<Vec<_>>().join(", ");
            let sabotage = sabotage::named(name);
            let sabotage =
                sabotage.with_context(|| format!("no sabotage is named `{name}`: {}", known()))?;
            Proving::prepare(args, Some(sabotage)).await?.prove().await
        }
        None => Proving::prepare(args, None).await?.prove().await,
    }
}

/// What to prove, on a machine on which it can be.
struct Proving {
    args: RunArgs,
    sabotage: Option<&'static Sabotage>,
    claims: Vec<&'static Claim>,
    session: Session,
}

/// What a run leaves behind, also where it fails on its way.
#[derive(Default)]
struct Notes {
    begun: Option<Begun>,
    steps: Vec<StepTime>,
    hierarchy: Option<Hierarchy>,
    proof: Proof,
}

struct Begun {
    id: String,
    folder: PathBuf,
    started: OffsetDateTime,
    clock: Instant,
}

impl Begun {
    fn new(run: &Run) -> Self {
        let folder = run.dir.root().to_owned();
        Self { id: run.id().to_string(), folder, started: run.now, clock: Instant::now() }
    }
}

impl Proving {
    async fn prepare(args: &RunArgs, sabotage: Option<&'static Sabotage>) -> Result<Self> {
        let claims = chosen(&args.only)?;
        ensure!(
            args.sabotage.is_none() || args.mesh.provider != ProviderName::Existing,
            "a sabotage breaks a mesh on purpose, and one that is there is not to be broken: use a \
             provider that makes one, or hold the mesh against another --bundle"
        );
        let session = Session::prepare(&args.mesh).await?;
        Ok(Self { args: args.clone(), sabotage, claims, session })
    }

    fn request(&self, run: &Run) -> Request {
        Request {
            claims: self.claims.clone(),
            client: self.args.mesh.client,
            sabotage: self.sabotage,
            folder: run.dir.root().to_owned(),
            require: self.args.require,
            keep_on_failure: self.args.keep_on_failure,
        }
    }

    /// Proves the claims, or shows that a sabotage is noticed.
    async fn prove(self) -> Result<ExitCode> {
        let mut notes = Notes::default();
        let steps = self.session.provider.steps();
        let setup = self.session.setup(steps, self.args.keep_on_failure);
        let ran = scoped(&setup, &self.session.abort, async |run| {
            notes.begun = Some(Begun::new(run));
            let done = Box::pin(self.steps(run, &mut notes)).await;
            notes.steps = run.steps.times();
            let keep = self.args.keep_on_failure && self.verdict(&notes.proof) != Verdict::Proven;
            done.map(|()| ((), if keep { End::Keep } else { End::TearDown }))
        })
        .await;
        self.report(notes, ran)
    }

    async fn steps(&self, run: &Run, notes: &mut Notes) -> Result<()> {
        match &self.session.provider {
            Provider::Existing(existing) => {
                let (request, proof) = (self.request(run), &mut notes.proof);
                existing.prove(run, &self.session.release, &request, proof).await
            }
            Provider::Local(_) | Provider::Kind(_) => self.page(run, notes).await,
        }
    }

    async fn page(&self, run: &Run, notes: &mut Notes) -> Result<()> {
        let ca = self.args.mesh.ca;
        let (cluster, administrator) = self.session.cluster_and_ca(run, ca).await?;
        notes.hierarchy = Some(administrator.truth.hierarchy.clone());
        notes.proof.told.push(cluster.kubernetes().await?);
        let (request, proof) = (self.request(run), &mut notes.proof);
        let release = &self.session.release;
        let done = proof::prove(&run.steps, &cluster, release, &administrator, &request, proof);
        let done = done.await;
        if done.is_err() {
            notes.proof.diagnosis = diagnose(&cluster, NAMESPACE, run.dir.root()).await;
        }
        done
    }

    fn verdict(&self, proof: &Proof) -> Verdict {
        Verdict::over(&proof.tested, self.args.require)
    }

    /// Writes the reports, shows the table, and says how the run ended.
    fn report(&self, notes: Notes, ran: Result<()>) -> Result<ExitCode> {
        let Notes { begun, steps, hierarchy, proof } = notes;
        let diagnosis = proof.diagnosis.clone();
        // A run that did not even begin has nothing to report but its error.
        let Some(begun) = begun else { return ran.map(|()| ExitCode::from(2)) };
        if ran.is_ok() && !diagnosis.is_empty() {
            terminal::say(&diagnosis);
        }
        let verdict = match self.verdict(&proof) {
            // Whatever held so far, the run did not come to its end.
            Verdict::Proven if ran.is_err() => Verdict::Unproven,
            verdict => verdict,
        };
        let report = Report {
            run: begun.id,
            started: begun.started,
            elapsed: begun.clock.elapsed(),
            provider: self.session.provider.name().to_owned(),
            profile: match self.session.provider {
                Provider::Existing(_) => AS_FOUND.to_owned(),
                Provider::Local(_) | Provider::Kind(_) => self.args.mesh.ca.profile.to_string(),
            },
            versions: [proof.told, self.session.versions()].concat(),
            reproduce: self.args.command_line(Reader::Oneself),
            steps,
            tested: proof.tested,
            hierarchy: proof.held_against.or(hierarchy),
            served: proof.served,
            workloads: proof.workloads,
            failure: ran.err().map(|error| Failure { reason: format!("{error:#}"), diagnosis }),
            sabotage: self.sabotage.map(|sabotage| Sabotaged { sabotage, stopped: proof.stopped }),
            verdict,
        };
        report::write(&begun.folder, &report)?;
        if let Some(file) = &self.args.report {
            copy_report(&report::json(&report)?, file)?;
        }
        if let Some(file) = &self.args.conformance {
            publish(&self.args, &report, &begun.folder, file)?;
        }
        terminal::answer(&report::terminal(&report, &begun.folder, terminal::in_colour()));
        if on_github() {
            report::annotations(&report).iter().for_each(|line| terminal::answer(line));
        }
        let code = match report::caught(&report) {
            // The harness itself is wrong.
            Some(false) => Verdict::Unproven.exit_code(),
            Some(true) | None => verdict.exit_code(),
        };
        Ok(ExitCode::from(code))
    }
}

impl RunArgs {
    /// The command line that does the same again.
    fn command_line(&self, reader: Reader) -> String {
        let mut line = format!("cargo xtask e2e{}", self.mesh.command_line(reader));
        if !self.only.is_empty() {
            line.push_str(&format!(" --only {}", self.only.join(",")));
        }
        for (given, flag) in
            [(self.require, " --require"), (self.keep_on_failure, " --keep-on-failure")]
        {
            line.push_str(if given { flag } else { "" });
        }
        if let Some(name) = &self.sabotage {
            line.push_str(&format!(" --sabotage {name}"));
        }
        line
    }
}

/// Whether GitHub reads what is printed (its default environment variables).
fn on_github() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// The claims that were asked for, by number or name; all of them if none was.
fn chosen(only: &[String]) -> Result<Vec<&'static Claim>> {
    if only.is_empty() {
        return Ok(CLAIMS.iter().collect());
    }
    for name in only {
        let known = CLAIMS.iter().any(|claim| is_called(claim, name));
        anyhow::ensure!(known, "no claim is called `{name}`; `--list` names them all");
    }
    let is_asked_for = |claim: &&Claim| only.iter().any(|name| is_called(claim, name));
    Ok(CLAIMS.iter().filter(is_asked_for).collect())
}

fn is_called(claim: &Claim, name: &str) -> bool {
    claim.id == name || claim.number.to_string() == name
}

/// Writes a report where the caller wants it, whole.
fn copy_report(json: &str, file: &Path) -> Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    std::fs::write(file, json).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn numbers(only: &[&str]) -> Vec<u8> {
        let only: Vec<_> = only.iter().map(|name| (*name).to_owned()).collect();
        chosen(&only).unwrap().iter().map(|claim| claim.number).collect()
    }

    #[test]
    fn claims_are_chosen_by_number_or_name_and_keep_their_order() {
        assert_eq!(numbers(&["11", "openssl-agrees"]), [5, 11]);
        assert_eq!(numbers(&[]).len(), CLAIMS.len());
    }

    #[test]
    fn a_claim_that_does_not_exist_is_named() {
        let error = chosen(&["14".to_owned()]).err().map(|error| error.to_string());
        let expected = "no claim is called `14`; `--list` names them all";
        assert_eq!(error.as_deref(), Some(expected));
    }
}
