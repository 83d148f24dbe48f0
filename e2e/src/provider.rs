//! Where a cluster comes from. After "a cluster exists" nothing depends on it any more.

pub(crate) mod local;
