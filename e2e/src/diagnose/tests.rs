//! The whole diagnosis against an API server of our own making, which answers from a table.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::pending;
use std::path::Path;

use http::{Request, Response};
use kube::client::Body;
use pki::{ClusterCaParams, KeyAlgorithm, Profile, RootCa, RootCaParams, Validity};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use time::macros::datetime;

use super::*;

/// What the API server answers, by path; whatever else is asked for is not found.
type Answers = BTreeMap<&'static str, String>;

fn client(answers: Answers) -> Client {
    let service = tower::service_fn(move |request: Request<Body>| {
        let answer = answers.get(request.uri().path()).cloned();
        async move {
            let missing = || {
                let status = json!({
                    "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                    "message": "not found", "reason": "NotFound", "code": 404,
                    "details": {"name": "cacerts", "kind": "secrets"},
                });
                Response::builder().status(404).body(Body::from(status.to_string().into_bytes()))
            };
            let found = |text: String| Ok(Response::new(Body::from(text.into_bytes())));
            Ok::<_, Infallible>(answer.map_or_else(missing, found).unwrap())
        }
    });
    Client::new(service, "default")
}

fn list(items: &Value) -> String {
    json!({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": items}).to_string()
}

/// An istiod that ended with a reason and waits for its next start.
fn crashed() -> Value {
    json!({
        "metadata": {"namespace": "istio-system", "name": "istiod-1", "labels": {"app": "istiod"}},
        "spec": {"containers": [{"name": "discovery"}], "nodeName": "node"},
        "status": {"phase": "Running", "containerStatuses": [{
            "name": "discovery", "image": "pilot:1", "imageID": "", "ready": false,
            "restartCount": 1,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 20s"}},
            "lastState": {"terminated": {"exitCode": 255, "reason": "Error"}},
        }]},
    })
}

/// The Secret, with its key; and the middle of the key, to be searched for.
fn secret() -> (String, String) {
    let (profile, key) = (Profile::Hardened, KeyAlgorithm::EcdsaP256);
    let start = datetime!(2026-11-24 12:00 UTC);
    let validity = Validity::new(start, start + ::time::Duration::days(30)).unwrap();
    let root = RootCa::generate(&RootCaParams {
        profile,
        common_name: "Root CA".to_owned(),
        organization: "Istio".to_owned(),
        validity,
        key,
    });
    let cluster_ca = root.unwrap().issue_cluster_ca(&ClusterCaParams {
        profile,
        common_name: "Intermediate CA".to_owned(),
        organization: "Istio".to_owned(),
        cluster: "cluster1".to_owned(),
        dns_name: "istiod.istio-system.svc".to_owned(),
        validity,
        key,
    });
    let bundle = cluster_ca.unwrap().bundle().unwrap();
    let pem = String::from_utf8(bundle.files().get("ca-key.pem").unwrap().to_vec()).unwrap();
    let at = k8s_secret::SecretRef::istio_system();
    let manifest = k8s_secret::CacertsSecret::new(&bundle, at).manifest();
    (serde_json::to_string(&manifest).unwrap(), pem.lines().nth(1).unwrap().to_owned())
}

fn read_all(folder: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let below = read_all(&path).into_iter();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            files.extend(below.map(|(file, text)| (format!("{name}/{file}"), text)));
        } else {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            files.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
    files
}

fn answers() -> (Answers, String) {
    let (secret, key) = secret();
    // A log may quote anything.
    let log = format!(
        "a\tinfo\tUse local CA certificate\nb\terror\t-----BEGIN PRIVATE KEY-----\\n{key}\\n\
         -----END PRIVATE KEY-----\nError: incomplete signing CA bundle detected\n"
    );
    let event = json!({
        "metadata": {},
        "involvedObject": {"namespace": "istio-system", "kind": "Pod", "name": "istiod-1"},
        "lastTimestamp": "2026-11-24T12:00:00Z",
        "type": "Warning", "reason": "BackOff", "message": "Back-off restarting", "count": 5,
    });
    let pods = list(&json!([crashed()]));
    let answers = [
        ("/api/v1/pods", pods.clone()),
        ("/api/v1/namespaces/istio-system/pods", pods),
        ("/api/v1/namespaces/istio-system/pods/istiod-1/log", log),
        ("/api/v1/namespaces/istio-system/secrets/cacerts", secret),
        ("/api/v1/events", list(&json!([event]))),
    ];
    (answers.into_iter().collect(), key)
}

#[tokio::test]
async fn the_telling_lines_come_back_and_all_else_is_in_the_folder() {
    let run = tempfile::tempdir().unwrap();
    let told = look(client(answers().0), "foo", run.path()).await;
    let folder = run.path().join("diagnosis");
    let expected = format!(
        "pod istio-system/istiod-1 is not ready: discovery: waits: CrashLoopBackOff: back-off 20s, \
         before: ended with 255: Error\n\
         log of istio-system/istiod-1, discovery: Error: incomplete signing CA bundle detected\n\
         event istio-system/Pod/istiod-1 BackOff (5 times): Back-off restarting\n\
         the whole diagnosis: {}",
        folder.display()
    );
    assert_eq!(told, expected);
    let files = read_all(&folder);
    let names: Vec<_> = files.keys().collect();
    let expected = [
        "events.txt",
        "istiod.txt",
        "logs/istio-system.istiod-1.discovery.log",
        "logs/istio-system.istiod-1.discovery.previous.log",
        "pods.txt",
        "proxies.json",
        "secret.txt",
    ];
    assert_eq!(names, expected);
    assert_eq!(files["secret.txt"].matches("sha256:").count(), 3);
}

#[tokio::test]
async fn no_file_and_no_line_holds_the_key() {
    let run = tempfile::tempdir().unwrap();
    let (answers, key) = answers();
    let told = look(client(answers), "foo", run.path()).await;
    let files = read_all(&run.path().join("diagnosis"));
    for (name, text) in files.iter().map(|(name, text)| (&**name, text)).chain([("told", &told)]) {
        assert_eq!(text.matches(&key).count(), 0, "{name}");
    }
    let log = &files["logs/istio-system.istiod-1.discovery.log"];
    assert_eq!(log.matches("[private key removed]").count(), 1);
    assert_eq!(files["secret.txt"].matches("bytes, not shown").count(), 1);
}

#[tokio::test]
async fn a_part_that_cannot_be_seen_does_not_hide_the_others() {
    let run = tempfile::tempdir().unwrap();
    let mut answers = answers().0;
    answers.remove("/api/v1/events");
    let told = look(client(answers), "foo", run.path()).await;
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(
        lines[2].split(": ").take(2).collect::<Vec<_>>(),
        ["events not seen", "list the events"]
    );
}

#[tokio::test]
async fn a_cluster_without_the_secret_is_told() {
    let run = tempfile::tempdir().unwrap();
    let mut answers = answers().0;
    answers.remove("/api/v1/namespaces/istio-system/secrets/cacerts");
    let told = look(client(answers), "foo", run.path()).await;
    assert_eq!(told.lines().nth(1), Some("there is no Secret istio-system/cacerts"));
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_does_not_answer_ends_the_diagnosis_in_time() {
    let service =
        tower::service_fn(|_: Request<Body>| pending::<Result<Response<Body>, Infallible>>());
    let run = tempfile::tempdir().unwrap();
    let start = tokio::time::Instant::now();
    let told = look(Client::new(service, "default"), "foo", run.path()).await;
    assert_eq!(told, "no diagnosis: cannot list the pods: not within 5 s");
    assert_eq!(start.elapsed().as_secs(), FIRST_LOOK.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_part_that_never_ends_is_cut_off() {
    let told = part("logs", Box::pin(pending())).await;
    assert_eq!(told, ["logs not seen: not within 15 s"]);
}

#[test]
fn more_lines_than_a_person_reads_are_counted() {
    let told: Vec<_> = (0..TELLING + 2).map(|index| format!("line\n {index}")).collect();
    let text = summary(&told, Path::new("run/diagnosis"));
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), TELLING + 2);
    assert_eq!(lines[TELLING - 1], format!("line {}", TELLING - 1));
    let end = ["2 more lines like these", "the whole diagnosis: run/diagnosis"];
    assert_eq!(lines[TELLING..], end);
}
