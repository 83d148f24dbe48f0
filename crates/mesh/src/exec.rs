//! A program started in a container of the mesh: its log, line by line, and how it ended. There is
//! one such program, the second Envoy of the relay, and the log lines that matter are its.

use std::collections::VecDeque;

use futures::FutureExt;
use futures::future::BoxFuture;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::{AttachParams, AttachedProcess};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::watch;

use crate::deadline::within;
use crate::{Error, Mesh, PodRef};

/// Lines kept for messages.
const TAIL: usize = 3;
/// Characters kept of each: a refused configuration is echoed whole.
const WIDTH: usize = 200;

/// What Envoy has logged so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Log {
    /// The port of the administrative interface, from `admin address: 127.0.0.1:PORT`.
    pub(crate) admin: Option<u16>,
    /// Whether the listeners accept connections.
    pub(crate) serving: bool,
    /// Whether the program's output ended.
    pub(crate) ended: bool,
    tail: VecDeque<String>,
}

impl Log {
    /// Takes in one line, as printed with `--log-format %v`.
    pub(crate) fn push(&mut self, line: &str) {
        if let Some(address) = line.strip_prefix("admin address: ") {
            self.admin = address.rsplit(':').next().and_then(|port| port.trim().parse().ok());
        }
        // Envoy logs this after "starting workers", when every listener already listens.
        self.serving |= line.trim_end() == "starting main dispatch loop";
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(line.trim_end().chars().take(WIDTH).collect());
    }

    /// The last lines, for messages.
    pub(crate) fn last_lines(&self) -> String {
        if self.tail.is_empty() {
            return "it logged nothing".to_owned();
        }
        Vec::from(self.tail.clone()).join(" | ")
    }
}

/// A running program.
pub(crate) struct Exec {
    log: watch::Receiver<Log>,
    status: BoxFuture<'static, Option<Status>>,
    // Dropping it cuts the connection to the program (which goes on running).
    _attached: AttachedProcess,
}

impl Exec {
    /// Waits until the log fits `condition` or the program's output has ended.
    pub(crate) async fn log_until(&mut self, condition: impl Fn(&Log) -> bool) -> Log {
        // An error means that the reader is gone, and it sets `ended` last.
        let found =
            self.log.wait_for(|log| log.ended || condition(log)).await.map(|log| log.clone());
        found.unwrap_or_else(|_gone| self.log())
    }

    pub(crate) fn log(&self) -> Log {
        self.log.borrow().clone()
    }

    /// How it ended: nothing, or the API server's words.
    pub(crate) async fn end(&mut self) -> Result<(), String> {
        match (&mut self.status).await {
            Some(status) if status.status.as_deref() == Some("Success") => Ok(()),
            Some(status) => Err(status.message.unwrap_or_else(|| "it failed".to_owned())),
            None => Err("the connection to it was cut".to_owned()),
        }
    }
}

impl Mesh {
    /// Starts `argv` in `container` of the pod and follows its standard error.
    pub(crate) async fn exec(
        &self,
        pod: &PodRef,
        container: &str,
        argv: &[String],
    ) -> Result<Exec, Error> {
        let params = AttachParams {
            container: Some(container.to_owned()),
            stdout: false,
            stderr: true,
            ..AttachParams::default()
        };
        let doing = || format!("start a program in container {container} of pod {pod}");
        let starting = async {
            let pods = self.pods_of(&pod.namespace);
            pods.exec(&pod.name, argv, &params).await.map_err(|e| Error::api(doing(), e))
        };
        let mut attached = within(self.limit, doing, starting).await?;
        let missing = |missing| Error::ApiAnswer { doing: doing(), missing };
        let stderr = attached.stderr().ok_or_else(|| missing("the program's standard error"))?;
        let status = attached.take_status().ok_or_else(|| missing("the program's status"))?;
        let (sender, log) = watch::channel(Log::default());
        // Reads for as long as the program lives, so that it never blocks on a full pipe.
        tokio::spawn(async move {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                sender.send_modify(|log| log.push(&line));
            }
            sender.send_modify(|log| log.ended = true);
        });
        Ok(Exec { log, status: status.boxed(), _attached: attached })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    const RELAY: &str = include_str!("../../../fixtures/envoy/relay.log");

    fn log_of(text: &str) -> Log {
        let mut log = Log::default();
        text.lines().for_each(|line| log.push(line));
        log
    }

    #[test]
    fn the_start_of_a_real_envoy_tells_its_port_and_that_it_serves() {
        let log = log_of(RELAY);
        assert_eq!((log.admin, log.serving, log.ended), (Some(40745), true, false));
    }

    #[test]
    fn an_envoy_that_has_not_started_its_workers_does_not_serve() {
        let (before, _) = RELAY.split_once("starting main dispatch loop").unwrap();
        let log = log_of(before);
        assert_eq!((log.admin, log.serving), (Some(40745), false));
    }

    #[test]
    fn an_envoy_that_refuses_its_configuration_says_why() {
        let log = log_of(include_str!("../../../fixtures/envoy/relay-refused.log"));
        assert_eq!((log.admin, log.serving), (Some(39395), false));
        let (_, reason) =
            log.last_lines().rsplit_once(" | ").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        assert_eq!(
            reason,
            "malformed IP address: not-an-ip. Consider setting resolver_name or setting cluster \
             type to 'STRICT_DNS' or 'LOGICAL_DNS'"
        );
    }
}
