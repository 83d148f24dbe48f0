//! What a judge said, and whether `pki`'s rules said so before.

use std::fmt;

use pki::{Judge, Report};

/// What one real judge made of one bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepts,
    /// In the judge's own words.
    Refuses(String),
    /// It could not be asked, since something before it failed.
    Unasked(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepts => f.write_str("accepts"),
            Self::Refuses(words) => write!(f, "refuses: {words}"),
            Self::Unasked(why) => write!(f, "not asked: {why}"),
        }
    }
}

/// One judge's verdict beside that of the rules.
pub(crate) struct Compared {
    pub(crate) judge: Judge,
    pub(crate) real: Verdict,
    /// Whether the rules say that the judge accepts.
    pub(crate) rules_accept: bool,
    /// Whether the rules say that they could not prove what they would have to, and refuse for it.
    unproved: bool,
}

impl Compared {
    pub(crate) fn new(judge: Judge, real: Verdict, report: &Report) -> Self {
        let unproved = report.rule_ids().contains(&"unproved-signature");
        Self { judge, real, rules_accept: report.verdict(judge).accepts(), unproved }
    }

    pub(crate) fn agree(&self) -> bool {
        match self.real {
            Verdict::Accepts => self.rules_accept,
            Verdict::Refuses(_) => !self.rules_accept || self.unproved,
            Verdict::Unasked(_) => true,
        }
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = if self.rules_accept { "accept" } else { "refuse" };
        write!(f, "{}: {}; the rules {rules}", self.judge, self.real)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(real: Verdict, rules_accept: bool, unproved: bool) -> Compared {
        Compared { judge: Judge::Envoy, real, rules_accept, unproved }
    }

    #[test]
    fn a_refusal_that_the_rules_do_not_know_is_a_disagreement() {
        let refused = || Verdict::Refuses("certificate revoked".to_owned());
        assert!(!compared(refused(), true, false).agree());
        assert!(compared(refused(), false, false).agree());
        // What the rules could not prove they have refused as a whole.
        assert!(compared(refused(), true, true).agree());
        assert!(!compared(Verdict::Accepts, false, true).agree());
        assert!(compared(Verdict::Accepts, true, false).agree());
    }
}
