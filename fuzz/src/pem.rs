//! Where the PEM blocks of a text are, good enough to change them.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// One block: its label, where its base64 is, and what that holds.
pub(crate) struct Block {
    pub(crate) label: String,
    pub(crate) body: Range<usize>,
    pub(crate) contents: Vec<u8>,
}

/// Every block that is written as openssl does.
pub(crate) fn blocks(data: &[u8]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut from = 0;
    while let Some(begin) = find(data, from, b"-----BEGIN ") {
        let label = begin + 11;
        from = label;
        let Some(close) = find(data, label, b"-----\n") else { break };
        let Some(end) = find(data, close, b"-----END ") else { break };
        let body = close + 6..end;
        let Some(text) = data.get(body.clone()) else { continue };
        let digits: Vec<u8> =
            text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        if let Ok(contents) = STANDARD.decode(digits) {
            let label = String::from_utf8_lossy(&data[label..close]).into_owned();
            blocks.push(Block { label, body, contents });
            from = end;
        }
    }
    blocks
}

/// Base64 in lines of 64.
pub(crate) fn lines(contents: &[u8]) -> String {
    let digits = STANDARD.encode(contents);
    digits
        .as_bytes()
        .chunks(64)
        .map(|line| format!("{}\n", String::from_utf8_lossy(line)))
        .collect()
}

pub(crate) fn find(data: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    let rest = data.get(from..)?;
    rest.windows(what.len()).position(|window| window == what).map(|at| from + at)
}
