//! A plain HTTP request to a workload's port, as an application without a sidecar sends it. Under
//! STRICT mutual TLS the server's proxy ends such a connection without a word.

use std::fmt;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::deadline::within;
use crate::request::{NoAnswer, exchange};
use crate::tls::Broken;
use crate::{Answer, Error, Request};

/// What came of a plain request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlainOutcome {
    /// The port speaks plain HTTP to anyone.
    Answered(Answer),
    /// The connection was accepted and ended without a single byte.
    Closed,
    /// A part of an answer came: the port speaks plain text, however it broke off.
    CutShort,
    /// Something else than HTTP/1 came back, as from a server that only speaks TLS.
    NotHttp,
}

/// Sends `request` over `stream` as it is; `peer` is its name in errors.
///
/// Whether the server or something on the way ended the stream cannot be told from here:
/// [`Relay::plaintext`](crate::Relay::plaintext) asks the relay.
///
/// # Errors
/// [`Error::Deadline`] when nothing came at all, [`Error::Stream`].
pub async fn speak<S>(
    stream: &mut S,
    peer: &str,
    request: &Request,
    limit: Duration,
) -> Result<PlainOutcome, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let speaking = async {
        let broken = match exchange(stream, request).await {
            Ok(answer) => return Ok(PlainOutcome::Answered(answer)),
            Err(NoAnswer::NotHttp(_)) => return Ok(PlainOutcome::NotHttp),
            Err(NoAnswer::CutShort(_)) => return Ok(PlainOutcome::CutShort),
            Err(error) => error,
        };
        match Broken::from_error(broken.cause()) {
            Broken::Ended => Ok(PlainOutcome::Closed),
            _ => Err(Error::Stream { peer: peer.to_owned(), reason: broken.to_string() }),
        }
    };
    within(limit, || format!("the plain request `{request}` to {peer}"), speaking).await
}

impl fmt::Display for PlainOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(answer) => write!(f, "answered {} in plain text", answer.status),
            Self::Closed => f.write_str("connection accepted, then closed without an answer"),
            Self::CutShort => f.write_str("answered in plain text, but the answer broke off"),
            Self::NotHttp => f.write_str("the answer is not HTTP/1"),
        }
    }
}
