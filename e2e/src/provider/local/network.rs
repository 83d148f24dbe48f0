//! A node's own network: a namespace, and a veth pair to it. The harness reaches the node by its
//! address; nothing is forwarded, so nothing on the node reaches anything but this machine.

use std::path::Path;

use anyhow::{Context as _, Result};
use rustix::io::Errno;
use rustix::mount::{UnmountFlags, unmount};

use super::names::{Names, Route, routes};
use crate::cmd::Tool;
use crate::rundir::write;

/// The IPv4 routes of this machine.
///
/// # Errors
/// `ip` fails.
pub(crate) async fn machine_routes() -> Result<Vec<Route>> {
    let output =
        Tool::new("ip").args(["-4", "-json", "route", "show", "table", "all"]).run().await?;
    routes(&output.stdout)
}

/// Makes the network of a node, whose disk exists.
///
/// # Errors
/// A namespace cannot be made, or `ip` fails; what was made before stays.
pub(crate) async fn create(names: &Names) -> Result<()> {
    let netns = names.netns();
    write(&netns, "")?;
    // Not `ip netns add`: what it mounts on /run/netns outlives every namespace.
    let file = format!("--net={}", netns.display());
    Tool::new("unshare").args([file.as_str(), "true"]).run().await?;
    let link = &names.link;
    let bits = names.ranges().nodes.bits();
    let outside = format!(
        "link add {link} type veth peer name eth0 netns {netns}\n\
         addr add {host}/{bits} dev {link}\n\
         link set {link} up\n",
        netns = netns.display(),
        host = names.host_ip(),
    );
    Tool::new("ip").args(["-batch", "-"]).stdin(outside).run().await?;
    let inside = format!(
        "link set lo up\n\
         addr add {node}/{bits} dev eth0\n\
         link set eth0 up\n",
        node = names.node_ip(),
    );
    let enter = Tool::new("nsenter").args([file.as_str(), "--", "ip", "-batch", "-"]);
    enter.stdin(inside).run().await?;
    Ok(())
}

/// Removes the network of a node, as far as it exists.
///
/// # Errors
/// The namespace or the link cannot be removed.
pub(crate) async fn remove(names: &Names) -> Result<()> {
    let link = &names.link;
    if Path::new("/sys/class/net").join(link).exists() {
        Tool::new("ip").args(["link", "delete", link]).run().await?;
    }
    let netns = names.netns();
    match unmount(&netns, UnmountFlags::DETACH) {
        // Not there at all, or there and never mounted on.
        Ok(()) | Err(Errno::NOENT | Errno::INVAL) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot unmount {}", netns.display())),
    }
}
