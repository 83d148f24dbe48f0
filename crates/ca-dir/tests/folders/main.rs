//! The folders of CAs: whole or absent, keys to their owner alone, nothing that exists replaced.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failure here is a failed test")]

mod common;
mod folder;
mod parts;
mod reading;
mod replacing;
mod staged;
mod tier;
