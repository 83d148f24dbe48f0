//! What the rules found, worst first.

use std::fmt;

use super::{Judge, Rule, Severity};
use crate::certificate::on_its_line;

/// One thing a rule found. Carries no byte of a key.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule it breaks.
    pub rule: &'static Rule,
    /// The file, where there is one.
    pub file: Option<String>,
    /// The PEM block in that file, from 1.
    pub block: Option<usize>,
    /// What is there.
    pub found: String,
    /// What should be.
    pub expected: String,
    /// Who refuses the bundle because of it.
    pub judges: Vec<Judge>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rule { id, severity, why, fix, .. } = self.rule;
        write!(f, "{severity} {id}")?;
        if let Some(file) = &self.file {
            write!(f, " in {}", on_its_line(file))?;
        }
        if let Some(block) = self.block {
            write!(f, ", block {block}")?;
        }
        writeln!(f)?;
        writeln!(f, "  found     {}", on_its_line(&self.found))?;
        writeln!(f, "  expected  {}", on_its_line(&self.expected))?;
        if !self.judges.is_empty() {
            let judges: Vec<_> = self.judges.iter().map(Judge::to_string).collect();
            writeln!(f, "  refused by {}", judges.join(", "))?;
        }
        writeln!(f, "  why       {why}")?;
        writeln!(f, "  fix       {fix}")
    }
}

/// Whether one judge would run with this bundle's CA.
#[derive(Clone, Debug)]
pub enum Verdict<'a> {
    /// No rule says otherwise.
    Accepts,
    /// It refuses, or would go on with another CA than this one.
    Refuses(Vec<&'a Finding>),
}

impl Verdict<'_> {
    /// Whether it is [`Verdict::Accepts`].
    pub fn accepts(&self) -> bool {
        matches!(self, Self::Accepts)
    }
}

/// Every finding, worst first, within a severity in the order of the rules.
#[derive(Clone, Debug)]
pub struct Report {
    /// The findings.
    pub findings: Vec<Finding>,
}

impl Report {
    pub(super) fn new(mut findings: Vec<Finding>) -> Self {
        findings.sort_by_key(|finding| finding.rule.severity);
        Self { findings }
    }

    /// Whether the bundle must not be used.
    pub fn refused(&self) -> bool {
        self.findings.iter().any(|finding| finding.rule.severity == Severity::Refuse)
    }

    /// What one judge makes of the bundle.
    pub fn verdict(&self, judge: Judge) -> Verdict<'_> {
        let against: Vec<_> =
            self.findings.iter().filter(|finding| finding.judges.contains(&judge)).collect();
        if against.is_empty() { Verdict::Accepts } else { Verdict::Refuses(against) }
    }

    /// The ids of the rules that found something, in the report's order, each once.
    pub fn rule_ids(&self) -> Vec<&'static str> {
        let mut ids: Vec<_> = self.findings.iter().map(|finding| finding.rule.id).collect();
        ids.dedup();
        ids
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            write!(f, "{finding}")?;
        }
        let count =
            |severity| self.findings.iter().filter(|it| it.rule.severity == severity).count();
        write!(
            f,
            "refuse {}, warn {}, advice {}",
            count(Severity::Refuse),
            count(Severity::Warn),
            count(Severity::Advice)
        )
    }
}
