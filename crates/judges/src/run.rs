//! A run: makes every bundle, asks the judges, compares, counts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use futures::{StreamExt as _, stream};
use pki::Judge;
use time::OffsetDateTime;
use tools::{Cache, Program, Set, Toolbox, progress};

use crate::case::Case;
use crate::cast::Cast;
use crate::cli::Cli;
use crate::judge::whole::Whole;
use crate::judge::{envoy, istiod, leaf, openssl, reload, webpki};
use crate::page;
use crate::table::{Row, rows};
use crate::terminal;
use crate::verdict::{Compared, Verdict};

const QUICK: &[Program] = &[Program::PilotDiscovery];
const WHOLE: &[Program] = &[
    Program::PilotDiscovery,
    Program::Etcd,
    Program::KubeApiserver,
    Program::Kubectl,
    Program::Envoy,
];

/// Does what the command line says.
pub(crate) async fn run(cli: Cli) -> Result<ExitCode> {
    if cli.list {
        rows().iter().for_each(|row| terminal::answer(row.name));
        return Ok(ExitCode::SUCCESS);
    }
    let rows = chosen(&cli.only)?;
    let folder = tempfile::Builder::new().prefix("judges-").tempdir();
    let folder = folder.context("cannot make a folder for the bundles")?;
    let set = Set::Client(if cli.quick { QUICK } else { WHOLE });
    let toolbox = Toolbox::prepare_set(&Cache::of_user()?, set, &*progress::for_stderr())?;
    let outcome = {
        let interrupted = tokio::signal::ctrl_c();
        tokio::select! {
            outcome = judge_all(&cli, &rows, &toolbox, folder.path()) => outcome,
            // What runs is dropped, and so ended.
            _ = interrupted => bail!("interrupted"),
        }
    };
    if cli.keep {
        terminal::say(&format!("kept: {}", folder.keep().display()));
    }
    outcome
}

async fn judge_all(
    cli: &Cli,
    rows: &[&'static Row],
    toolbox: &Toolbox,
    folder: &Path,
) -> Result<ExitCode> {
    let start = Instant::now();
    // The certificates of a leaf that OpenSSL signs start with this second.
    let cast = Cast::new(OffsetDateTime::now_utc())?;
    leaf::request(folder).await?;
    let bench = Bench {
        pilot_discovery: toolbox.program(Program::PilotDiscovery).to_owned(),
        whole: match cli.quick {
            true => None,
            false => Some(Bench::whole(toolbox, folder).await?),
        },
        cast,
        folder: folder.to_owned(),
    };
    let jobs = cli.jobs.or_else(|| std::thread::available_parallelism().ok()).map_or(1, Into::into);
    let mut judged = stream::iter(rows).map(|row| bench.judge(row)).buffer_unordered(jobs);
    let (mut tally, mut done) = (Tally::default(), 0);
    let mut verdicts = BTreeMap::new();
    while let Some(found) = judged.next().await {
        let (row, compared) = found;
        done += 1;
        terminal::pass(&format!("[{done}/{}] {}", rows.len(), row.name));
        match compared {
            Ok(compared) => {
                tally.add(row, &compared, cli.verbose);
                verdicts.insert(row.name, compared);
            }
            Err(error) => tally.add_error(row, &error),
        }
    }
    drop(judged);
    if let Some(file) = &cli.write {
        let in_order = rows.iter().filter_map(|row| Some((row.name, verdicts.remove(row.name)?)));
        let page = page::page(&in_order.collect::<Vec<_>>());
        std::fs::write(file, page).with_context(|| format!("cannot write {}", file.display()))?;
    }
    tally.finish(cli.only.is_empty(), start)
}

fn chosen(only: &[String]) -> Result<Vec<&'static Row>> {
    let all = rows();
    for name in only {
        let known = all.iter().any(|row| row.name == name);
        ensure!(known, "no bundle is called `{name}`: --list prints the names");
    }
    let is_chosen = |row: &&Row| only.is_empty() || only.iter().any(|name| name == row.name);
    Ok(all.into_iter().filter(is_chosen).collect())
}

/// What judges need.
struct Bench {
    pilot_discovery: PathBuf,
    whole: Option<(Whole, PathBuf, String)>,
    cast: Cast,
    folder: PathBuf,
}

impl Bench {
    /// The whole istiod, Envoy, and the request of every leaf.
    async fn whole(toolbox: &Toolbox, folder: &Path) -> Result<(Whole, PathBuf, String)> {
        let whole = Whole::new(toolbox, folder).await?;
        let csr = std::fs::read_to_string(folder.join("leaf.csr")).context("there is no CSR")?;
        Ok((whole, toolbox.program(Program::Envoy).to_owned(), csr))
    }

    async fn judge(&self, row: &'static Row) -> (&'static Row, Result<Vec<Compared>>) {
        let compared = async {
            let case = Case::new(row, &self.cast, &self.folder)?;
            self.ask(row, &case).await
        };
        (row, compared.await)
    }

    async fn ask(&self, row: &Row, case: &Case) -> Result<Vec<Compared>> {
        let mut first = istiod::first_stage(&self.pilot_discovery, case).await?;
        let starts = first == Verdict::Accepts;
        if starts && case.is_hidden() {
            first = Verdict::Unasked("istiod reads the tls files, and none of the four".to_owned());
        }
        if row.late {
            ensure!(starts, "istiod's first stage is to take it, and does not: {first}");
        }
        let leaf = match starts && !case.is_hidden() {
            true => leaf::issue(case, &self.folder).await?,
            false => Err("istiod does not start with it".to_owned()),
        };
        let (web, tls) = match leaf {
            Ok(()) => (webpki::verify(case)?, openssl::verify(case).await?),
            Err(why) => (Verdict::Unasked(why.clone()), Verdict::Unasked(why)),
        };
        let mut found = vec![(Judge::Ztunnel, web), (Judge::TlsClient, tls)];
        if let Some((whole, envoy, csr)) = &self.whole
            && starts
            && !case.is_hidden()
        {
            match whole.start(&case.subfolder("whole")?, &case.bundle()).await? {
                Ok(istiod) => {
                    found.push((Judge::IstiodStart, first));
                    found.push((Judge::Agent, whole.agent(&istiod, case).await?));
                    let issued = whole.certificate(&istiod, case, csr).await?;
                    istiod.running.stop().await?;
                    let key = self.folder.join("leaf-key.pem");
                    found.push((
                        Judge::Envoy,
                        match issued {
                            Ok(elements) => envoy::pair(envoy, case, &elements, &key).await?,
                            Err(why) => Verdict::Refuses(format!("istiod issues nothing: {why}")),
                        },
                    ));
                }
                Err(words) => found.push((Judge::IstiodStart, Verdict::Refuses(words))),
            }
        } else if !row.late {
            found.push((Judge::IstiodStart, first));
        }
        if let Some((whole, ..)) = &self.whole {
            let found_out = reload::exchanged(whole, &self.cast, case).await?;
            found.push((Judge::IstiodReload, found_out));
        }
        let compare = |(judge, real)| Compared::new(judge, real, &case.report);
        Ok(found.into_iter().map(compare).collect())
    }
}

/// Bundles and verdicts, counted.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    /// Accepted, refused and not asked, of each judge.
    verdicts: BTreeMap<Judge, [usize; 3]>,
}

impl Tally {
    fn add(&mut self, row: &Row, compared: &[Compared], verbose: bool) {
        let all = compared.iter().all(Compared::agree);
        if all {
            self.passed += 1;
        } else {
            self.failed += 1;
        }
        if verbose || !all {
            terminal::say(&format!("{} .. {}", row.name, if all { "ok" } else { "FAILED" }));
        }
        for it in compared {
            let counts = self.verdicts.entry(it.judge).or_default();
            counts[match it.real {
                Verdict::Accepts => 0,
                Verdict::Refuses(_) => 1,
                Verdict::Unasked(_) => 2,
            }] += 1;
            if verbose || !it.agree() {
                terminal::say(&format!("  {it}"));
            }
        }
    }

    /// What a judge said could not be read, which is no agreement.
    fn add_error(&mut self, row: &Row, error: &anyhow::Error) {
        self.failed += 1;
        terminal::say(&format!("{} .. FAILED\n  {error:#}", row.name));
    }

    /// A judge that says the same to everything was not asked: over the whole table that counts
    /// as a failure.
    fn finish(mut self, whole: bool, start: Instant) -> Result<ExitCode> {
        for (judge, [accepted, refused, unasked]) in &self.verdicts {
            terminal::say(&format!(
                "{judge}: accepts {accepted}, refuses {refused}, not asked {unasked}"
            ));
            if whole && (*accepted == 0 || *refused == 0) {
                terminal::say(&format!("{judge} said the same of every bundle .. FAILED"));
                self.failed += 1;
            }
        }
        terminal::say(&format!("{:.1} s", start.elapsed().as_secs_f64()));
        terminal::answer(&format!("{} passed, {} failed, 0 skipped", self.passed, self.failed));
        Ok(if self.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
