//! Where a bundle lies that is to be looked at: in a folder, in a Secret's manifest, or in one on
//! standard input. Read within bounds, and not judged.

use std::fs::{File, OpenOptions};
use std::io::{IsTerminal as _, Read, stdin};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use pki::BundleFiles;
use rustix::fs::OFlags;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::terminal;

#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod manifest;

use manifest::Secret;

/// What a manifest may have in bytes: several Secrets of the greatest size, in base64.
const MANIFEST_LIMIT: usize = 8 << 20;

/// The Secret that istiod reads.
const NAME: &str = "cacerts";

/// A bundle's files and where they were.
pub(crate) struct Found {
    /// As it was asked for, with the Secret behind it where a manifest holds several.
    pub(crate) name: String,
    pub(crate) origin: Origin,
    pub(crate) files: BundleFiles,
}

/// What a finding's file is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The file lies in this folder.
    Folder(PathBuf),
    /// The file is a key of a Secret whose manifest is this file.
    Manifest(PathBuf),
    /// The same, from standard input.
    Stdin,
}

/// Reads every bundle of `target`: one of a folder, one or more of a manifest.
pub(crate) fn read(target: &Path) -> Result<Vec<Found>, Failure> {
    let shown = target.display().to_string();
    if target == Path::new("-") {
        if stdin().is_terminal() {
            terminal::note("reading a Secret's manifest from the terminal; Ctrl-D ends it");
        }
        let text = read_manifest(stdin().lock(), "standard input")?;
        return secrets(&text, "standard input", Origin::Stdin);
    }
    let metadata =
        std::fs::metadata(target).map_err(Failure::io(format!("cannot read `{shown}`")))?;
    if metadata.is_dir() {
        let files = ca_dir::read_bundle(target)?;
        let whose = if ca_dir::TierSet::is_in(target) {
            Some("a tier")
        } else {
            let is_root =
                files.get(ca_dir::ROOT_KEY).is_some() && files.get(BundleFiles::CA_CERT).is_none();
            is_root.then_some("a root")
        };
        if let Some(whose) = whose {
            terminal::note(&format!(
                "`{shown}` is the folder of {whose}; what istiod is given lies in a folder below it"
            ));
        }
        return Ok(vec![Found { name: shown, origin: Origin::Folder(target.to_owned()), files }]);
    }
    let file = open(target).map_err(Failure::io(format!("cannot read `{shown}`")))?;
    let text = read_manifest(file, &format!("`{shown}`"))?;
    secrets(&text, &shown, Origin::Manifest(target.to_owned()))
}

/// A shell's `<(command)` is a pipe with somebody at its other end. Nobody waits for one that has
/// nobody there.
fn open(path: &Path) -> std::io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.file_type().is_fifo() {
        let flags = rustix::fs::fcntl_getfl(&file)?;
        rustix::fs::fcntl_setfl(&file, flags - OFlags::NONBLOCK)?;
    }
    Ok(file)
}

fn read_manifest(source: impl Read, what: &str) -> Result<Zeroizing<String>, Failure> {
    let mut bytes = Zeroizing::new(Vec::new());
    let mut source = source.take(MANIFEST_LIMIT as u64 + 1);
    source.read_to_end(&mut bytes).map_err(Failure::io(format!("cannot read {what}")))?;
    let refuse = |why: &str| Err(Failure::could_not(format!("{what} {why}")));
    if bytes.len() > MANIFEST_LIMIT {
        return refuse("has more than 8 MiB, which no Secret's manifest has");
    }
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return refuse("is not text; give a folder, or a Secret's manifest in YAML or JSON");
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return refuse("is empty; give a folder, or a Secret's manifest in YAML or JSON");
    }
    if text.trim_start().starts_with("-----BEGIN ") {
        return refuse(
            "is a PEM file; give the folder that it lies in, with all of the CA's files",
        );
    }
    Ok(Zeroizing::new(text.to_owned()))
}

/// The Secrets `cacerts`; without one, the only Secret there is.
fn secrets(text: &str, what: &str, origin: Origin) -> Result<Vec<Found>, Failure> {
    let mut all = manifest::read(text)
        .map_err(|why| Failure::could_not(format!("`{what}` cannot be checked: {why}")))?;
    let is_istiods = |secret: &Secret| secret.name.as_deref() == Some(NAME);
    if all.iter().any(is_istiods) {
        all.retain(is_istiods);
    } else if all.len() > 1 {
        let names: Vec<_> = all.iter().map(Secret::label).collect();
        return Err(Failure::could_not(format!(
            "`{what}` has {} Secrets, none of which is `{NAME}`: {}; give one of them",
            all.len(),
            names.join(", ")
        )));
    } else if let Some(name) = all.first().and_then(|secret| secret.name.as_deref()) {
        terminal::note(&format!("`{what}` is the Secret `{name}`; istiod reads none but `{NAME}`"));
    }
    let single = all.len() == 1;
    let found = all.into_iter().map(|secret| {
        let name = if single { what.to_owned() } else { format!("{what} {}", secret.label()) };
        Found { name, origin: origin.clone(), files: secret.files }
    });
    Ok(found.collect())
}
