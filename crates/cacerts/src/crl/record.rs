//! The record: a text file with the number of a CA's newest list, and what the CA has revoked.
//!
//! Strict to read, so that a slip of the hand is found; comments and empty lines stay where they
//! are when it is written anew.

use std::fmt;

use pki::{Certificate, Fingerprint, Revocation, Serial};

use crate::lifetime::{rfc3339, utc};

/// What is in the file, line by line.
pub(super) struct Record {
    lines: Vec<Line>,
    number: u64,
}

enum Line {
    /// A comment, or nothing.
    Text(String),
    Ca(Fingerprint),
    Number,
    Revoked(Revocation),
}

impl Record {
    /// Of a CA that has made no list yet, or whose record is lost: with what its list has.
    pub(super) fn new(
        ca: &Certificate,
        command: &str,
        number: u64,
        revoked: &[Revocation],
    ) -> Self {
        let subject = shown(&ca.subject().to_string());
        let text = |text: String| Line::Text(format!("# {text}"));
        let mut lines = vec![
            text(format!("What {subject} has revoked, for good: `{command}` makes")),
            text(
                "its list of this file and writes it anew. Comments stay. Keep it with the".into(),
            ),
            text("list: a number that was used once must not come again.".into()),
            text("A line each: revoked SERIAL TIME [REASON]".into()),
            Line::Ca(ca.fingerprint()),
            Line::Number,
        ];
        lines.extend(revoked.iter().cloned().map(Line::Revoked));
        Self { lines, number }
    }

    /// Reads the record of a CA.
    pub(super) fn read(text: &str, ca: &Certificate) -> Result<Self, String> {
        let (mut lines, mut number, mut has_ca) = (Vec::new(), None, false);
        let mut serials: Vec<Serial> = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let wrong = |problem: String| format!("line {}: {problem}", at + 1);
            let words: Vec<_> = line.split_whitespace().collect();
            // A second carriage return would be the end of the line when it is read again.
            let text = || Line::Text(line.trim_end_matches('\r').to_owned());
            let line = match words[..] {
                [] => text(),
                [first, ..] if first.starts_with('#') => text(),
                ["ca", fingerprint] if !has_ca => {
                    let found: Fingerprint = parsed(fingerprint).map_err(wrong)?;
                    if found != ca.fingerprint() {
                        return Err(wrong(format!(
                            "it is the record of another CA, {found}, expected {}",
                            ca.fingerprint()
                        )));
                    }
                    has_ca = true;
                    Line::Ca(found)
                }
                ["number", value] if number.is_none() => {
                    let problem = format!("{value:?} is not a number");
                    number = Some(value.parse().ok().ok_or_else(|| wrong(problem))?);
                    Line::Number
                }
                ["revoked", serial, date, ref reason @ ..] if reason.len() < 2 => {
                    let serial: Serial = parsed(serial).map_err(wrong)?;
                    if serials.contains(&serial) {
                        return Err(wrong(format!("serial {serial} is revoked twice")));
                    }
                    serials.push(serial.clone());
                    // A list holds whole seconds, and is compared with this.
                    let date = utc(date).filter(|date| date.nanosecond() == 0);
                    let problem = "expected a time such as 2026-11-24T12:00:00Z".to_owned();
                    let date = date.ok_or_else(|| wrong(problem))?;
                    let reason = reason.first().map(|reason| parsed(reason)).transpose();
                    Line::Revoked(Revocation { serial, date, reason: reason.map_err(wrong)? })
                }
                _ => {
                    return Err(wrong(format!(
                        "expected a comment, `ca FINGERPRINT` or `number NUMBER` once, or \
                         `revoked SERIAL TIME [REASON]`, found {line:?}"
                    )));
                }
            };
            lines.push(line);
        }
        match number {
            Some(number) if has_ca => Ok(Self { lines, number }),
            Some(_) => Err("the line `ca FINGERPRINT` is missing".to_owned()),
            None => Err("the line `number NUMBER` is missing".to_owned()),
        }
    }

    /// The number of the newest list; 0 before the first.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn set_number(&mut self, number: u64) {
        self.number = number;
    }

    pub(super) fn revoked(&self) -> impl Iterator<Item = &Revocation> {
        self.lines.iter().filter_map(|line| match line {
            Line::Revoked(revocation) => Some(revocation),
            Line::Text(_) | Line::Ca(_) | Line::Number => None,
        })
    }

    pub(super) fn find(&self, serial: &Serial) -> Option<&Revocation> {
        self.revoked().find(|revocation| revocation.serial == *serial)
    }

    /// Adds what was revoked, under a comment that says whose certificate it is.
    pub(super) fn revoke(&mut self, revocation: Revocation, whose: Option<&str>) {
        self.lines.extend(whose.map(|whose| Line::Text(format!("# {}", shown(whose)))));
        self.lines.push(Line::Revoked(revocation));
    }
}

/// A name may hold a line's end, after which the rest of it would be no comment.
fn shown(name: &str) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.into() };
    name.chars().map(escaped).collect()
}

fn parsed<T: std::str::FromStr<Err = pki::Error>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: pki::Error| error.to_string())
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            match line {
                Line::Text(text) => writeln!(f, "{text}")?,
                Line::Ca(fingerprint) => writeln!(f, "ca {fingerprint}")?,
                Line::Number => writeln!(f, "number {}", self.number)?,
                Line::Revoked(Revocation { serial, date, reason }) => {
                    write!(f, "revoked {serial} {}", rfc3339(*date))?;
                    match reason {
                        Some(reason) => writeln!(f, " {reason}")?,
                        None => writeln!(f)?,
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_record_is_written_as_it_was_read_whatever_ends_its_lines() {
        let pem = include_bytes!("../../../../fixtures/makefile/root-cert.pem");
        let ca = Certificate::from_pem(pem).unwrap();
        let lines = ["# a", "", " # b", &format!("ca {}", ca.fingerprint()), "number 7"];
        let written = format!("{}\n", lines.join("\n"));
        for end in ["\n", "\r\n", "\r\r\n"] {
            let record = Record::read(&lines.join(end), &ca).unwrap();
            assert_eq!(record.to_string(), written);
        }
    }
}
