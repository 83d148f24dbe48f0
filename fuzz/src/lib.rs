//! What the fuzz targets claim about each parser of foreign bytes, and how inputs are changed.
//!
//! A target is a claim and nothing else: [`claims`] has one function for each. What a claim finds
//! is a panic, which libFuzzer keeps with the input. README.md lists every parser.

pub mod claims;
mod der;
pub mod mutate;
mod pem;
mod quote;
mod set;
