//! ca-dir
