//! An HTTP/1.1 request and its answer. How the one becomes the other is in [`exchange()`].

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::Empty;

mod exchange;
pub(crate) use exchange::{NoAnswer, exchange};

/// A request without a body.
#[derive(Clone, Debug)]
pub struct Request {
    method: Method,
    host: String,
    path: String,
    headers: HeaderMap,
}

impl Request {
    /// `GET path` of the virtual host `host` (as in the `Host` header, e.g. `httpbin.foo:8000`).
    pub fn get(host: &str, path: &str) -> Self {
        Self::new(Method::GET, host, path)
    }

    pub(crate) fn post(host: &str, path: &str) -> Self {
        Self::new(Method::POST, host, path)
    }

    fn new(method: Method, host: &str, path: &str) -> Self {
        Self { method, host: host.to_owned(), path: path.to_owned(), headers: HeaderMap::new() }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    pub(crate) fn build(&self) -> Result<hyper::Request<Empty<Bytes>>, http::Error> {
        let mut request = hyper::Request::builder()
            .method(self.method.clone())
            .uri(self.path.as_str())
            .header(http::header::HOST, self.host.as_str())
            .header(http::header::CONNECTION, "close")
            .body(Empty::new())?;
        request.headers_mut().extend(self.headers.clone());
        Ok(request)
    }
}

impl std::fmt::Display for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// A complete answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: StatusCode,
    /// The header fields, trailers excluded.
    pub headers: HeaderMap,
    /// The whole body, as sent (no content decoding).
    pub body: Bytes,
}

impl Answer {
    /// The body as text, with what is not UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
