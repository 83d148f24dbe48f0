//! The logs of every container of Istio and of the workloads, and of the container before it where
//! there was one.

use anyhow::{Context as _, Result};
use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::api::{Api, LogParams};

use super::{LOOK, Scene, pods, within};

/// Lines kept of one log, its last ones.
const LINES: i64 = 5_000;
/// Logs that are fetched at once.
const AT_ONCE: usize = 8;

/// One log to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Log {
    namespace: String,
    pod: String,
    container: String,
    /// Whether it is the log of the container before the present one.
    previous: bool,
    /// Whether its end may tell why the container does not run.
    tells: bool,
}

impl Scene<'_> {
    pub(super) async fn write_logs(&self) -> Result<Vec<String>> {
        let ours = self.pods.iter().filter(|pod| {
            let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
            self.namespaces.contains(&namespace)
        });
        let logs: Vec<_> = ours.flat_map(logs_of).collect();
        let kept = logs.iter().map(|log| self.write_log(log));
        let kept: Vec<_> = futures::stream::iter(kept).buffered(AT_ONCE).collect().await;
        Ok(kept.into_iter().flatten().collect())
    }

    /// Writes one log, or why there is none; what is returned is its telling line, if it has one.
    async fn write_log(&self, log: &Log) -> Option<String> {
        let fetched = within(LOOK, self.fetch(log)).await;
        let text = match &fetched {
            Ok(text) => text.clone(),
            Err(error) => format!("no log: {error:#}\n"),
        };
        if let Err(error) = self.folder.write(&log.file(), &text) {
            return Some(format!("{error:#}"));
        }
        let last = last_words(&fetched.ok()?)?.to_owned();
        let Log { namespace, pod, container, .. } = log;
        log.tells.then(|| format!("log of {namespace}/{pod}, {container}: {last}"))
    }

    async fn fetch(&self, log: &Log) -> Result<String> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &log.namespace);
        let params = LogParams {
            container: Some(log.container.clone()),
            previous: log.previous,
            tail_lines: Some(LINES),
            ..LogParams::default()
        };
        pods.logs(&log.pod, &params).await.with_context(|| format!("read {}", log.file()))
    }
}

impl Log {
    fn file(&self) -> String {
        let Self { namespace, pod, container, .. } = self;
        let previous = if self.previous { ".previous" } else { "" };
        format!("logs/{namespace}.{pod}.{container}{previous}.log")
    }
}

/// The logs that a pod's containers have: of what runs or ran, and of what ran before.
fn logs_of(pod: &Pod) -> Vec<Log> {
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    let log = |status: &ContainerStatus, previous| Log {
        namespace: part(&pod.metadata.namespace),
        pod: part(&pod.metadata.name),
        container: status.name.clone(),
        previous,
        tells: pods::is_stuck(status),
    };
    let mut logs = Vec::new();
    for status in pods::statuses(pod) {
        let started = |state: &k8s_openapi::api::core::v1::ContainerState| {
            state.running.is_some() || state.terminated.is_some()
        };
        let restarted = status.last_state.as_ref().is_some_and(started);
        if restarted {
            logs.push(log(status, true));
        }
        // While a container waits for its next start, its log is that of its last one.
        if restarted || status.state.as_ref().is_some_and(started) {
            logs.push(log(status, false));
        }
    }
    logs
}

/// The line in which a program of Istio says why it ends, or its last error.
fn last_words(log: &str) -> Option<&str> {
    let last = |tells: fn(&&str) -> bool| log.lines().rev().find(tells);
    last(|line| line.starts_with("Error: ")).or_else(|| {
        last(|line| ["\tfatal\t", "\terror\t"].iter().any(|level| line.contains(level)))
    })
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::{Value, from_value, json};

    use super::*;

    fn files(statuses: Value) -> Vec<(String, bool)> {
        let pod = from_value(json!({
            "metadata": {"namespace": "foo", "name": "httpbin"},
            "status": {"containerStatuses": statuses},
        }));
        logs_of(&pod.unwrap()).iter().map(|log| (log.file(), log.tells)).collect()
    }

    fn status(ready: bool, state: Value, last_state: Value) -> Value {
        json!([{
            "name": "c", "ready": ready, "restartCount": 0, "image": "i", "imageID": "",
            "state": state, "lastState": last_state,
        }])
    }

    #[test]
    fn a_container_that_was_restarted_has_two_logs() {
        let ended = json!({"terminated": {"exitCode": 255}});
        let waiting = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        let previous = ("logs/foo.httpbin.c.previous.log".to_owned(), true);
        let current = ("logs/foo.httpbin.c.log".to_owned(), true);
        assert_eq!(files(status(false, waiting, ended)), [previous, current]);
    }

    #[test]
    fn a_container_that_runs_has_one_log_which_tells_nothing() {
        let running = status(true, json!({"running": {}}), json!({}));
        assert_eq!(files(running), [("logs/foo.httpbin.c.log".to_owned(), false)]);
    }

    #[test]
    fn a_container_that_never_started_has_no_log() {
        let waiting = json!({"waiting": {"reason": "ContainerCreating"}});
        assert_eq!(files(status(false, waiting, json!({}))), []);
    }

    #[test]
    fn the_last_words_are_the_reason_before_the_last_error() {
        let log = "a\tinfo\tstart\nError: no CA\nb\terror\tlater\nUsage:\n";
        assert_eq!(last_words(log), Some("Error: no CA"));
        assert_eq!(last_words("a\terror\tone\nb\terror\ttwo\nc\tinfo\tx\n"), Some("b\terror\ttwo"));
        assert_eq!(last_words("a\tinfo\tfine\n"), None);
    }
}
