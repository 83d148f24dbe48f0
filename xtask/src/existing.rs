//! The gate on a mesh that is there: one that a provider made and left, held against its own bundle
//! and against another administrator's of the same names.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::command::{Program, workspace};
use crate::engine::Engine;
use crate::tally::Tally;
use crate::{e2e, kind, terminal};

/// The public half of a bundle that Istio's Makefile made once.
const FOREIGN: &str = "fixtures/makefile/cluster1";
/// What is false of a mesh that is held against it; claim 13 changes a mesh and is skipped.
const FALSE: [u64; 8] = [2, 3, 4, 5, 6, 7, 8, 9];

/// On a local node.
pub(crate) fn on_local() -> Result<Tally> {
    ensure!(e2e::build()?, "the harness does not compile");
    gate("local", e2e::harness)
}

/// On kind.
pub(crate) fn on_kind() -> Result<Tally> {
    let _engine = kind::prepare()?;
    gate("kind", || Engine::inside(e2e::binary()))
}

fn gate(provider: &str, harness: fn() -> Program) -> Result<Tally> {
    let mesh = Mesh::up(provider, harness)?;
    let mut tally = e2e::counted(&format!("existing-{provider}"), mesh.run(&mesh.own), 0)?;
    let name = format!("existing-{provider}-foreign");
    // Every false claim is a failure to whoever counts; here they are what is wanted.
    let counted = e2e::counted(&name, mesh.run(&workspace().join(FOREIGN)), 1)?;
    let found = false_claims(&e2e::report(&name))?;
    let as_it_should = found == FALSE && counted.failed == FALSE.len();
    if !as_it_should {
        terminal::say(&format!("expected the claims {FALSE:?} to be false, found {found:?}"));
    }
    tally += Tally { passed: as_it_should.into(), failed: (!as_it_should).into(), skipped: 0 };
    Ok(tally)
}

/// The numbers of the claims that a report calls false.
fn false_claims(report: &Path) -> Result<Vec<u64>> {
    let text = fs::read_to_string(report).context("the run wrote no report")?;
    let report: Value = serde_json::from_str(&text).context("the report is no JSON")?;
    let claims = report["claims"].as_array().context("the report has no claims")?;
    let is_false = claims.iter().filter(|claim| claim["outcome"] == "false");
    Ok(is_false.filter_map(|claim| claim["number"].as_u64()).collect())
}

/// A mesh that a provider made and keeps; ended when dropped.
struct Mesh {
    kubeconfig: PathBuf,
    context: String,
    /// The folder with what was plugged in.
    own: PathBuf,
    run: String,
    harness: fn() -> Program,
}

impl Mesh {
    fn up(provider: &str, harness: fn() -> Program) -> Result<Self> {
        let answer = harness().args(["up", "--provider", provider]).answer()?;
        let kubeconfig = answer.trim().strip_prefix("export KUBECONFIG=").map(PathBuf::from);
        let kubeconfig = kubeconfig.context("`up` names no kubeconfig")?;
        let folder = kubeconfig.parent().context("the kubeconfig is in no folder")?;
        let run = folder.file_name().context("the run has no name")?.to_string_lossy().into_owned();
        let mut mesh = Self {
            own: folder.join("ca/cluster1"),
            context: String::new(),
            kubeconfig,
            run,
            harness,
        };
        mesh.context = current_context(&mesh.kubeconfig)?;
        Ok(mesh)
    }

    /// A run against it, with this bundle for the truth.
    fn run(&self, bundle: &Path) -> Program {
        let run = (self.harness)().args(["run", "--provider", "existing", "--context"]);
        let run = run.arg(&self.context).arg("--kubeconfig").arg(&self.kubeconfig);
        run.arg("--bundle").arg(bundle)
    }
}

impl Drop for Mesh {
    fn drop(&mut self) {
        let down = (self.harness)().args(["down", &self.run]);
        if !down.status().is_ok_and(|status| status.success()) {
            let run = &self.run;
            terminal::say(&format!("warning: `cargo xtask e2e down {run}` has yet to be done"));
        }
    }
}

/// A kubeconfig is YAML, or JSON, which is YAML too; this key has a line of its own in both.
fn current_context(kubeconfig: &Path) -> Result<String> {
    let text = fs::read_to_string(kubeconfig).context("the kubeconfig cannot be read")?;
    let value = text.lines().find_map(|line| {
        let line = line.trim().trim_start_matches('"');
        line.strip_prefix("current-context")?.trim_start_matches('"').trim().strip_prefix(':')
    });
    let value = value.context("the kubeconfig has no current context")?;
    Ok(value.trim().trim_end_matches(',').trim_matches('"').to_owned())
}
