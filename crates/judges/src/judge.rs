//! The judges, one a module: each asks the real one and reads its answer.

pub(crate) mod envoy;
pub(crate) mod istiod;
pub(crate) mod leaf;
pub(crate) mod openssl;
pub(crate) mod reload;
pub(crate) mod webpki;
pub(crate) mod whole;
