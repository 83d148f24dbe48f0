//! The report as a table for the terminal. Reads the same without colour; who calls decides about
//! colour, and prints.

use std::fmt;
use std::path::Path;

use textwrap::{Options, wrap};

use super::Report;
use super::document::{ClaimText, Document};
use super::hierarchy::Comparison;

const WIDTH: usize = 100;
/// Where sentences and reasons begin: after "  12  skipped  ".
const INDENT: &str = "               ";
/// The claim whose evidence is the page's own verdict.
const PAGE: &str = "openssl-agrees";

const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const RESET: &str = "\x1b[0m";

/// The table of claims, the page's comparisons, and, as the last line, the verdict and where the
/// reports are.
pub(crate) fn terminal(report: &Report, folder: &Path, colour: bool) -> String {
    let table = Table { document: &Document::new(report), folder, colour };
    table.to_string()
}

struct Table<'a> {
    document: &'a Document,
    folder: &'a Path,
    colour: bool,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for claim in &self.document.claims {
            self.claim(f, claim)?;
        }
        self.comparisons(f)?;
        self.page(f)?;
        self.sabotage(f)?;
        self.failure(f)?;
        let Document { summary, seconds, .. } = self.document;
        let colour = if self.document.is_good() { GREEN } else { RED };
        let word = self.painted(&self.document.headline().to_uppercase(), colour);
        writeln!(f)?;
        write!(f, "{word}: {summary} ({seconds:.1} s); reports in {}", self.folder.display())
    }
}

impl Table<'_> {
    fn claim(&self, f: &mut fmt::Formatter<'_>, claim: &ClaimText) -> fmt::Result {
        let (word, colour) = match claim.outcome {
            "holds" => ("holds  ", GREEN),
            "false" => ("FALSE  ", RED),
            "blocked" => ("blocked", YELLOW),
            _ => ("skipped", YELLOW),
        };
        let time = format!("{:.1} s", claim.seconds);
        let room = WIDTH - INDENT.len() - 9;
        let mut lines = wrap(claim.sentence, room).into_iter();
        let first = lines.next().unwrap_or_default();
        let word = self.painted(word, colour);
        writeln!(f, "  {:>2}  {word}  {first:<room$} {time:>8}", claim.number)?;
        for line in lines {
            writeln!(f, "{INDENT}{line}")?;
        }
        if let Some(reason) = &claim.reason {
            let by = claim.blocked_by.as_ref().map(|by| format!("by {by}: ")).unwrap_or_default();
            paragraph(f, &format!("{by}{reason}"), INDENT)?;
        }
        Ok(())
    }

    fn comparisons(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.document.comparisons.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nWhat httpbin served, held against the files of the bundle:")?;
        for Comparison { position, file, same, expected, found } in &self.document.comparisons {
            let what = format!("certificate {position}, {file}");
            let verdict = if *same {
                self.painted("the same DER", GREEN)
            } else {
                self.painted("another DER", RED)
            };
            writeln!(f, "  {what:<31}{verdict}")?;
            if *same {
                writeln!(f, "    {expected}")?;
            } else {
                writeln!(f, "    expected {expected}")?;
                writeln!(f, "    found    {}", found.as_deref().unwrap_or("nothing"))?;
            }
        }
        Ok(())
    }

    fn page(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(claim) = self.document.claim(PAGE) else { return Ok(()) };
        if claim.evidence.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nThe page's own commands:")?;
        for fact in &claim.evidence {
            writeln!(f, "  {:<38}{}", fact.name, fact.value)?;
        }
        Ok(())
    }

    fn sabotage(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(sabotage) = &self.document.sabotage else { return Ok(()) };
        writeln!(f, "\nSabotage {}: {}", sabotage.name, sabotage.sentence)?;
        paragraph(f, &format!("expected  {}", sabotage.expected), "  ")?;
        paragraph(f, &format!("found     {}", sabotage.found), "  ")
    }

    fn failure(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(failure) = &self.document.failure else { return Ok(()) };
        writeln!(f, "\n{}", self.painted("The run broke off:", RED))?;
        paragraph(f, &failure.reason, "  ")?;
        if !failure.diagnosis.is_empty() {
            writeln!(f, "Before the teardown:")?;
            paragraph(f, &failure.diagnosis, "  ")?;
        }
        Ok(())
    }

    fn painted(&self, text: &str, colour: &str) -> String {
        if self.colour { format!("{colour}{text}{RESET}") } else { text.to_owned() }
    }
}

/// Wrapped, each of its own lines on a new one.
fn paragraph(f: &mut fmt::Formatter<'_>, text: &str, indent: &str) -> fmt::Result {
    let options = Options::new(WIDTH).initial_indent(indent).subsequent_indent(indent);
    wrap(text, options).iter().try_for_each(|line| writeln!(f, "{line}"))
}
