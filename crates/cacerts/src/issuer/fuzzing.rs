//! A folder to issue from that is on no disk, for what a fuzzer claims.

use std::path::PathBuf;

use pki::Certificate;

use super::{IssuerFolder, Kind};

impl IssuerFolder {
    /// Of a root, or of a tier where more follow it, the root last; `None` without any.
    pub(crate) fn unwritten(way_up: &[Certificate]) -> Option<Self> {
        let (certificate, above) = way_up.split_first()?;
        let kind = match above {
            [] => Kind::Root,
            [above @ .., root] => Kind::Tier { above: above.to_vec(), root: root.clone() },
        };
        Some(Self { dir: PathBuf::from("ca"), key: None, certificate: certificate.clone(), kind })
    }
}
