//! What `tools` prints.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the program's one report module")]

use std::error::Error;

use tools::Stocked;

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
