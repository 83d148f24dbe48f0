//! Claims about requests: the allowed one gets through and says who it is from, a plain one does
//! not.

use std::cell::Cell;

use anyhow::{Context as _, Result};
use mesh::{PlainOutcome, Request};
use serde_json::Value;

use crate::claim::{Evidence, Finding};
use crate::poll::{Seen, until};
use crate::steps::workloads::CurlAnswer;
use crate::view::{SETTLE, View};

/// What httpbin's proxy puts into the request for the application (Envoy's
/// `forward_client_cert_details`).
const CLIENT_CERT_HEADER: &str = "X-Forwarded-Client-Cert";

/// Claim 10.
pub(super) async fn client_reaches_httpbin(view: &View<'_>) -> Result<Finding> {
    let url = format!("http://{}/headers", view.workloads.httpbin_host_port());
    let denied = Cell::new(false);
    // The first requests after a start may meet a route or a policy that is not there yet.
    let settled = until("the client is answered over mutual TLS", SETTLE, 1, async || {
        let answer = view.workloads.curl(view.cluster, &url).await?;
        denied.set(is_denied(&answer));
        if answer.status != 200 {
            return Ok(Seen::NotYet(format!("status {}: {}", answer.status, answer.body.trim())));
        }
        Ok(match client_cert_header(&answer.body)? {
            Some(header) => Seen::Ready(header),
            None => Seen::NotYet(format!("status 200 without the header {CLIENT_CERT_HEADER}")),
        })
    })
    .await;
    let header = match settled {
        Ok(header) => header,
        Err(error) if denied.get() => return Ok(not_authorized(&error)),
        Err(error) => return Ok(Finding::is_false(format!("{error:#}"))),
    };
    let by = view.httpbin_id()?;
    let from = view.workloads.spiffe_id(&view.workloads.client)?;
    let evidence = Evidence::default().with("status", 200).with(CLIENT_CERT_HEADER, &header);
    let named =
        |field: &str, id: &str| header.split(';').any(|part| part == format!("{field}={id}"));
    if named("By", by.as_str()) && named("URI", from.as_str()) {
        return Ok(Finding::Holds(evidence));
    }
    let reason = format!("expected By={by} and URI={from}, found `{header}`");
    Ok(Finding::False { reason, evidence })
}

/// Envoy's own answer where an AuthorizationPolicy lets nobody in. Mutual TLS has gone well by then.
fn is_denied(answer: &CurlAnswer) -> bool {
    answer.status == 403 && answer.body.trim() == "RBAC: access denied"
}

fn not_authorized(error: &anyhow::Error) -> Finding {
    let control = "the mesh's AuthorizationPolicies let the client in".to_owned();
    Finding::ControlFailed { control, reason: format!("{error:#}") }
}

/// go-httpbin answers `/headers` with `{"headers": {NAME: [VALUE]}}`.
fn client_cert_header(body: &str) -> Result<Option<String>> {
    let body: Value = serde_json::from_str(body).context("httpbin's answer is no JSON")?;
    let value = &body["headers"][CLIENT_CERT_HEADER];
    Ok(value.get(0).unwrap_or(value).as_str().map(str::to_owned))
}

/// Claim 11.
pub(super) async fn plaintext_is_refused(view: &View<'_>) -> Result<Finding> {
    let request = Request::get(&view.workloads.httpbin_host_port(), "/headers");
    // The policy needs a moment to reach the proxy; afterwards, whatever happens is the outcome.
    let settled = until("a plain request is refused", SETTLE, 1, async || {
        let outcome = view.plaintext(&request).await?;
        Ok(match outcome {
            PlainOutcome::Closed => Seen::Ready(outcome),
            other => Seen::NotYet(format!("{other}")),
        })
    })
    .await;
    Ok(match settled {
        Ok(outcome) => Finding::Holds(Evidence::default().with("plain request", outcome)),
        Err(error) => Finding::is_false(format!("{error:#}")),
    })
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{client_cert_header, is_denied};
    use crate::steps::workloads::CurlAnswer;

    #[test]
    fn a_policy_that_lets_nobody_in_is_told_from_an_application_that_refuses() {
        let denied = |status, body: &str| is_denied(&CurlAnswer { status, body: body.to_owned() });
        assert!(denied(403, "RBAC: access denied\n"));
        assert!(!denied(403, "forbidden") && !denied(503, "RBAC: access denied"));
    }

    #[test]
    fn the_header_is_read_from_go_httpbins_list() {
        let body = r#"{"headers": {"X-Forwarded-Client-Cert": ["By=spiffe://a;Hash=1"]}}"#;
        let header = client_cert_header(body).unwrap();
        assert_eq!(header.as_deref(), Some("By=spiffe://a;Hash=1"));
    }

    #[test]
    fn an_answer_without_the_header_has_none() {
        assert_eq!(client_cert_header(r#"{"headers": {"Host": ["h"]}}"#).unwrap(), None);
    }

    #[test]
    fn an_answer_that_is_no_json_is_an_error() {
        let error = client_cert_header("upstream connect error").unwrap_err();
        assert_eq!(error.to_string(), "httpbin's answer is no JSON");
    }
}
