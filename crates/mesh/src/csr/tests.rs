//! The certificate request against a gRPC server on the loopback that behaves as istiod does.

use std::sync::atomic::Ordering;

use pki::probe::foreign_bundle;
use pretty_assertions::assert_eq;

use super::*;
use server::{Fake, TOKEN, bundle, now};

mod server;

/// Asks `fake` for a certificate, trusting `roots`, at `now`.
async fn ask(
    fake: &Fake,
    roots: &TrustBundle,
    token: &str,
    now: OffsetDateTime,
) -> Result<(IssuedChain, ServedChain), Error> {
    let token = Token(Zeroizing::new(token.to_owned()));
    let call = Call {
        server_name: "istiod.istio-system.svc",
        roots,
        token: &token,
        cluster_id: "Kubernetes",
        csr_pem: "the request",
        validity: Duration::from_secs(3600),
        now,
    };
    let secured = secure(fake.connect().await, &call).await.map_err(|failed| failed.error)?;
    create_certificate(secured, &call).await
}

#[tokio::test]
async fn a_signed_chain_is_told_apart_into_leaf_chain_and_roots() {
    let mesh = bundle();
    let fake = Fake::new(&mesh);
    let roots = mesh.hierarchy().trust_bundle();
    let (issued, served) = ask(&fake, roots, TOKEN, now()).await.unwrap();
    assert_eq!(issued.leaf(), &fake.leaf.certificate);
    assert_eq!(issued.appended(), std::slice::from_ref(mesh.certificate()));
    assert_eq!(issued.roots(), roots);
    assert_eq!(issued.as_agent_sends(), fake.leaf.chain);
    assert_eq!(served.certificates().unwrap(), fake.serving_chain());
}

#[tokio::test]
async fn the_request_carries_the_csr_the_validity_and_the_cluster() {
    let mesh = bundle();
    let fake = Fake::new(&mesh);
    ask(&fake, mesh.hierarchy().trust_bundle(), TOKEN, now()).await.unwrap();
    let request = fake.last_request();
    assert_eq!((request.csr.as_str(), request.validity_duration), ("the request", 3600));
    assert_eq!(fake.seen.lock().unwrap().cluster_id, "Kubernetes");
}

#[tokio::test]
async fn a_refused_token_is_reported_in_istiods_words() {
    let mesh = bundle();
    let fake = Fake::new(&mesh);
    let error = ask(&fake, mesh.hierarchy().trust_bundle(), "another", now()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "istiod refused the certificate request: Unauthenticated: request authenticate failure"
    );
}

#[tokio::test]
async fn an_istiod_of_another_root_gets_no_token_and_shows_its_chain() {
    let mesh = bundle();
    let fake = Fake::new(&mesh);
    let foreign = foreign_bundle(mesh.hierarchy(), now()).unwrap();
    let roots = foreign.hierarchy().trust_bundle();
    let error = ask(&fake, roots, TOKEN, now()).await.unwrap_err();
    let Error::IstiodNotTrusted { server_name, served, source } = error else {
        panic!("{error:?}")
    };
    assert_eq!(server_name, "istiod.istio-system.svc");
    assert_eq!(served.certificates().unwrap(), fake.serving_chain());
    // Same names, other keys: the signature gives the stranger away.
    let flaw = rustls::CertificateError::BadSignature;
    assert_eq!(source, rustls::Error::InvalidCertificate(flaw));
    assert_eq!(fake.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_istiod_whose_certificate_has_ended_gets_no_token() {
    let mesh = bundle();
    let fake = Fake::new(&mesh);
    let later = now() + time::Duration::days(400);
    let error = ask(&fake, mesh.hierarchy().trust_bundle(), TOKEN, later).await.unwrap_err();
    let Error::IstiodNotTrusted { source, .. } = error else { panic!("{error:?}") };
    let rustls::Error::InvalidCertificate(rustls::CertificateError::ExpiredContext { .. }) = source
    else {
        panic!("{source:?}")
    };
    assert_eq!(fake.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_private_key_in_the_answer_is_an_error_of_its_own() {
    let mesh = bundle();
    let mut fake = Fake::new(&mesh);
    let key = fake.leaf.key_pem().unwrap();
    fake.elements.insert(1, key.to_string());
    let error = ask(&fake, mesh.hierarchy().trust_bundle(), TOKEN, now()).await.unwrap_err();
    let text = error.to_string();
    let Error::PrivateKeyServed { position, label } = &error else { panic!("{error:?}") };
    assert_eq!((*position, label.as_str()), (2, "PRIVATE KEY"));
    let secret = key.lines().nth(1).unwrap();
    assert!(!text.contains(secret) && !format!("{error:?}").contains(secret), "{text}");
}

#[tokio::test]
async fn before_1_26_the_chain_file_is_one_element() {
    let mesh = bundle();
    let mut fake = Fake::new(&mesh);
    let rest = fake.elements.split_off(1);
    let (chain, root) = rest.split_at(rest.len() - 1);
    fake.elements.extend([chain.concat(), root.concat()]);
    let roots = mesh.hierarchy().trust_bundle();
    let (issued, _) = ask(&fake, roots, TOKEN, now()).await.unwrap();
    assert_eq!(issued.as_agent_sends(), fake.leaf.chain);
}

#[tokio::test]
async fn a_bundle_of_two_roots_is_kept_whole() {
    let mesh = bundle();
    let mut fake = Fake::new(&mesh);
    let other = foreign_bundle(mesh.hierarchy(), now()).unwrap();
    let both = [mesh.hierarchy().root().to_pem(), other.hierarchy().root().to_pem()];
    *fake.elements.last_mut().unwrap() = both.concat();
    let roots = mesh.hierarchy().trust_bundle();
    let (issued, _) = ask(&fake, roots, TOKEN, now()).await.unwrap();
    let expected = [mesh.hierarchy().root().clone(), other.hierarchy().root().clone()];
    assert_eq!(issued.roots().certificates(), expected);
}

#[tokio::test]
async fn an_answer_without_a_certificate_before_the_roots_is_refused() {
    let mesh = bundle();
    let mut fake = Fake::new(&mesh);
    fake.elements.drain(..fake.elements.len() - 1);
    let roots = mesh.hierarchy().trust_bundle();
    let error = ask(&fake, roots, TOKEN, now()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "istiod's answer cannot be used: no certificate comes before the trust bundle (element 1)"
    );
    fake.elements.clear();
    let error = ask(&fake, roots, TOKEN, now()).await.unwrap_err();
    assert_eq!(error.to_string(), "istiod's answer cannot be used: it is empty");
}

#[tokio::test]
async fn a_server_that_is_no_grpc_server_is_a_broken_stream() {
    let mesh = bundle();
    let fake = Fake::new(&mesh);
    let call_to_nowhere = fake.connect_and_close().await;
    let token = Token(Zeroizing::new(TOKEN.to_owned()));
    let call = Call {
        server_name: "istiod.istio-system.svc",
        roots: mesh.hierarchy().trust_bundle(),
        token: &token,
        cluster_id: "Kubernetes",
        csr_pem: "the request",
        validity: Duration::ZERO,
        now: now(),
    };
    let error = secure(call_to_nowhere, &call).await.err().map(|failed| failed.error).unwrap();
    assert!(matches!(&error, Error::Stream { peer, .. } if peer == call.server_name), "{error:?}");
}
