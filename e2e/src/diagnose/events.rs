//! Events of all namespaces, in the order in which they happened.

use anyhow::{Context as _, Result};
use k8s_openapi::api::core::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{Api, ListParams};

use super::{LOOK, Scene, pods, within};

/// Warnings that go to the terminal.
const WARNINGS: usize = 6;

impl Scene<'_> {
    pub(super) async fn write_events(&self) -> Result<Vec<String>> {
        let events: Api<Event> = Api::all(self.client.clone());
        let everything = ListParams::default();
        let listed = async { Ok(events.list(&everything).await?) };
        let mut events = within(LOOK, listed).await.context("list the events")?.items;
        events.sort_by_key(when);
        let lines: Vec<_> = events.iter().map(line).collect();
        self.folder.write("events.txt", &lines.join(""))?;
        let ready: Vec<_> = self.pods.iter().filter(|pod| pods::is_ready(pod)).collect();
        Ok(warnings(&events, |event| ready.iter().any(|pod| is_about(event, &pods::name(pod)))))
    }
}

/// Whether an event is about the pod `namespace/name`, or about what made it: a ReplicaSet's name is
/// the beginning of its pods'.
fn is_about(event: &Event, pod: &str) -> bool {
    let object = &event.involved_object;
    let (Some(namespace), Some(name)) = (&object.namespace, &object.name) else { return false };
    let rest = pod.strip_prefix(&format!("{namespace}/{name}"));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// The last time an event was seen, whichever of its three times it has.
fn when(event: &Event) -> Option<Time> {
    let last = event.last_timestamp.clone();
    last.or_else(|| event.event_time.as_ref().map(|time| Time(time.0)))
        .or_else(|| event.metadata.creation_timestamp.clone())
}

fn line(event: &Event) -> String {
    let time = when(event).map_or_else(|| "no time".to_owned(), |time| time.0.to_string());
    format!("{time} {} {}\n", event.type_.as_deref().unwrap_or("Normal"), said(event))
}

/// The last warnings, each object and reason once, in the order of `events`. Those about what is
/// healed say nothing.
fn warnings(events: &[Event], is_healed: impl Fn(&Event) -> bool) -> Vec<String> {
    let mut seen = Vec::new();
    let mut last = Vec::new();
    let warnings = events.iter().rev().filter(|event| event.type_.as_deref() == Some("Warning"));
    for event in warnings.filter(|event| !is_healed(event)) {
        let about = (&event.involved_object.name, &event.reason);
        if !seen.contains(&about) && last.len() < WARNINGS {
            seen.push(about);
            last.push(format!("event {}", said(event)));
        }
    }
    last.reverse();
    last
}

fn said(event: &Event) -> String {
    let object = &event.involved_object;
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    let times = match event.count {
        Some(count) if count > 1 => format!(" ({count} times)"),
        _ => String::new(),
    };
    let named = [&object.namespace, &object.kind, &object.name].into_iter().flatten();
    format!(
        "{} {}{times}: {}",
        named.map(String::as_str).collect::<Vec<_>>().join("/"),
        part(&event.reason),
        part(&event.message).trim()
    )
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::{from_value, json};

    use super::*;

    fn event(time: &str, kind: &str, name: &str, reason: &str, count: i32) -> Event {
        from_value(json!({
            "metadata": {"creationTimestamp": "2026-11-24T11:00:00Z"},
            "involvedObject": {"namespace": "foo", "kind": "Pod", "name": name},
            "lastTimestamp": time,
            "type": kind,
            "reason": reason,
            "message": "it is so\n",
            "count": count,
        }))
        .unwrap()
    }

    #[test]
    fn an_event_is_a_line_with_its_last_time() {
        let event = event("2026-11-24T12:00:00Z", "Warning", "httpbin", "BackOff", 3);
        let expected = "2026-11-24T12:00:00Z Warning foo/Pod/httpbin BackOff (3 times): it is so\n";
        assert_eq!(line(&event), expected);
    }

    #[test]
    fn an_event_without_a_last_time_has_the_time_of_its_series_or_creation() {
        let mut event = event("2026-11-24T12:00:00Z", "Normal", "a", "b", 1);
        event.last_timestamp = None;
        assert_eq!(line(&event), "2026-11-24T11:00:00Z Normal foo/Pod/a b: it is so\n");
        event.event_time = from_value(json!("2026-11-24T11:30:00.000000Z")).unwrap();
        assert_eq!(line(&event), "2026-11-24T11:30:00Z Normal foo/Pod/a b: it is so\n");
    }

    #[test]
    fn a_warning_that_repeats_is_told_once_and_the_last_ones_win() {
        let names: Vec<String> = (0..=WARNINGS).map(|index| format!("pod-{index}")).collect();
        let warn = |name: &str| event("2026-11-24T12:00:00Z", "Warning", name, "BackOff", 1);
        let mut events: Vec<_> = names.iter().map(|name| warn(name)).collect();
        events.push(event("2026-11-24T12:00:00Z", "Normal", "quiet", "Pulled", 1));
        events.push(warn("pod-6"));
        let told = warnings(&events, |_| false);
        let expected: Vec<_> =
            (1..=WARNINGS).map(|i| format!("event foo/Pod/pod-{i} BackOff: it is so")).collect();
        assert_eq!(told, expected);
    }
    #[test]
    fn a_warning_about_what_is_healed_is_not_told() {
        let time = "2026-11-24T12:00:00Z";
        let events = ["ill", "healed"].map(|name| event(time, "Warning", name, "Unhealthy", 1));
        let healed = |event: &Event| event.involved_object.name.as_deref() == Some("healed");
        assert_eq!(warnings(&events, healed), ["event foo/Pod/ill Unhealthy: it is so"]);
    }

    #[test]
    fn an_event_is_about_a_pod_and_about_what_made_it() {
        let about = |name| event("2026-11-24T12:00:00Z", "Warning", name, "FailedCreate", 1);
        assert!(is_about(&about("httpbin-7d"), "foo/httpbin-7d-x2"));
        assert!(is_about(&about("httpbin-7d-x2"), "foo/httpbin-7d-x2"));
        assert!(!is_about(&about("httpbin-7d-x"), "foo/httpbin-7d-x2"));
        assert!(!is_about(&about("httpbin-7d"), "bar/httpbin-7d-x2"));
    }

    #[test]
    fn an_object_without_a_namespace_is_named_without_one() {
        let mut event = event("2026-11-24T12:00:00Z", "Normal", "node", "NodeReady", 1);
        event.involved_object.namespace = None;
        assert_eq!(said(&event), "Pod/node NodeReady: it is so");
    }
}
