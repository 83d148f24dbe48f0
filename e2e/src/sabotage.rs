//! The harness proves itself: each sabotage breaks one thing on purpose, and the run must end with
//! exactly the claims false and blocked that it names.
//!
//! Sabotages write raw Secrets here; no library has a back door for them.

use std::collections::BTreeSet;
use std::fmt;

use anyhow::{Result, bail};

use crate::claim::{Outcome, Tested};

mod breaking;
pub(crate) mod suite;

pub(crate) use breaking::{apply, plug_in_or_not, undo};

/// One thing that is broken on purpose.
#[derive(Debug)]
pub(crate) struct Sabotage {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What it does, in a sentence.
    pub(crate) sentence: &'static str,
    /// The step that it replaces or follows.
    pub(crate) at: At,
    /// What has to come of it.
    pub(crate) ends: Ends,
}

impl Sabotage {
    /// What it changes in a finished mesh, if that is where it strikes.
    pub(crate) fn change(&self) -> Option<Change> {
        match self.at {
            At::FinishedMesh(change) => Some(change),
            At::PlugIn(_) => None,
        }
    }
}

/// Where a sabotage strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// Instead of plugging the CA in.
    PlugIn(Instead),
    /// In the finished mesh, or in what it is held against.
    FinishedMesh(Change),
}

/// What goes into the cluster instead of the four files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Instead {
    /// No Secret at all.
    Nothing,
    /// The four files, and in the trust bundle the root of a stranger too.
    StrangersRootToo,
    /// Three of the four files.
    NoKey,
}

/// What is changed in a finished mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing: it is held against another administrator's bundle.
    OtherTruth,
    /// This mode of mutual TLS instead of STRICT.
    Mode(&'static str),
    /// A foreign cert-chain.pem, hot-reloaded.
    ForeignChain,
}

/// What has to come of a sabotage.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    /// These claims are false and these are blocked, by number; every other one holds.
    Claims { makes_false: &'static [u8], blocks: &'static [u8] },
    /// The installation stops with these words of istiod's.
    Stops(&'static str),
}

/// Every sabotage. Those of a finished mesh come first: they share one.
pub(crate) static SABOTAGES: &[Sabotage] = &[
    Sabotage {
        name: "foreign-bundle",
        sentence: "the mesh is held against another administrator's bundle with the same names",
        at: At::FinishedMesh(Change::OtherTruth),
        ends: Ends::Claims { makes_false: &[2, 3, 4, 5, 6, 7, 8, 9], blocks: &[13] },
    },
    Sabotage {
        name: "permissive",
        sentence: "PERMISSIVE instead of STRICT mutual TLS",
        at: At::FinishedMesh(Change::Mode("PERMISSIVE")),
        ends: Ends::Claims { makes_false: &[5, 11], blocks: &[] },
    },
    Sabotage {
        name: "disabled",
        sentence: "DISABLE instead of STRICT mutual TLS",
        at: At::FinishedMesh(Change::Mode("DISABLE")),
        ends: Ends::Claims { makes_false: &[10], blocks: &[2, 3, 4, 5, 11, 12] },
    },
    Sabotage {
        name: "foreign-chain",
        sentence: "a foreign cert-chain.pem is hot-reloaded into the finished mesh, and istiod \
                   reports success",
        at: At::FinishedMesh(Change::ForeignChain),
        ends: Ends::Claims { makes_false: &[9], blocks: &[8, 12, 13] },
    },
    Sabotage {
        name: "no-cacerts",
        sentence: "no Secret cacerts: istiod signs with a CA of its own making",
        at: At::PlugIn(Instead::Nothing),
        ends: Ends::Claims { makes_false: &[1, 2, 3, 4, 5, 6, 7, 8, 9], blocks: &[13] },
    },
    Sabotage {
        name: "strangers-root",
        sentence: "root-cert.pem trusts a stranger's root beside the administrator's",
        at: At::PlugIn(Instead::StrangersRootToo),
        // The Secret is not replaced where that would take a root away.
        ends: Ends::Claims { makes_false: &[2, 6, 7, 9, 12], blocks: &[13] },
    },
    Sabotage {
        name: "no-key",
        sentence: "a Secret without ca-key.pem: istiod does not start",
        at: At::PlugIn(Instead::NoKey),
        ends: Ends::Stops("incomplete signing CA bundle detected"),
    },
];

/// Finds a sabotage by its name.
pub(crate) fn named(name: &str) -> Option<&'static Sabotage> {
    SABOTAGES.iter().find(|sabotage| sabotage.name == name)
}

/// The claims that were false and blocked, by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sets {
    pub(crate) makes_false: BTreeSet<u8>,
    pub(crate) blocks: BTreeSet<u8>,
}

impl Sets {
    /// What really came of the claims.
    pub(crate) fn of(tested: &[Tested]) -> Self {
        let numbers = |is: fn(&Outcome) -> bool| {
            tested.iter().filter(|t| is(&t.outcome)).map(|t| t.claim.number).collect()
        };
        Self {
            makes_false: numbers(|outcome| matches!(outcome, Outcome::False(_))),
            blocks: numbers(|outcome| matches!(outcome, Outcome::Blocked { .. })),
        }
    }

    /// What a sabotage names, where it leaves claims to be tested.
    pub(crate) fn expected(sabotage: &Sabotage) -> Option<Self> {
        let Ends::Claims { makes_false, blocks } = &sabotage.ends else { return None };
        Some(Self {
            makes_false: makes_false.iter().copied().collect(),
            blocks: blocks.iter().copied().collect(),
        })
    }
}

/// As in `claims 2, 3 false and 13 blocked`.
impl fmt::Display for Sets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |set: &BTreeSet<u8>| match set.len() {
            0 => "none".to_owned(),
            _ => set.iter().map(u8::to_string).collect::<Vec<_>>().join(", "),
        };
        write!(f, "claims {} false and {} blocked", list(&self.makes_false), list(&self.blocks))
    }
}

/// Holds what came of a sabotaged installation against the words it must end with.
///
/// # Errors
/// It went through, or ended with other words.
pub(crate) fn must_stop<T>(installed: Result<T>, words: &str) -> Result<String> {
    match installed {
        Ok(_) => bail!("the installation went through; it should have stopped with `{words}`"),
        Err(error) if format!("{error:#}").contains(words) => Ok(format!("{error:#}")),
        Err(error) => Err(error.context(format!("expected it to stop with `{words}`"))),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::claim::Kind;
    use crate::claims::CLAIMS;

    #[test]
    fn every_named_claim_exists_and_is_named_once() {
        let known: BTreeSet<u8> = CLAIMS.iter().map(|claim| claim.number).collect();
        for sabotage in SABOTAGES {
            let Some(sets) = Sets::expected(sabotage) else { continue };
            assert!(sets.makes_false.is_subset(&known), "{}", sabotage.name);
            assert!(sets.blocks.is_subset(&known), "{}", sabotage.name);
            assert!(sets.makes_false.is_disjoint(&sets.blocks), "{}", sabotage.name);
            assert!(!sets.makes_false.is_empty(), "{} breaks nothing", sabotage.name);
        }
    }

    #[test]
    fn every_look_is_made_false_by_some_sabotage() {
        let broken: BTreeSet<u8> =
            SABOTAGES.iter().filter_map(Sets::expected).flat_map(|sets| sets.makes_false).collect();
        let looks = CLAIMS.iter().filter(|claim| claim.kind == Kind::Looks);
        let never: Vec<_> = looks.map(|c| c.number).filter(|n| !broken.contains(n)).collect();
        assert_eq!(never, Vec::<u8>::new());
    }

    #[test]
    fn an_installation_that_goes_through_is_no_stop() {
        let error = must_stop(Ok(()), "incomplete").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the installation went through; it should have stopped with `incomplete`"
        );
    }

    #[test]
    fn an_installation_that_stops_for_another_reason_is_told_apart() {
        let stopped = must_stop::<()>(Err(anyhow!("no room")), "incomplete").unwrap_err();
        assert_eq!(format!("{stopped:#}"), "expected it to stop with `incomplete`: no room");
        let stopped = must_stop::<()>(Err(anyhow!("incomplete bundle")), "incomplete").unwrap();
        assert_eq!(stopped, "incomplete bundle");
    }
}
