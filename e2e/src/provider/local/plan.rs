//! What the harness tells PID 1 of a node to do, and what PID 1 tells the harness. Data only.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::components::Component;

/// Sent to PID 1 on its stdin: go on when the harness ends. The end of its stdin without this
/// before it is the end of the node.
pub(crate) const KEEP: u8 = b'k';

/// Everything that PID 1 does, in this order.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The `cgroup.procs` files of the groups to move into.
    pub(crate) cgroups: Vec<PathBuf>,
    /// Mounts, in order.
    pub(crate) mounts: Vec<Mount>,
    /// The node's host name.
    pub(crate) hostname: String,
    /// Files under `/proc/sys` of the node's own network, and what to write to them.
    pub(crate) sysctls: Vec<(String, String)>,
    /// Where each component's log goes.
    pub(crate) logs: PathBuf,
    /// The run's lock, which a node that is kept takes over.
    pub(crate) lock: Option<PathBuf>,
    /// The programs to start and to watch.
    pub(crate) components: Vec<Component>,
}

/// A mount in the node's own mount namespace.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Mount {
    /// An empty filesystem in memory.
    Tmpfs {
        /// Where it is mounted.
        at: PathBuf,
    },
    /// A folder or file seen in a second place.
    Bind {
        /// What is to be seen.
        from: PathBuf,
        /// Where.
        at: PathBuf,
    },
}

/// A line of JSON on the stdout of PID 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// The node is prepared, and its components are being started.
    Up,
    /// The node goes on without the harness, and holds the run's lock.
    Kept,
    /// A component ended, which none should.
    Ended {
        /// Its name.
        component: String,
        /// Its exit status or signal, in words.
        status: String,
    },
    /// The node could not be prepared, or a component not be started.
    Failed {
        /// Why, with causes.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn events_read_as_lines() {
        let ended = Event::Ended { component: "kubelet".into(), status: "exit status 1".into() };
        let lines = [
            (Event::Up, r#""up""#),
            (ended, r#"{"ended":{"component":"kubelet","status":"exit status 1"}}"#),
        ];
        for (event, line) in lines {
            assert_eq!(serde_json::to_string(&event).unwrap(), line);
            assert_eq!(serde_json::from_str::<Event>(line).unwrap(), event);
        }
    }
}
