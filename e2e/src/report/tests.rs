//! The renderings, on certificates that are made for it.

mod annotations;
mod conformance;
mod counts;
mod files;
mod json;
mod junit;
mod page;
mod samples;
mod table;
