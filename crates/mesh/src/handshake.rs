//! A true TLS handshake with a workload's port, and what the server did after it.
//!
//! In TLS 1.3 the client is done before the server has judged the client's certificate, so a
//! handshake that "succeeds" proves nothing about being let in. This module waits for the server's
//! next sign: a session ticket or data (let in), an alert, or the end of the stream. An answer to a
//! request is the strongest sign there is.
//!
//! Nothing is judged here but the signature over the handshake: the server holds the leaf's key.
//! The stream must come from inside the mesh ([`crate::Relay`]), never from a port-forward to an
//! application's port, which bypasses the proxy.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::ops::RangeInclusive;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use rustls_pki_types::ServerName;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::deadline::within;
use crate::request::{NoAnswer, exchange};
use crate::tls::{Broken, Presenter, Recorder, client_config};
use crate::{ClientIdentity, Error, Request, ServedChain};

mod outcome;
pub use outcome::{Alert, Outcome, Phase};

/// The ALPN name by which an Istio proxy under PERMISSIVE tells mutual TLS from the application's
/// own (`pilot/pkg/networking/core`, filter chain match).
pub const ALPN_ISTIO: &str = "istio";

/// How long a server may keep silent after the handshake before the request is sent all the same:
/// this many times as long as the handshake took, within [`GRACE`].
///
/// A refusal takes the server less than the handshake did. A request sent before it could meet a
/// closed socket, whose reset may swallow the alert. An Istio proxy issues no session ticket and so
/// gives no earlier sign that it let the client in.
const PATIENCE: u32 = 5;
/// The bounds of that time; also at most a quarter of the caller's limit.
const GRACE: RangeInclusive<Duration> = Duration::from_millis(200)..=Duration::from_secs(2);

/// What the client says.
#[derive(Clone, Copy, Debug)]
pub struct Hello<'a> {
    /// The name to ask for (SNI); an IP address sends none.
    pub server_name: &'a str,
    /// The application protocols to offer, usually [`ALPN_ISTIO`].
    pub alpn: &'a [&'a str],
    /// The certificate to present when asked for one; an empty one without.
    pub identity: Option<&'a ClientIdentity>,
    /// The request to send once the server has let the client in, or has stayed silent.
    pub request: Option<&'a Request>,
    /// The time for all of it.
    pub limit: Duration,
}

/// What the server showed.
#[derive(Debug)]
pub struct Look {
    /// The served certificates; empty when the connection broke before they came.
    pub served: ServedChain,
    /// `TLSv1_3` or `TLSv1_2`, once the client's part of the handshake was done.
    pub version: Option<String>,
    /// The application protocol that the server chose.
    pub alpn: Option<String>,
    /// Whether the server asked for a client certificate.
    pub asked_for_certificate: bool,
    /// What came of it.
    pub outcome: Outcome,
}

/// Shakes hands over `stream`.
///
/// # Errors
/// [`Error::ServerName`]; [`Error::Deadline`]; [`Error::Tls`] when the server broke the protocol
/// or signed the handshake with another key than the leaf's; [`Error::Stream`].
pub async fn look<S>(stream: &mut S, hello: &Hello<'_>) -> Result<Look, Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let name = ServerName::try_from(hello.server_name.to_owned())
        .map_err(|source| Error::ServerName { name: hello.server_name.to_owned(), source })?;
    let recorder = Recorder::new(None);
    let presenter = Presenter::new(hello.identity.cloned());
    let clock = Arc::new(rustls::time_provider::DefaultTimeProvider);
    let tls = |source| Error::Tls { peer: hello.server_name.to_owned(), source };
    let config = client_config(Arc::clone(&recorder), Arc::clone(&presenter), clock, hello.alpn)
        .map_err(tls)?;

    let what = || format!("the TLS handshake with {}", hello.server_name);
    let shaking = async {
        let started = Instant::now();
        match TlsConnector::from(Arc::new(config)).connect(name, stream).await {
            Ok(mut connected) => {
                let agreed = Agreed::of(&connected);
                let grace = (started.elapsed() * PATIENCE).clamp(*GRACE.start(), *GRACE.end());
                let grace = grace.min(hello.limit / 4);
                Ok((agreed, after_handshake(&mut connected, hello, grace).await?))
            }
            Err(error) => {
                let outcome = broken(&error, Phase::Handshake, hello)?;
                Ok((Agreed::default(), outcome))
            }
        }
    };
    let (Agreed { version, alpn }, outcome) = within(hello.limit, what, shaking).await?;
    let served = recorder.served().unwrap_or_else(ServedChain::empty);
    Ok(Look { served, version, alpn, asked_for_certificate: presenter.was_asked(), outcome })
}

#[derive(Default)]
struct Agreed {
    version: Option<String>,
    alpn: Option<String>,
}

impl Agreed {
    fn of<S>(stream: &TlsStream<S>) -> Self {
        let connection = stream.get_ref().1;
        Self {
            version: connection.protocol_version().map(|version| format!("{version:?}")),
            alpn: connection.alpn_protocol().map(|p| String::from_utf8_lossy(p).into_owned()),
        }
    }
}

async fn after_handshake<S>(
    stream: &mut TlsStream<S>,
    hello: &Hello<'_>,
    grace: Duration,
) -> Result<Outcome, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let sign = match tokio::time::timeout(grace, first_sign(stream)).await {
        Ok(Ok(sign)) => sign,
        Ok(Err(error)) => return broken(&error, Phase::AfterHandshake, hello),
        Err(_elapsed) => Sign::None,
    };
    let request = match (sign, hello.request) {
        (Sign::End, _) => return Ok(Outcome::Closed { phase: Phase::AfterHandshake }),
        (Sign::LetIn | Sign::Spoke, None) => return Ok(Outcome::LetIn),
        // An HTTP/1 server never speaks first.
        (Sign::Spoke, Some(_)) => return Ok(Outcome::NotHttp),
        (Sign::None, None) => return Ok(Outcome::Silent { waited: grace }),
        (Sign::LetIn | Sign::None, Some(request)) => request,
    };
    match exchange(stream, request).await {
        Ok(answer) => Ok(Outcome::Answered(answer)),
        Err(NoAnswer::NotHttp(_)) => Ok(Outcome::NotHttp),
        Err(NoAnswer::CutShort(_)) => Ok(Outcome::CutShort),
        Err(error) => broken(error.cause(), Phase::AfterHandshake, hello),
    }
}

/// The server's first move after the handshake.
enum Sign {
    LetIn,
    /// It let the client in and said something of its own accord.
    Spoke,
    End,
    None,
}

async fn first_sign<S>(stream: &mut TlsStream<S>) -> io::Result<Sign>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if stream.get_ref().1.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_2) {
        // There the server's last handshake message comes after its verdict.
        return Ok(Sign::LetIn);
    }
    poll_fn(|cx| {
        match Pin::new(&mut *stream).poll_fill_buf(cx) {
            Poll::Ready(Ok([])) => return Poll::Ready(Ok(Sign::End)),
            Poll::Ready(Ok(_)) => return Poll::Ready(Ok(Sign::Spoke)),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => {}
        }
        match stream.get_ref().1.tls13_tickets_received() {
            0 => Poll::Pending,
            _ => Poll::Ready(Ok(Sign::LetIn)),
        }
    })
    .await
}

fn broken(
    error: &(dyn std::error::Error + 'static),
    phase: Phase,
    hello: &Hello<'_>,
) -> Result<Outcome, Error> {
    let peer = hello.server_name.to_owned();
    match Broken::from_error(error) {
        Broken::Alert(alert) => Ok(Outcome::Alert { alert: Alert::from(alert), phase }),
        Broken::Ended => Ok(Outcome::Closed { phase }),
        Broken::NotTls => Ok(Outcome::NotTls),
        Broken::Tls(source) => Err(Error::Tls { peer, source }),
        Broken::Other(reason) => Err(Error::Stream { peer, reason }),
    }
}

impl fmt::Display for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.version.as_deref().unwrap_or("no TLS");
        write!(f, "{version}, {} certificates served, {}", self.served.ders().len(), self.outcome)
    }
}
