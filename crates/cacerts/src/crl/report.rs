//! What lists there are, until when they are good, and what happens then.

use std::path::Path;

use pki::{Crl, CrlNumber, CrlSet, Revocation};
use serde::Serialize;
use time::OffsetDateTime;

use super::side::Side;
use crate::lifetime::rfc3339;
use crate::statement::visible;
use crate::terminal;

/// What nobody who has lists may forget.
const OUTAGE: &str = "after that, every new connection of the mesh is refused: a total outage";
const OPEN: &str = "a connection that is open is not cut: it ends when its workload restarts";

/// A list as JSON has it; times are RFC 3339 in UTC.
#[derive(Serialize)]
struct Lines {
    issuer: String,
    number: Option<String>,
    this_update: String,
    next_update: Option<String>,
    /// When the next one should be made.
    due: Option<String>,
    revoked: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    serial: String,
    date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Lines {
    fn of(list: &Crl) -> Self {
        let entry = |Revocation { serial, date, reason }: &Revocation| Entry {
            serial: serial.to_string(),
            date: rfc3339(*date),
            reason: reason.map(|reason| reason.to_string()),
        };
        Self {
            issuer: visible(&list.issuer().to_string()),
            number: list.number().map(CrlNumber::to_string),
            this_update: rfc3339(list.this_update()),
            next_update: list.next_update().map(rfc3339),
            due: list.due().map(rfc3339),
            revoked: list.revoked().iter().map(entry).collect(),
        }
    }

    fn number(&self) -> &str {
        self.number.as_deref().unwrap_or("without a number")
    }

    fn revokes(&self) -> String {
        match self.revoked.len() {
            0 => "revokes nothing".to_owned(),
            1 => "revokes 1 certificate".to_owned(),
            more => format!("revokes {more} certificates"),
        }
    }
}

/// One side's list.
#[derive(Serialize)]
pub(super) struct List {
    #[serde(skip)]
    whose: String,
    file: String,
    record: String,
    /// Whether this run made it; else it was there and was not touched.
    created: bool,
    #[serde(flatten)]
    list: Lines,
}

impl List {
    pub(super) fn new(side: &Side, list: &Crl, created: bool) -> Self {
        Self {
            whose: side.whose.clone(),
            file: side.list.display().to_string(),
            record: side.record.display().to_string(),
            created,
            list: Lines::of(list),
        }
    }
}

/// Prints a side's list: as lines, or as a JSON object.
pub(super) fn list(list: &List, json: bool) {
    if json {
        return terminal::answer(&serde_json::json!(list).to_string());
    }
    let List { whose, file, record, created, list } = list;
    let number = list.number();
    let happened = if *created {
        format!("made list {number} of {whose} in `{file}`")
    } else {
        format!("list {number} of {whose} is already there in `{file}`; nothing was changed")
    };
    let mut text =
        format!("{happened}\n  {} {}; record in `{record}`", list.issuer, list.revokes());
    text.push_str(&dates(list.next_update.as_deref(), list.due.as_deref()));
    if *created && !list.revoked.is_empty() {
        text.push_str(&format!("\n  {OPEN}"));
    }
    terminal::answer(&text);
}

fn dates(next_update: Option<&str>, due: Option<&str>) -> String {
    match next_update.zip(due) {
        Some((next, due)) => {
            format!("\n  good until {next}; the next one is due on {due}\n  {OUTAGE}")
        }
        None => "\n  good for ever".to_owned(),
    }
}

/// The joined lists.
#[derive(Serialize)]
pub(super) struct Joined {
    file: String,
    /// Whether this run wrote it; else it was there and was not touched.
    created: bool,
    /// The last second at which all lists are good.
    next_update: Option<String>,
    /// When the first of them is due to be made anew.
    due: Option<String>,
    is_due: bool,
    lists: Vec<Lines>,
}

impl Joined {
    pub(super) fn new(path: &Path, set: &CrlSet, created: bool, now: OffsetDateTime) -> Self {
        Self {
            file: path.display().to_string(),
            created,
            next_update: set.next_update().map(rfc3339),
            due: set.due().map(rfc3339),
            is_due: set.due().is_some_and(|due| due <= now),
            lists: set.lists().iter().map(Lines::of).collect(),
        }
    }
}

/// Prints the joined lists: as lines, or as a JSON object.
pub(super) fn joined(joined: &Joined, json: bool) {
    let Joined { file, created, next_update, due, is_due, lists } = joined;
    if *is_due {
        terminal::note("a list is in the last third of its time: make the next one now");
    }
    if json {
        return terminal::answer(&serde_json::json!(joined).to_string());
    }
    let mut text = match (*created, lists.len()) {
        (true, count) => format!("joined {count} lists in `{file}`"),
        (false, count) => {
            format!("the {count} lists are already there in `{file}`; nothing was changed")
        }
    };
    for list in lists {
        text.push_str(&format!("\n  {}: list {}, {}", list.issuer, list.number(), list.revokes()));
    }
    text.push_str(&dates(next_update.as_deref(), due.as_deref()));
    text.push_str(&format!("\n  {OPEN}"));
    terminal::answer(&text);
}
