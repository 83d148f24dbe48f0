//! An API server that plays answers from a list and notes what it was asked.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

/// What comes back for one request.
pub(crate) enum Answer {
    /// A status and a body.
    Body(u16, String),
    /// No connection.
    Refused,
    /// Nothing, ever.
    Silence,
}

/// One request, as sent.
#[derive(Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) accept: Option<String>,
    pub(crate) content_type: Option<String>,
    /// Null where there is none.
    pub(crate) body: Value,
}

/// The script, shared with the client that plays against it.
#[derive(Default)]
pub(crate) struct Script {
    answers: Mutex<VecDeque<Answer>>,
    asked: Mutex<Vec<Asked>>,
}

impl Script {
    /// A client that gets these answers, in this order, and then no connection.
    pub(crate) fn play(answers: impl IntoIterator<Item = Answer>) -> (Client, Arc<Self>) {
        let script = Arc::new(Self {
            answers: Mutex::new(answers.into_iter().collect()),
            asked: Mutex::default(),
        });
        let service = {
            let script = Arc::clone(&script);
            tower::service_fn(move |request| answer(Arc::clone(&script), request))
        };
        (Client::new(service, "default"), script)
    }

    /// Everything that was asked so far; forgets it.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn answer(
    script: Arc<Script>,
    request: Request<Body>,
) -> Result<Response<Body>, Box<dyn std::error::Error + Send + Sync>> {
    let (head, body) = request.into_parts();
    let text = |name| Some(head.headers.get(name)?.to_str().ok()?.to_owned());
    let body = body.collect().await?.to_bytes();
    let asked = Asked {
        method: head.method.to_string(),
        url: head.uri.to_string(),
        accept: text(header::ACCEPT),
        content_type: text(header::CONTENT_TYPE),
        body: if body.is_empty() { Value::Null } else { serde_json::from_slice(&body)? },
    };
    script.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
    let next = script.answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    match next {
        Some(Answer::Body(status, body)) => {
            let response = Response::builder().status(StatusCode::from_u16(status)?);
            Ok(response.body(Body::from(body.into_bytes()))?)
        }
        Some(Answer::Silence) => {
            let never: Infallible = std::future::pending().await;
            match never {}
        }
        Some(Answer::Refused) | None => {
            Err(std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into())
        }
    }
}

/// An object, with status 200.
pub(crate) fn object(object: &impl serde::Serialize) -> Answer {
    Answer::Body(200, json!(object).to_string())
}

/// A failure, in the shape of Kubernetes' `Status`.
pub(crate) fn failure(code: u16, reason: &str, message: &str, details: Value) -> Answer {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "details": details, "code": code,
    });
    Answer::Body(code, status.to_string())
}

/// There is no such Secret.
pub(crate) fn absent() -> Answer {
    let details = json!({ "name": "cacerts", "kind": "secrets" });
    failure(404, "NotFound", "secrets \"cacerts\" not found", details)
}
