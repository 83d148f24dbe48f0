//! Speaks HTTP/1.1 over a stream that is already there (a port-forward, a TLS connection). No pool,
//! no redirects, no retries.

use std::error::Error as StdError;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use http_body_util::{BodyExt, Limited};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Answer, Request};

/// The largest body that is read: a config dump of two secrets is some 20 KB.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// Why there is no answer; the caller knows what the stream is and turns it into an outcome.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    #[error("the request cannot be written: {0}")]
    Request(http::Error),
    /// Bytes came, and they are not HTTP/1.
    #[error("what came is not HTTP/1: {0}")]
    NotHttp(hyper::Error),
    /// A part of an answer came.
    #[error("the answer is cut short: {0}")]
    CutShort(Box<dyn StdError + Send + Sync>),
    /// Nothing came.
    #[error("{0}")]
    Nothing(hyper::Error),
}

impl NoAnswer {
    /// The library's error, below which the stream's own lies.
    pub(crate) fn cause(&self) -> &(dyn StdError + 'static) {
        match self {
            Self::Request(e) => e,
            Self::NotHttp(e) | Self::Nothing(e) => e,
            Self::CutShort(e) => e.as_ref(),
        }
    }
}

/// Sends the request and reads the whole answer.
pub(crate) async fn exchange<S>(stream: S, request: &Request) -> Result<Answer, NoAnswer>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = request.build().map_err(NoAnswer::Request)?;
    let heard = AtomicBool::new(false);
    let classify = |error: hyper::Error| match heard.load(Ordering::Relaxed) {
        true if error.is_parse() => NoAnswer::NotHttp(error),
        true => NoAnswer::CutShort(Box::new(error)),
        false => NoAnswer::Nothing(error),
    };
    let stream = TokioIo::new(Attentive { stream, heard: &heard });
    let opened = hyper::client::conn::http1::handshake(stream).await;
    let (mut sender, connection) = opened.map_err(classify)?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(Unfinished::Head)?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MAX_BODY).collect().await.map_err(Unfinished::Body)?;
        Ok(Answer { status: head.status, headers: head.headers, body: body.to_bytes() })
    };
    tokio::pin!(connection, answer);
    let mut driven = None;
    loop {
        tokio::select! {
            biased;
            ended = &mut connection, if driven.is_none() => driven = Some(ended),
            result = &mut answer => {
                return result.map_err(|unfinished| match (unfinished, driven) {
                    // hyper hands an error of the stream either to the request or to the
                    // connection, and then the request only hears "canceled".
                    (Unfinished::Head(e), Some(Err(cause))) if e.is_canceled() => classify(cause),
                    (Unfinished::Head(e), _) => classify(e),
                    (Unfinished::Body(e), _) => NoAnswer::CutShort(e),
                });
            }
        }
    }
}

/// How far an answer had come.
enum Unfinished {
    Head(hyper::Error),
    Body(Box<dyn StdError + Send + Sync>),
}

/// A stream that remembers whether anything was read from it.
struct Attentive<'a, S> {
    stream: S,
    heard: &'a AtomicBool,
}

impl<S: AsyncRead + Unpin> AsyncRead for Attentive<'_, S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.heard.store(true, Ordering::Relaxed);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Attentive<'_, S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
