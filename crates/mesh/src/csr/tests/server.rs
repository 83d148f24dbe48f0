//! The server of the tests: istiod's TLS, its one method, its refusal of a wrong token.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::FutureExt;
use futures::future::BoxFuture;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use pki::probe::{ProbeLeaf, workload_leaf};
use pki::{
    Bundle, Certificate, ClusterCaParams, KeyAlgorithm, Profile, RootCa, RootCaParams, SpiffeId,
    Validity,
};
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tonic::body::Body;
use tonic::server::UnaryService;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use crate::csr::wire::{IstioCertificateRequest, IstioCertificateResponse, PATH};

/// The token that the server accepts.
pub(super) const TOKEN: &str = "header.claims.signature";

pub(super) fn now() -> OffsetDateTime {
    datetime!(2026-11-25 12:00 UTC)
}

pub(super) fn bundle() -> Bundle {
    let validity = Validity::new(now() - Duration::days(1), now() + Duration::days(300)).unwrap();
    let root = RootCa::generate(&RootCaParams {
        profile: Profile::Hardened,
        common_name: "Root CA".to_owned(),
        organization: "Mesh".to_owned(),
        validity,
        key: KeyAlgorithm::EcdsaP256,
    })
    .unwrap();
    let cluster_ca = root
        .issue_cluster_ca(&ClusterCaParams {
            profile: Profile::Hardened,
            common_name: "Intermediate CA".to_owned(),
            organization: "Mesh".to_owned(),
            cluster: "cluster1".to_owned(),
            dns_name: "istiod.istio-system.svc".to_owned(),
            validity,
            key: KeyAlgorithm::EcdsaP256,
        })
        .unwrap();
    cluster_ca.bundle().unwrap()
}

/// What the server was asked.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) request: Option<IstioCertificateRequest>,
    pub(super) cluster_id: String,
}

pub(super) struct Fake {
    /// The workload certificate that it hands out.
    pub(super) leaf: ProbeLeaf,
    /// The elements of its answer.
    pub(super) elements: Vec<String>,
    pub(super) seen: Arc<Mutex<Seen>>,
    /// Calls that reached the method, whatever came of them.
    pub(super) calls: Arc<AtomicUsize>,
    serving: Vec<CertificateDer<'static>>,
    serving_key: KeyPair,
}

impl Fake {
    pub(super) fn new(bundle: &Bundle) -> Self {
        let id = SpiffeId::workload("cluster.local", "foo", "sleep").unwrap();
        let leaf = workload_leaf(bundle, &id, now()).unwrap();
        let serving_key = KeyPair::generate().unwrap();
        let serving = serving_certificate(bundle, &serving_key);
        let chain = leaf.chain.iter();
        Self {
            elements: chain.map(Certificate::to_pem).collect(),
            leaf,
            seen: Arc::default(),
            calls: Arc::default(),
            serving: vec![serving, bundle.certificate().der().to_vec().into()],
            serving_key,
        }
    }

    /// What it serves in its TLS handshake.
    pub(super) fn serving_chain(&self) -> Vec<Certificate> {
        self.serving.iter().map(|der| Certificate::from_der(der).unwrap()).collect()
    }

    pub(super) fn last_request(&self) -> IstioCertificateRequest {
        self.seen.lock().unwrap().request.clone().unwrap()
    }

    /// A client's stream to a server that serves this one connection.
    pub(super) async fn connect(&self) -> TcpStream {
        let acceptor = TlsAcceptor::from(Arc::new(self.tls()));
        let method = Method {
            elements: self.elements.clone(),
            seen: Arc::clone(&self.seen),
            calls: Arc::clone(&self.calls),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = service_fn(move |request| answer(method.clone(), request));
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            // The client hangs up when it has its answer, which is no failure.
            server.serve_connection(TokioIo::new(stream), service).await.ok();
        });
        TcpStream::connect(address).await.unwrap()
    }

    /// A client's stream to a server that hangs up.
    pub(super) async fn connect_and_close(&self) -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { drop(listener.accept().await) });
        TcpStream::connect(address).await.unwrap()
    }

    fn tls(&self) -> rustls::ServerConfig {
        let key = PrivatePkcs8KeyDer::from(self.serving_key.serialize_der());
        let mut config = rustls::ServerConfig::builder_with_provider(crate::tls::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(self.serving.clone(), key.into())
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        config
    }
}

/// istiod's DNS certificate, signed by the plugged-in CA.
fn serving_certificate(bundle: &Bundle, key: &KeyPair) -> CertificateDer<'static> {
    let mut params = CertificateParams::new(vec!["istiod.istio-system.svc".to_owned()]).unwrap();
    params.not_before = now() - Duration::hours(1);
    params.not_after = now() + Duration::days(200);
    params.use_authority_key_identifier_extension = true;
    let ca_key = KeyPair::try_from(bundle.expose_private_key().to_pkcs8_der().as_slice()).unwrap();
    let ca = CertificateDer::from(bundle.certificate().der().to_vec());
    let issuer = Issuer::from_ca_cert_der(&ca, ca_key).unwrap();
    params.signed_by(key, &issuer).unwrap().der().clone()
}

#[derive(Clone)]
struct Method {
    elements: Vec<String>,
    seen: Arc<Mutex<Seen>>,
    calls: Arc<AtomicUsize>,
}

impl UnaryService<IstioCertificateRequest> for Method {
    type Response = IstioCertificateResponse;
    type Future = BoxFuture<'static, Result<Response<Self::Response>, Status>>;

    fn call(&mut self, request: Request<IstioCertificateRequest>) -> Self::Future {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let header = |name: &str| {
            let value = request.metadata().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let (authorization, cluster_id) = (header("authorization"), header("clusterid"));
        let request = Some(request.into_inner());
        *self.seen.lock().unwrap() = Seen { request, cluster_id };
        let answer = if authorization == format!("Bearer {TOKEN}") {
            Ok(Response::new(IstioCertificateResponse { cert_chain: self.elements.clone() }))
        } else {
            Err(Status::unauthenticated("request authenticate failure"))
        };
        std::future::ready(answer).boxed()
    }
}

async fn answer(
    method: Method,
    request: http::Request<Incoming>,
) -> Result<http::Response<Body>, Infallible> {
    if request.uri().path() != PATH {
        return Ok(Status::unimplemented("no such method").into_http());
    }
    let codec: ProstCodec<IstioCertificateResponse, IstioCertificateRequest> = ProstCodec::new();
    Ok(tonic::server::Grpc::new(codec).unary(method, request).await)
}
