//! The answer for people: a verdict a judge, then the findings, worst first, each with its fix.

use anstyle::{AnsiColor, Style};
use pki::{Finding, Judge, Severity};

use super::judged::{Applied, Checked, Judged, Opinion, Outcome, Reload};
use crate::columns;
use crate::judges;
use crate::terminal::printable;

const BAD: Style = AnsiColor::Red.on_default().bold();
const ODD: Style = AnsiColor::Yellow.on_default();
const GOOD: Style = AnsiColor::Green.on_default();
const FAINT: Style = Style::new().dimmed();

/// Where what is said of a judge or a finding begins.
const COLUMN: usize = 31;
const INDENT: usize = 13;

/// Every target, and how many came out how. `width` in columns.
pub(super) fn render(all: &[Checked], width: usize) -> String {
    let mut text = String::new();
    for checked in all {
        // What could not be read was said on standard error.
        if let Ok(judged) = &checked.result {
            text.push_str(&target(&checked.name, judged, width));
            text.push('\n');
        }
    }
    if all.len() > 1 {
        text.push_str(&summary(all));
    }
    text.truncate(text.trim_end().len());
    text
}

fn summary(all: &[Checked]) -> String {
    let order = [Outcome::Refused, Outcome::NotChecked, Outcome::Warned, Outcome::Accepted];
    let counts = order.map(|outcome| {
        let number = all.iter().filter(|checked| checked.outcome() == outcome).count();
        (number > 0).then(|| format!("{number} {}", outcome.word()))
    });
    let counts: Vec<_> = counts.into_iter().flatten().collect();
    format!("{} targets: {}", all.len(), counts.join(", "))
}

fn target(name: &str, judged: &Judged, width: usize) -> String {
    let outcome = judged.outcome();
    let style = match outcome {
        Outcome::Refused | Outcome::NotChecked => BAD,
        Outcome::Warned => ODD,
        Outcome::Accepted => GOOD,
    };
    let mut text = format!("{}: {style}{}{style:#}\n", printable(name), outcome.word());
    for (judge, opinion) in &judged.opinions {
        text.push_str(&verdict(judged, *judge, opinion, width));
    }
    if let Some(reload) = &judged.reload {
        let sentence = effect(*reload);
        columns::push(&mut text, "the running istiod", COLUMN, &sentence, width);
    }
    for finding in &judged.report.findings {
        text.push('\n');
        text.push_str(&paragraph(finding, width));
    }
    let counts = [Severity::Refuse, Severity::Warn, Severity::Advice]
        .map(|severity| format!("{severity} {}", judged.count(severity)));
    // The sentence of no finding would read like a missing part.
    if !judged.report.findings.is_empty() {
        text.push_str(&format!("\n{}\n", counts.join(", ")));
    }
    text
}

fn verdict(judged: &Judged, judge: Judge, opinion: &Opinion, width: usize) -> String {
    let counts = judged.counts(judge);
    let (style, mut said) = match opinion {
        Opinion::Accepts => (GOOD, "accepts".to_owned()),
        Opinion::Refuses(rules) => {
            (if counts { BAD } else { ODD }, format!("refuses: {}", rules.join(", ")))
        }
        Opinion::NotReached => (FAINT, "not reached: istiod does not take it".to_owned()),
        Opinion::NotAsked => {
            (FAINT, "not asked: --current TARGET says what is there now".to_owned())
        }
    };
    let mut notes = Vec::new();
    if judge == Judge::Ztunnel && !matches!(opinion, Opinion::NotReached) {
        notes.push(format!("by {}", judges::ZTUNNEL_BY));
    }
    if !counts && !matches!(opinion, Opinion::NotAsked) {
        notes.push(match judge {
            Judge::Ztunnel => "counts with --ambient".to_owned(),
            _ => "does not count".to_owned(),
        });
    }
    if !notes.is_empty() {
        said.push_str(&format!(" ({})", notes.join(", ")));
    }
    let mut line = String::new();
    columns::push(&mut line, &judge.to_string(), COLUMN, &said, width);
    // Coloured after it was wrapped: an escape sequence has no width.
    let (head, tail) = line.split_at(COLUMN.min(line.len()));
    format!("{head}{style}{}{style:#}\n", tail.trim_end())
}

/// What the running istiod does, in a sentence.
fn effect(reload: Reload) -> String {
    let Reload { applied, broken, dead_at_restart } = reload;
    let mut parts = vec![match applied {
        Applied::Whole if broken => {
            "takes it, reports success, and the mesh breaks: what it signs is refused"
        }
        Applied::Whole => "takes it",
        Applied::Half => "takes the roots alone, and goes on with its old certificate",
        Applied::Nothing => "drops it and keeps the CA it has",
    }];
    match (dead_at_restart, applied) {
        (true, _) => parts.push("its next start refuses it"),
        (false, Applied::Nothing) => parts.push("its next start takes it"),
        (false, _) => {}
    }
    parts.join("; ")
}

fn paragraph(finding: &Finding, width: usize) -> String {
    let rule = finding.rule;
    let style = match rule.severity {
        Severity::Refuse => BAD,
        Severity::Warn => ODD,
        Severity::Advice => FAINT,
    };
    let mut text = format!("{style}{} {}{style:#}", rule.severity, rule.id);
    if let Some(file) = &finding.file {
        text.push_str(&format!(" in {}", printable(file)));
    }
    if let Some(block) = finding.block {
        text.push_str(&format!(", PEM block {block}"));
    }
    text.push('\n');
    let mut line = |label: &str, said: &str| {
        columns::push(&mut text, label, INDENT, &printable(said), width);
    };
    line("what", rule.what);
    line("found", &finding.found);
    line("expected", &finding.expected);
    if !finding.judges.is_empty() {
        let names: Vec<_> = finding.judges.iter().map(Judge::to_string).collect();
        line("refused by", &names.join(", "));
    }
    let loads = |judge: &Judge| matches!(judge, Judge::IstiodStart | Judge::IstiodReload);
    match rule.istiod {
        [message] if finding.judges.iter().any(loads) => line("istiod log", message),
        [_, ..] if finding.judges.iter().any(loads) => {
            line(
                "istiod log",
                &format!("one of {}: cacerts explain {}", rule.istiod.len(), rule.id),
            );
        }
        _ => {}
    }
    line("why", rule.why);
    line("fix", rule.fix);
    text
}
