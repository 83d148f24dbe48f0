//! The rules, in the order in which a report prints those of one severity.

use super::Rule;

mod authority;
mod files;
mod key;
mod later;
mod names;
mod net;
mod pem_blocks;
mod period;
mod purpose;
mod restart;
mod revocation;
mod route;

use net::{SYNTHETIC_ISTIOD, SYNTHETIC_LEAF};

/// Every rule.
pub static RULES: &[&Rule] = &[
    &pem_blocks::PRIVATE_KEY_HANDED_OUT,
    &files::NO_BUNDLE,
    &files::MISSING_FILE,
    &files::SILENT_SELF_SIGNED,
    &files::TLS_LAYOUT,
    &pem_blocks::UNREADABLE_PEM,
    &pem_blocks::FOREIGN_BLOCK,
    &key::UNREADABLE_KEY,
    &key::KEY_MISMATCH,
    &key::KEY_TOO_SMALL,
    &authority::NOT_A_CA,
    &authority::NO_KEY_CERT_SIGN,
    &purpose::EXT_KEY_USAGE,
    &authority::UNKNOWN_CRITICAL_EXTENSION,
    &route::NO_PATH_TO_ROOT,
    &route::CHAIN_LACKS_CLUSTER_CA,
    &period::OUTSIDE_VALIDITY,
    &period::EXPIRED_TWIN,
    &period::FALSE_TWIN,
    &authority::PATH_LENGTH,
    &authority::KEY_ID_MISMATCH,
    &authority::SAME_NAME,
    &revocation::CRL_MISSING,
    &revocation::CRL_OUTSIDE_VALIDITY,
    &revocation::CRL_PARTIAL,
    &revocation::CRL_REVOKES,
    &revocation::CRL_UNREADABLE,
    &names::NAME_CONSTRAINTS,
    &restart::ROOT_CHANGE,
    &restart::HALF_APPLIED_ROOTS,
    &SYNTHETIC_LEAF,
    &SYNTHETIC_ISTIOD,
    &later::UNPROVED_SIGNATURE,
    &later::ENDS_TOO_SOON,
    &pem_blocks::EXTRA_BLOCK,
    &period::EXPIRED_EXTRA,
    &route::CHAIN_ORDER,
    &route::UNRELATED_CERTIFICATE,
    &route::ANCHOR_NOT_SELF_SIGNED,
    &purpose::EXT_KEY_USAGE_ON_ROOT,
    &names::URI_CONSTRAINTS,
    &later::WEAK_KEY,
    &later::WEAK_DIGEST,
    &later::ENDS_SOON,
    &later::SHORT_LIVED_CA,
    &later::LEAF_OUTLIVES_CA,
    &later::DUPLICATE_CERTIFICATE,
    &restart::AMBIENT_ROOTS,
    &revocation::CRL_DUE,
    &revocation::CRL_IGNORED,
    &files::STRAY_FILE,
    &route::ROOT_IN_CHAIN,
    &period::ISSUER_ENDS_FIRST,
    &authority::NO_CRL_SIGN,
];

/// Whether a rule stands behind all others that refuse: it needs every part, and would only repeat
/// in other words what one of them has said.
pub(super) fn is_net(rule: &Rule) -> bool {
    [SYNTHETIC_LEAF.id, SYNTHETIC_ISTIOD.id].contains(&rule.id)
}
