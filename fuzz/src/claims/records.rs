//! The record of what a CA has revoked.

use std::sync::LazyLock;

use pki::Certificate;

static CA: LazyLock<Certificate> = LazyLock::new(|| {
    let pem = include_bytes!("../../../fixtures/makefile/root-cert.pem");
    Certificate::from_pem(pem).unwrap_or_else(|error| panic!("the fixture is broken: {error}"))
});

/// A record is written as it was read.
pub fn hold(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        cacerts::fuzzing::record(text, &CA);
    }
}
