//! The TLS client against a rustls server on the loopback: each way in which a server can treat a
//! client has its own outcome, and the served chain is recorded to the byte in all of them.

use std::time::Duration;

use crate::servers::{ClientAuth, bundle, connect, connect_tls, hear, identity, leaf, server};
use mesh::handshake::{ALPN_ISTIO, look};
use mesh::{Alert, ClientIdentity, Error, Hello, Look, Outcome, Phase, Request};
use pki::{Bundle, PrivateKey};
use pretty_assertions::assert_eq;
use rustls::version::{TLS12, TLS13};
use rustls::{CertificateError, ServerConfig};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nx-forwarded-client-cert: By=spiffe://x\r\n\
    content-length: 5\r\n\r\nhello";
const LIMIT: Duration = Duration::from_secs(10);

fn hello<'a>(identity: Option<&'a ClientIdentity>, request: Option<&'a Request>) -> Hello<'a> {
    Hello { server_name: "httpbin.foo", alpn: &[ALPN_ISTIO], identity, request, limit: LIMIT }
}

fn get() -> Request {
    Request::get("httpbin.foo:8000", "/headers")
}

async fn answer(mut stream: TlsStream<TcpStream>) {
    if !hear(&mut stream).await.is_empty() {
        stream.write_all(ANSWER).await.ok();
        stream.shutdown().await.ok();
    }
}

/// httpbin under STRICT.
fn strict(mesh: &Bundle) -> (ServerConfig, Vec<Vec<u8>>) {
    let httpbin = leaf(mesh, "httpbin");
    let config = server(&httpbin, &httpbin.key, &ClientAuth::Demanded(mesh), &TLS13);
    (config, httpbin.served())
}

fn served(look: &Look) -> Vec<Vec<u8>> {
    look.served.ders().iter().map(|der| der.to_vec()).collect()
}

#[tokio::test]
async fn a_client_of_the_mesh_is_let_in_and_answered() {
    let mesh = bundle("Mesh");
    let (config, chain) = strict(&mesh);
    let mut stream = connect_tls(config, answer).await;
    let (sleep, request) = (identity(&leaf(&mesh, "sleep")), get());
    let look = look(&mut stream, &hello(Some(&sleep), Some(&request))).await.unwrap();
    let answer = look.outcome.answer().unwrap();
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "hello"));
    assert_eq!(answer.headers["x-forwarded-client-cert"], "By=spiffe://x");
    assert_eq!(served(&look), chain);
    assert_eq!((look.version.as_deref(), look.alpn.as_deref()), (Some("TLSv1_3"), Some("istio")));
    assert!(look.asked_for_certificate);
}

#[tokio::test]
async fn a_client_without_a_certificate_sees_the_chain_and_is_refused() {
    let mesh = bundle("Mesh");
    let (config, chain) = strict(&mesh);
    let mut stream = connect_tls(config, answer).await;
    let request = get();
    let look = look(&mut stream, &hello(None, Some(&request))).await.unwrap();
    let phase = Phase::AfterHandshake;
    assert_eq!(look.outcome, Outcome::Alert { alert: Alert::CERTIFICATE_REQUIRED, phase });
    assert_eq!(served(&look), chain);
    assert!(look.asked_for_certificate);
}

#[tokio::test]
async fn a_client_of_a_foreign_ca_is_refused_as_of_an_unknown_one() {
    let mesh = bundle("Mesh");
    let (config, chain) = strict(&mesh);
    let mut stream = connect_tls(config, answer).await;
    let (foreign, request) = (identity(&leaf(&bundle("Foreign"), "sleep")), get());
    let look = look(&mut stream, &hello(Some(&foreign), Some(&request))).await.unwrap();
    let phase = Phase::AfterHandshake;
    assert_eq!(look.outcome, Outcome::Alert { alert: Alert::UNKNOWN_CA, phase });
    assert_eq!(served(&look), chain);
}

#[tokio::test]
async fn under_tls_12_the_refusal_comes_within_the_handshake() {
    let mesh = bundle("Mesh");
    let httpbin = leaf(&mesh, "httpbin");
    let config = server(&httpbin, &httpbin.key, &ClientAuth::Demanded(&mesh), &TLS12);
    let mut stream = connect_tls(config, answer).await;
    let foreign = identity(&leaf(&bundle("Foreign"), "sleep"));
    let look = look(&mut stream, &hello(Some(&foreign), None)).await.unwrap();
    let phase = Phase::Handshake;
    assert_eq!(look.outcome, Outcome::Alert { alert: Alert::UNKNOWN_CA, phase });
    assert_eq!(served(&look), httpbin.served());
}

#[tokio::test]
async fn without_a_request_the_servers_ticket_tells_that_the_client_is_in() {
    let mesh = bundle("Mesh");
    let (config, _) = strict(&mesh);
    let mut stream = connect_tls(config, answer).await;
    let sleep = identity(&leaf(&mesh, "sleep"));
    let look = look(&mut stream, &hello(Some(&sleep), None)).await.unwrap();
    assert_eq!(look.outcome, Outcome::LetIn);
}

#[tokio::test]
async fn a_server_that_says_nothing_has_neither_refused_nor_confirmed() {
    let mesh = bundle("Mesh");
    let (mut config, _) = strict(&mesh);
    config.send_tls13_tickets = 0;
    let mut stream = connect_tls(config, answer).await;
    let sleep = identity(&leaf(&mesh, "sleep"));
    let short = Hello { limit: Duration::from_secs(1), ..hello(Some(&sleep), None) };
    let look = look(&mut stream, &short).await.unwrap();
    let Outcome::Silent { waited } = look.outcome else { panic!("{look}") };
    // At least the floor, at most a quarter of the limit.
    assert!((200..=250).contains(&waited.as_millis()), "{waited:?}");
}

#[tokio::test]
async fn a_server_without_tickets_still_gets_the_request() {
    let mesh = bundle("Mesh");
    let (mut config, _) = strict(&mesh);
    config.send_tls13_tickets = 0;
    let mut stream = connect_tls(config, answer).await;
    let (sleep, request) = (identity(&leaf(&mesh, "sleep")), get());
    let short = Hello { limit: Duration::from_secs(2), ..hello(Some(&sleep), Some(&request)) };
    let look = look(&mut stream, &short).await.unwrap();
    assert_eq!(look.outcome.answer().map(|a| a.status.as_u16()), Some(200));
}

#[tokio::test]
async fn a_server_that_asks_for_no_certificate_is_seen_to_ask_for_none() {
    let mesh = bundle("Mesh");
    let httpbin = leaf(&mesh, "httpbin");
    let config = server(&httpbin, &httpbin.key, &ClientAuth::NotAsked, &TLS13);
    let mut stream = connect_tls(config, answer).await;
    let request = get();
    let look = look(&mut stream, &hello(None, Some(&request))).await.unwrap();
    assert_eq!(look.outcome.answer().map(|a| a.status.as_u16()), Some(200));
    assert!(!look.asked_for_certificate);
}

#[tokio::test]
async fn a_connection_closed_at_once_shows_no_chain() {
    let mut stream = connect(async |stream: TcpStream| drop(stream)).await;
    let look = look(&mut stream, &hello(None, None)).await.unwrap();
    assert_eq!(look.outcome, Outcome::Closed { phase: Phase::Handshake });
    assert_eq!(served(&look), Vec::<Vec<u8>>::new());
}

#[tokio::test]
async fn a_connection_closed_after_the_handshake_is_no_refusal_by_tls() {
    let mesh = bundle("Mesh");
    let (mut config, chain) = strict(&mesh);
    config.send_tls13_tickets = 0;
    let mut stream = connect_tls(config, async |stream| drop(stream)).await;
    let (sleep, request) = (identity(&leaf(&mesh, "sleep")), get());
    let look = look(&mut stream, &hello(Some(&sleep), Some(&request))).await.unwrap();
    assert_eq!(look.outcome, Outcome::Closed { phase: Phase::AfterHandshake });
    assert_eq!(served(&look), chain);
}

#[tokio::test]
async fn a_plain_text_port_does_not_speak_tls() {
    let mut stream = connect(async |mut stream: TcpStream| {
        hear(&mut stream).await;
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.ok();
    })
    .await;
    let look = look(&mut stream, &hello(None, None)).await.unwrap();
    assert_eq!(look.outcome, Outcome::NotTls);
}

#[tokio::test]
async fn an_answer_that_is_no_http_is_not_taken_for_a_refusal() {
    let mesh = bundle("Mesh");
    let (config, _) = strict(&mesh);
    let mut stream = connect_tls(config, async |mut stream: TlsStream<TcpStream>| {
        stream.write_all(b"220 mail.example ESMTP\r\n").await.ok();
        stream.shutdown().await.ok();
    })
    .await;
    let (sleep, request) = (identity(&leaf(&mesh, "sleep")), get());
    let look = look(&mut stream, &hello(Some(&sleep), Some(&request))).await.unwrap();
    assert_eq!(look.outcome, Outcome::NotHttp);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_not_taken_for_a_refusal() {
    let mesh = bundle("Mesh");
    let (config, _) = strict(&mesh);
    let mut stream = connect_tls(config, async |mut stream: TlsStream<TcpStream>| {
        hear(&mut stream).await;
        stream.write_all(&ANSWER[..ANSWER.len() - 2]).await.ok();
        stream.shutdown().await.ok();
    })
    .await;
    let (sleep, request) = (identity(&leaf(&mesh, "sleep")), get());
    let look = look(&mut stream, &hello(Some(&sleep), Some(&request))).await.unwrap();
    assert_eq!(look.outcome, Outcome::CutShort);
}

#[tokio::test]
async fn a_server_that_lacks_the_leafs_key_proves_nothing() {
    let mesh = bundle("Mesh");
    let httpbin = leaf(&mesh, "httpbin");
    let thief = PrivateKey::generate(pki::KeyAlgorithm::EcdsaP256).unwrap();
    let config = server(&httpbin, &thief, &ClientAuth::NotAsked, &TLS13);
    let mut stream = connect_tls(config, answer).await;
    let error = look(&mut stream, &hello(None, None)).await.unwrap_err();
    let Error::Tls { peer, source } = error else { panic!("{error:?}") };
    assert_eq!(peer, "httpbin.foo");
    assert_eq!(source, rustls::Error::InvalidCertificate(CertificateError::BadSignature));
}

#[tokio::test]
async fn a_server_that_never_answers_ends_by_the_deadline() {
    let mut stream = connect(async |stream: TcpStream| {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let short = Hello { limit: Duration::from_millis(100), ..hello(None, None) };
    let error = look(&mut stream, &short).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the TLS handshake with httpbin.foo did not end within 100ms; last seen: nothing"
    );
}

#[test]
fn an_identity_whose_key_is_anothers_is_refused() {
    let mesh = bundle("Mesh");
    let sleep = leaf(&mesh, "sleep");
    let error = ClientIdentity::new(&sleep.chain, &leaf(&mesh, "sleep").key).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the client identity cannot be used for TLS: keys may not be consistent: KeyMismatch"
    );
    let error = ClientIdentity::new(&[], &sleep.key).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the client identity cannot be used for TLS: the chain has no certificate"
    );
}

#[test]
fn an_identity_prints_no_key() {
    let sleep = leaf(&bundle("Mesh"), "sleep");
    let text = format!("{:?}", identity(&sleep));
    assert_eq!(text, "ClientIdentity(3 certificates, key elided)");
}
