use pretty_assertions::assert_eq;
use serde_json::{from_value, json};

use super::*;

#[test]
fn a_replica_is_read_with_its_cluster_and_readiness() {
    let pod = from_value(json!({
        "metadata": {
            "namespace": "istio-system",
            "name": "istiod-0",
            "labels": { "app": "istiod", "istio.io/rev": "default" },
        },
        "spec": { "containers": [{
            "name": "discovery",
            "image": "registry.example/istio/pilot:1.31.0",
            "env": [{ "name": "CLUSTER_ID", "value": "east" }],
        }] },
        "status": { "containerStatuses": [{
            "name": "discovery", "ready": true, "restartCount": 2, "image": "", "imageID": "",
        }] },
    }))
    .unwrap();
    let expected = Istiod {
        pod: PodRef::new("istio-system", "istiod-0"),
        revision: Some("default".to_owned()),
        ready: true,
        restarts: 2,
        cluster_id: "east".to_owned(),
        image: "registry.example/istio/pilot:1.31.0".to_owned(),
    };
    assert_eq!(Istiod::from_pod(&pod), Some(expected));
}

#[test]
fn a_pod_without_the_discovery_container_is_no_istiod() {
    let spec = json!({ "containers": [{ "name": "istio-proxy" }] });
    let pod = from_value(json!({ "metadata": { "name": "x" }, "spec": spec })).unwrap();
    assert_eq!(Istiod::from_pod(&pod), None);
}

#[test]
fn a_pod_that_was_evicted_is_no_replica() {
    let pod = |phase: &str| {
        let spec = json!({ "containers": [{ "name": "discovery" }] });
        let status = json!({ "phase": phase, "reason": "Evicted" });
        from_value(json!({ "metadata": { "name": "x" }, "spec": spec, "status": status })).unwrap()
    };
    assert_eq!(Istiod::from_pod(&pod("Failed")), None);
    assert!(Istiod::from_pod(&pod("Running")).is_some());
}
