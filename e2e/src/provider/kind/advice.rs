//! What a person can do about the known ways in which an engine, kind or a node fails: each is
//! known by the words of the failure. The harness changes no setting of the machine.

use anyhow::{Error, anyhow};

/// A failure that is known.
struct Known {
    /// Words that only this failure has, in its place.
    words: &'static [&'static str],
    /// What it means, and what to do.
    advice: &'static str,
}

/// Whose words are read: the same words mean another thing elsewhere. A connection is refused many
/// times while a node comes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// By the engine.
    Engine,
    /// By the engine while it gets an image.
    Pull,
    /// By kind, kubeadm or a program of the node.
    Node,
}

impl Said {
    fn known(self) -> impl Iterator<Item = &'static Known> {
        let own = match self {
            Self::Engine => &[],
            Self::Pull => OF_PULL,
            Self::Node => OF_NODE,
        };
        own.iter().chain(OF_ENGINE)
    }
}

/// The first that fits counts.
static OF_ENGINE: &[Known] = &[
    Known {
        words: &["permission denied while trying to connect to the Docker"],
        advice: "this user may not use the engine: run as root, or join the group that owns the \
                 socket (`docker`) and log in again",
    },
    Known {
        words: &[
            "Cannot connect to the Docker daemon",
            "Is the docker daemon running",
            "docker.sock: no such file",
        ],
        advice: "start the engine, say where it is with DOCKER_HOST, or take --provider local",
    },
    Known {
        words: &["unable to apply caps"],
        advice: "the engine's machine lacks a capability that privileged containers are given \
                 (`capsh --print` there shows which): use another machine, or --provider local",
    },
    Known {
        words: &["can't get final child's PID"],
        advice: "the runtime may not lower its OOM score, which needs CAP_SYS_RESOURCE on the \
                 engine's machine: use another machine, or --provider local",
    },
    Known {
        words: &["no space left on device"],
        advice: "the engine's disk is full: `docker system df` lists what it holds",
    },
    Known {
        words: &["port is already allocated", "address already in use"],
        advice: "another program has the port: end it, or try again, kind takes another one",
    },
    Known {
        words: &["already exist for a cluster with the name"],
        advice: "the name is taken: `kind get clusters` lists the clusters, `cargo xtask e2e down` \
                 removes those that killed runs left",
    },
];

static OF_PULL: &[Known] = &[
    Known {
        words: &[
            "exec format error",
            "no matching manifest for",
            "does not match the detected host platform",
        ],
        advice: "the image is for another architecture: name one for this machine with --node-image",
    },
    Known {
        words: &[
            "manifest unknown",
            "not found: manifest",
            "pull access denied",
            "repository does not exist",
        ],
        advice: "the registry does not have the image: name another with --node-image, or build it \
                 with --images built",
    },
    Known {
        words: &[
            "no such host",
            "i/o timeout",
            "TLS handshake timeout",
            "connection refused",
            "network is unreachable",
        ],
        advice: "the registry cannot be reached: name one that can be with --registry-mirror and \
                 --node-image, or build the images with --images built",
    },
    Known {
        words: &["toomanyrequests"],
        advice: "the registry limits how much may be pulled: log in to it with `docker login`, or \
                 name another with --registry-mirror and --node-image",
    },
];

static OF_NODE: &[Known] = &[
    Known {
        words: &["too many open files", "inotify_init", "Failed to create inotify"],
        advice: "the machine's inotify limits are used up: raise fs.inotify.max_user_instances (512 \
                 is enough) and fs.inotify.max_user_watches (524288) with sysctl",
    },
    Known {
        words: &["kubelet is configured to not run on a host using cgroup v1"],
        advice: "the node's kubelet refuses cgroup v1: this is a fault of the harness, which has to \
                 tell it otherwise",
    },
];

/// What to do about a failure with these words in it.
pub(super) fn advice(said: Said, text: &str) -> Option<&'static str> {
    let fits = |known: &&Known| known.words.iter().any(|words| text.contains(words));
    said.known().find(fits).map(|known| known.advice)
}

/// The error, and what to do about it where that is known.
pub(super) fn with_advice(said: Said, error: Error) -> Error {
    let text = format!("{error:#}");
    match advice(said, &text) {
        Some(advice) => anyhow!("{text}; {advice}"),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_failure_that_is_not_known_stays_as_it_is() {
        assert_eq!(with_advice(Said::Engine, anyhow!("no idea")).to_string(), "no idea");
    }

    #[test]
    fn an_engine_without_the_capability_is_told_from_one_without_rights() {
        // runc 1.1.5, on a machine without CAP_SYS_RESOURCE.
        let caps = "runc create failed: unable to start container process: unable to apply caps: \
                    operation not permitted: unknown";
        let found = advice(Said::Engine, caps);
        assert!(found.is_some_and(|advice| advice.contains("capability")));
        let rights = "Got permission denied while trying to connect to the Docker daemon socket";
        let found = advice(Said::Engine, rights);
        assert!(found.is_some_and(|advice| advice.contains("may not use the engine")));
    }

    #[test]
    fn a_refused_connection_is_a_registrys_while_pulling_and_nothing_in_a_node() {
        let refused = "dial tcp 172.18.0.2:6443: connect: connection refused";
        assert!(advice(Said::Pull, refused).is_some_and(|advice| advice.contains("registry")));
        assert_eq!(advice(Said::Node, refused), None);
    }

    #[test]
    fn every_word_leads_to_its_own_advice() {
        for said in [Said::Engine, Said::Pull, Said::Node] {
            for known in said.known() {
                for words in known.words {
                    let text = format!("before {words} after");
                    assert_eq!(advice(said, &text), Some(known.advice), "{words}");
                }
            }
        }
    }
}
