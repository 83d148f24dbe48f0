//! What this crate says over a wire, against servers on the loopback.

mod handshake;
mod plaintext;
mod servers;
