//! `cacerts explain`: one rule whole, all of them in a line each, or the page docs/rules.md.

use clap::Args;
use pki::{Judge, RULES, Rule};

use crate::columns;
use crate::failure::Failure;
use crate::terminal;

mod page;

/// Options of `explain`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  cacerts explain                     every rule, in a line each\n  \
                  cacerts explain path-length         one\n  \
                  cacerts explain 'the cert does not match the key'\n                                      \
                  the rules behind a line of istiod's log\n\n\
                  Exit codes: 0 explained, 1 there is no such rule, 2 it could not be done"
)]
pub(crate) struct ExplainArgs {
    /// The rule's id, as a finding names it, or a line of istiod's log
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// Every rule as a page of Markdown
    #[arg(long, conflicts_with = "id")]
    markdown: bool,
}

impl ExplainArgs {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let text = match &self.id {
            Some(id) => {
                let rules = find(id)?;
                let width = terminal::width();
                rules.into_iter().map(|rule| whole(rule, width)).collect::<Vec<_>>().join("\n")
            }
            None if self.markdown => page::markdown(),
            None => list(),
        };
        terminal::print(text.trim_end())
    }
}

/// The rule of that id, else those whose message of istiod's the text is or holds.
fn find(id: &str) -> Result<Vec<&'static Rule>, Failure> {
    let asked = id.trim().to_lowercase();
    if let Some(rule) = RULES.iter().find(|rule| rule.id == asked) {
        return Ok(vec![*rule]);
    }
    let says = |message: &&str| {
        let message = message.to_lowercase();
        asked.contains(&message) || (asked.contains(' ') && message.contains(&asked))
    };
    let logged: Vec<_> =
        RULES.iter().copied().filter(|rule| rule.istiod.iter().any(says)).collect();
    if !logged.is_empty() {
        return Ok(logged);
    }
    let near = near(&asked);
    let hint = match near.is_empty() {
        true => "`cacerts explain` lists them all".to_owned(),
        false => format!("near to it: {}", near.join(", ")),
    };
    Err(Failure::refused(format!("there is no rule `{id}`; {hint}")))
}

/// At most three ids, the nearest first: those that share a word with it, or are typed much alike.
fn near(asked: &str) -> Vec<&'static str> {
    let shares = |id: &str| id.split('-').any(|word| asked.split('-').any(|other| word == other));
    let mut near: Vec<_> = RULES
        .iter()
        .map(|rule| (strsim::damerau_levenshtein(asked, rule.id), rule.id))
        .filter(|(distance, id)| *distance <= 3 || shares(id))
        .collect();
    near.sort_unstable();
    near.into_iter().map(|(_, id)| id).take(3).collect()
}

fn list() -> String {
    let widest = RULES.iter().map(|rule| rule.id.len()).max().unwrap_or_default();
    let line = |rule: &&Rule| format!("{:6}  {:widest$}  {}", rule.severity, rule.id, rule.what);
    RULES.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn whole(rule: &Rule, width: usize) -> String {
    let Rule { id, severity, versions, what, why, fix, source, evidence, istiod, .. } = rule;
    let mut text = format!("{severity} {id}\n");
    let mut line = |label: &str, said: &str| columns::push(&mut text, label, 13, said, width);
    line("what", what);
    line("refused by", &refused_by(rule));
    line("Istio", &versions.to_string());
    for (position, message) in istiod.iter().enumerate() {
        line(if position == 0 { "istiod log" } else { "" }, message);
    }
    line("why", why);
    line("fix", fix);
    line("source", source);
    line("evidence", evidence);
    text
}

/// Those who may refuse because of the rule.
fn refused_by(rule: &Rule) -> String {
    if rule.judges.is_empty() {
        return "nobody by itself".to_owned();
    }
    let names: Vec<_> = rule.judges.iter().map(Judge::to_string).collect();
    names.join(", ")
}
