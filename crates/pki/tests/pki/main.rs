//! Tests of the public API of `pki`, one module a topic.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failure here is a failed test")]

mod common;
mod crl;
mod foreign;
mod identities;
mod issuing;
mod judge;
mod judge_files;
mod judge_odd;
mod leaks;
mod listing;
mod makefile;
mod openssl;
mod passphrases;
mod probes;
mod properties;
mod rcgen_traps;
mod requests;
mod verify;
mod verify_odd;
