//! `cacerts` as an administrator runs it: its files, its words, its exit codes.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod accept;
mod check;
mod convert;
mod crl;
mod crl_join;
mod desk;
mod explain;
mod foreign;
mod formats;
mod init;
mod issue;
mod manual;
mod request;
mod secrets;
mod show;
mod sign;
mod targets;
mod terminal;
mod tier;
mod tier_way;
mod together;
