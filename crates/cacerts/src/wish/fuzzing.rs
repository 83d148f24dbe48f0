//! What a fuzzer claims about wishes.

use pki::{KeyAlgorithm, Profile};
use time::macros::datetime;

use super::Said;
use crate::variables::{Level, Variables};

/// What the Makefile's variables ask for either is refused, or lies ahead and has names that fit on
/// their lines.
pub(crate) fn wish(level: Level<'_>, variables: &Variables) {
    let now = datetime!(2026-12-01 12:00 UTC);
    let mut said = Said { key: Some(KeyAlgorithm::Rsa4096), ..Said::default() };
    assert_eq!(said.with(Profile::Makefile, variables), None);
    let Ok(wish) = said.wish(level, Profile::Makefile, now) else { return };
    assert!(wish.validity.contains(now) && wish.validity.not_after() > now);
    assert!(!wish.organization.chars().chain(wish.common_name.chars()).any(char::is_control));
}
