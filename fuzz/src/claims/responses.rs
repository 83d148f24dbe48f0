//! What comes back over the air gap.

/// A response says what its certificates do, and is read again of what is written.
pub fn hold(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        cacerts::fuzzing::response(text);
    }
}
