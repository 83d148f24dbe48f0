//! Removes what dead runs left, and ends meshes that were kept. A run whose lock is held is left
//! alone, unless it was kept and its end is asked for.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::poll::{Seen, until};
use crate::provider::Made;
use crate::registry::{Entry, Guard, Life, Registry};
use crate::rundir::RunId;

/// A kept node ends at once when it is killed.
const END_TIMEOUT: Duration = Duration::from_secs(30);

/// Which kept meshes a sweep ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// None.
    Leave,
    /// All.
    End,
    /// That of one run.
    EndOnly(RunId),
}

impl Kept {
    fn ends(&self, id: &RunId) -> bool {
        match self {
            Self::Leave => false,
            Self::End => true,
            Self::EndOnly(only) => only == id,
        }
    }
}

/// What became of a run that was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It lives, and goes on.
    Lives(Entry),
    /// Nothing of it is left but its folder.
    Removed(Entry),
}

/// Looks at every registered run, and removes those that are dead.
///
/// # Errors
/// The one run that is named does not exist, or something of a run cannot be removed; its entry
/// stays, so that the next sweep tries again. The other runs were swept all the same.
pub(crate) async fn sweep(registry: &Registry, kept: &Kept) -> Result<Vec<Fate>> {
    let guard = registry.lock().await?;
    let (mut fates, mut failed) = (Vec::new(), None);
    let mut runs = guard.runs()?;
    // What is in a cluster goes before a cluster that the harness made.
    runs.sort_by_key(|(entry, _)| !entry.made.iter().any(Made::is_in_a_cluster));
    if let Kept::EndOnly(id) = kept {
        let known = runs.iter().any(|(entry, _)| entry.id == *id);
        ensure!(known, "no run is called {id}");
    }
    for (entry, life) in runs {
        let remove = match life {
            // A cluster in an engine goes on without a process that could hold a lock.
            Life::Left(_) if entry.kept && entry.made.iter().any(Made::lives_by_itself) => {
                kept.ends(&entry.id)
            }
            Life::Left(_) => true,
            Life::Live => entry.kept && kept.ends(&entry.id),
        };
        if !remove {
            fates.push(Fate::Lives(entry));
            continue;
        }
        // A cluster of others that does not answer is no reason to leave the rest.
        match end(&guard, &entry, &life).await {
            Ok(()) => fates.push(Fate::Removed(entry)),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(fates), Err)
}

async fn end(guard: &Guard<'_>, entry: &Entry, life: &Life) -> Result<()> {
    clear(entry).await?;
    if matches!(life, Life::Live) {
        unlocked(guard, entry).await?;
    }
    guard.forget(&entry.id)
}

/// Removes everything that a run made on the machine, except for its folder.
///
/// # Errors
/// Something stays.
pub(crate) async fn clear(entry: &Entry) -> Result<()> {
    for made in &entry.made {
        made.remove().await.with_context(|| format!("remove {made} of the run {}", entry.id))?;
    }
    Ok(())
}

async fn unlocked(guard: &Guard<'_>, entry: &Entry) -> Result<()> {
    until("the kept mesh has let go of its lock", END_TIMEOUT, 1, async || {
        let mut runs = guard.runs()?.into_iter();
        Ok(match runs.find(|(other, _)| other.id == entry.id) {
            Some((_, Life::Live)) => Seen::NotYet(format!("{} lives", entry.id)),
            _ => Seen::Ready(()),
        })
    })
    .await
}

#[cfg(test)]
mod tests;
