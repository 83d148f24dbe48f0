//! What lies in a folder and below it, and what may have become of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

use super::work::{Added, Work};

/// Every file by its path, with its bytes. What begins with a dot is work that was not finished: only
/// that no key in it may be read by others is looked at.
#[derive(Default)]
pub(super) struct State {
    files: BTreeMap<String, Vec<u8>>,
    unfinished: Vec<String>,
}

impl State {
    /// Reads it, and proves that every key in it is its owner's alone.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let mut state = Self::default();
        state.add(folder, "", false)?;
        Ok(state)
    }

    fn add(&mut self, folder: &Path, shown: &str, is_unfinished: bool) -> Result<()> {
        for entry in fs::read_dir(folder).context("cannot read a folder")? {
            let (path, metadata) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let shown = format!("{shown}{name}");
            let is_unfinished = is_unfinished || name.starts_with('.');
            if is_unfinished {
                self.unfinished.push(shown.clone());
            }
            if metadata.is_dir() {
                self.add(&path, &format!("{shown}/"), is_unfinished)?;
                continue;
            }
            let mode = metadata.permissions().mode() & 0o777;
            let is_key = name.ends_with("-key.pem") || name == "tls.key";
            ensure!(!is_key || mode == 0o600, "{shown} has mode {mode:o}");
            if !is_unfinished {
                let content = fs::read(&path).with_context(|| format!("cannot read {shown}"))?;
                self.files.insert(shown, content);
            }
        }
        Ok(())
    }

    pub(super) fn get(&self, file: &str) -> Option<&[u8]> {
        self.files.get(file).map(Vec::as_slice)
    }

    /// The files in a folder itself.
    fn names_in(&self, folder: &str) -> BTreeSet<&str> {
        let inside = |path| {
            let name = str::strip_prefix(path, folder)?.strip_prefix('/')?;
            (!name.contains('/')).then_some(name)
        };
        self.files.keys().filter_map(|path| inside(path.as_str())).collect()
    }

    /// Proves of what a stopped command has left that nothing there was touched, and that what
    /// appears at once has done so.
    pub(super) fn prove_old_or_new(&self, work: &Work, before: &Self) -> Result<()> {
        self.prove_kept(work, before)?;
        for added in work.adds {
            let (Added::Files(folder, names) | Added::Whole(folder, names)) = added;
            let (found, old) = (self.names_in(folder), before.names_in(folder));
            let new: BTreeSet<_> = old.iter().chain(*names).copied().collect();
            match added {
                Added::Whole(..) => {
                    let is_whole = found == old || found == new;
                    ensure!(is_whole, "{folder} has {found:?}, expected {old:?} or {new:?}");
                }
                Added::Files(..) => {
                    ensure!(found.is_subset(&new), "{folder} has {found:?}, expected of {new:?}");
                }
            }
        }
        Ok(())
    }

    /// Proves of a finished command's folder that it has every file and no other, and that whatever
    /// was there when it began is as it was.
    pub(super) fn prove_done(&self, work: &Work, before: &Self, found: &Self) -> Result<()> {
        ensure!(self.unfinished.is_empty(), "{} is left", self.unfinished.join(", "));
        let mut expected: BTreeSet<_> = before.files.keys().cloned().collect();
        for Added::Files(folder, names) | Added::Whole(folder, names) in work.adds {
            expected.extend(names.iter().map(|name| format!("{folder}/{name}")));
        }
        let names: BTreeSet<_> = self.files.keys().cloned().collect();
        ensure!(names == expected, "found {names:?}, expected {expected:?}");
        self.prove_kept(work, found)
    }

    fn prove_kept(&self, work: &Work, before: &Self) -> Result<()> {
        for (path, content) in before.files.iter().filter(|(path, _)| !work.may_replace(path)) {
            match self.get(path) {
                Some(now) if now == content => {}
                Some(_) => bail!("{path} is another one"),
                None => bail!("{path} is gone"),
            }
        }
        Ok(())
    }
}
