//! What `tools` prints.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the program's one report module")]

use std::error::Error;

use tools::{Outdated, Stocked};

/// Prints a result.
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// Prints an error with its causes.
pub(crate) fn error(error: &tools::Error) {
    eprintln!("error: {error}");
    let mut cause = error.source();
    while let Some(found) = cause {
        eprintln!("caused by: {found}");
        cause = found.source();
    }
}

/// Prints the stock as a table, or as a JSON array.
pub(crate) fn list(stock: &[Stocked], json: bool) {
    if json {
        println!("{}", serde_json::json!(stock));
        return;
    }
    let width = stock.iter().map(|item| item.name.len()).max().unwrap_or(0);
    for Stocked { name, version, cached, path } in stock {
        let place = if *cached { path.display().to_string() } else { "not built".to_owned() };
        println!("{name:width$}  {version:10.10}  {place}");
    }
}

/// Prints what was pruned, and how much that is.
pub(crate) fn outdated(outdated: &[Outdated]) {
    for Outdated { path, size, removed } in outdated {
        let what = if *removed { "removed" } else { "kept, another run is making it:" };
        println!("{what} {} ({:.1} MB)", path.display(), megabytes(*size));
    }
    let removed: Vec<_> = outdated.iter().filter(|entry| entry.removed).collect();
    let freed = removed.iter().map(|entry| entry.size).sum();
    println!("{} removed, {:.1} MB", removed.len(), megabytes(freed));
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit after the point")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
