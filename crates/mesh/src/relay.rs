//! A temporary TCP relay inside the mesh: a second Envoy, started in the proxy container of a pod
//! that the caller names, that pipes a loopback port to one address. What goes through it leaves
//! the pod as the proxy's own traffic does and meets the target's proxy from outside, which a
//! port-forward to the target never does.
//!
//! It needs nothing but the Envoy binary that every proxy has: no shell, no openssl, no image. It
//! carries bytes; TLS is spoken by the caller's end ([`crate::handshake`]).

use std::net::SocketAddr;

use crate::exec::Exec;
use crate::forward::{Forward, Port};
use crate::handshake::{Hello, Look, Outcome, look};
use crate::plaintext::{PlainOutcome, speak};
use crate::{Error, Mesh, PodRef, Proxy, Request};

pub(crate) mod counters;
mod envoy;
use counters::Counters;

/// A running relay to one target. End it with [`Relay::stop`]; a dropped one is told to end in the
/// background, which only works while the runtime lives. One whose caller is killed ends after
/// fifteen minutes, where the proxy's image has a `timeout`.
#[must_use = "a relay that is not stopped is only told to end in the background"]
pub struct Relay {
    mesh: Mesh,
    pod: PodRef,
    target: SocketAddr,
    admin: u16,
    listener: u16,
    /// Envoy's counters after the last look; none while a look is under way or when it failed.
    counted: Option<Counters>,
    exec: Option<Exec>,
}

impl Mesh {
    /// Starts a relay to `target` (a pod's address and port) in the proxy container of `via`.
    ///
    /// Envoy picks its own free ports, so that any number of relays run side by side in one pod.
    ///
    /// # Errors
    /// [`Error::RelayInTarget`] when `target` is `via` itself; [`Error::ProxyNotReady`];
    /// [`Error::NotEnvoy`]; [`Error::Relay`] with Envoy's last log lines when it does not start.
    pub async fn relay(&self, via: &Proxy, target: SocketAddr) -> Result<Relay, Error> {
        let pod = via.pod.clone();
        check(via, target)?;
        let (exec, admin) = envoy::start(self, &pod, target).await?;
        let mut relay = Relay {
            mesh: self.clone(),
            pod,
            target,
            admin,
            listener: 0,
            counted: Some(Counters::default()),
            exec: Some(exec),
        };
        relay.listener = relay.find_listener().await?;
        tracing::debug!(pod = %relay.pod, %target, port = relay.listener, "relay started");
        Ok(relay)
    }
}

impl Relay {
    /// The address behind the relay.
    pub fn target(&self) -> SocketAddr {
        self.target
    }

    /// A TLS handshake with the target, and what came after it.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when the target accepted no connection; [`Error::Inconclusive`] when
    /// the connection ended without the target ending it; whatever [`look`] fails with.
    pub async fn handshake(&mut self, hello: &Hello<'_>) -> Result<Look, Error> {
        let (before, mut stream) = self.connect().await?;
        let seen = look(&mut stream, hello).await;
        let seen = seen.map_err(|error| stream.refusal().unwrap_or(error))?;
        let closed = matches!(seen.outcome, Outcome::Closed { .. });
        self.settle(before, stream, closed).await?;
        Ok(seen)
    }

    /// A plain HTTP request to the target, without TLS, and what came of it.
    ///
    /// # Errors
    /// As [`Relay::handshake`].
    pub async fn plaintext(&mut self, request: &Request) -> Result<PlainOutcome, Error> {
        let (before, mut stream) = self.connect().await?;
        let peer = self.target.to_string();
        let said = speak(&mut stream, &peer, request, self.mesh.limit).await;
        let said = said.map_err(|error| stream.refusal().unwrap_or(error))?;
        let closed = matches!(said, PlainOutcome::Closed);
        self.settle(before, stream, closed).await?;
        Ok(said)
    }

    /// Ends the second Envoy and waits for its end.
    ///
    /// # Errors
    /// [`Error::Relay`] when it ended with a failure, or the error of asking it to.
    pub async fn stop(mut self) -> Result<(), Error> {
        let Some(mut exec) = self.exec.take() else { return Ok(()) };
        quit(&self.mesh, self.end(self.admin)).await?;
        let ended = crate::deadline::within(
            self.mesh.limit,
            || format!("the end of the relay in pod {}", self.pod),
            async { Ok(exec.end().await) },
        );
        ended.await?.map_err(|reason| Error::Relay {
            pod: self.pod.clone(),
            what: "did not end well",
            reason: format!("{reason}; {}", exec.log().last_lines()),
        })
    }

    fn end(&self, port: u16) -> Port {
        Port { pod: self.pod.clone(), port, purpose: "the relay's Envoy" }
    }

    /// A connection through the relay, and the counters before it.
    async fn connect(&mut self) -> Result<(Counters, Forward), Error> {
        let before = match self.counted.take() {
            Some(counters) => counters,
            None => self.counters().await?,
        };
        Ok((before, self.mesh.forward(self.end(self.listener)).await?))
    }

    async fn counters(&self) -> Result<Counters, Error> {
        let request = Request::get("localhost", counters::PATH);
        let answer = self.mesh.ask(self.end(self.admin), &request).await?;
        Ok(Counters::parse(&answer.text()))
    }

    async fn find_listener(&self) -> Result<u16, Error> {
        let request = Request::get("localhost", "/listeners");
        let answer = self.mesh.ask(self.end(self.admin), &request).await?.text();
        listener_port(&answer).ok_or_else(|| Error::Relay {
            pod: self.pod.clone(),
            what: "has no listener",
            reason: format!("`/listeners` says `{}`", answer.trim()),
        })
    }

    /// When the stream only ended, the relay's counters tell whether it was the target that ended
    /// it. Without them a dead pod or a network policy would look like a refusal.
    async fn settle(
        &mut self,
        before: Counters,
        stream: Forward,
        closed: bool,
    ) -> Result<(), Error> {
        drop(stream);
        let now = self.counters().await?;
        self.counted = Some(now);
        if !closed {
            return Ok(());
        }
        let verdict = now.since(&before).judge();
        verdict.map_err(|verdict| verdict.into_error(self.pod.clone(), self.target))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let Some(exec) = self.exec.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (mesh, end) = (self.mesh.clone(), self.end(self.admin));
        runtime.spawn(async move {
            if let Err(error) = quit(&mesh, end).await {
                tracing::warn!(%error, "a relay was left running");
            }
            drop(exec);
        });
    }
}

fn check(via: &Proxy, target: SocketAddr) -> Result<(), Error> {
    via.must_be_envoy()?;
    via.must_run()?;
    if via.ips.contains(&target.ip()) || target.ip().is_loopback() {
        return Err(Error::RelayInTarget { pod: via.pod.clone(), target });
    }
    Ok(())
}

async fn quit(mesh: &Mesh, end: Port) -> Result<(), Error> {
    mesh.ask(end, &Request::post("localhost", "/quitquitquit")).await.map(drop)
}

/// The port in `relay::127.0.0.1:PORT`, a line of Envoy's `/listeners`.
fn listener_port(listeners: &str) -> Option<u16> {
    let address = listeners.lines().find_map(|line| line.strip_prefix("relay::"))?;
    address.rsplit(':').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests;
