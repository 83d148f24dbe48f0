//! The pieces of a TLS client that watches: a verifier that records what is served, a resolver that
//! records whether a certificate was asked for, and the reading of how a connection broke.

use std::error::Error as StdError;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use rustls::client::ResolvesClientCert;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::sign::CertifiedKey;
use rustls::{AlertDescription, DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::{ClientIdentity, ServedChain};

/// The workspace's one crypto provider, never the process default.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// Records the served chain. Without `judge` it accepts any chain: the signature over the handshake
/// is checked all the same, so that the server is known to hold the leaf's key.
#[derive(Debug)]
pub(crate) struct Recorder {
    served: OnceLock<ServedChain>,
    judge: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl Recorder {
    pub(crate) fn new(judge: Option<Arc<WebPkiServerVerifier>>) -> Arc<Self> {
        Arc::new(Self { served: OnceLock::new(), judge, provider: provider() })
    }

    /// The chain, once the server has sent one.
    pub(crate) fn served(&self) -> Option<ServedChain> {
        self.served.get().cloned()
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let all = std::iter::once(end_entity).chain(intermediates);
        self.served.get_or_init(|| ServedChain::new(all.map(|c| c.clone().into_owned()).collect()));
        match &self.judge {
            Some(judge) => {
                judge.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
            None => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Presents the identity whatever CAs the server names: whether it is let in is the question.
#[derive(Debug)]
pub(crate) struct Presenter {
    identity: Option<ClientIdentity>,
    asked: AtomicBool,
}

impl Presenter {
    pub(crate) fn new(identity: Option<ClientIdentity>) -> Arc<Self> {
        Arc::new(Self { identity, asked: AtomicBool::new(false) })
    }

    /// Whether the server asked for a client certificate.
    pub(crate) fn was_asked(&self) -> bool {
        self.asked.load(Ordering::Acquire)
    }
}

impl ResolvesClientCert for Presenter {
    fn resolve(
        &self,
        _root_hint_subjects: &[&[u8]],
        _schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Release);
        self.identity.as_ref().map(ClientIdentity::certified_key)
    }

    fn has_certs(&self) -> bool {
        self.identity.is_some()
    }
}

/// A client configuration that resumes nothing, so that every handshake shows a full chain.
pub(crate) fn client_config(
    recorder: Arc<Recorder>,
    presenter: Arc<Presenter>,
    time: Arc<dyn rustls::time_provider::TimeProvider>,
    alpn: &[&str],
) -> Result<rustls::ClientConfig, rustls::Error> {
    let builder = rustls::ClientConfig::builder_with_details(provider(), time)
        .with_safe_default_protocol_versions()?;
    let mut config = builder
        .dangerous()
        .with_custom_certificate_verifier(recorder)
        .with_client_cert_resolver(presenter);
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}

/// How a TLS connection broke, dug out of what the libraries above TLS wrap around it.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The server sent a fatal alert.
    Alert(AlertDescription),
    /// The stream ended, cleanly or not, with no alert.
    Ended,
    /// What came is no TLS record.
    NotTls,
    /// The library gave up on what the server did.
    Tls(rustls::Error),
    /// Anything else.
    Other(String),
}

impl Broken {
    pub(crate) fn from_error(error: &(dyn StdError + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(tls) = error.downcast_ref::<rustls::Error>() {
                return Self::from_tls(tls);
            }
            if error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_incomplete_message)
            {
                return Self::Ended;
            }
            let Some(io) = error.downcast_ref::<io::Error>() else {
                next = error.source();
                continue;
            };
            // The source of an io::Error skips the very error that it was made from.
            let inner = io.get_ref().map(|inner| inner as &(dyn StdError + 'static));
            if let Some(tls) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                return Self::from_tls(tls);
            }
            if ended(io.kind()) {
                return Self::Ended;
            }
            next = inner;
        }
        Self::Other(error.to_string())
    }

    fn from_tls(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::AlertReceived(alert) => Self::Alert(*alert),
            rustls::Error::InvalidMessage(
                rustls::InvalidMessage::InvalidContentType
                | rustls::InvalidMessage::UnknownProtocolVersion
                | rustls::InvalidMessage::MessageTooLarge,
            ) => Self::NotTls,
            other => Self::Tls(other.clone()),
        }
    }
}

fn ended(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}
