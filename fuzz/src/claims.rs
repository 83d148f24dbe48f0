//! The claims, one module for each target.

pub mod bundles;
pub mod certificates;
pub mod keys;
pub mod lists;
#[cfg(feature = "mesh")]
pub mod mesh;
pub mod records;
pub mod requests;
pub mod responses;
pub mod secrets;
pub mod words;

use time::OffsetDateTime;
use time::macros::datetime;

/// The moment of every claim that needs one and is not told another.
pub(crate) const NOW: OffsetDateTime = datetime!(2026-12-01 12:00 UTC);
