//! The cgroups of one node: a group of its own below the mount of every controller.
//!
//! Made before the node starts and removed after it; the mounts themselves, and every other
//! group, are left alone. They are also how everything of a node is found: whatever runs for a
//! node is in its groups.

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use rustix::process::Pid;

/// The controllers without which the kubelet does not run on cgroup v1.
const NEEDED: [&str; 4] = ["cpu", "cpuacct", "cpuset", "memory"];

/// A mount of the cgroup filesystem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    path: PathBuf,
    /// What it controls; nothing for the unified hierarchy and for `name=systemd`.
    controllers: Vec<String>,
}

/// Finds the cgroup mounts in the text of `/proc/self/mountinfo` (proc(5)).
///
/// # Errors
/// A controller that a node needs has no mount of cgroup v1.
pub(crate) fn mounts(mountinfo: &str) -> Result<Vec<Mount>> {
    let mounts: Vec<_> = mountinfo.lines().filter_map(mount).collect();
    let missing: Vec<_> = NEEDED
        .into_iter()
        .filter(|name| !mounts.iter().any(|mount| mount.controllers.iter().any(|c| c == name)))
        .collect();
    ensure!(
        missing.is_empty(),
        "the local node needs cgroup v1, and these controllers are not mounted: {}",
        missing.join(", ")
    );
    Ok(mounts)
}

fn mount(line: &str) -> Option<Mount> {
    let (head, tail) = line.split_once(" - ")?;
    let path = PathBuf::from(head.split(' ').nth(4)?);
    let mut tail = tail.split(' ');
    let kind = tail.next()?;
    let options = tail.nth(1)?;
    match kind {
        "cgroup2" => Some(Mount { path, controllers: Vec::new() }),
        "cgroup" => {
            let known = |option: &&str| *option != "rw" && !option.contains('=');
            let controllers = options.split(',').filter(known).map(str::to_owned).collect();
            Some(Mount { path, controllers })
        }
        _ => None,
    }
}

/// The groups of one node.
#[derive(Clone, Debug)]
pub(crate) struct Groups {
    paths: Vec<PathBuf>,
}

/// The group of the node's own components, beside the kubelet's `kubepods`.
const COMPONENTS: &str = "node";

impl Groups {
    /// The groups with this name, below these mounts.
    pub(crate) fn new(mounts: &[Mount], name: &str) -> Self {
        Self { paths: mounts.iter().map(|mount| mount.path.join(name)).collect() }
    }

    /// Makes them.
    ///
    /// # Errors
    /// One exists (a kubelet that finds the groups of an earlier one waits for its pods), or
    /// cannot be made.
    pub(crate) fn create(&self) -> Result<()> {
        for path in &self.paths {
            for group in [path.clone(), path.join(COMPONENTS)] {
                fs::create_dir(&group)
                    .and_then(|()| inherit_cpuset(&group))
                    .with_context(|| format!("cannot make the cgroup {}", group.display()))?;
            }
        }
        Ok(())
    }

    /// The files that a process writes to in order to move into the group of the components.
    pub(crate) fn entrances(&self) -> Vec<PathBuf> {
        self.paths.iter().map(|path| path.join(COMPONENTS).join("cgroup.procs")).collect()
    }

    /// Everything that runs in them.
    ///
    /// # Errors
    /// A group cannot be read.
    pub(crate) fn processes(&self) -> Result<HashSet<Pid>> {
        let mut found = HashSet::new();
        for path in &self.paths {
            visit(path, &mut |group| {
                let procs = group.join("cgroup.procs");
                let text = if_there(fs::read_to_string(&procs))
                    .with_context(|| format!("cannot read {}", procs.display()))?;
                let pids = text.unwrap_or_default();
                // A process of another pid namespace is listed as 0, and none of ours is that.
                found.extend(pids.lines().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)));
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// Removes them, from the leaves up. Returns whether all are gone: a group whose processes
    /// have just ended may take a moment.
    ///
    /// # Errors
    /// A group cannot be read.
    pub(crate) fn remove(&self) -> Result<bool> {
        let mut gone = true;
        for path in &self.paths {
            visit(path, &mut |group| {
                match fs::remove_dir(group) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    Err(error) if error.kind() == ErrorKind::ResourceBusy => gone = false,
                    Err(error) => {
                        return Err(error).with_context(|| format!("rmdir {}", group.display()));
                    }
                }
                Ok(())
            })?;
        }
        Ok(gone)
    }
}

/// Calls `each` for a group and all below it, the deepest first.
fn visit(group: &Path, each: &mut dyn FnMut(&Path) -> Result<()>) -> Result<()> {
    let context = || format!("cannot list {}", group.display());
    let Some(items) = if_there(fs::read_dir(group)).with_context(context)? else { return Ok(()) };
    for item in items {
        let item = item.with_context(context)?;
        if item.file_type().with_context(context)?.is_dir() {
            visit(&item.path(), each)?;
        }
    }
    each(group)
}

/// Groups come and go while they are looked at.
fn if_there<T>(result: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        // A group that goes away between open and read gives ENODEV.
        Err(error)
            if error.kind() == ErrorKind::NotFound
                || error.raw_os_error() == Some(rustix::io::Errno::NODEV.raw_os_error()) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// A new cpuset has no processors and no memory, and no process may enter it like that.
fn inherit_cpuset(group: &Path) -> std::io::Result<()> {
    for name in ["cpuset.cpus", "cpuset.mems"] {
        let own = group.join(name);
        if let (true, Some(parent)) = (own.exists(), group.parent()) {
            fs::write(&own, fs::read(parent.join(name))?)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    const MOUNTINFO: &str = "\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 25 0:26 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:5 - cgroup cgroup rw,cpu,cpuacct
32 30 0:28 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
33 30 0:29 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
34 30 0:30 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
35 30 0:31 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup rw
";

    #[test]
    fn every_cgroup_mount_is_found() {
        let found = mounts(MOUNTINFO).unwrap();
        let paths: Vec<_> = found.iter().map(|mount| mount.path.to_str().unwrap()).collect();
        let names = ["cpu,cpuacct", "cpuset", "memory", "systemd", "unified"];
        assert_eq!(paths, names.map(|name| format!("/sys/fs/cgroup/{name}")));
        assert_eq!(found[0].controllers, ["cpu", "cpuacct"]);
    }

    #[test]
    fn a_machine_with_cgroup_v2_only_is_told_so() {
        let line = "30 25 0:26 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw,nsdelegate";
        assert_eq!(
            mounts(line).unwrap_err().to_string(),
            "the local node needs cgroup v1, and these controllers are not mounted: cpu, cpuacct, \
             cpuset, memory"
        );
    }

    fn two_mounts() -> (tempfile::TempDir, Groups) {
        let dir = tempfile::tempdir().unwrap();
        let mounts = ["cpuset", "memory"].map(|name| {
            fs::create_dir(dir.path().join(name)).unwrap();
            Mount { path: dir.path().join(name), controllers: vec![name.into()] }
        });
        (dir, Groups::new(&mounts, "cacerts-x"))
    }

    #[test]
    fn groups_are_made_listed_and_removed() {
        let (dir, groups) = two_mounts();
        groups.create().unwrap();
        let pods = dir.path().join("memory/cacerts-x/kubepods/pod1");
        fs::create_dir_all(&pods).unwrap();
        // The kernel's control files do not stand in the way of rmdir; on a plain folder they do.
        let procs = pods.join("cgroup.procs");
        fs::write(&procs, "42\n0\n7\n").unwrap();
        let pids = groups.processes().unwrap();
        let expected = [7, 42].map(|pid| Pid::from_raw(pid).unwrap());
        assert_eq!(pids, HashSet::from(expected));
        fs::remove_file(procs).unwrap();
        assert!(groups.remove().unwrap());
        assert!(!dir.path().join("memory/cacerts-x").exists());
        assert!(dir.path().join("memory").exists());
    }

    #[test]
    fn groups_of_an_earlier_node_are_not_taken_over() {
        let (dir, groups) = two_mounts();
        groups.create().unwrap();
        let path = dir.path().join("cpuset/cacerts-x");
        let error = groups.create().unwrap_err().to_string();
        assert_eq!(error, format!("cannot make the cgroup {}", path.display()));
    }

    #[test]
    fn groups_that_are_not_there_are_gone() {
        let (_dir, groups) = two_mounts();
        assert!(groups.processes().unwrap().is_empty());
        assert!(groups.remove().unwrap());
    }
}
