//! What can still be seen of a cluster in which a step failed, before it is torn down: pods, events,
//! logs, istiod, the proxies' certificates, the names in the Secret. All of it goes into the run's
//! folder, the telling lines come back.
//!
//! Best effort and bounded: what cannot be seen, or not in time, is noted and nothing more. No
//! private key is written: of the Secret only names and public certificates are, of the proxies only
//! certificates, and every text of others goes through `without_keys`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use futures::future::{LocalBoxFuture, join_all};
use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use kube::api::{Api, ListParams};
use mesh::Mesh;
use tokio::time::timeout;

use crate::cluster::Cluster;
use crate::report::without_keys;
use crate::steps::cacerts::SYSTEM_NAMESPACE;

mod events;
mod istio;
mod logs;
mod pods;
mod secret;

/// How long the list of pods may take, which all else depends on.
const FIRST_LOOK: Duration = Duration::from_secs(5);
/// How long all else may take, every part beside the others: 20 s in all.
const PARTS: Duration = Duration::from_secs(15);
/// How long one request of a part may take.
const LOOK: Duration = Duration::from_secs(8);
/// The lines that go to the terminal; the files have all of them.
const TELLING: usize = 20;

/// Looks at the cluster, writes what is seen into `diagnosis` of the run's folder, and returns the
/// most telling lines. `namespace` is the one of the workloads.
pub(crate) async fn diagnose(cluster: &Cluster, namespace: &str, run: &Path) -> String {
    look(cluster.client.clone(), namespace, run).await
}

async fn look(client: Client, namespace: &str, run: &Path) -> String {
    let folder = Folder(run.join("diagnosis"));
    if let Err(error) = folder.make() {
        return format!("no diagnosis: {error:#}");
    }
    let pods = match within(FIRST_LOOK, list_pods(&client)).await {
        Ok(pods) => pods,
        Err(error) => return format!("no diagnosis: cannot list the pods: {error:#}"),
    };
    let scene = Scene {
        mesh: Mesh::new(client.clone(), SYSTEM_NAMESPACE, LOOK),
        client,
        namespaces: [SYSTEM_NAMESPACE, namespace],
        pods,
        folder,
    };
    let parts: [(&str, Part<'_>); 6] = [
        ("pods", Box::pin(scene.write_pods())),
        ("istiod", Box::pin(scene.write_istiods())),
        ("Secret", Box::pin(scene.write_secret())),
        ("logs", Box::pin(scene.write_logs())),
        ("proxies", Box::pin(scene.write_proxies())),
        ("events", Box::pin(scene.write_events())),
    ];
    let told = join_all(parts.map(|(name, work)| part(name, work))).await.concat();
    summary(&told, &scene.folder.0)
}

/// One part at work; it comes back with its telling lines.
type Part<'a> = LocalBoxFuture<'a, Result<Vec<String>>>;

/// What the parts look at, and where they write.
struct Scene<'a> {
    client: Client,
    mesh: Mesh,
    /// The namespaces whose logs are kept.
    namespaces: [&'a str; 2],
    /// The pods of all namespaces.
    pods: Vec<Pod>,
    folder: Folder,
}

impl Scene<'_> {
    async fn write_pods(&self) -> Result<Vec<String>> {
        self.folder.write("pods.txt", &pods::describe(&self.pods))?;
        Ok(pods::troubles(&self.pods))
    }
}

async fn list_pods(client: &Client) -> Result<Vec<Pod>> {
    let pods: Api<Pod> = Api::all(client.clone());
    Ok(pods.list(&ListParams::default()).await?.items)
}

/// Runs a part to its end or its deadline; an error becomes a telling line.
async fn part(name: &str, work: Part<'_>) -> Vec<String> {
    within(PARTS, work).await.unwrap_or_else(|error| vec![format!("{name} not seen: {error:#}")])
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    match timeout(limit, work).await {
        Ok(done) => done,
        Err(_elapsed) => Err(anyhow!("not within {} s", limit.as_secs())),
    }
}

fn summary(told: &[String], folder: &Path) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in told.iter().map(|line| one_line(line)) {
        // A container that crashes again and again says the same each time.
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    let more = lines.len().saturating_sub(TELLING);
    if more > 0 {
        lines.truncate(TELLING);
        lines.push(format!("{more} more lines like these"));
    }
    lines.push(format!("the whole diagnosis: {}", folder.display()));
    lines.join("\n")
}

/// A message as one line, without keys.
fn one_line(text: &str) -> String {
    without_keys(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The folder of the diagnosis.
struct Folder(PathBuf);

impl Folder {
    fn make(&self) -> Result<()> {
        let logs = self.0.join("logs");
        fs::create_dir_all(&logs).with_context(|| format!("cannot make {}", logs.display()))
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.0.join(name);
        fs::write(&path, without_keys(text).as_ref())
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

#[cfg(test)]
mod tests;
