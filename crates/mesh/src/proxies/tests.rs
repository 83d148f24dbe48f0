use pretty_assertions::assert_eq;
use serde_json::{Value, from_value, json};

use super::*;

/// A pod of namespace foo; `containers` and `statuses` are under the keys of their kind.
fn pod(spec: Value, status: Value) -> Pod {
    from_value(json!({
        "metadata": {
            "namespace": "foo",
            "name": "httpbin-0",
            "labels": { "app": "httpbin", "istio.io/rev": "canary" },
        },
        "spec": spec,
        "status": status,
    }))
    .unwrap()
}

fn args(kind: &str) -> Value {
    json!(["proxy", kind, "--domain", "$(POD_NAMESPACE).svc.cluster.local"])
}

fn ready() -> Value {
    json!({ "name": "istio-proxy", "ready": true, "restartCount": 0, "image": "", "imageID": "" })
}

fn with_state(state: Value) -> Value {
    json!({
        "name": "istio-proxy", "ready": false, "restartCount": 3, "image": "", "imageID": "",
        "state": state,
    })
}

fn sidecar(status: Value) -> Pod {
    let containers = json!([
        { "name": "httpbin" },
        { "name": "istio-proxy", "args": args("sidecar") },
    ]);
    pod(json!({ "containers": containers, "serviceAccountName": "httpbin" }), status)
}

#[test]
fn a_sidecar_is_found_with_its_identity_and_addresses() {
    let status = json!({
        "phase": "Running",
        "podIPs": [{ "ip": "10.202.0.8" }, { "ip": "fd00::8" }],
        "containerStatuses": [ready()],
    });
    let labels = [("app", "httpbin"), ("istio.io/rev", "canary")];
    let expected = Proxy {
        pod: PodRef::new("foo", "httpbin-0"),
        kind: ProxyKind::Sidecar,
        state: ProxyState::Ready,
        service_account: "httpbin".to_owned(),
        revision: Some("canary".to_owned()),
        signed_from: None,
        ips: vec!["10.202.0.8".parse().unwrap(), "fd00::8".parse().unwrap()],
        labels: labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
    };
    assert_eq!(Proxy::from_pod(&sidecar(status)), Some(expected));
}

#[test]
fn a_native_sidecar_is_found_among_the_init_containers() {
    let spec = json!({
        "containers": [{ "name": "httpbin" }],
        "initContainers": [
            { "name": "istio-init" },
            { "name": "istio-proxy", "args": args("sidecar"), "restartPolicy": "Always" },
        ],
    });
    let status = json!({ "phase": "Running", "initContainerStatuses": [ready()] });
    let proxy = Proxy::from_pod(&pod(spec, status)).unwrap();
    assert_eq!((proxy.kind, proxy.state), (ProxyKind::NativeSidecar, ProxyState::Ready));
    assert_eq!(proxy.service_account, "default");
}

#[test]
fn gateways_waypoints_and_ztunnels_are_told_apart_by_their_arguments() {
    for (argument, kind) in [
        ("router", ProxyKind::Gateway),
        ("waypoint", ProxyKind::Waypoint),
        ("ztunnel", ProxyKind::Ztunnel),
    ] {
        let spec = json!({ "containers": [{ "name": "istio-proxy", "args": args(argument) }] });
        let proxy = Proxy::from_pod(&pod(spec, json!({}))).unwrap();
        assert_eq!(proxy.kind, kind, "{argument}");
    }
}

#[test]
fn a_pod_without_the_proxys_container_has_no_proxy() {
    let spec = json!({
        "containers": [{ "name": "httpbin" }],
        "initContainers": [{ "name": "istio-init" }],
    });
    assert_eq!(Proxy::from_pod(&pod(spec, json!({}))), None);
}

#[test]
fn a_proxy_that_does_not_run_says_why() {
    let waiting = json!({ "waiting": { "reason": "CrashLoopBackOff", "message": "back-off 20s" } });
    let ended = json!({ "terminated": { "exitCode": 137, "reason": "OOMKilled" } });
    for (status, expected) in [
        (with_state(waiting), "waiting: CrashLoopBackOff: back-off 20s"),
        (with_state(ended), "terminated with exit code 137: OOMKilled"),
        (json!(null), "the kubelet has not started it (pod phase Pending)"),
    ] {
        let statuses: Vec<_> = Some(status).filter(|s| !s.is_null()).into_iter().collect();
        let status = json!({ "phase": "Pending", "containerStatuses": statuses });
        let proxy = Proxy::from_pod(&sidecar(status)).unwrap();
        assert_eq!(proxy.state, ProxyState::NotRunning { reason: expected.to_owned() });
    }
}

#[test]
fn a_proxy_that_runs_and_is_not_ready_is_told_from_one_that_does_not_run() {
    let statuses = [with_state(json!({ "running": {} }))];
    let status = json!({ "phase": "Running", "containerStatuses": statuses });
    assert_eq!(Proxy::from_pod(&sidecar(status)).unwrap().state, ProxyState::NotReady);
}

#[test]
fn a_pod_that_has_run_to_its_end_serves_nobody() {
    let status = json!({ "phase": "Succeeded", "containerStatuses": [ready()] });
    let proxy = Proxy::from_pod(&sidecar(status)).unwrap();
    let reason = "the pod has succeeded".to_owned();
    assert_eq!(proxy.state, ProxyState::Finished { reason });
}

#[test]
fn a_pod_that_is_being_deleted_serves_nobody_even_while_ready() {
    let mut leaving = sidecar(json!({ "phase": "Running", "containerStatuses": [ready()] }));
    leaving.metadata.deletion_timestamp = from_value(json!("2026-11-25T00:00:00Z")).unwrap();
    let proxy = Proxy::from_pod(&leaving).unwrap();
    let reason = "the pod is being deleted".to_owned();
    assert_eq!(proxy.state, ProxyState::Finished { reason });
}

#[test]
fn the_istiod_that_signs_for_a_proxy_is_told_by_its_address() {
    let signed_from = |address: &str| {
        let env = json!([{ "name": "CA_ADDR", "value": address }]);
        let containers = json!([{ "name": "istio-proxy", "args": args("sidecar"), "env": env }]);
        Proxy::from_pod(&pod(json!({ "containers": containers }), json!({}))).unwrap().signed_from
    };
    let ours = Some("istio-system".to_owned());
    assert_eq!(signed_from("istiod.istio-system.svc:15012"), ours);
    assert_eq!(signed_from("istiod-canary.istio-system.svc:15012"), ours);
    assert_eq!(signed_from("cert-manager-istio-csr.cert-manager.svc:443"), None);
    assert_eq!(signed_from("istiod.example.org:15012"), None);
}
