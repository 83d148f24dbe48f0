use std::collections::BTreeMap;

use pretty_assertions::assert_eq;

use super::counters::Verdict;
use super::envoy::{bounded, lacks_timeout};
use super::*;
use crate::{ProxyKind, ProxyState};

const REFUSED: &str = include_str!("../../../../fixtures/envoy/counters-refused.txt");
const ENDED: &str = include_str!("../../../../fixtures/envoy/counters-ended-by-target.txt");

fn via(state: ProxyState, kind: ProxyKind) -> Proxy {
    Proxy {
        pod: PodRef::new("foo", "sleep"),
        kind,
        state,
        service_account: "sleep".to_owned(),
        revision: None,
        signed_from: None,
        ips: vec!["10.202.0.7".parse().unwrap()],
        labels: BTreeMap::new(),
    }
}

fn target(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[test]
fn the_relay_runs_in_another_pod_than_its_target() {
    let sleep = via(ProxyState::Ready, ProxyKind::Sidecar);
    assert_eq!(check(&sleep, target("10.202.0.8:8080")).map_err(|e| e.to_string()), Ok(()));
    let error = check(&sleep, target("10.202.0.7:8080")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the relay to 10.202.0.7:8080 cannot run in pod foo/sleep itself: loopback traffic \
         bypasses mTLS"
    );
    let error = check(&sleep, target("127.0.0.1:8080")).unwrap_err();
    assert!(matches!(error, Error::RelayInTarget { .. }), "{error}");
}

#[test]
fn the_relay_runs_in_a_ready_envoy() {
    let reason = "waiting: CrashLoopBackOff".to_owned();
    let broken = via(ProxyState::NotRunning { reason }, ProxyKind::Gateway);
    let error = check(&broken, target("10.202.0.8:8080")).unwrap_err();
    assert_eq!(error.to_string(), "proxy foo/sleep is not ready: waiting: CrashLoopBackOff");
    let ztunnel = via(ProxyState::Ready, ProxyKind::Ztunnel);
    let error = check(&ztunnel, target("10.202.0.8:8080")).unwrap_err();
    assert!(matches!(error, Error::NotEnvoy { .. }), "{error}");
}

#[test]
fn the_second_envoy_shares_nothing_with_the_first_and_picks_its_ports() {
    let arguments = bounded(target("[fd00::8]:8080"));
    let (config, flags) = arguments.split_last().unwrap();
    assert_eq!(
        flags.join(" "),
        "timeout 900 /usr/local/bin/envoy --disable-hot-restart --concurrency 1 --log-level warning \
         --component-log-level main:info,admin:info --log-format %v --config-yaml"
    );
    let config: serde_json::Value = serde_json::from_str(config).unwrap();
    let socket = |pointer: &str| {
        let found = config.pointer(pointer).unwrap();
        (found["address"].as_str().unwrap().to_owned(), found["port_value"].as_u64().unwrap())
    };
    let admin = socket("/admin/address/socket_address");
    let listener = socket("/static_resources/listeners/0/address/socket_address");
    let endpoint = socket(
        "/static_resources/clusters/0/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address\
         /socket_address",
    );
    assert_eq!(admin, ("127.0.0.1".to_owned(), 0));
    assert_eq!(listener, ("127.0.0.1".to_owned(), 0));
    assert_eq!(endpoint, ("fd00::8".to_owned(), 8080));
}

#[test]
fn an_image_without_timeout_is_told_from_one_without_envoy() {
    let runc = |program: &str| {
        format!(
            "command terminated with non-zero exit code: OCI runtime exec failed: exec failed: \
             unable to start container process: exec: \"{program}\": executable file not found in \
             $PATH: unknown; it logged nothing"
        )
    };
    assert!(lacks_timeout(&runc("timeout")));
    assert!(lacks_timeout(
        "executable file `timeout` not found in $PATH: No such file or directory"
    ));
    assert!(!lacks_timeout(&runc("/usr/local/bin/envoy")));
    assert!(!lacks_timeout("command terminated with exit code 1; the listener hit its timeout"));
}

#[test]
fn the_listeners_port_is_read_from_envoys_list() {
    assert_eq!(listener_port("relay::127.0.0.1:35205\n"), Some(35205));
    assert_eq!(listener_port("virtualInbound::0.0.0.0:15006\n"), None);
}

#[test]
fn a_connection_that_the_target_ended_is_told_from_one_that_was_never_made() {
    assert_eq!(Counters::parse(ENDED).judge(), Ok(()));
    assert_eq!(Counters::parse(REFUSED).judge(), Err(Verdict::Unreachable("it was refused")));
}

#[test]
fn only_what_happened_since_the_last_look_counts() {
    let refused = Counters::parse(REFUSED);
    let nothing = refused.since(&refused);
    let verdict = nothing.judge().unwrap_err();
    assert_eq!(verdict, Verdict::Inconclusive(Counters::default()));
    let error = verdict.into_error(PodRef::new("foo", "sleep"), target("10.202.0.8:8080"));
    assert_eq!(
        error.to_string(),
        "the connection from pod foo/sleep to 10.202.0.8:8080 was not ended by the target: the \
         relay made 0 connections, of which the target ended 0"
    );
}
