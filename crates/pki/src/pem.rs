//! PEM as Go reads it, since Go decides what istiod, the agents and the webhooks see.
//!
//! Go's `encoding/pem` skips what it cannot read and goes on; here the same blocks are found, and
//! every skipped one is reported with its line and the reason.

use std::ops::Range;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use der::pem::LineEnding;
use memchr::memmem;
use zeroize::Zeroizing;

use crate::Error;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"\n-----END ";
const DASHES: &[u8] = b"-----";

/// Go's `base64.StdEncoding`: padding is required, stray bits at the end are not looked at.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
        .with_decode_allow_trailing_bits(true),
);

pub(crate) const CERTIFICATE: &str = "CERTIFICATE";

/// One block that Go would return. Its bytes may be a key, so they are wiped.
pub(crate) struct Block {
    pub(crate) label: String,
    pub(crate) contents: Zeroizing<Vec<u8>>,
    /// RFC 1421 headers such as `Proc-Type` stand before the base64.
    pub(crate) has_headers: bool,
    /// Line of the `BEGIN`, from 1.
    pub(crate) line: usize,
}

/// Something that looks like PEM and that Go skips without a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Skipped {
    pub(crate) line: usize,
    pub(crate) reason: &'static str,
}

#[derive(Default)]
pub(crate) struct Blocks {
    pub(crate) read: Vec<Block>,
    pub(crate) skipped: Vec<Skipped>,
}

/// Finds every block of a file.
pub(crate) fn scan(data: &[u8]) -> Blocks {
    let lines = Lines::of(data);
    let mut blocks = Blocks::default();
    let mut from = 0;
    while let Some((block, range)) = next_block(data, from, &lines) {
        note_skipped(data, from..range.start, &lines, &mut blocks.skipped);
        from = range.end;
        blocks.read.push(block);
    }
    note_skipped(data, from..data.len(), &lines, &mut blocks.skipped);
    blocks
}

/// Port of the search in Go's `pem.Decode`: the first END line and the last BEGIN before it; on
/// any flaw the search goes on behind that END.
fn next_block(data: &[u8], from: usize, lines: &Lines) -> Option<(Block, Range<usize>)> {
    let mut rest = from;
    loop {
        let end = rest + find(data.get(rest..)?, END)?;
        let trailer = end + END.len();
        let Some(begin) = rfind(&data[rest..end], BEGIN).map(|at| rest + at) else {
            rest = trailer;
            continue;
        };
        if begin > rest && data[begin - 1] != b'\n' {
            rest = trailer;
            continue;
        }
        let (label_line, mut body) = line_at(data, begin + BEGIN.len());
        let Some(label) = label_line.strip_suffix(DASHES) else {
            rest = trailer;
            continue;
        };
        let mut has_headers = false;
        loop {
            if body >= data.len() {
                return None;
            }
            let (line, next) = line_at(data, body);
            if !line.contains(&b':') {
                break;
            }
            has_headers = true;
            body = next;
        }
        if body > trailer {
            return None;
        }
        let closes = data[trailer..]
            .strip_prefix(label)
            .and_then(|rest| rest.strip_prefix(DASHES))
            .is_some_and(|rest| line_at(rest, 0).0.is_empty());
        let contents =
            if end > body { decode(&data[body..end]) } else { Some(Zeroizing::default()) };
        match contents {
            Some(contents) if closes && !(has_headers && end < body) => {
                let block = Block {
                    label: String::from_utf8_lossy(label).into_owned(),
                    contents,
                    has_headers,
                    line: lines.number(begin),
                };
                return Some((block, begin..line_at(data, trailer).1));
            }
            _ => rest = trailer,
        }
    }
}

/// The line that starts at `from`, without its end and trailing blanks, and where the next starts.
fn line_at(data: &[u8], from: usize) -> (&[u8], usize) {
    let tail = &data[from..];
    let (mut line, next) = match memchr::memchr(b'\n', tail) {
        Some(at) => (&tail[..at], from + at + 1),
        None => (tail, data.len()),
    };
    if next > from + line.len() {
        line = line.strip_suffix(b"\r").unwrap_or(line);
    }
    let blank = |byte: &u8| *byte == b' ' || *byte == b'\t';
    let length = line.iter().rposition(|byte| !blank(byte)).map_or(0, |last| last + 1);
    (&line[..length], next)
}

fn decode(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let digits: Zeroizing<Vec<u8>> =
        Zeroizing::new(text.iter().copied().filter(|byte| !b" \t\r\n".contains(byte)).collect());
    // Sized up front: growing would leave copies of a key behind in freed memory.
    let mut contents = Zeroizing::new(vec![0; base64::decoded_len_estimate(digits.len())]);
    let length = BASE64.decode_slice(&digits[..], &mut contents).ok()?;
    contents.truncate(length);
    Some(contents)
}

/// Looks for traces of PEM in what lies between the blocks.
fn note_skipped(data: &[u8], range: Range<usize>, lines: &Lines, skipped: &mut Vec<Skipped>) {
    let text = &data[range.clone()];
    let mut start = 0;
    while start < text.len() {
        let (line, next) = line_at(text, start);
        let reason = if line.starts_with(BEGIN) {
            Some("a BEGIN line without a readable block behind it")
        } else if line.starts_with(&END[1..]) {
            Some("an END line without a readable block before it")
        } else if find(line, BEGIN).or_else(|| find(line, &END[1..])).is_some() {
            Some("the dashes do not start the line (indentation, a byte order mark, glued blocks)")
        } else {
            None
        };
        skipped.extend(
            reason.map(|reason| Skipped { line: lines.number(range.start + start), reason }),
        );
        start = next;
    }
}

/// Where the lines of a file end, so that a position is turned into a line number quickly.
struct Lines(Vec<usize>);

impl Lines {
    fn of(data: &[u8]) -> Self {
        Self(memchr::memchr_iter(b'\n', data).collect())
    }

    fn number(&self, at: usize) -> usize {
        1 + self.0.partition_point(|&newline| newline < at)
    }
}

fn find(data: &[u8], what: &[u8]) -> Option<usize> {
    memmem::find(data, what)
}

fn rfind(data: &[u8], what: &[u8]) -> Option<usize> {
    memmem::rfind(data, what)
}

/// The first block, provided nothing unreadable stands before it.
pub(crate) fn first_block(data: &[u8], expected: &'static str) -> Result<Block, Error> {
    let mut blocks = scan(data);
    let first_line = blocks.read.first().map_or(usize::MAX, |block| block.line);
    match blocks.skipped.first() {
        Some(Skipped { line, reason }) if *line < first_line => {
            Err(Error::BrokenPem { line: *line, reason })
        }
        _ if blocks.read.is_empty() => Err(Error::NoPem { expected }),
        _ => Ok(blocks.read.swap_remove(0)),
    }
}

/// Whether the bytes name a private key, readable or not: what must never be handed out.
pub(crate) fn mentions_private_key(data: &[u8]) -> bool {
    find(data, b"PRIVATE KEY-----").is_some()
}

/// A certificate: 64 columns, LF, a newline at the end, as OpenSSL writes it.
pub(crate) fn encode_certificate(der: &[u8]) -> String {
    let digits = BASE64.encode(der);
    let mut text = format!("-----BEGIN {CERTIFICATE}-----\n");
    let mut rest = digits.as_str();
    while !rest.is_empty() {
        let (line, next) = rest.split_at(rest.len().min(64));
        text.extend([line, "\n"]);
        rest = next;
    }
    text + &format!("-----END {CERTIFICATE}-----\n")
}

/// Anything else, in the same form. Fit for keys: constant time, one allocation.
pub(crate) fn encode(label: &str, contents: &[u8]) -> Result<String, Error> {
    Ok(der::pem::encode_string(label, LineEnding::LF, contents).map_err(der::Error::from)?)
}

#[cfg(test)]
mod tests;
