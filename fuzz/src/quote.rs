//! Whether a text quotes what must not be shown.

use crate::pem;

/// Fewer characters of a key say nothing about it, and may be chance.
const RUN: usize = 20;

/// The lines of the keys in `data`.
pub(crate) fn key_lines(data: &[u8]) -> Vec<String> {
    let keys = pem::blocks(data).into_iter().filter(|block| block.label.contains("PRIVATE KEY"));
    let lines = keys.flat_map(|block| {
        let text = String::from_utf8_lossy(&data[block.body]).into_owned();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    });
    lines.filter(|line| line.len() >= RUN && line.is_ascii()).collect()
}

/// Fails where `text` has a piece of one of the lines which stands nowhere else in `data`: a fuzzer
/// soon writes a piece of a key where a name belongs, and names are shown.
pub(crate) fn assert_no_key(data: &[u8], lines: &[String], text: &str) {
    for line in lines {
        let runs = (0..=line.len() - RUN).map(|at| &line[at..at + RUN]);
        for run in runs.filter(|run| text.contains(run) && is_varied(run)) {
            let first = pem::find(data, 0, run.as_bytes());
            let again = first.and_then(|at| pem::find(data, at + 1, run.as_bytes()));
            assert!(again.is_some(), "a key is shown: {run} in\n{text}");
        }
    }
}

fn is_varied(run: &str) -> bool {
    let mut bytes = run.as_bytes().to_vec();
    bytes.sort_unstable();
    bytes.dedup();
    bytes.len() >= 8
}
