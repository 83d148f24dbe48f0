//! A running istiod whose files change under it, as the kubelet changes those of a Secret: a new
//! folder, and one symbolic link renamed.
//!
//! istiod starts with another cluster CA under the same root-cert.pem, to the byte, so that only the
//! rest of the bundle is judged.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use pki::BundleFiles;

use super::whole::Whole;
use crate::case::Case;
use crate::cast::{Ca, Cast, ROOT, files};
use crate::verdict::Verdict;

const NOTICED: Duration = Duration::from_secs(30);
const TAKEN: &str = "Istiod has detected the newly added intermediate CA";
const DROPPED: [&str; 6] = [
    "Failed to update new Plug-in CA certs",
    "failed reading root-cert.pem",
    "Failed generating plugged-in istiod key cert",
    "Multi root is disabled, updating new ROOT-CA not supported",
    "Updating new ROOT-CA not supported",
    "Failed to determine CA files",
];

/// Starts istiod, exchanges the files, and waits for what it says.
pub(crate) async fn exchanged(whole: &Whole, cast: &Cast, case: &Case) -> Result<Verdict> {
    if case.is_hidden() {
        return Ok(Verdict::Unasked("istiod reads the tls files, and none of the four".to_owned()));
    }
    let Some(before) = before(cast, case)? else {
        return Ok(Verdict::Unasked("nothing to start from has these roots".to_owned()));
    };
    let folder = case.subfolder("reload")?;
    let secret = case.subfolder("reload/secret")?;
    lay(&secret, "..1", &before)?;
    let mut istiod = match whole.start(&folder, &secret).await? {
        Ok(istiod) => istiod,
        Err(words) => {
            return Ok(Verdict::Unasked(format!("istiod does not start with its roots: {words}")));
        }
    };
    let start = istiod.running.said()?.len();
    lay(&secret, "..2", &case.files)?;
    for name in before.names().filter(|name| case.files.get(name).is_none()) {
        fs::remove_file(secret.join(name)).context("cannot remove a link")?;
    }
    let verdict = |said: &str| {
        let new = said.get(start..)?;
        let line = |words: &str| new.lines().find(|line| line.contains(words));
        if let Some(line) = DROPPED.iter().find_map(|words| line(words)) {
            return Some(Verdict::Refuses(words_of(line)));
        }
        line(TAKEN).map(|_| Verdict::Accepts)
    };
    let found = istiod.running.until("says what it makes of new files", NOTICED, verdict).await?;
    istiod.running.stop().await?;
    found.context("istiod ended when its files changed")
}

/// Without the time and the level.
fn words_of(line: &str) -> String {
    line.splitn(3, '\t').last().unwrap_or(line).to_owned()
}

/// Another cluster CA under a root of the bundle, beside the bundle's own root-cert.pem.
fn before(cast: &Cast, case: &Case) -> Result<Option<BundleFiles>> {
    // Where the bundle has none, its files replace some that had.
    let given = if case.has_four_files() { ROOT } else { "ca.crt" };
    let roots = case.files.get(given).unwrap_or(cast.root.pem.as_bytes());
    let is_there = |root: &&Ca| String::from_utf8_lossy(roots).contains(root.pem.trim());
    let mut known = [&cast.root, &cast.foreign].into_iter().chain(&case.roots);
    let Some(root) = known.find(is_there) else { return Ok(None) };
    let ca = cast.made("before", Some(root), |_| {})?;
    let mut files = files(&ca, &[&ca], &[]);
    files.insert(ROOT, roots);
    Ok(Some(files))
}

/// Puts the files into a folder of their own, and lets every name lead there at once.
fn lay(secret: &Path, version: &str, files: &BundleFiles) -> Result<()> {
    let folder = secret.join(version);
    fs::create_dir(&folder).context("cannot make a folder")?;
    for name in files.names() {
        fs::write(folder.join(name), files.get(name).unwrap_or_default())
            .with_context(|| format!("cannot write {name}"))?;
    }
    let next = secret.join("..data_tmp");
    symlink(version, &next).context("cannot make a link")?;
    fs::rename(next, secret.join("..data")).context("cannot exchange a link")?;
    for name in files.names() {
        let link = secret.join(name);
        if fs::symlink_metadata(&link).is_err() {
            symlink(Path::new("..data").join(name), link).context("cannot make a link")?;
        }
    }
    Ok(())
}
