//! Envoy as server and as client of itself, with what istiod issued: one request through both.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::case::{Case, TRUST_DOMAIN};
use crate::cast::CRL;
use crate::command::Tool;
use crate::verdict::Verdict;

const START: Duration = Duration::from_secs(60);
const CALL: Duration = Duration::from_secs(30);
const TYPE: &str = "type.googleapis.com/envoy.extensions";

/// Starts an Envoy with the elements of istiod's answer and the leaf's key, and asks through it.
pub(crate) async fn pair(
    program: &Path,
    case: &Case,
    elements: &[String],
    key: &Path,
) -> Result<Verdict> {
    let folder = case.subfolder("envoy")?;
    let roots = elements.last().map(String::as_str).unwrap_or_default();
    // Each on lines of its own, as the agent writes them.
    let chain: String = elements.iter().map(|one| format!("{}\n", one.trim_end())).collect();
    let crl = case.files.get(CRL).filter(|list| !list.is_empty() && case.has_four_files());
    let mut files = vec![("chain.pem", chain.as_bytes()), ("roots.pem", roots.as_bytes())];
    files.extend(crl.map(|list| ("crl.pem", list)));
    for (name, bytes) in &files {
        case.write(&format!("envoy/{name}"), bytes)?;
    }
    let config = configuration(&folder, key, crl.is_some());
    case.write("envoy/envoy.json", config.to_string())?;
    let mut envoy = Tool::new(program, &folder)
        .args(["-c", "envoy.json", "--disable-hot-restart", "--concurrency", "1"])
        .args(["--file-flush-interval-msec", "10"])
        .start("log")?;
    let ready = |said: &str| said.contains("starting main dispatch loop").then_some(());
    if envoy.until("has started", START, ready).await?.is_none() {
        return Ok(Verdict::Refuses(config_error(&envoy.said()?)));
    }
    let status = timeout(CALL, ask(&folder.join("plain.sock"))).await;
    let status = status.context("Envoy did not answer")??;
    if status == "200" {
        envoy.stop().await?;
        return Ok(Verdict::Accepts);
    }
    let access = folder.join("access");
    let reason = envoy
        .until("has logged why", CALL, |_| {
            let logged = std::fs::read_to_string(&access).unwrap_or_default();
            // Each side writes a line; the one that did not refuse has no reason.
            let [one, other] = ["server ", "client "]
                .map(|side| logged.lines().find_map(|line| line.strip_prefix(side)).map(reason));
            let (server, client) = (one?, other?);
            // The other side only tells of the alert it was sent.
            let is_judge = client.contains("certificate verification error") || server == "-";
            Some(if is_judge { client } else { format!("as server: {server}") })
        })
        .await?;
    envoy.stop().await?;
    Ok(Verdict::Refuses(format!("{status} {}", reason.unwrap_or_default())))
}

/// The part of BoringSSL's words that differs.
fn reason(line: &str) -> String {
    let words = line.replace('_', " ");
    let start =
        words.find("verify cert failed: ").map_or(0, |at| at + "verify cert failed: ".len());
    words[start..].trim_end_matches(":TLS error end").to_owned()
}

fn config_error(said: &str) -> String {
    let line = said.lines().find(|line| line.contains("[critical]") || line.contains("error"));
    line.map_or("it ended", |line| line.rsplit_once("] ").map_or(line, |(_, rest)| rest)).to_owned()
}

/// The status of a request through the client's listener.
async fn ask(socket: &Path) -> Result<String> {
    let mut stream = UnixStream::connect(socket).await.context("Envoy does not listen")?;
    let request = "GET / HTTP/1.1\r\nhost: judged\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.context("Envoy does not read")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.context("Envoy does not answer")?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).context("Envoy's answer is no HTTP")?;
    Ok(status.to_owned())
}

fn configuration(folder: &Path, key: &Path, crl: bool) -> Value {
    let file = |name: &str| json!({ "filename": folder.join(name) });
    let pipe = |name: &str| json!({ "pipe": { "path": PathBuf::from(folder).join(name) } });
    let mut validation = json!({
        "trusted_ca": file("roots.pem"),
        "match_typed_subject_alt_names": [
            { "san_type": "URI", "matcher": { "prefix": format!("spiffe://{TRUST_DOMAIN}/") } },
        ],
    });
    if crl {
        validation["crl"] = file("crl.pem");
    }
    let common = json!({
        "tls_certificates": [
            { "certificate_chain": file("chain.pem"), "private_key": { "filename": key } },
        ],
        "validation_context": validation,
    });
    let tls = |kind: &str, mut context: Value| {
        context["@type"] = format!("{TYPE}.transport_sockets.tls.v3.{kind}").into();
        context["common_tls_context"] = common.clone();
        json!({ "name": "envoy.transport_sockets.tls", "typed_config": context })
    };
    let log = |format: &str| {
        json!([{ "name": "envoy.access_loggers.file", "typed_config": {
            "@type": format!("{TYPE}.access_loggers.file.v3.FileAccessLog"),
            "path": folder.join("access"),
            "log_format": { "text_format_source": { "inline_string": format!("{format}\n") } },
        }}])
    };
    let http = |action: Value, log: Value| {
        let mut route = json!({ "match": { "prefix": "/" } });
        if let (Some(route), Some(action)) = (route.as_object_mut(), action.as_object()) {
            route.extend(action.clone());
        }
        json!([{ "name": "http", "typed_config": {
            "@type":
                format!("{TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager"),
            "stat_prefix": "judged",
            "access_log": log,
            "http_filters": [{ "name": "envoy.filters.http.router", "typed_config": {
                "@type": format!("{TYPE}.filters.http.router.v3.Router"),
            }}],
            "route_config": { "virtual_hosts": [
                { "name": "all", "domains": ["*"], "routes": [route] },
            ]},
        }}])
    };
    json!({ "static_resources": {
        "listeners": [
            { "name": "client", "address": pipe("plain.sock"), "filter_chains": [{
                "filters": http(
                    json!({ "route": { "cluster": "server" } }),
                    log("client %UPSTREAM_TRANSPORT_FAILURE_REASON%"),
                ),
            }]},
            { "name": "server", "address": pipe("tls.sock"),
              "access_log": log("server %DOWNSTREAM_TRANSPORT_FAILURE_REASON%"),
              "filter_chains": [{
                "transport_socket": tls(
                    "DownstreamTlsContext",
                    json!({ "require_client_certificate": true }),
                ),
                "filters": http(json!({ "direct_response": { "status": 200 } }), json!([])),
            }]},
        ],
        "clusters": [{
            "name": "server",
            "type": "STATIC",
            "load_assignment": { "cluster_name": "server", "endpoints": [
                { "lb_endpoints": [{ "endpoint": { "address": pipe("tls.sock") } }] },
            ]},
            "transport_socket": tls("UpstreamTlsContext", json!({})),
        }],
    }})
}
