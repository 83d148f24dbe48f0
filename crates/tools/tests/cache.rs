//! Entries of the cache are whole or absent, built once however many want them at once.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::fs::{self, File};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;

use pretty_assertions::assert_eq;
use tools::Error;
use tools::cache::{Cache, Entry, Key, Work};

fn entry(root: &Path, input: &str) -> Entry {
    Cache::at(root).entry("kind", "name", &Key::of([("input", input)]))
}

fn write_file(work: &Work) -> tools::Result<()> {
    fs::write(work.entry.join("file"), "content").unwrap();
    fs::write(work.scratch.join("rubbish"), "").unwrap();
    Ok(())
}

fn not_waiting() {
    panic!("nobody holds the lock");
}

/// What lies in the cache, except the lock files.
fn names(root: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(root.join("kind"))
        .unwrap()
        .map(|found| found.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".lock"))
        .collect();
    names.sort();
    names
}

#[test]
fn an_entry_is_built_once_and_then_found() {
    let root = tempfile::tempdir().unwrap();
    let entry = entry(root.path(), "a");
    assert!(!entry.exists());
    entry.ensure(not_waiting, write_file).unwrap();
    entry.ensure::<Error>(not_waiting, |_| panic!("it is there")).unwrap();
    assert_eq!(fs::read_to_string(entry.path().join("file")).unwrap(), "content");
    assert_eq!(names(root.path()).len(), 1, "the scratch folder is gone");
}

#[test]
fn other_inputs_are_another_entry() {
    let root = tempfile::tempdir().unwrap();
    entry(root.path(), "a").ensure(not_waiting, write_file).unwrap();
    assert!(entry(root.path(), "a").exists());
    assert!(!entry(root.path(), "b").exists());
}

#[test]
fn moving_a_letter_from_one_input_to_the_next_changes_the_key() {
    assert_ne!(Key::of([("ab", "c")]), Key::of([("a", "bc")]));
    assert_ne!(Key::of([("a", ""), ("b", "")]), Key::of([("a", "b"), ("", "")]));
    assert_eq!(Key::of([("a", "b")]), Key::of([("a", "b")]));
    assert_eq!(Key::of([("a", "b")]).as_str().len(), 16);
}

#[test]
fn a_failed_build_leaves_nothing_and_can_be_repeated() {
    let root = tempfile::tempdir().unwrap();
    let entry = entry(root.path(), "a");
    let failed = entry.ensure(not_waiting, |work| {
        write_file(work)?;
        Err(Error::NotDebian)
    });
    assert!(matches!(failed, Err(Error::NotDebian)), "{failed:?}");
    assert!(!entry.exists());
    assert_eq!(names(root.path()), [""; 0]);
    entry.ensure(not_waiting, write_file).unwrap();
    assert!(entry.exists());
}

#[test]
fn of_two_at_once_one_builds_and_the_other_says_that_it_waits() {
    let root = tempfile::tempdir().unwrap();
    let builds = &AtomicU32::new(0);
    let root = &root;
    let (first_builds, second_may_start) = mpsc::channel();
    let (second_waits, first_may_end) = mpsc::channel();
    std::thread::scope(|scope| {
        let first = scope.spawn(move || {
            entry(root.path(), "a").ensure(not_waiting, |work| {
                builds.fetch_add(1, Ordering::SeqCst);
                first_builds.send(()).unwrap();
                first_may_end.recv().unwrap();
                write_file(work)
            })
        });
        second_may_start.recv().unwrap();
        let second = entry(root.path(), "a").ensure::<Error>(
            || second_waits.send(()).unwrap(),
            |_| {
                builds.fetch_add(1, Ordering::SeqCst);
                Ok(())
            },
        );
        second.unwrap();
        first.join().unwrap().unwrap();
    });
    assert_eq!(builds.load(Ordering::SeqCst), 1);
    assert!(entry(root.path(), "a").path().join("file").exists());
}

#[test]
fn leftovers_of_killed_builds_are_swept_and_those_of_live_ones_are_not() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("kind");
    let stem = |entry: &Entry| entry.path().file_name().unwrap().to_str().unwrap().to_owned();
    let (own, dead, live) =
        (entry(root.path(), "own"), entry(root.path(), "dead"), entry(root.path(), "live"));
    for entry in [&own, &dead, &live] {
        fs::create_dir_all(folder.join(format!(".{}.partial-x/entry", stem(entry)))).unwrap();
    }
    let lock = File::create(folder.join(format!("{}.lock", stem(&live)))).unwrap();
    lock.try_lock().unwrap();

    own.ensure(not_waiting, write_file).unwrap();
    assert_eq!(names(root.path()), [format!(".{}.partial-x", stem(&live)), stem(&own)]);
}

#[test]
fn an_entry_is_removed_whole_and_can_be_made_again() {
    let root = tempfile::tempdir().unwrap();
    let (gone, kept) = (entry(root.path(), "gone"), entry(root.path(), "kept"));
    for entry in [&gone, &kept] {
        entry.ensure(not_waiting, write_file).unwrap();
    }
    assert!(gone.remove().unwrap());
    let left = Cache::at(root.path()).entries("kind").unwrap();
    assert_eq!(left.iter().map(Entry::path).collect::<Vec<_>>(), [kept.path()]);
    assert_eq!(names(root.path()).len(), 1);
    gone.ensure(not_waiting, write_file).unwrap();
    assert!(gone.exists());
}

#[test]
fn an_entry_whose_lock_is_held_is_not_removed() {
    let root = tempfile::tempdir().unwrap();
    let entry = entry(root.path(), "a");
    entry.ensure(not_waiting, write_file).unwrap();
    let lock = File::create(entry.path().with_extension("lock")).unwrap();
    lock.try_lock().unwrap();
    assert!(!entry.remove().unwrap());
    assert!(entry.exists());
    drop(lock);
    assert!(entry.remove().unwrap());
    assert!(!entry.exists());
}

#[test]
fn a_kind_that_has_no_folder_has_no_entries() {
    let root = tempfile::tempdir().unwrap();
    assert!(Cache::at(root.path()).entries("kind").unwrap().is_empty());
}
