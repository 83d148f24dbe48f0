//! What there is of a run on this machine: found by its name everywhere, not by its own records.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::provider::Made;
use crate::provider::local::node::groups;
use crate::registry::{Entry, Registry};

/// The processes that run for a run: in its cgroups, or with its folder in their arguments. By
/// process id, with their command lines.
pub(crate) fn processes(entry: &Entry) -> Result<BTreeMap<u32, String>> {
    let folder = entry.folder.to_string_lossy();
    let mut found = BTreeMap::new();
    for item in fs::read_dir("/proc").context("cannot list /proc")? {
        let path = item.context("cannot list /proc")?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let Ok(pid) = name.parse() else { continue };
        // A process that ends while it is looked at has no arguments.
        let words = fs::read(path.join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&words).replace('\0', " ");
        if line.contains(folder.as_ref()) {
            found.insert(pid, line);
        }
    }
    for names in entry.nodes() {
        for pid in groups(names)?.processes()? {
            let pid = pid.as_raw_nonzero().get().cast_unsigned();
            found.entry(pid).or_insert_with(|| format!("process {pid} in {}", names.cgroup));
        }
    }
    Ok(found)
}

/// Everything of a run but its folder's logs and reports: empty where nothing is left.
pub(crate) async fn traces(entry: &Entry, registry: &Registry) -> Result<Vec<String>> {
    let mut left: Vec<_> = processes(entry)?.into_values().collect();
    let id = entry.id.as_str();
    let named = |folder: &Path| -> Result<Vec<String>> {
        let context = || format!("cannot list {}", folder.display());
        let mut found = Vec::new();
        for item in fs::read_dir(folder).with_context(context)? {
            let path = item.with_context(context)?.path();
            if path.to_string_lossy().contains(id) {
                found.push(path.display().to_string());
            }
        }
        Ok(found)
    };
    left.extend(named(Path::new("/sys/class/net"))?);
    for mount in fs::read_dir("/sys/fs/cgroup").context("cannot list the cgroup mounts")? {
        let mount = mount.context("cannot list the cgroup mounts")?.path();
        if mount.is_dir() {
            left.extend(named(&mount)?);
        }
    }
    let mounts = fs::read_to_string("/proc/self/mountinfo").context("cannot read the mounts")?;
    left.extend(mounts.lines().filter(|line| line.contains(id)).map(str::to_owned));
    let disks = entry.nodes().map(|names| &names.disk).filter(|disk| disk.exists());
    left.extend(disks.map(|disk| disk.display().to_string()));
    for made in &entry.made {
        if let Made::KindCluster(cluster) = made {
            left.extend(cluster.containers().await?);
        }
    }
    let registered = registry.entries()?.iter().any(|other| other.id == entry.id);
    left.extend(registered.then(|| format!("the run {id} is registered")));
    Ok(left)
}
