//! On a registry of its own, with runs that made no node: what is removed is decided here, how in
//! `provider::local::node`, which `kill-test` tries for real.

use std::path::Path;

use pretty_assertions::assert_eq;
use tempfile::TempDir;

use super::*;
use crate::registry::Registration;

fn registry() -> (TempDir, Registry) {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::open(dir.path()).unwrap();
    (dir, registry)
}

async fn register(registry: &Registry, kept: bool) -> Registration {
    let id = RunId::random().unwrap();
    let folder = Path::new("target/e2e").join(id.as_str());
    let step = "Deploy Istio".to_owned();
    let entry = Entry { id, folder, harness: 4711, step, kept, made: Vec::new() };
    registry.lock().await.unwrap().register(entry).unwrap()
}

#[tokio::test]
async fn the_dead_are_removed_and_the_living_left_alone() {
    let (_dir, registry) = registry();
    let alive = register(&registry, false).await;
    let dead = register(&registry, false).await;
    let gone = dead.entry();
    drop(dead);
    let mut fates = sweep(&registry, &Kept::Leave).await.unwrap();
    fates.sort_by_key(|fate| matches!(fate, Fate::Lives(_)));
    assert_eq!(fates, [Fate::Removed(gone), Fate::Lives(alive.entry())]);
    assert_eq!(registry.entries().unwrap(), [alive.entry()]);
}

#[tokio::test]
async fn a_kept_mesh_is_left_to_down() {
    let (_dir, registry) = registry();
    let kept = register(&registry, true).await;
    let fates = sweep(&registry, &Kept::Leave).await.unwrap();
    assert_eq!(fates, [Fate::Lives(kept.entry())]);
}

#[tokio::test]
async fn down_can_end_one_run_only() {
    let (_dir, registry) = registry();
    let (one, two) = (register(&registry, true).await, register(&registry, true).await);
    let (gone, stays) = (one.entry(), two.entry());
    // No node holds the lock here, so the run has let go of it already.
    drop(one);
    let mut fates = sweep(&registry, &Kept::EndOnly(gone.id.clone())).await.unwrap();
    fates.sort_by_key(|fate| matches!(fate, Fate::Lives(_)));
    assert_eq!(fates, [Fate::Removed(gone), Fate::Lives(stays)]);
}

#[tokio::test]
async fn a_run_that_is_not_there_is_not_ended_silently() {
    let (_dir, registry) = registry();
    let id = RunId::random().unwrap();
    let error = sweep(&registry, &Kept::EndOnly(id.clone())).await.unwrap_err();
    assert_eq!(error.to_string(), format!("no run is called {id}"));
}

#[tokio::test]
async fn a_run_that_was_not_kept_is_never_ended() {
    let (_dir, registry) = registry();
    let alive = register(&registry, false).await;
    let fates = sweep(&registry, &Kept::End).await.unwrap();
    assert_eq!(fates, [Fate::Lives(alive.entry())]);
}

#[tokio::test]
async fn a_run_that_cannot_be_removed_keeps_its_entry_and_no_other_from_going() {
    let (_dir, registry) = registry();
    let (stuck, dead) = (register(&registry, false).await, register(&registry, false).await);
    // A namespace in a cluster whose kubeconfig is gone.
    let run = stuck.entry().id;
    let made = serde_json::json!({"Namespace": {
        "access": {"files": ["/nonexistent/kubeconfig"], "context": "prod"},
        "name": "cacerts-e2e-x", "run": run,
    }});
    stuck.update(|entry| entry.made = vec![serde_json::from_value(made).unwrap()]).unwrap();
    let left = stuck.entry();
    drop((stuck, dead));
    let error = format!("{:#}", sweep(&registry, &Kept::Leave).await.unwrap_err());
    assert!(
        error.starts_with(&format!(
            "remove the namespace cacerts-e2e-x of the run {run}: namespace cacerts-e2e-x in \
             context `prod` may still be there: cannot read the kubeconfig /nonexistent/kubeconfig"
        )),
        "{error}"
    );
    assert_eq!(registry.entries().unwrap(), [left]);
}
