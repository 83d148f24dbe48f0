//! The second Envoy: its command line, its configuration, its start.

use std::net::SocketAddr;

use serde_json::json;

use crate::exec::{Exec, Log};
use crate::proxies::CONTAINER;
use crate::{Error, Mesh, PodRef};

/// Where every Istio proxy image has Envoy: the default of `ProxyConfig.binaryPath`.
const ENVOY: &str = "/usr/local/bin/envoy";
/// Ends a relay whose caller was killed, after this many seconds. An image without a `timeout`
/// (distroless) runs Envoy bare, and such a relay stays until its container restarts.
const BOUND: [&str; 2] = ["timeout", "900"];

/// Starts Envoy and waits until it serves; returns its administrative port.
pub(super) async fn start(
    mesh: &Mesh,
    pod: &PodRef,
    target: SocketAddr,
) -> Result<(Exec, u16), Error> {
    match attempt(mesh, pod, &bounded(target)).await {
        Err(Error::Relay { reason, .. }) if lacks_timeout(&reason) => {
            tracing::debug!(%pod, "no `timeout` in the proxy's image: the relay runs without one");
            attempt(mesh, pod, &arguments(target)).await
        }
        other => other,
    }
}

async fn attempt(mesh: &Mesh, pod: &PodRef, argv: &[String]) -> Result<(Exec, u16), Error> {
    let mut exec = mesh.exec(pod, CONTAINER, argv).await?;
    let started = tokio::time::timeout(mesh.limit, exec.log_until(|log| log.serving)).await;
    match started {
        Ok(Log { serving: true, admin: Some(admin), .. }) => Ok((exec, admin)),
        Ok(log) => {
            let status = exec.end().await.err().unwrap_or_else(|| "it ended at once".to_owned());
            let reason = format!("{status}; {}", log.last_lines());
            Err(Error::Relay { pod: pod.clone(), what: "did not start", reason })
        }
        Err(_elapsed) => {
            let last = exec.log().last_lines();
            let what = format!("starting a relay in pod {pod}");
            Err(Error::Deadline { what, limit: mesh.limit, last })
        }
    }
}

/// Whether the container runtime found no `timeout` to start (the words are runc's or crun's).
pub(super) fn lacks_timeout(reason: &str) -> bool {
    let quoted = [format!("\"{}\"", BOUND[0]), format!("`{}`", BOUND[0])];
    reason.contains("executable file") && quoted.iter().any(|name| reason.contains(name.as_str()))
}

pub(super) fn bounded(target: SocketAddr) -> Vec<String> {
    BOUND.into_iter().map(str::to_owned).chain(arguments(target)).collect()
}

/// The second Envoy's command line. No hot restart, so that it shares nothing with the first one.
fn arguments(target: SocketAddr) -> Vec<String> {
    let config = configuration(target).to_string();
    let fixed = ["--disable-hot-restart", "--concurrency", "1", "--log-level", "warning"];
    let logs = ["--component-log-level", "main:info,admin:info", "--log-format", "%v"];
    let mut all = vec![ENVOY.to_owned()];
    all.extend(fixed.into_iter().chain(logs).map(str::to_owned));
    all.extend(["--config-yaml".to_owned(), config]);
    all
}

/// JSON is YAML. Port 0 lets the kernel choose.
fn configuration(target: SocketAddr) -> serde_json::Value {
    let loopback = json!({ "socket_address": { "address": "127.0.0.1", "port_value": 0 } });
    let address = json!({ "socket_address": { "address": target.ip().to_string(), "port_value": target.port() } });
    json!({
        "admin": { "address": loopback },
        "static_resources": {
            "listeners": [{
                "name": "relay",
                "address": loopback,
                "filter_chains": [{ "filters": [{
                    "name": "envoy.filters.network.tcp_proxy",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                        "stat_prefix": "relay",
                        "cluster": "target",
                    },
                }] }],
            }],
            "clusters": [{
                "name": "target",
                "type": "STATIC",
                "connect_timeout": "5s",
                "load_assignment": {
                    "cluster_name": "target",
                    "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": address } }] }],
                },
            }],
        },
    })
}
