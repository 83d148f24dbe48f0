//! The Debian of a kind node as a layer: mmdebstrap installs the packages below a folder and writes
//! the archive. It needs root, because the packages' own scripts run in that folder.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::apt::{self, Apt};
use crate::cache::{Key, Work};
use crate::command::Command;
use crate::error::{Error, FileContext, Result};
use crate::layer::{self, Layer};
use crate::versions::{BOOTSTRAP_PACKAGE, KIND_LEFT_OUT, KIND_PACKAGES};

/// Part of the layer's key: raise it when [`build`] makes something else of the same packages.
const REVISION: &str = "1";

/// What kind's Dockerfile does to the root, and what makes it smaller.
const CUSTOMISE: &str = include_str!("../../images/kind-node/customise.sh");

/// The key of the root on this release of Debian.
pub(crate) fn key(release: &str) -> Key {
    let packages = apt::key(KIND_PACKAGES, release);
    let inputs =
        [("revision", REVISION), ("packages", packages.as_str()), ("customise", CUSTOMISE)];
    Key::of(inputs.into_iter().chain(KIND_LEFT_OUT.iter().map(|path| ("out", *path))))
}

/// Writes the layer into the entry.
pub(crate) fn build(release: &str, work: &Work) -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Err(Error::NotRoot { what: "the root of a kind node" });
    }
    let apt = Apt::in_folder(work.scratch.join("apt"))?;
    let unpacked = work.scratch.join("bootstrap");
    apt.unpack(&[BOOTSTRAP_PACKAGE], &unpacked)?;
    let customise = work.scratch.join("customise.sh");
    fs::write(&customise, CUSTOMISE).file("write", &customise)?;
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&customise, executable).file("make executable", &customise)?;

    let archive = work.entry.join(layer::FILE);
    let programs = unpacked.join("usr/bin");
    // Packages' scripts see /proc and /sys mounted below the folder: in a mount namespace, so that
    // none of them outlives the command, however it ends.
    Command::dying_with_us("unshare")
        .args(["--mount", "--propagation", "private"])
        .arg(programs.join(BOOTSTRAP_PACKAGE))
        .env("PATH", path_with(&programs))
        .env("TMPDIR", &work.scratch)
        // Every file in the archive has this time.
        .env("SOURCE_DATE_EPOCH", "0")
        .args(["--mode=root", "--variant=minbase", "--format=tar"])
        .arg(format!("--include={}", KIND_PACKAGES.join(",")))
        .arg("--aptopt=APT::Install-Recommends false")
        .arg("--dpkgopt=force-unsafe-io")
        .args(KIND_LEFT_OUT.iter().map(|path| format!("--dpkgopt=path-exclude=/{path}*")))
        .arg(format!("--customize-hook={}", customise.display()))
        .arg(codename(release))
        .arg(&archive)
        .args(apt.sources()?)
        .run()?;
    Layer::of_file(&archive)?.keep_digest(&work.entry)
}

fn path_with(folder: &Path) -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    // Only a folder with a colon in its name cannot be in PATH; the rest is found all the same.
    std::env::join_paths(folders.collect::<Vec<PathBuf>>()).unwrap_or(path)
}

/// `VERSION_CODENAME` of an os-release(5).
fn codename(release: &str) -> &str {
    release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
        .map_or("stable", |name| name.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn the_release_has_its_codename() {
        assert_eq!(codename("ID=debian\nVERSION_CODENAME=bookworm\n"), "bookworm");
        assert_eq!(codename("VERSION_CODENAME=\"trixie\"\n"), "trixie");
    }

    #[test]
    fn another_release_or_package_list_is_another_root() {
        assert_eq!(key("VERSION_ID=12"), key("VERSION_ID=12"));
        assert_ne!(key("VERSION_ID=12"), key("VERSION_ID=13"));
    }
}
