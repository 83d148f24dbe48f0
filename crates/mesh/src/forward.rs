//! A port-forward to one port of one pod, as a stream. It reaches the pod's loopback: right for
//! administrative ports, wrong for an application's port, where it would bypass mutual TLS.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use crate::deadline::within;
use crate::request::{Answer, NoAnswer, Request, exchange};
use crate::{Error, Mesh, PodRef};

/// One connection to one port. Every connection has its own WebSocket: the API server closes it
/// when the port's side ends, which is how the end is seen here.
pub(crate) struct Forward {
    stream: DuplexStream,
    failure: BoxFuture<'static, Option<String>>,
    end: Port,
}

/// The far end of a port-forward, for messages.
#[derive(Clone)]
pub(crate) struct Port {
    pub(crate) pod: PodRef,
    pub(crate) port: u16,
    /// What listens there in a healthy mesh.
    pub(crate) purpose: &'static str,
}

impl Forward {
    /// The error to report when the kubelet said that the port is unreachable. Only meaningful
    /// once the stream has ended: the words arrive before the end does.
    pub(crate) fn refusal(&mut self) -> Option<Error> {
        let reason = (&mut self.failure).now_or_never()??;
        let Port { pod, port, purpose } = self.end.clone();
        Some(Error::PortForward { pod, port, purpose, reason: reason.trim().to_owned() })
    }
}

impl Mesh {
    /// Connects to `end.port` on the loopback of the pod.
    pub(crate) async fn forward(&self, end: Port) -> Result<Forward, Error> {
        let Port { pod, port, .. } = &end;
        let opening = async {
            let mut forwarder = self
                .pods_of(&pod.namespace)
                .portforward(&pod.name, &[*port])
                .await
                .map_err(|e| Error::api(format!("forward port {port} of pod {pod}"), e))?;
            forwarder.take_stream(*port).zip(forwarder.take_error(*port)).ok_or_else(|| {
                Error::ApiAnswer {
                    doing: format!("forward port {port} of pod {pod}"),
                    missing: "the forwarded stream",
                }
            })
        };
        let what = || format!("opening port {port} of pod {pod}");
        let (stream, failure) = within(self.limit, what, opening).await?;
        Ok(Forward { stream, failure: failure.boxed(), end })
    }

    /// Sends one request to an administrative port and insists on a 200.
    pub(crate) async fn ask(&self, end: Port, request: &Request) -> Result<Answer, Error> {
        let Port { pod, port, .. } = end.clone();
        let name = format!("port {port}: {request}");
        let mut forward = self.forward(end).await?;
        let asking = async {
            match exchange(&mut forward, request).await {
                Ok(answer) => Ok(answer),
                Err(broken) => {
                    Err(forward.refusal().unwrap_or_else(|| no_answer(&pod, &name, &broken)))
                }
            }
        };
        let answer = within(self.limit, || format!("`{name}` of pod {pod}"), asking).await?;
        if answer.status != http::StatusCode::OK {
            let body = answer.text().lines().next().unwrap_or_default().to_owned();
            return Err(Error::Status { pod, request: name, status: answer.status.as_u16(), body });
        }
        Ok(answer)
    }
}

fn no_answer(pod: &PodRef, request: &str, broken: &NoAnswer) -> Error {
    Error::NoAnswer { pod: pod.clone(), request: request.to_owned(), reason: broken.to_string() }
}

impl AsyncRead for Forward {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Forward {
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
