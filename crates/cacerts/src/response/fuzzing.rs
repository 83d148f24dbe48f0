//! What a fuzzer claims about response files.

use super::{Response, file};
use crate::issuer::IssuerFolder;

/// What a response says is written again, and read again the same.
pub fn response(text: &str) {
    let Ok(read) = Response::read(text) else { return };
    let Some(cluster) = &read.cluster else { return };
    let Some(issuer) = IssuerFolder::unwritten(&read.above) else { return };
    let written = file(cluster, &read.ca, &issuer);
    let written = written.unwrap_or_else(|reason| panic!("read, and not written: {reason}"));
    let again = Response::read(&written);
    let again = again.unwrap_or_else(|reason| panic!("written, and not read: {reason}"));
    assert_eq!((again.cluster.as_ref(), &again.ca), (Some(cluster), &read.ca));
    assert_eq!(again.above, read.above);
}
