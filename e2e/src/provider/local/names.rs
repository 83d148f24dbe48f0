//! What one local node is called on this machine, and its addresses. Pure data.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use crate::cidr::Cidr;
use crate::cluster::Ranges;
use crate::rundir::RunId;

/// Everything that there is on this machine of a node while it lives: what removing it removes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Names {
    /// Which of the machine's 256 sets of address ranges it has.
    pub(crate) index: u8,
    /// The node's name on this machine: of its cgroup below the mount of every controller.
    pub(crate) cgroup: String,
    /// The host's end of the veth pair.
    pub(crate) link: String,
    /// The folder that is the node's disk.
    pub(crate) disk: PathBuf,
}

impl Names {
    /// The names of the node of a run's cluster number `cluster`, from 0. `folder` is the run's.
    pub(crate) fn new(run: &RunId, folder: &Path, cluster: u8, index: u8) -> Self {
        Self {
            index,
            // An interface's name has 15 characters at most (linux/if.h, IFNAMSIZ).
            link: format!("ca-{run}-{cluster}"),
            cgroup: format!("cacerts-{run}-{cluster}"),
            disk: folder.join(format!("node-{cluster}")),
        }
    }

    /// The file that the network namespace is mounted on.
    pub(crate) fn netns(&self) -> PathBuf {
        self.disk.join("netns")
    }

    /// The node's address ranges.
    pub(crate) fn ranges(&self) -> Ranges {
        ranges(self.index)
    }

    /// The host's address on the veth pair.
    pub(crate) fn host_ip(&self) -> Ipv4Addr {
        self.ranges().nodes.host(1)
    }

    /// The node's own address: of the API server and of the kubelet.
    pub(crate) fn node_ip(&self) -> Ipv4Addr {
        self.ranges().nodes.host(2)
    }

    /// The address of the `kubernetes` Service: the first of the range, by convention of the API
    /// server.
    pub(crate) fn api_service_ip(&self) -> Ipv4Addr {
        self.ranges().services.host(1)
    }

    /// The address of the name server's Service.
    pub(crate) fn dns_ip(&self) -> Ipv4Addr {
        self.ranges().services.host(10)
    }
}

fn ranges(index: u8) -> Ranges {
    Ranges {
        nodes: Cidr::slash24(10, 201, index),
        pods: Cidr::slash24(10, 202, index),
        services: Cidr::slash24(10, 203, index),
    }
}

/// A route of this machine, and the interface it goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) to: Cidr,
    pub(crate) dev: String,
}

/// Reads the routes from `ip -4 -json route show table all`. The default route is left out: every
/// other one goes before it.
///
/// # Errors
/// The text is not what `ip` prints.
pub(crate) fn routes(json: &str) -> Result<Vec<Route>> {
    #[derive(Deserialize)]
    struct Line {
        dst: String,
        dev: Option<String>,
    }
    let lines: Vec<Line> = serde_json::from_str(json).context("cannot read what `ip` printed")?;
    lines
        .into_iter()
        .filter(|line| line.dst != "default")
        .map(|Line { dst, dev }| Ok(Route { to: dst.parse()?, dev: dev.unwrap_or_default() }))
        .collect()
}

/// The lowest index that no other node has and whose ranges no route of the machine overlaps.
///
/// # Errors
/// There is none; the text names what is in the way of the first.
pub(crate) fn free_index(taken: &[u8], routes: &[Route]) -> Result<u8> {
    let blocking = |index: u8| {
        let Ranges { nodes, pods, services } = ranges(index);
        routes.iter().find(|route| [nodes, pods, services].iter().any(|own| own.overlaps(route.to)))
    };
    let mut first_block = None;
    for index in 0..=u8::MAX {
        if taken.contains(&index) {
            continue;
        }
        match blocking(index) {
            None => return Ok(index),
            Some(route) => first_block = first_block.or(Some((index, route))),
        }
    }
    match first_block {
        None => bail!("256 nodes exist on this machine; end some with `cargo xtask e2e down`"),
        Some((index, Route { to, dev })) => bail!(
            "no address range is free for a node: {nodes}, {pods} and {services} (and the next \
             ones up to 10.20x.255.0/24) overlap the route to {to} by {dev}; remove that route",
            nodes = ranges(index).nodes,
            pods = ranges(index).pods,
            services = ranges(index).services,
        ),
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    const ROUTES: &str = r#"[
        {"dst":"default","gateway":"192.0.2.1","dev":"eth0","flags":[]},
        {"dst":"192.0.2.0/24","dev":"eth0","scope":"link","flags":[]},
        {"type":"local","dst":"192.0.2.2","dev":"eth0","table":"local","flags":[]}
    ]"#;

    fn route(to: &str) -> Route {
        Route { to: to.parse().unwrap(), dev: "eth0".into() }
    }

    #[test]
    fn routes_are_read_without_the_default() {
        assert_eq!(routes(ROUTES).unwrap(), [route("192.0.2.0/24"), route("192.0.2.2")]);
    }

    #[test]
    fn the_lowest_free_index_is_taken() {
        assert_eq!(free_index(&[], &routes(ROUTES).unwrap()).unwrap(), 0);
        assert_eq!(free_index(&[0, 1, 3], &[]).unwrap(), 2);
    }

    #[test]
    fn an_index_whose_ranges_are_routed_is_passed_over() {
        assert_eq!(free_index(&[], &[route("10.202.0.0/24"), route("10.203.1.9")]).unwrap(), 2);
    }

    #[test]
    fn no_free_range_is_refused_with_what_is_in_the_way() {
        assert_eq!(
            free_index(&[0], &[route("10.0.0.0/8")]).unwrap_err().to_string(),
            "no address range is free for a node: 10.201.1.0/24, 10.202.1.0/24 and 10.203.1.0/24 \
             (and the next ones up to 10.20x.255.0/24) overlap the route to 10.0.0.0/8 by eth0; \
             remove that route"
        );
    }

    #[test]
    fn names_carry_the_run_and_fit() {
        let run = RunId::random().unwrap();
        let names = Names::new(&run, Path::new("/runs/x"), 1, 7);
        assert_eq!(names.cgroup, format!("cacerts-{run}-1"));
        assert_eq!(names.node_ip().to_string(), "10.201.7.2");
        assert_eq!(names.api_service_ip().to_string(), "10.203.7.1");
        assert!(names.link.len() <= 15, "{}", names.link);
    }
}
