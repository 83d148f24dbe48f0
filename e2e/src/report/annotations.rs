//! What GitHub shows beside a change: a workflow command for each claim that does not hold.
//!
//! The form and its escapes are those of actions/toolkit, `packages/core/src/command.ts`.

use super::document::{ClaimText, Document};

/// A line for each claim that is false or blocked, and for where the run broke off; none for a run
/// that ended as it should. Where neither is to blame, the skipped claims are named.
pub(super) fn render(document: &Document) -> Vec<String> {
    if document.is_good() {
        return Vec::new();
    }
    if let Some(sabotage) = &document.sabotage {
        let title = format!("the sabotage {} was not caught", sabotage.name);
        return vec![error(&title, &document.summary)];
    }
    let of = |outcomes: &[&str]| {
        let found = document.claims.iter().filter(|claim| outcomes.contains(&claim.outcome));
        found.map(claim).collect::<Vec<_>>()
    };
    let broke_off = document.failure.as_ref();
    let broke_off = broke_off.map(|failure| error("the run broke off", &failure.reason));
    let mut lines: Vec<_> = broke_off.into_iter().chain(of(&["false", "blocked"])).collect();
    if lines.is_empty() {
        lines = of(&["skipped"]);
    }
    lines
}

fn claim(claim: &ClaimText) -> String {
    let title = format!("claim {} is {}", claim.number, claim.outcome);
    let by = claim.blocked_by.as_ref().map(|by| format!("by {by}: ")).unwrap_or_default();
    let reason = claim.reason.as_deref().unwrap_or_default();
    error(&title, &format!("{}: {by}{reason}", claim.sentence))
}

fn error(title: &str, message: &str) -> String {
    let property = data(title).replace(':', "%3A").replace(',', "%2C");
    format!("::error title={property}::{}", data(message))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}
