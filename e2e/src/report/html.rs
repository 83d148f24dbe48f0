//! The report as one page of HTML: no script, no other file, nothing fetched. Everything that comes
//! from the run is escaped by the template engine; the page's own policy forbids the rest.

use anyhow::{Context as _, Result};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use super::document::Document;

const PAGE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/style.css");

/// What the template sees.
#[derive(Serialize)]
struct Page<'a> {
    report: &'a Document,
    word: &'static str,
    /// The class that gives the verdict its colour.
    tone: &'static str,
    bars: Vec<Bar>,
}

/// Where a step's bar begins and how long it is, in percent of the run.
#[derive(Serialize)]
struct Bar {
    left: f64,
    width: f64,
}

/// Renders the document.
pub(super) fn render(document: &Document) -> Result<String> {
    let mut environment = Environment::new();
    // A field that the template misspells is an error, and not an empty place.
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.add_template("style.css", STYLE)?;
    environment.add_template("page.html", PAGE)?;
    let (word, tone) = match &document.sabotage {
        None => (document.verdict, document.verdict),
        Some(_) if document.is_good() => (document.headline(), "proven"),
        Some(_) => (document.headline(), "disproven"),
    };
    let page = Page { report: document, word, tone, bars: bars(document) };
    let template = environment.get_template("page.html")?;
    template.render(Serde(&page)).context("fill in the page of the report")
}

fn bars(document: &Document) -> Vec<Bar> {
    let ends = document.steps.iter().map(|step| step.began + step.seconds);
    let end = ends.fold(document.seconds, f64::max);
    let percent = |seconds: f64| if end > 0.0 { round(seconds / end * 100.0) } else { 0.0 };
    let bar = |began, seconds| Bar { left: percent(began), width: percent(seconds) };
    document.steps.iter().map(|step| bar(step.began, step.seconds)).collect()
}

fn round(percent: f64) -> f64 {
    (percent * 100.0).round() / 100.0
}
