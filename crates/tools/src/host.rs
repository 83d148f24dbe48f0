//! What the machine itself must have: the Debian packages of the local node, and the programs that
//! this crate runs. Installs with apt what is missing when it may, else lists all of it at once.
//!
//! Services of installed packages are not started: the local node runs its own containerd, and
//! what else runs on the machine is not for a test harness to decide.

use std::fmt;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::cache::Cache;
use crate::command::Command;
use crate::error::{Error, FileContext, Result};
use crate::item::Item;
use crate::versions::{ENVOY, GO_NEEDED, KIND_BUILD_PACKAGES, NODE_PACKAGES, PIP_PACKAGE};
use crate::wheel;

/// What is missing, with the command that installs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Debian packages.
    pub packages: Vec<&'static str>,
    /// Whether Go is not there at all.
    pub go: bool,
}

impl Missing {
    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this machine lacks:")?;
        if self.go {
            write!(f, "\n  {GO_NEEDED} or newer on PATH, from https://go.dev/dl")?;
        }
        if !self.packages.is_empty() {
            let packages = self.packages.join(" ");
            write!(f, "\n  Debian packages {packages}\n")?;
            write!(f, "  as root: apt-get install --no-install-recommends {packages}")?;
        }
        Ok(())
    }
}

/// What the machine has to be complete for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Building programs from Go modules, which every Linux can.
    Go,
    /// Building the toolbox.
    Build,
    /// Building the toolbox and running a local node with it.
    Node,
    /// Building the toolbox with the kind node image.
    Kind,
}

impl Purpose {
    /// What has to be there to make what has these names; all of it without names.
    ///
    /// # Errors
    /// [`Error::UnknownName`].
    pub fn of_names(names: &[String]) -> Result<Self> {
        let items = names.iter().map(|name| Ok(Item::named(name)?.with_parts()));
        let items: Vec<_> = items.collect::<Result<Vec<_>>>()?.concat();
        Ok(if items.iter().any(|item| matches!(item, Item::KindNode)) {
            Self::Kind
        } else if !items.is_empty() && items.iter().all(|item| item.is_compiled()) {
            Self::Go
        } else {
            Self::Build
        })
    }
}

/// Looks for all that the purpose needs.
///
/// # Errors
/// [`Error::NotDebian`] where there is no `dpkg-query` and Debian packages are needed.
pub fn missing(cache: &Cache, purpose: Purpose) -> Result<Missing> {
    let packages = match purpose {
        Purpose::Go => Vec::new(),
        Purpose::Build => missing_packages(cache, &[])?,
        Purpose::Node => missing_packages(cache, NODE_PACKAGES)?,
        Purpose::Kind => missing_packages(cache, KIND_BUILD_PACKAGES)?,
    };
    let go = match Command::new("go").arg("version").run() {
        Ok(_) => false,
        Err(Error::CommandNotStarted { .. }) => true,
        Err(error) => return Err(error),
    };
    Ok(Missing { packages, go })
}

/// Those of the packages that are not installed, and pip if it is needed and there is none.
fn missing_packages(cache: &Cache, wanted: &[&'static str]) -> Result<Vec<&'static str>> {
    let list = Command::new("dpkg-query")
        .args(["--show", "--showformat", "${Package} ${db:Status-Status}\n"])
        .text();
    let list = match list {
        Err(Error::CommandNotStarted { .. }) => return Err(Error::NotDebian),
        list => list?,
    };
    let mut packages = not_installed(&list, wanted);
    // Starting Python takes longer than all else here, and any pip will do, not only Debian's.
    if !wheel::entry(cache, &ENVOY).exists() && !wheel::pip_works() {
        packages.push(PIP_PACKAGE);
    }
    Ok(packages)
}

/// Like [`missing`], for callers that only want to know whether to go on.
///
/// # Errors
/// [`Error::HostIncomplete`] with everything missing; those of [`missing`].
pub fn check(cache: &Cache, purpose: Purpose) -> Result<()> {
    let missing = missing(cache, purpose)?;
    if missing.is_empty() { Ok(()) } else { Err(Error::HostIncomplete { missing }) }
}

/// Makes the machine complete. `say` hears what is going to be installed, before it is.
///
/// # Errors
/// [`Error::HostIncomplete`] with everything missing if root is needed and not given, or if apt
/// cannot provide it; what apt said if it failed; those of [`missing`].
pub fn prepare(cache: &Cache, purpose: Purpose, say: impl FnOnce(&str)) -> Result<()> {
    let lacking = missing(cache, purpose)?;
    if lacking.is_empty() {
        return Ok(());
    }
    if lacking.go || !rustix::process::geteuid().is_root() {
        return Err(Error::HostIncomplete { missing: lacking });
    }
    // One run at a time: the end of the first would let the second's services start.
    fs::create_dir_all(cache.root()).file("create", cache.root())?;
    let path = cache.root().join("host.lock");
    let lock = File::create(&path).file("create", &path)?;
    lock.lock().file("lock", &path)?;
    let missing = missing(cache, purpose)?;
    if missing.is_empty() {
        return Ok(());
    }
    say(&format!("installing Debian packages: {}", missing.packages.join(" ")));
    let _no_services = NoServices::set(Path::new(POLICY))?;
    // The machine's own package lists may do; fetching new ones takes longer than installing.
    if apt_get(&["install"], &missing.packages).is_err() {
        apt_get(&["update"], &[])?;
        apt_get(&["install"], &missing.packages)?;
    }
    Ok(())
}

fn apt_get(command: &[&str], packages: &[&str]) -> Result<()> {
    Command::new("apt-get")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["--quiet", "--assume-yes", "--no-install-recommends"])
        // The machine's own upgrades may be under way.
        .args(["--option", "DPkg::Lock::Timeout=300"])
        .args(command)
        .args(packages)
        .run()?;
    Ok(())
}

fn not_installed(list: &str, wanted: &[&'static str]) -> Vec<&'static str> {
    let installed = |package: &str| {
        list.lines().any(|line| line.split_once(' ') == Some((package, "installed")))
    };
    wanted.iter().copied().filter(|package| !installed(package)).collect()
}

/// Debian's way to keep package scripts from starting services: a `policy-rc.d` that exits 101
/// (invoke-rc.d(8)). One that is already there is the administrator's and stays.
struct NoServices {
    made: Option<PathBuf>,
}

const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Tells a leftover of a run that was killed from an administrator's own policy.
const POLICY_TEXT: &str = "#!/bin/sh\n# cacerts tools: only while it installs packages\nexit 101\n";

impl NoServices {
    fn set(path: &Path) -> Result<Self> {
        if fs::read_to_string(path).is_ok_and(|text| text != POLICY_TEXT) {
            return Ok(Self { made: None });
        }
        fs::write(path, POLICY_TEXT).file("write", path)?;
        let made = Self { made: Some(path.to_owned()) };
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(path, executable).file("make executable", path)?;
        Ok(made)
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if let Some(path) = &self.made
            && let Err(error) = fs::remove_file(path)
        {
            tracing::warn!(path = %path.display(), %error, "cannot remove");
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn programs_of_go_take_no_debian_packages_and_the_kind_node_takes_more() {
        let purpose = |names: &[&str]| {
            Purpose::of_names(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        };
        for (names, expected) in [
            (["actionlint"].as_slice(), Purpose::Go),
            (&["actionlint", "cargo-fuzz"], Purpose::Go),
            (&["istioctl", "kind"], Purpose::Go),
            (&["istioctl", "envoy"], Purpose::Build),
            (&["docker-registry"], Purpose::Build),
            (&["kind", "kind-node"], Purpose::Kind),
            (&[], Purpose::Build),
        ] {
            assert_eq!(purpose(names).unwrap(), expected, "{names:?}");
        }
        assert!(matches!(purpose(&["kindd"]), Err(Error::UnknownName { .. })));
    }

    #[test]
    fn a_package_that_was_removed_or_never_installed_is_missing() {
        let list = "runc installed\ncontainerd config-files\niproute2-doc installed\n";
        assert_eq!(
            not_installed(list, &["runc", "containerd", "iproute2"]),
            ["containerd", "iproute2"]
        );
    }

    #[test]
    fn services_are_held_back_only_while_packages_are_installed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy-rc.d");
        // The second time there is a leftover of a run that was killed.
        for leftover in [false, true] {
            if leftover {
                fs::write(&path, POLICY_TEXT).unwrap();
            }
            let guard = NoServices::set(&path).unwrap();
            let Err(Error::CommandFailed { status, .. }) = Command::new(&path).run() else {
                panic!("the policy refuses");
            };
            assert_eq!(status.code(), Some(101));
            drop(guard);
            assert!(!path.exists());
        }
    }

    #[test]
    fn an_administrators_own_policy_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy-rc.d");
        fs::write(&path, "#!/bin/sh\nexit 0\n").unwrap();
        drop(NoServices::set(&path).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "#!/bin/sh\nexit 0\n");
    }

    #[test]
    fn the_message_lists_everything_and_the_command() {
        let missing = Missing { packages: vec!["runc", "iptables"], go: true };
        assert_eq!(
            Error::HostIncomplete { missing }.to_string(),
            "this machine lacks:\n  \
             go1.26.2 or newer on PATH, from https://go.dev/dl\n  \
             Debian packages runc iptables\n  \
             as root: apt-get install --no-install-recommends runc iptables"
        );
    }
}
