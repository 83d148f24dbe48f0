//! A plain request against loopback servers: open, closing, and speaking TLS.

use std::time::Duration;

use crate::servers::{ClientAuth, bundle, connect, connect_tls, hear, leaf, server};
use mesh::plaintext::speak;
use mesh::{Error, PlainOutcome, Request};
use pretty_assertions::assert_eq;
use rustls::version::TLS13;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

async fn outcome(stream: &mut TcpStream) -> Result<PlainOutcome, Error> {
    let request = Request::get("httpbin.foo:8000", "/headers");
    speak(stream, "httpbin.foo", &request, Duration::from_secs(10)).await
}

#[tokio::test]
async fn an_open_port_answers() {
    let mut stream = connect(async |mut stream: TcpStream| {
        let request = hear(&mut stream).await;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", request.len());
        stream.write_all(format!("{head}{request}").as_bytes()).await.ok();
    })
    .await;
    let PlainOutcome::Answered(answer) = outcome(&mut stream).await.unwrap() else {
        panic!("not answered")
    };
    assert_eq!(answer.status.as_u16(), 200);
    assert_eq!(
        answer.text(),
        "GET /headers HTTP/1.1\r\nhost: httpbin.foo:8000\r\nconnection: close\r\n\r\n"
    );
}

#[tokio::test]
async fn a_port_that_closes_without_a_word_has_refused() {
    let mut stream = connect(async |mut stream: TcpStream| {
        hear(&mut stream).await;
    })
    .await;
    assert_eq!(outcome(&mut stream).await.unwrap(), PlainOutcome::Closed);
}

#[tokio::test]
async fn an_answer_cut_short_is_no_refusal() {
    let mut stream = connect(async |mut stream: TcpStream| {
        hear(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel").await.ok();
    })
    .await;
    assert_eq!(outcome(&mut stream).await.unwrap(), PlainOutcome::CutShort);
    let mut stream = connect(async |mut stream: TcpStream| {
        hear(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncont").await.ok();
    })
    .await;
    assert_eq!(outcome(&mut stream).await.unwrap(), PlainOutcome::CutShort);
}

#[tokio::test]
async fn a_tls_server_does_not_answer_in_http() {
    let httpbin = leaf(&bundle("Mesh"), "httpbin");
    let config = server(&httpbin, &httpbin.key, &ClientAuth::NotAsked, &TLS13);
    let mut stream = connect_tls(config, async |stream| drop(stream)).await;
    assert_eq!(outcome(&mut stream).await.unwrap(), PlainOutcome::NotHttp);
}
