//! "Deploy Istio": istioctl with the demo profile. An istiod that refuses its CA ends the step at
//! once, with istiod's own reason.

use std::time::Duration;

use anyhow::{Result, bail};
use k8s_openapi::api::core::v1::{ContainerState, Pod};
use kube::api::{Api, ListParams, LogParams};
use mesh::Mesh;
use tools::{Program, Toolbox, versions};

use crate::cluster::Cluster;
use crate::cmd::{Tool, tail};
use crate::poll::{Seen, until};
use crate::steps::cacerts::{Cacerts, SYSTEM_NAMESPACE};

/// istioctl waits this long for istiod, and once more for the gateways.
const READINESS: &str = "120s";
/// Longer than istioctl takes in the worst case.
const WATCH: Duration = Duration::from_secs(600);
/// How long one look at the mesh may take.
const LOOK: Duration = Duration::from_secs(15);
/// Lines of istiod's log that are searched for its reason.
const LOG_LINES: i64 = 200;

/// A running Istio.
#[must_use]
pub(crate) struct Istio {
    pub(crate) mesh: Mesh,
    pub(crate) istioctl: Tool,
    pub(crate) cacerts: Cacerts,
}

/// Installs the demo profile and waits for istiod and the gateways.
///
/// # Errors
/// istioctl's, or istiod's reason to end.
pub(crate) async fn deploy(
    cluster: &Cluster,
    cacerts: Cacerts,
    toolbox: &Toolbox,
) -> Result<Istio> {
    let istioctl = cluster.tool(toolbox.program(Program::Istioctl));
    let install = istioctl.clone().args(["install", "-y"]).args(settings());
    tokio::select! {
        installed = install.run() => { installed?; }
        refused = istiod_ends(cluster) => return Err(refused),
    }
    let mesh = Mesh::new(cluster.client.clone(), SYSTEM_NAMESPACE, LOOK);
    Ok(Istio { mesh, istioctl, cacerts })
}

fn settings() -> Vec<String> {
    let set = |value: String| ["--set".to_owned(), value];
    [
        "profile=demo".to_owned(),
        format!("hub={}", versions::ISTIO_HUB),
        format!("tag={}", versions::ISTIO),
        // Envoy's wheel is the upstream build, without Istio's own filters: request metrics and
        // protocol sniffing over mutual TLS are off. Nothing of the certificates depends on them.
        "values.telemetry.enabled=false".to_owned(),
        "values.pilot.env.PILOT_ENABLE_METADATA_EXCHANGE=false".to_owned(),
        "values.pilot.env.PILOT_ENABLE_ALPN_FILTER=false".to_owned(),
    ]
    .into_iter()
    .flat_map(set)
    .chain(["--readiness-timeout".to_owned(), READINESS.to_owned()])
    .collect()
}

/// Comes back only when an istiod has ended, with its last words.
async fn istiod_ends(cluster: &Cluster) -> anyhow::Error {
    let watched = until("istiod ends", WATCH, 1, async || match last_words(cluster).await? {
        Some(words) => Ok(Seen::Ready(words)),
        None => Ok(Seen::NotYet("it runs".to_owned())),
    });
    match watched.await {
        Ok(words) => anyhow::anyhow!("istiod does not start: {words}"),
        Err(error) => error,
    }
}

/// What an istiod that has ended wrote before it did; `None` while all run.
async fn last_words(cluster: &Cluster) -> Result<Option<String>> {
    let pods: Api<Pod> = Api::namespaced(cluster.client.clone(), SYSTEM_NAMESPACE);
    for pod in pods.list(&ListParams::default().labels("app=istiod")).await? {
        let name = pod.metadata.name.clone().unwrap_or_default();
        let Some(previous) = ended(&pod) else { continue };
        let params = LogParams { previous, tail_lines: Some(LOG_LINES), ..LogParams::default() };
        let log = match pods.logs(&name, &params).await {
            Ok(log) => log,
            // Between two starts there may be no log to read; the next look finds one.
            Err(kube::Error::Api(status)) if status.code < 500 => continue,
            Err(error) => bail!(error),
        };
        return Ok(Some(reason(&log).to_owned()));
    }
    Ok(None)
}

/// Whether a container has ended, and whether its log is the one before the current.
fn ended(pod: &Pod) -> Option<bool> {
    let failed = |state: &Option<ContainerState>| {
        let terminated = state.as_ref().and_then(|state| state.terminated.as_ref());
        terminated.is_some_and(|terminated| terminated.exit_code != 0)
    };
    let statuses = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
    statuses.into_iter().flatten().find_map(|status| match status {
        status if failed(&status.state) => Some(false),
        status if failed(&status.last_state) => Some(true),
        _ => None,
    })
}

/// The line in which istiod says why it ends, or the end of its log.
fn reason(log: &str) -> &str {
    let said = log.lines().rev().find(|line| line.starts_with("Error: "));
    said.map_or_else(|| tail(log, 5), |line| line.trim_start_matches("Error: "))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::reason;

    #[test]
    fn istiods_own_reason_is_found_among_its_last_lines() {
        let log = "info Use local CA certificate\nError: failed to create discovery service: \
                   incomplete signing CA bundle detected\nUsage:\n  pilot-discovery discovery\n";
        let expected = "failed to create discovery service: incomplete signing CA bundle detected";
        assert_eq!(reason(log), expected);
    }

    #[test]
    fn without_a_reason_the_end_of_the_log_is_shown() {
        assert_eq!(reason("1\n2\n3\n4\n5\n6\n"), "2\n3\n4\n5\n6");
    }
}
