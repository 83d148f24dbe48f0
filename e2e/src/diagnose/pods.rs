//! Pods as text: what each container does, and why it does not do more. Looks at objects only.

use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Pod, PodCondition};

/// Every pod with its containers and whatever condition it does not fulfil.
pub(super) fn describe(pods: &[Pod]) -> String {
    pods.iter().map(describe_pod).collect()
}

fn describe_pod(pod: &Pod) -> String {
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or("no node");
    let going = if pod.metadata.deletion_timestamp.is_some() { ", being deleted" } else { "" };
    let mut text = format!("{}: {} on {node}{going}\n", name(pod), phase(pod));
    for status in statuses(pod) {
        let ContainerStatus { name, restart_count, image, .. } = status;
        let ready = if status.ready { "ready" } else { "not ready" };
        let now = now(status);
        text += &format!("  {name} ({image}): {ready}, {restart_count} restarts: {now}\n");
        if let Some(before) = status.last_state.as_ref().and_then(ended) {
            text += &format!("    before: {before}\n");
        }
    }
    for condition in unfulfilled(pod) {
        text += &format!("  not {}: {}\n", condition.type_, why(condition));
    }
    text
}

/// A line for every pod that should be ready and is not.
pub(super) fn troubles(pods: &[Pod]) -> Vec<String> {
    pods.iter().filter(|pod| !is_ready(pod) && phase(pod) != "Succeeded").map(trouble).collect()
}

fn trouble(pod: &Pod) -> String {
    let containers = statuses(pod).filter(|status| is_stuck(status)).map(|status| {
        let before = status.last_state.as_ref().and_then(ended);
        let before = before.map(|before| format!(", before: {before}")).unwrap_or_default();
        format!("{}: {}{before}", status.name, now(status))
    });
    let mut reasons: Vec<_> = containers.collect();
    if reasons.is_empty() {
        reasons.extend(unfulfilled(pod).map(why));
    }
    if reasons.is_empty() {
        reasons.push(phase(pod).to_owned());
    }
    format!("pod {} is not ready: {}", name(pod), reasons.join("; "))
}

/// `namespace/name`.
pub(super) fn name(pod: &Pod) -> String {
    let metadata = &pod.metadata;
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    format!("{}/{}", part(&metadata.namespace), part(&metadata.name))
}

/// Init containers first, as they run.
pub(super) fn statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.as_ref();
    let initial = status.and_then(|status| status.init_container_statuses.as_ref());
    let ordinary = status.and_then(|status| status.container_statuses.as_ref());
    initial.into_iter().chain(ordinary).flatten()
}

/// Whether a container neither runs well nor has done its work.
pub(super) fn is_stuck(status: &ContainerStatus) -> bool {
    let ended = status.state.as_ref().and_then(|state| state.terminated.as_ref());
    !status.ready && ended.is_none_or(|ended| ended.exit_code != 0)
}

/// Whether a pod serves.
pub(super) fn is_ready(pod: &Pod) -> bool {
    conditions(pod).any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or("without a status")
}

fn conditions(pod: &Pod) -> impl Iterator<Item = &PodCondition> {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.into_iter().flatten()
}

fn unfulfilled(pod: &Pod) -> impl Iterator<Item = &PodCondition> {
    conditions(pod).filter(|condition| condition.status != "True")
}

fn why(condition: &PodCondition) -> String {
    joined([condition.reason.as_deref(), condition.message.as_deref()])
}

/// What a container does now.
fn now(status: &ContainerStatus) -> String {
    let Some(state) = &status.state else { return "no state yet".to_owned() };
    if let Some(waiting) = &state.waiting {
        return format!(
            "waits: {}",
            joined([waiting.reason.as_deref(), waiting.message.as_deref()])
        );
    }
    ended(state).unwrap_or_else(|| "runs".to_owned())
}

/// How a container ended, if it did.
fn ended(state: &ContainerState) -> Option<String> {
    let ended = state.terminated.as_ref()?;
    let why = joined([ended.reason.as_deref(), ended.message.as_deref()]);
    Some(format!("ended with {}: {why}", ended.exit_code))
}

fn joined(parts: [Option<&str>; 2]) -> String {
    let parts: Vec<_> =
        parts.into_iter().flatten().map(str::trim).filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "no reason given".to_owned() } else { parts.join(": ") }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::{Value, from_value, json};

    use super::*;

    fn pod(status: Value) -> Pod {
        from_value(json!({
            "metadata": {"namespace": "istio-system", "name": "istiod-1"},
            "spec": {"containers": [], "nodeName": "node"},
            "status": status,
        }))
        .unwrap()
    }

    fn crashed() -> Pod {
        let last = json!({"terminated": {"exitCode": 255, "reason": "Error"}});
        let waiting = json!({"reason": "CrashLoopBackOff", "message": "back-off 20s"});
        pod(json!({
            "phase": "Running",
            "conditions": [
                {"type": "Ready", "status": "False", "reason": "ContainersNotReady",
                 "message": "containers with unready status: [discovery]"},
                {"type": "PodScheduled", "status": "True"},
            ],
            "containerStatuses": [{
                "name": "discovery", "image": "pilot:1", "imageID": "", "ready": false,
                "restartCount": 4, "state": {"waiting": waiting}, "lastState": last,
            }],
        }))
    }

    #[test]
    fn a_pod_is_described_with_what_its_containers_did() {
        let expected = "\
istio-system/istiod-1: Running on node
  discovery (pilot:1): not ready, 4 restarts: waits: CrashLoopBackOff: back-off 20s
    before: ended with 255: Error
  not Ready: ContainersNotReady: containers with unready status: [discovery]
";
        assert_eq!(describe(&[crashed()]), expected);
    }

    #[test]
    fn a_container_in_trouble_is_told_with_both_of_its_states() {
        let expected = "pod istio-system/istiod-1 is not ready: discovery: waits: CrashLoopBackOff: \
                        back-off 20s, before: ended with 255: Error";
        assert_eq!(troubles(&[crashed()]), [expected]);
    }

    #[test]
    fn a_pod_without_a_container_tells_the_condition_it_lacks() {
        let pending = pod(json!({"phase": "Pending", "conditions": [{
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": "0/1 nodes are available",
        }]}));
        let expected =
            "pod istio-system/istiod-1 is not ready: Unschedulable: 0/1 nodes are available";
        assert_eq!(troubles(&[pending]), [expected]);
        let bare = pod(json!({}));
        let expected = "pod istio-system/istiod-1 is not ready: without a status";
        assert_eq!(troubles(&[bare]), [expected]);
    }

    #[test]
    fn what_is_ready_or_has_done_its_work_is_no_trouble() {
        let ready =
            json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
        let done = json!({"phase": "Succeeded"});
        assert_eq!(troubles(&[pod(ready), pod(done)]), Vec::<String>::new());
    }
}
