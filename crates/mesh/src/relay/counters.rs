//! Envoy's own account of the relay's connections to its target.

use std::net::SocketAddr;

use crate::{Error, PodRef};

/// The administrative path that lists the counters.
pub(crate) const PATH: &str = "/stats?filter=%5Ecluster%5C.target%5C.upstream_cx_";

/// How often each thing happened to a connection to the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    attempts: u64,
    refused: u64,
    timed_out: u64,
    ended_by_target: u64,
}

/// Why a closed stream is no answer of the target.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Unreachable(&'static str),
    Inconclusive(Counters),
}

impl Counters {
    /// Reads Envoy's text form, one `name: value` a line.
    pub(crate) fn parse(stats: &str) -> Self {
        let value = |name: &str| {
            let found = stats.lines().find_map(|line| {
                line.strip_prefix("cluster.target.upstream_cx_")?
                    .strip_prefix(name)?
                    .strip_prefix(": ")
            });
            found.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
        };
        Self {
            attempts: value("total"),
            refused: value("connect_fail"),
            timed_out: value("connect_timeout"),
            ended_by_target: value("destroy_remote"),
        }
    }

    /// What happened after `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        Self {
            attempts: self.attempts.saturating_sub(earlier.attempts),
            refused: self.refused.saturating_sub(earlier.refused),
            timed_out: self.timed_out.saturating_sub(earlier.timed_out),
            ended_by_target: self.ended_by_target.saturating_sub(earlier.ended_by_target),
        }
    }

    /// Whether one connection was made, and the target ended it.
    pub(crate) fn judge(self) -> Result<(), Verdict> {
        match self {
            Self { timed_out: 1.., .. } => Err(Verdict::Unreachable("it timed out")),
            Self { refused: 1.., .. } => Err(Verdict::Unreachable("it was refused")),
            Self { attempts: 1.., ended_by_target: 1.., .. } => Ok(()),
            inconclusive => Err(Verdict::Inconclusive(inconclusive)),
        }
    }
}

impl Verdict {
    pub(crate) fn into_error(self, pod: PodRef, target: SocketAddr) -> Error {
        match self {
            Self::Unreachable(reason) => Error::Unreachable { pod, target, reason },
            Self::Inconclusive(Counters { attempts, ended_by_target, .. }) => {
                let counters = format!(
                    "the relay made {attempts} connections, of which the target ended \
                     {ended_by_target}"
                );
                Error::Inconclusive { pod, target, counters }
            }
        }
    }
}
