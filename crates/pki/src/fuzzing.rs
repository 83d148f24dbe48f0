//! What a fuzzer claims about parsers that are private to this crate; see `fuzz/`. It panics where a
//! claim is false.

use crate::pem;

/// Every block that is read is written, and read again the same; every place is a line of the data.
pub fn pem(data: &[u8]) {
    let blocks = pem::scan(data);
    let lines = 1 + data.iter().filter(|byte| **byte == b'\n').count();
    let mut last = 0;
    for block in &blocks.read {
        assert!(last < block.line && block.line <= lines, "line {} of {lines}", block.line);
        last = block.line;
        let Ok(text) = pem::encode(&block.label, &block.contents) else { continue };
        let again = pem::scan(text.as_bytes());
        assert!(again.skipped.is_empty(), "{text}");
        let [again] = again.read.as_slice() else { panic!("not one block:\n{text}") };
        assert_eq!((&again.label, &again.contents), (&block.label, &block.contents));
        assert!(!again.has_headers && again.line == 1);
    }
    for skipped in &blocks.skipped {
        assert!((1..=lines).contains(&skipped.line), "line {} of {lines}", skipped.line);
    }
}
