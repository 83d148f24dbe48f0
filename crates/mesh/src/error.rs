//! What can go wrong when looking at a mesh. Each message names the object looked at.

use std::net::SocketAddr;
use std::time::Duration;

use crate::{ApiFailure, PodRef, ServedChain};

/// Why a look at a mesh gave no result.
///
/// A refusal that a claim is about (a TLS alert, a closed connection) is no error but an
/// [`Outcome`](crate::Outcome) or a [`PlainOutcome`](crate::PlainOutcome).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The API server refused a call or could not be reached.
    #[error("cannot {doing}")]
    Api {
        /// The call, as in "list the pods of all namespaces".
        doing: String,
        /// The API server's own words.
        #[source]
        source: ApiFailure,
    },
    /// An object lacks a field that the API server always sets.
    #[error("the API server's answer to `{doing}` lacks {missing}")]
    ApiAnswer {
        /// The call.
        doing: String,
        /// What is missing.
        missing: &'static str,
    },
    /// A label selector that Kubernetes would not take either.
    #[error("the label selector of {of} cannot be read")]
    Selector {
        /// Whose, as in "webhook istio-sidecar-injector/namespace.sidecar-injector.istio.io".
        of: String,
        /// The cause.
        #[source]
        source: kube::core::ParseExpressionError,
    },
    /// The mesh's configuration does not parse.
    #[error("key `mesh` of ConfigMap {config_map} is no mesh configuration: {reason}")]
    MeshConfig {
        /// The ConfigMap.
        config_map: String,
        /// The parser's complaint.
        reason: String,
    },
    /// Work that did not end in time.
    #[error("{what} did not end within {limit:?}; last seen: {last}")]
    Deadline {
        /// The work.
        what: String,
        /// The time it had.
        limit: Duration,
        /// The last sign of life, `nothing` if there was none.
        last: String,
    },
    /// A port-forward was opened, but the pod did not answer behind it.
    #[error("port {port} of pod {pod} ({purpose}) cannot be reached: {reason}")]
    PortForward {
        /// The pod.
        pod: PodRef,
        /// The port within the pod.
        port: u16,
        /// What listens there in a healthy mesh.
        purpose: &'static str,
        /// The kubelet's words.
        reason: String,
    },
    /// A port answered, but not with a complete HTTP answer.
    #[error("pod {pod} gave no answer to `{request}`: {reason}")]
    NoAnswer {
        /// The pod.
        pod: PodRef,
        /// Method, port and path.
        request: String,
        /// The broken part.
        reason: String,
    },
    /// An administrative port answered with something else than 200.
    #[error("pod {pod} answered {status} to `{request}`, expected 200: {body}")]
    Status {
        /// The pod.
        pod: PodRef,
        /// Method, port and path.
        request: String,
        /// The status code.
        status: u16,
        /// The first line of the body.
        body: String,
    },

    /// The proxy is no Envoy, so it has no SDS secrets to look at.
    #[error("proxy {proxy} is a ztunnel: it has no Envoy config dump to read secrets from")]
    NotEnvoy {
        /// The proxy.
        proxy: PodRef,
    },
    /// The proxy cannot be looked at because it does not run.
    #[error("proxy {proxy} is not ready: {reason}")]
    ProxyNotReady {
        /// The proxy.
        proxy: PodRef,
        /// The kubelet's words.
        reason: String,
    },
    /// The body is no config dump.
    #[error(
        "the config dump of proxy {proxy} is not JSON of the expected shape (starts `{start}`)"
    )]
    ConfigDump {
        /// The proxy.
        proxy: PodRef,
        /// The first characters.
        start: String,
        /// The parser's complaint.
        #[source]
        source: serde_json::Error,
    },
    /// The proxy never got the secret.
    #[error(
        "proxy {proxy} has no secret `{secret}` (it has: {found}); its istio-proxy log says why, \
         most often that istiod did not sign the certificate request"
    )]
    SecretMissing {
        /// The proxy.
        proxy: PodRef,
        /// `default` or `ROOTCA`.
        secret: &'static str,
        /// The names of its active secrets.
        found: String,
    },
    /// The proxy asked for the secret and has not got it yet.
    #[error(
        "proxy {proxy} still waits for its secret `{secret}` (since {since}); its istio-proxy log \
         says why, most often that istiod did not sign the certificate request"
    )]
    SecretWarming {
        /// The proxy.
        proxy: PodRef,
        /// `default` or `ROOTCA`.
        secret: &'static str,
        /// RFC 3339, as Envoy reports it.
        since: String,
    },
    /// The proxy refused the last update and goes on with an older secret.
    #[error("proxy {proxy} refused the last update of its secret `{secret}`: {details}")]
    SecretRefused {
        /// The proxy.
        proxy: PodRef,
        /// `default` or `ROOTCA`.
        secret: &'static str,
        /// Envoy's words.
        details: String,
    },
    /// The secret's content is not what it should be.
    #[error("the secret `{secret}` of proxy {proxy} cannot be used: {reason}")]
    SecretContent {
        /// The proxy.
        proxy: PodRef,
        /// `default` or `ROOTCA`.
        secret: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The secret's certificates do not parse.
    #[error("the certificates in secret `{secret}` of proxy {proxy} cannot be read")]
    SecretCertificates {
        /// The proxy.
        proxy: PodRef,
        /// `default` or `ROOTCA`.
        secret: &'static str,
        /// The cause.
        #[source]
        source: Box<pki::Error>,
    },

    /// The pod that should hold the relay is the target: the traffic would take the loopback and
    /// miss the target's own proxy.
    #[error("the relay to {target} cannot run in pod {pod} itself: loopback traffic bypasses mTLS")]
    RelayInTarget {
        /// The pod.
        pod: PodRef,
        /// The address that belongs to it.
        target: SocketAddr,
    },
    /// The second Envoy did not start or did not end as it should.
    #[error("the relay in pod {pod} {what}: {reason}")]
    Relay {
        /// The pod it was started in.
        pod: PodRef,
        /// "did not start", "did not end well".
        what: &'static str,
        /// The exec's status and the last lines of the log.
        reason: String,
    },
    /// The target did not accept the TCP connection.
    #[error("{target} does not accept a TCP connection from pod {pod}: {reason}")]
    Unreachable {
        /// The pod of the relay.
        pod: PodRef,
        /// The target.
        target: SocketAddr,
        /// Refused or timed out.
        reason: &'static str,
    },
    /// The connection ended, and it was not the target that ended it.
    #[error("the connection from pod {pod} to {target} was not ended by the target: {counters}")]
    Inconclusive {
        /// The pod of the relay.
        pod: PodRef,
        /// The target.
        target: SocketAddr,
        /// What the relay counted.
        counters: String,
    },

    /// A name that cannot stand in a TLS handshake.
    #[error("`{name}` is not a DNS name or an IP address")]
    ServerName {
        /// The name.
        name: String,
        /// The cause.
        #[source]
        source: rustls_pki_types::InvalidDnsNameError,
    },
    /// The client certificate or key cannot be used by the TLS library.
    #[error("the client identity cannot be used for TLS: {reason}")]
    Identity {
        /// What is wrong with it.
        reason: String,
    },
    /// The TLS library refused the configuration or what the server did.
    #[error("the TLS handshake with {peer} broke")]
    Tls {
        /// The server.
        peer: String,
        /// The library's complaint.
        #[source]
        source: rustls::Error,
    },
    /// The stream below TLS or HTTP failed.
    #[error("the connection to {peer} broke: {reason}")]
    Stream {
        /// The server.
        peer: String,
        /// The library's complaint.
        reason: String,
    },
    /// A certificate of a served chain does not parse.
    #[error("certificate {position} of the served chain cannot be read")]
    ServedCertificate {
        /// Counted from 1, the leaf.
        position: usize,
        /// The cause.
        #[source]
        source: Box<pki::Error>,
    },

    /// istiod's serving certificate does not chain to the trust bundle, so it got no token.
    #[error("istiod's certificate for `{server_name}` does not chain to the given trust bundle")]
    IstiodNotTrusted {
        /// The name that was asked for.
        server_name: String,
        /// What it served.
        served: Box<ServedChain>,
        /// The verifier's verdict.
        #[source]
        source: rustls::Error,
    },
    /// istiod refused the certificate request.
    #[error("istiod refused the certificate request: {code}: {message}")]
    Refused {
        /// The gRPC code, as in `Unauthenticated`.
        code: String,
        /// istiod's words.
        message: String,
    },
    /// istiod's answer holds a private key: one lies in its `cert-chain.pem` or `root-cert.pem`,
    /// and every workload has got it.
    #[error(
        "element {position} of istiod's answer holds a `{label}` block: a private key lies in \
         cert-chain.pem or root-cert.pem of the `cacerts` Secret and was sent to every workload; \
         replace that CA"
    )]
    PrivateKeyServed {
        /// Counted from 1.
        position: usize,
        /// The PEM label.
        label: String,
    },
    /// istiod's answer is not a chain.
    #[error("istiod's answer cannot be used: {reason}")]
    IssuedChain {
        /// What is wrong with it.
        reason: String,
    },
    /// An element of istiod's answer does not parse.
    #[error("element {position} of istiod's answer cannot be read")]
    IssuedCertificate {
        /// Counted from 1.
        position: usize,
        /// The cause.
        #[source]
        source: Box<pki::Error>,
    },
    /// The certificate request could not be made.
    #[error("the certificate request for `{identity}` cannot be made")]
    Request {
        /// The SPIFFE ID.
        identity: String,
        /// The cause.
        #[source]
        source: Box<pki::Error>,
    },
}

impl Error {
    /// `doing` completes "cannot DOING".
    pub(crate) fn api(doing: String, source: kube::Error) -> Self {
        Self::Api { doing, source: ApiFailure::new(source) }
    }
}
