//! The rules, in the order in which a report prints those of one severity.

use super::Rule;

mod authority;
mod files;
mod key;
mod net;
mod pem_blocks;
mod period;
mod restart;
mod route;

pub(super) use net::SYNTHETIC_LEAF;

/// Every rule. `synthetic-leaf` stands behind all others that refuse and runs if none did.
pub static RULES: &[&Rule] = &[
    &pem_blocks::PRIVATE_KEY_HANDED_OUT,
    &files::NO_BUNDLE,
    &files::MISSING_FILE,
    &files::TLS_LAYOUT,
    &files::CRL_NOT_JUDGED,
    &pem_blocks::UNREADABLE_PEM,
    &pem_blocks::FOREIGN_BLOCK,
    &key::UNREADABLE_KEY,
    &key::KEY_MISMATCH,
    &authority::NOT_A_CA,
    &authority::NO_KEY_CERT_SIGN,
    &authority::EXT_KEY_USAGE,
    &authority::UNKNOWN_CRITICAL_EXTENSION,
    &route::NO_PATH_TO_ROOT,
    &route::CHAIN_LACKS_CLUSTER_CA,
    &period::OUTSIDE_VALIDITY,
    &period::EXPIRED_TWIN,
    &authority::PATH_LENGTH,
    &authority::KEY_ID_MISMATCH,
    &authority::SAME_NAME,
    &restart::ROOT_CHANGE,
    &SYNTHETIC_LEAF,
    &pem_blocks::EXTRA_BLOCK,
    &period::EXPIRED_EXTRA,
    &route::CHAIN_ORDER,
    &route::UNRELATED_CERTIFICATE,
    &route::ANCHOR_NOT_SELF_SIGNED,
    &restart::AMBIENT_ROOTS,
    &files::STRAY_FILE,
    &route::ROOT_IN_CHAIN,
    &period::ISSUER_ENDS_FIRST,
    &authority::NO_CRL_SIGN,
];
