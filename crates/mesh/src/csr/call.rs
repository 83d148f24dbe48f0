//! The connection to istiod and the one call over it. The stream is given: a port-forward, or a
//! loopback connection in tests.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use http::uri::PathAndQuery;
use hyper_util::rt::TokioIo;
use pki::TrustBundle;
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use time::OffsetDateTime;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Endpoint;
use tonic_prost::ProstCodec;
use zeroize::Zeroizing;

use super::Token;
use super::answer::IssuedChain;
use super::wire::{IstioCertificateRequest, IstioCertificateResponse, PATH};
use crate::tls::{Broken, Presenter, Recorder, client_config, provider};
use crate::{Error, ServedChain};

/// What the call says and whom it trusts.
pub(super) struct Call<'a> {
    pub(super) server_name: &'a str,
    pub(super) roots: &'a TrustBundle,
    pub(super) token: &'a Token,
    pub(super) cluster_id: &'a str,
    pub(super) csr_pem: &'a str,
    pub(super) validity: Duration,
    pub(super) now: OffsetDateTime,
}

/// A connection to an istiod that has proved its name.
pub(super) struct Secured<S> {
    stream: TlsStream<S>,
    served: ServedChain,
}

/// A connection that could not be secured, with the stream if it can still tell why.
pub(super) struct Failed<S> {
    pub(super) error: Error,
    pub(super) stream: Option<S>,
}

/// Shakes hands with istiod and verifies its certificate against the trust bundle. No client
/// certificate: istiod falls back to the token.
pub(super) async fn secure<S>(stream: S, call: &Call<'_>) -> Result<Secured<S>, Failed<S>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let prepared = prepare(call);
    let (connector, name, recorder) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return Err(Failed { error, stream: Some(stream) }),
    };
    match connector.connect(name, stream).into_fallible().await {
        Ok(stream) => {
            Ok(Secured { stream, served: recorder.served().unwrap_or_else(ServedChain::empty) })
        }
        Err((error, stream)) => {
            let error = broken(&error, call, recorder.served());
            Err(Failed { error, stream: Some(stream) })
        }
    }
}

type Prepared = (TlsConnector, ServerName<'static>, Arc<Recorder>);

fn prepare(call: &Call<'_>) -> Result<Prepared, Error> {
    let peer = || call.server_name.to_owned();
    let name = ServerName::try_from(peer())
        .map_err(|source| Error::ServerName { name: peer(), source })?;
    let tls = |source| Error::Tls { peer: peer(), source };
    let mut store = RootCertStore::empty();
    for root in call.roots.certificates() {
        store.add(CertificateDer::from(root.der().to_vec())).map_err(tls)?;
    }
    let judge = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider())
        .build()
        .map_err(|e| tls(rustls::Error::General(e.to_string())))?;
    let recorder = Recorder::new(Some(judge));
    let clock = Arc::new(At(call.now));
    let presenter = Presenter::new(None);
    let config = client_config(Arc::clone(&recorder), presenter, clock, &["h2"]).map_err(tls)?;
    Ok((TlsConnector::from(Arc::new(config)), name, recorder))
}

fn broken(error: &io::Error, call: &Call<'_>, served: Option<ServedChain>) -> Error {
    let peer = call.server_name.to_owned();
    match (Broken::from_error(error), served) {
        (Broken::Tls(source @ rustls::Error::InvalidCertificate(_)), Some(served)) => {
            Error::IstiodNotTrusted { server_name: peer, served: Box::new(served), source }
        }
        (Broken::Tls(source), _) => Error::Tls { peer, source },
        _ => Error::Stream { peer, reason: error.to_string() },
    }
}

/// Sends the certificate request and reads the chain.
pub(super) async fn create_certificate<S>(
    secured: Secured<S>,
    call: &Call<'_>,
) -> Result<(IssuedChain, ServedChain), Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Secured { stream, served } = secured;
    let lost = |reason: String| Error::Stream { peer: call.server_name.to_owned(), reason };
    let mut connection = Some(TokioIo::new(stream));
    let connector = tower::service_fn(move |_: Uri| {
        let connection = connection.take();
        async move { connection.ok_or_else(|| io::Error::other("istiod ended the connection")) }
    });
    let channel = Endpoint::from_shared(format!("http://{}", call.server_name))
        .map_err(|e| lost(e.to_string()))?
        .connect_with_connector(connector)
        .await
        .map_err(|e| lost(in_full(&e)))?;
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.map_err(|e| lost(in_full(&e)))?;
    let codec: ProstCodec<IstioCertificateRequest, IstioCertificateResponse> = ProstCodec::new();
    let answer = client.unary(request(call)?, PathAndQuery::from_static(PATH), codec).await;
    let answer = answer.map_err(|status| match std::error::Error::source(&status) {
        Some(cause) => lost(in_full(cause)),
        None => Error::Refused {
            code: format!("{:?}", status.code()),
            message: status.message().to_owned(),
        },
    })?;
    let elements: Vec<_> = answer.into_inner().cert_chain.into_iter().map(Zeroizing::new).collect();
    Ok((IssuedChain::from_elements(&elements)?, served))
}

fn request(call: &Call<'_>) -> Result<tonic::Request<IstioCertificateRequest>, Error> {
    let header = |name: &str, value: &str| {
        MetadataValue::<Ascii>::try_from(value).map_err(|e| Error::Stream {
            peer: call.server_name.to_owned(),
            reason: format!("the header `{name}` cannot be sent: {e}"),
        })
    };
    let message = IstioCertificateRequest {
        csr: call.csr_pem.to_owned(),
        validity_duration: i64::try_from(call.validity.as_secs()).unwrap_or(i64::MAX),
        metadata: None,
    };
    let mut request = tonic::Request::new(message);
    let bearer = Zeroizing::new(format!("Bearer {}", call.token.0.as_str()));
    let mut bearer = header("authorization", &bearer)?;
    bearer.set_sensitive(true);
    request.metadata_mut().insert("authorization", bearer);
    request.metadata_mut().insert("clusterid", header("clusterid", call.cluster_id)?);
    Ok(request)
}

/// An error and its causes: the transport's own says no more than "transport error".
fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// A clock that stands still.
#[derive(Debug)]
struct At(OffsetDateTime);

impl rustls::time_provider::TimeProvider for At {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.unix_timestamp()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}
