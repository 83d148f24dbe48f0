//! The life of one run: registered before it makes anything, torn down whatever happens to it.
//!
//! Success, failure, a signal and a panic all end in the same teardown. After a SIGKILL the node
//! ends by itself, and the next sweep removes the rest.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use futures::FutureExt as _;
use time::OffsetDateTime;

use crate::abort::Abort;
use crate::provider::local::node::Node;
use crate::provider::{Made, Provider};
use crate::registry::{Entry, Registration, Registry};
use crate::rundir::{RunDir, RunId};
use crate::step::Steps;
use crate::sweep::{self, Kept, sweep};
use crate::terminal;

/// What a run is given.
pub(crate) struct Setup<'a> {
    /// Where the runs of this machine are registered.
    pub(crate) registry: PathBuf,
    /// The folder that gets a folder for the run.
    pub(crate) parent: PathBuf,
    /// How many steps there are.
    pub(crate) steps: usize,
    /// Who will make something for the run, which is written down before it is made.
    pub(crate) provider: Option<&'a Provider>,
    /// Whether the mesh of a failed run stays.
    pub(crate) keep_on_failure: bool,
}

/// What happens to the mesh at the end of a run that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It is torn down.
    TearDown,
    /// It stays, until `down`.
    Keep,
}

/// A run that is under way.
pub(crate) struct Run {
    /// Its folder.
    pub(crate) dir: RunDir,
    /// Its steps.
    pub(crate) steps: Steps,
    /// What stops it.
    pub(crate) abort: Abort,
    /// When it began.
    pub(crate) now: OffsetDateTime,
    /// What it may make outside of its folder.
    pub(crate) made: Vec<Made>,
    registration: Rc<Registration>,
    nodes: RefCell<Vec<Node>>,
    hints: RefCell<Vec<String>>,
}

impl Run {
    /// Keeps a node running until the run ends.
    pub(crate) fn hold(&self, node: Node) {
        self.nodes.borrow_mut().push(node);
    }

    /// Writes down what is about to be made and was not known when the run began.
    ///
    /// # Errors
    /// It cannot be written, and must not be made then.
    pub(crate) fn will_make(&self, made: Made) -> Result<()> {
        self.registration.update(|entry| entry.made.push(made))
    }

    /// Something to be told where the run's mesh is kept: how to reach it.
    pub(crate) fn hint_if_kept(&self, hint: String) {
        self.hints.borrow_mut().push(hint);
    }

    /// The file whose lock says that the run lives.
    pub(crate) fn lock_file(&self) -> PathBuf {
        self.registration.lock_file()
    }

    /// Its id.
    pub(crate) fn id(&self) -> RunId {
        self.registration.entry().id
    }
}

/// Sweeps, registers a run, does `body`, and tears down.
///
/// # Errors
/// What `body` returns, or the teardown's own error if there is no other.
pub(crate) async fn scoped<T>(
    setup: &Setup<'_>,
    abort: &Abort,
    body: impl AsyncFnOnce(&Run) -> Result<(T, End)>,
) -> Result<T> {
    let registry = Registry::open(&setup.registry)?;
    // Errors of dead runs are theirs: they must not stand in the way of this one.
    if let Err(error) = sweep(&registry, &Kept::Leave).await {
        terminal::say(&format!("warning: an earlier run could not be swept: {error:#}"));
    }
    let run = begin(setup, &registry, abort.clone()).await?;
    // A broken cluster ends a step, which may be followed by a look at the rest; a signal ends all.
    let body = async {
        tokio::select! {
            biased;
            done = Box::pin(body(&run)) => done,
            reason = run.abort.interrupted() => Err(reason),
        }
    };
    let result = AssertUnwindSafe(body).catch_unwind().await;
    let keep = match &result {
        Ok(Ok((_, end))) => *end == End::Keep,
        Ok(Err(_)) => setup.keep_on_failure && !run.abort.is_unwanted(),
        Err(_) => false,
    };
    let mut ended = if keep { stay(&run).await } else { tear_down(&run, &registry).await };
    if keep && ended.is_err() {
        // A node that cannot go on, since it is broken, is not left half alive.
        let torn_down = tear_down(&run, &registry).await;
        ended = ended.context("the mesh could not be kept").and(torn_down);
    }
    match result {
        Err(panic) => resume_unwind(panic),
        Ok(Err(error)) => {
            if let Err(second) = ended {
                terminal::say(&format!("warning: {second:#}; `cargo xtask e2e down` tries again"));
            }
            Err(error)
        }
        Ok(Ok((value, _))) => ended.map(|()| value),
    }
}

async fn begin(setup: &Setup<'_>, registry: &Registry, abort: Abort) -> Result<Run> {
    let guard = registry.lock().await?;
    let runs = guard.runs()?;
    let others: Vec<_> = runs.iter().flat_map(|(entry, _)| entry.nodes()).collect();
    let id = RunId::random()?;
    let dir = RunDir::new(&setup.parent, &id)?;
    let mut made = Vec::new();
    if let Some(provider) = setup.provider {
        made.extend(provider.will_make(&id, &dir, &others).await?);
    }
    let registration = Rc::new(guard.register(Entry {
        id,
        folder: dir.root().to_owned(),
        harness: std::process::id(),
        step: String::new(),
        kept: false,
        made: made.clone(),
    })?);
    dir.create()?;
    let told = Rc::clone(&registration);
    let steps = Steps::new(setup.steps, abort.clone(), move |_, title| {
        told.update(|entry| entry.step = title.to_owned())
    });
    let now = OffsetDateTime::now_utc();
    let (nodes, hints) = (RefCell::default(), RefCell::default());
    Ok(Run { dir, steps, abort, now, made, registration, nodes, hints })
}

/// Lets the run's nodes go on without the harness, and says how to reach and to end them.
async fn stay(run: &Run) -> Result<()> {
    run.registration.update(|entry| entry.kept = true)?;
    for node in run.nodes.take() {
        node.keep().await?;
    }
    for hint in run.hints.take() {
        terminal::say(&hint);
    }
    terminal::say(&format!("to end it: cargo xtask e2e down {}", run.id()));
    Ok(())
}

async fn tear_down(run: &Run, registry: &Registry) -> Result<()> {
    let start = Instant::now();
    let entry = run.registration.entry();
    sweep::clear(&entry).await.context("tear down")?;
    registry.lock().await?.forget(&entry.id)?;
    terminal::say(&format!("torn down ({:.1} s)", start.elapsed().as_secs_f64()));
    Ok(())
}

/// The folder in which runs are registered: the machine's, or the user's own where that is not
/// root. Gone after a reboot, as they are.
pub(crate) fn registry_root() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/run/cacerts-e2e");
    }
    let of_user = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let name = || format!("cacerts-e2e-{}", rustix::process::geteuid().as_raw());
    of_user.map_or_else(|| std::env::temp_dir().join(name()), |dir| dir.join("cacerts-e2e"))
}

#[cfg(test)]
mod tests;
