//! A CA, identities and loopback servers for the tests of the TLS client.

#![expect(clippy::unwrap_used, reason = "helpers of tests; a failure is a failed test")]

use std::sync::Arc;

use mesh::ClientIdentity;
use pki::probe::{ProbeLeaf, workload_leaf};
use pki::{
    Bundle, ClusterCaParams, KeyAlgorithm, Profile, RootCa, RootCaParams, SpiffeId, Validity,
};
use rustls::server::{ResolvesServerCert, ServerConfig, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use time::{Duration, OffsetDateTime};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub(crate) fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// A root and its cluster CA. Valid at the real time: the servers of these tests read the clock.
pub(crate) fn bundle(organization: &str) -> Bundle {
    let now = OffsetDateTime::now_utc();
    let validity = Validity::new(now - Duration::days(1), now + Duration::days(30)).unwrap();
    let root = RootCa::generate(&RootCaParams {
        profile: Profile::Hardened,
        common_name: "Root CA".to_owned(),
        organization: organization.to_owned(),
        validity,
        key: KeyAlgorithm::EcdsaP256,
    })
    .unwrap();
    let cluster_ca = root
        .issue_cluster_ca(&ClusterCaParams {
            profile: Profile::Hardened,
            common_name: "Intermediate CA".to_owned(),
            organization: organization.to_owned(),
            cluster: "cluster1".to_owned(),
            dns_name: "istiod.istio-system.svc".to_owned(),
            validity,
            key: KeyAlgorithm::EcdsaP256,
        })
        .unwrap();
    cluster_ca.bundle().unwrap()
}

pub(crate) fn leaf(bundle: &Bundle, account: &str) -> ProbeLeaf {
    let id = SpiffeId::workload("cluster.local", "foo", account).unwrap();
    workload_leaf(bundle, &id, OffsetDateTime::now_utc()).unwrap()
}

pub(crate) fn identity(leaf: &ProbeLeaf) -> ClientIdentity {
    ClientIdentity::new(&leaf.chain, &leaf.key).unwrap()
}

/// What the server does about client certificates.
pub(crate) enum ClientAuth<'a> {
    Demanded(&'a Bundle),
    NotAsked,
}

#[derive(Debug)]
struct Fixed(Arc<CertifiedKey>);

impl ResolvesServerCert for Fixed {
    fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// A workload's TLS server: serves `leaf`'s chain, with `key` (its own, or a thief's).
pub(crate) fn server(
    leaf: &ProbeLeaf,
    key: &pki::PrivateKey,
    auth: &ClientAuth<'_>,
    version: &'static SupportedProtocolVersion,
) -> ServerConfig {
    let builder =
        ServerConfig::builder_with_provider(provider()).with_protocol_versions(&[version]).unwrap();
    let builder = match auth {
        ClientAuth::NotAsked => builder.with_no_client_auth(),
        ClientAuth::Demanded(trusted) => {
            let mut roots = RootCertStore::empty();
            let root = trusted.hierarchy().root().der().to_vec();
            roots.add(CertificateDer::from(root)).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let chain = leaf.served().into_iter().map(CertificateDer::from).collect();
    let key = PrivatePkcs8KeyDer::from(key.to_pkcs8_der().to_vec());
    let key = provider().key_provider.load_private_key(key.into()).unwrap();
    let mut config =
        builder.with_cert_resolver(Arc::new(Fixed(Arc::new(CertifiedKey::new(chain, key)))));
    config.alpn_protocols = vec![b"istio".to_vec()];
    config
}

/// A connected pair: the client's stream, and a task that runs `serve` on the other end.
pub(crate) async fn connect<F>(serve: impl FnOnce(TcpStream) -> F + Send + 'static) -> TcpStream
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        serve(stream).await;
    });
    TcpStream::connect(address).await.unwrap()
}

/// As [`connect`], with TLS on the server's end; a refused client ends the task.
pub(crate) async fn connect_tls<F>(
    config: ServerConfig,
    serve: impl FnOnce(TlsStream<TcpStream>) -> F + Send + 'static,
) -> TcpStream
where
    F: Future<Output = ()> + Send + 'static,
{
    connect(async move |stream| {
        if let Ok(stream) = TlsAcceptor::from(Arc::new(config)).accept(stream).await {
            serve(stream).await;
        }
    })
    .await
}

/// What the client says next, as text; empty once it has gone.
pub(crate) async fn hear(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut heard = vec![0; 4096];
    let length = stream.read(&mut heard).await.unwrap_or(0);
    String::from_utf8_lossy(&heard[..length]).into_owned()
}
