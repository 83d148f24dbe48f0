//! The crate against a real kube-apiserver and etcd, which run in one container.
//!
//! The image is the one that `tools` builds. Loading it is left to the caller, who names it in the
//! environment: see [`server::IMAGE`].

#[path = "../common/bundles.rs"]
mod bundles;
mod claims;
mod denials;
mod races;
mod server;

use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use k8s_secret::{CacertsSecret, OtherWriters, PlugIn, RootChange, SecretRef};
use pki::Bundle;
use pretty_assertions::assert_eq;
use server::Server;
use tokio::task::{LocalSet, spawn_local};

type Claim = fn(Rc<Server>) -> Pin<Box<dyn Future<Output = server::Result<()>>>>;

macro_rules! claims {
    ($($module:ident :: $name:ident),* $(,)?) => {
        [$((stringify!($name), (|server| Box::pin($module::$name(server))) as Claim)),*]
    };
}

#[tokio::test]
#[ignore = "needs a Docker engine and the image of `tools build --only \
            cacerts-test/apiserver:v1.36.3`; cargo xtask ci runs it"]
async fn a_real_api_server_agrees() {
    let server = Rc::new(Server::start().await.unwrap());
    let claims = claims![
        claims::a_bundle_is_created_and_not_written_twice,
        claims::a_new_cluster_ca_replaces_the_old_and_keys_of_others_stay,
        claims::a_change_of_root_is_refused_and_changes_nothing_unless_asked_for,
        claims::another_writer_is_named_and_taken_over_only_when_asked_for,
        claims::an_immutable_secret_is_told_before_it_is_tried,
        claims::a_secret_that_is_being_deleted_is_not_written,
        denials::a_missing_namespace_is_named,
        denials::each_missing_right_is_named,
        denials::unknown_credentials_are_told,
        denials::a_server_that_is_not_there_is_unreachable,
        denials::a_server_under_another_name_is_unreachable,
        denials::a_server_that_says_nothing_is_too_slow,
        races::a_secret_created_meanwhile_is_not_overwritten,
        races::a_secret_changed_meanwhile_is_not_overwritten,
        races::a_secret_deleted_meanwhile_is_not_created_again,
    ];
    let failed = LocalSet::new().run_until(check(&claims, &server)).await;
    let server = Rc::into_inner(server).unwrap();
    server.stop().await.unwrap();
    assert_eq!(failed, Vec::<String>::new());
}

/// Runs all side by side and tells of those that do not hold.
async fn check(claims: &[(&'static str, Claim)], server: &Rc<Server>) -> Vec<String> {
    let running: Vec<_> =
        claims.iter().map(|(name, claim)| (name, spawn_local(claim(Rc::clone(server))))).collect();
    let mut failed = Vec::new();
    for (name, claim) in running {
        match claim.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => failed.push(format!("{name}: {error}")),
            Err(panic) if panic.is_panic() => failed.push(format!("{name}: see above")),
            Err(cancelled) => failed.push(format!("{name}: {cancelled}")),
        }
    }
    failed
}

/// Nothing is allowed that does not have to be. The limit is for a machine that builds besides.
const STRICT: PlugIn = PlugIn {
    root_change: RootChange::Refuse,
    other_writers: OtherWriters::Refuse,
    limit: Duration::from_secs(30),
};

fn secret(bundle: &Bundle, at: &SecretRef) -> CacertsSecret {
    CacertsSecret::new(bundle, at.clone())
}
