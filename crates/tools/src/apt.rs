//! Debian packages without installing them: apt works out and verifies what to fetch in a state of
//! its own. It needs no root, changes nothing on this machine, and always sees the current lists.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cache::{Key, Work};
use crate::command::Command;
use crate::error::{Error, FileContext, Result};

/// The key of what [`Apt::fetch`] and [`unpack`] make of the packages. `release` is the text of
/// `/etc/os-release`: the versions are the archive's own at the time, because older ones are gone
/// from it with the next security update.
pub(crate) fn key(packages: &[&str], release: &str) -> Key {
    let inputs = [("arch", std::env::consts::ARCH), ("release", release)];
    Key::of(inputs.into_iter().chain(packages.iter().map(|package| ("package", *package))))
}

/// Unpacks the packages, and none that they depend on, into the entry.
pub(crate) fn unpack(packages: &[&str], work: &Work) -> Result<()> {
    Apt::in_folder(work.scratch.join("apt"))?.unpack(packages, &work.entry)
}

/// An apt that believes in a machine with nothing installed.
pub(crate) struct Apt {
    folder: PathBuf,
}

impl Apt {
    /// Fetches the package lists of the machine's own sources into `folder`.
    pub(crate) fn in_folder(folder: PathBuf) -> Result<Self> {
        let apt = Self { folder };
        for folder in [apt.archives().join("partial"), apt.folder.join("state/lists/partial")] {
            fs::create_dir_all(&folder).file("create", &folder)?;
        }
        let status = apt.status();
        fs::write(&status, "").file("write", &status)?;
        apt.command().arg("update").run()?;
        Ok(apt)
    }

    /// Fetches the packages and all that they depend on; returns the files, sorted.
    pub(crate) fn fetch(&self, packages: &[&str]) -> Result<Vec<PathBuf>> {
        self.command().args(["--download-only", "install"]).args(packages).run()?;
        debs(&self.archives())
    }

    /// Unpacks the packages, and none that they depend on, into `folder`.
    pub(crate) fn unpack(&self, packages: &[&str], folder: &Path) -> Result<()> {
        let downloads = self.folder.join("downloads");
        fs::create_dir_all(&downloads).file("create", &downloads)?;
        self.command().folder(&downloads).arg("download").args(packages).run()?;
        debs(&downloads)?.iter().try_for_each(|package| {
            Command::new("dpkg-deb").arg("--extract").arg(package).arg(folder).run().map(drop)
        })
    }

    /// Where the machine's own packages of Debian come from, as lines of a sources.list(5): not
    /// those of other vendors.
    ///
    /// # Errors
    /// [`Error::NoDebianSources`] where there are none: whoever is told none takes Debian's own.
    pub(crate) fn sources(&self) -> Result<Vec<String>> {
        let format = "$(ORIGIN) deb $(REPO_URI) $(RELEASE) $(COMPONENT)";
        let listed = self
            .command()
            .args(["indextargets", "--format", format, "Created-By: Packages"])
            .text()?;
        debian(&listed)
    }

    fn command(&self) -> Command {
        let state = format!("Dir::State={}", self.folder.join("state").display());
        let status = format!("Dir::State::status={}", self.status().display());
        let cache = format!("Dir::Cache={}", self.folder.join("cache").display());
        let options = [
            "APT::Install-Recommends=false",
            // root need not become another user to write below its own folder.
            "APT::Sandbox::User=root",
            "Acquire::Retries=3",
            "Debug::NoLocking=true",
            &state,
            &status,
            &cache,
        ];
        Command::new("apt-get")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(["--quiet", "--assume-yes"])
            .args(options.into_iter().flat_map(|option| ["--option", option]))
    }

    fn archives(&self) -> PathBuf {
        self.folder.join("cache/archives")
    }

    fn status(&self) -> PathBuf {
        self.folder.join("status")
    }
}

/// The sources after `Debian `, once each, in order.
fn debian(listed: &str) -> Result<Vec<String>> {
    let mut sources = Vec::new();
    for line in listed.lines() {
        if let Some(source) = line.strip_prefix("Debian ").filter(|rest| rest.starts_with("deb "))
            && !sources.iter().any(|known| known == source)
        {
            sources.push(source.to_owned());
        }
    }
    if sources.is_empty() { Err(Error::NoDebianSources) } else { Ok(sources) }
}

/// The packages in a folder, sorted.
fn debs(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for file in fs::read_dir(folder).file("list", folder)? {
        let path = file.file("list", folder)?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// `curl_7.88.1-10_amd64` of `.../curl_7.88.1-10_amd64.deb`.
pub(crate) fn package_of(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn sources_of_other_vendors_are_left_out() {
        let listed = "Debian deb http://mirror.example/debian/ bookworm main\n\
            Vendor deb http://vendor.example/ bookworm main\n\
            Debian deb http://mirror.example/debian/ bookworm main\n\
            Debian Backports deb http://mirror.example/debian/ bookworm-backports main\n\
            Debian deb http://mirror.example/security/ bookworm-security main\n";
        assert_eq!(
            debian(listed).unwrap(),
            [
                "deb http://mirror.example/debian/ bookworm main",
                "deb http://mirror.example/security/ bookworm-security main",
            ]
        );
    }
    #[test]
    fn a_machine_without_sources_of_debian_is_told_so() {
        for listed in ["", "Ubuntu deb http://mirror.example/ubuntu/ noble main\n"] {
            assert_eq!(
                debian(listed).unwrap_err().to_string(),
                "apt on this machine knows no source of Debian packages: the root of a kind node \
                 is made of those of the machine's own Debian"
            );
        }
    }
}
