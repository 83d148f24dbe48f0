//! On temporary folders: locks are the kernel's own.

use pretty_assertions::assert_eq;
use tempfile::TempDir;

use super::*;

fn registry() -> (TempDir, Registry) {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::open(&dir.path().join("runs")).unwrap();
    (dir, registry)
}

fn entry() -> Entry {
    let id = RunId::random().unwrap();
    let folder = PathBuf::from("target/e2e").join(id.as_str());
    let made = vec![Made::LocalNode(Names::new(&id, &folder, 0, 7))];
    Entry { id, folder, harness: 4711, step: "Create a cluster".into(), kept: false, made }
}

#[test]
fn a_registry_that_others_may_write_in_is_not_believed() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let (dir, registry) = registry();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&registry.root), 0o700);
    let shared = dir.path().join("shared");
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o777)).unwrap();
    let link = dir.path().join("link");
    symlink(&registry.root, &link).unwrap();
    for path in [shared, link] {
        let expected = format!(
            "{} is not a folder that its owner, this user, alone may write in: remove it, or name \
             another place with XDG_RUNTIME_DIR",
            path.display()
        );
        assert_eq!(Registry::open(&path).unwrap_err().to_string(), expected);
    }
}

#[tokio::test]
async fn a_run_that_lives_is_told_from_one_that_does_not() {
    let (_dir, registry) = registry();
    let guard = registry.lock().await.unwrap();
    let registration = guard.register(entry()).unwrap();
    let runs = guard.runs().unwrap();
    assert!(matches!(runs[..], [(_, Life::Live)]), "{runs:?}");

    let written = registration.entry();
    drop(registration);
    let runs = guard.runs().unwrap();
    assert!(matches!(runs[..], [(_, Life::Left(_))]), "{runs:?}");
    assert_eq!(runs[0].0, written);
}

#[tokio::test]
async fn a_second_holder_keeps_a_run_alive() {
    let (_dir, registry) = registry();
    let guard = registry.lock().await.unwrap();
    let registration = guard.register(entry()).unwrap();
    let node = open_lock(&registration.lock_file()).unwrap();
    node.lock_shared().unwrap();
    drop(registration);
    assert!(matches!(guard.runs().unwrap()[..], [(_, Life::Live)]));
    drop(node);
    assert!(matches!(guard.runs().unwrap()[..], [(_, Life::Left(_))]));
}

#[tokio::test]
async fn what_is_written_down_can_be_read_by_others() {
    let (_dir, registry) = registry();
    let guard = registry.lock().await.unwrap();
    let registration = guard.register(entry()).unwrap();
    registration.update(|entry| entry.step = "Deploy Istio".into()).unwrap();
    assert_eq!(guard.runs().unwrap()[0].0.step, "Deploy Istio");
}

#[tokio::test]
async fn a_run_is_forgotten() {
    let (_dir, registry) = registry();
    let guard = registry.lock().await.unwrap();
    let first = guard.register(entry()).unwrap();
    let second = guard.register(entry()).unwrap();
    guard.forget(&first.entry().id).unwrap();
    let ids: Vec<_> = guard.runs().unwrap().into_iter().map(|(entry, _)| entry.id).collect();
    assert_eq!(ids, [second.entry().id]);
}

#[tokio::test]
async fn a_registration_cut_short_leaves_no_trace() {
    let (_dir, registry) = registry();
    let dir = registry.dir(&RunId::random().unwrap());
    fs::create_dir(&dir).unwrap();
    assert!(registry.lock().await.unwrap().runs().unwrap().is_empty());
    assert!(!dir.exists());
}

#[tokio::test]
async fn an_entry_of_someone_else_is_not_guessed_at() {
    let (_dir, registry) = registry();
    let dir = registry.dir(&RunId::random().unwrap());
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("entry.json"), "{}").unwrap();
    let error = registry.lock().await.unwrap().runs().unwrap_err();
    let expected = format!(
        "{}/entry.json was not written by this version of the harness: sweep with the one that did \
         (`cargo xtask e2e down`), or remove its folder once nothing of that run is left",
        dir.display()
    );
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn an_id_is_registered_once() {
    let (_dir, registry) = registry();
    let guard = registry.lock().await.unwrap();
    let first = guard.register(entry()).unwrap();
    let error = guard.register(first.entry()).unwrap_err().to_string();
    assert_eq!(error, format!("cannot make {}", registry.dir(&first.entry().id).display()));
}
