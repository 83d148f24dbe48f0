//! What a fuzzer claims about answers.

use std::path::PathBuf;

use pki::{BundleFiles, Context};
use time::macros::datetime;

use super::judged::{Checked, Judged};
use super::{Span, json, junit, moment, prometheus, sarif, text};
use crate::target::Origin;

/// Stretches of time, and the moment to judge for.
pub(crate) fn words(text: &str) {
    let now = datetime!(2026-12-01 12:00 UTC);
    if let Ok(Span(span)) = text.parse() {
        assert!(!span.is_negative());
        assert!(now.saturating_add(span) >= now);
    }
    if let Ok(moment) = moment(text) {
        assert!(moment.offset().is_utc() && (0..=9999).contains(&moment.year()));
    }
}

/// Every form of an answer about a bundle: all of them, one after the other.
pub fn reports(files: BundleFiles, context: &Context) -> String {
    let certificates: Vec<_> =
        files.certificates().map(|(file, _, certificate)| (file.to_owned(), certificate)).collect();
    let pictures = crate::show::fuzzing::pictures(&certificates, context.now);
    let judged = Judged::new(files, context);
    let judged = judged.unwrap_or_else(|error| panic!("it cannot be judged: {error}"));
    let outcome = judged.outcome();
    let origin = Origin::Folder(PathBuf::from("ca/c1"));
    let all = [Checked { name: "ca/c1".to_owned(), origin, result: Ok(judged) }];
    let failed = |failure| panic!("it cannot be written: {failure}");
    let text = text::render(&all, 80);
    let plain = without_colours(&text);
    assert!(!plain.contains(|c: char| c.is_control() && c != '\n'), "{plain:?}");
    let json = json::render(&all, outcome, context).unwrap_or_else(failed);
    let sarif = sarif::render(&all, outcome);
    for document in [&json, &sarif] {
        let read = serde_json::from_str::<serde_json::Value>(document);
        assert!(read.is_ok(), "no JSON: {document}");
    }
    let junit = junit::render(&all).unwrap_or_else(failed);
    let prometheus = prometheus::render(&all, context);
    for line in prometheus.lines() {
        assert!(line.starts_with("# ") || line.starts_with("cacerts_"), "{line:?}");
    }
    [text, json, sarif, junit, prometheus, pictures].join("\n")
}

/// The text without the escape sequences of colours, which end in `m`.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once('m').map_or(part, |(_, rest)| rest));
    }
    plain
}
