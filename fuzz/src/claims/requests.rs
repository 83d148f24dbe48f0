//! Certificate requests, and the request files that cross the air gap.

use pki::CaRequest;

/// A request is read again of what is written; a file asks for what its request does.
pub fn hold(data: &[u8]) {
    if let Ok(request) = CaRequest::from_pem(data) {
        let pem = request.to_pem().unwrap_or_else(|error| panic!("not written: {error}"));
        assert_eq!(CaRequest::from_pem(pem.as_bytes()).ok(), Some(request.clone()));
        assert!(!request.public_key_kind().is_empty());
        for extension in request.extensions() {
            assert_eq!(extension.text().lines().count(), 1, "{extension:?}");
        }
    }
    if let Ok(text) = std::str::from_utf8(data) {
        cacerts::fuzzing::request(text);
    }
}
