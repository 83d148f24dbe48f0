//! A real single-node Kubernetes in namespaces of its own, without Docker and without a registry.
//!
//! Debian 12 with root and cgroup v1. Outside of the run's folder there is nothing of it on the
//! machine but one veth pair and one cgroup per controller, and those are written down before they
//! are made.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Namespace, Node as NodeObject};
use kube::Api;
use tools::versions::COREDNS_IMAGE;
use tools::{Cache, Program, Toolbox};

use crate::cluster::Cluster;
use crate::poll::{Seen, until};
use crate::run::{Held, Run};
use crate::rundir::{write, write_secret};

mod certificates;
mod cgroups;
mod components;
mod files;
pub(crate) mod init;
pub(crate) mod names;
pub(crate) mod network;
pub(crate) mod node;
mod plan;
mod store;

use components::{API_READY, CONFIG, STORE};
use names::Names;
use node::Node;
use plan::{Mount, Plan};

/// The folders of the machine that a node sees its own in place of.
const OWN_FOLDERS: [&str; 3] = ["/run", "/var/lib", "/var/log"];

const API_TIMEOUT: Duration = Duration::from_secs(60);
const READY_TIMEOUT: Duration = Duration::from_secs(90);

/// Brings up a node called `name`, and returns once it is Ready and resolves names.
///
/// # Errors
/// A part of it does not start; the reason is that part's own.
pub(crate) async fn up(
    run: &Run,
    name: &str,
    names: &Names,
    cache: &Cache,
    toolbox: &Toolbox,
) -> Result<Cluster> {
    let steps = &run.steps;
    let kubeconfig = run.dir.kubeconfig(name);
    let lib = names.disk.join("lib");
    let config = inside(&lib, CONFIG)?;
    prepare_disk(&config, name, names, run)?;
    let admin = files::admin_kubeconfig(name, names, &config.join("pki"))?;
    write_secret(&kubeconfig, &admin)?;
    node::groups(names)?.create()?;
    network::create(names).await?;

    let plan = plan(run, name, names, &lib, toolbox)?;
    let node = Node::start(&names.disk, &plan, Some(names), &run.abort).await?;
    run.hold(Held { node, names: names.clone(), kubeconfig: kubeconfig.clone() });

    let kubectl = toolbox.program(Program::Kubectl);
    let home = names.disk.join("home");
    let mut cluster = Cluster::open(name, &kubeconfig, kubectl, &home).await?;
    let store = steps.part("copy the images", async {
        let golden = store::golden(cache, toolbox, &run.abort).await?;
        store::copy(&golden, &inside(&lib, STORE)?).await
    });
    let served = async {
        steps.part("the API server is ready", api_ready(&cluster)).await?;
        write(&inside(&lib, API_READY)?, "")?;
        let node = steps.part("the node is Ready", node_ready(&cluster));
        let dns = steps.part("CoreDNS is ready", dns_ready(&cluster, names));
        futures::try_join!(node, dns)
    };
    futures::try_join!(store, served)?;

    cluster.ranges = Some(names.ranges());
    cluster.cgroup = Some(names.cgroup.clone());
    Ok(cluster)
}

fn prepare_disk(config: &Path, name: &str, names: &Names, run: &Run) -> Result<()> {
    certificates::write_all(&config.join("pki"), name, names, run.now)?;
    files::write_all(config, name, names)?;
    // The logs of pods stay with the run; the kubelet's links to them go with the node.
    for folder in [names.disk.join("log/pods"), run.dir.logs().join("pods")] {
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    Ok(())
}

/// Where a path of the node's `/var/lib` is on the machine.
fn inside(lib: &Path, path: &str) -> Result<PathBuf> {
    let below = Path::new(path).strip_prefix("/var/lib").context("not on the node's disk")?;
    Ok(lib.join(below))
}

fn plan(run: &Run, name: &str, names: &Names, lib: &Path, toolbox: &Toolbox) -> Result<Plan> {
    let config = inside(lib, CONFIG)?;
    let logs = run.dir.logs();
    let mut mounts = vec![
        Mount::Tmpfs { at: "/run".into() },
        Mount::Bind { from: lib.to_owned(), at: "/var/lib".into() },
        Mount::Bind { from: names.disk.join("log"), at: "/var/log".into() },
        Mount::Bind { from: logs.join("pods"), at: "/var/log/pods".into() },
    ];
    mounts.extend(files::KERNEL_SETTINGS.map(|(setting, _)| Mount::Bind {
        from: files::kernel_setting(&config, setting),
        at: Path::new("/proc/sys").join(setting),
    }));
    let on = |name: &str| (name.to_owned(), "1".to_owned());
    Ok(Plan {
        cgroups: node::groups(names)?.entrances(),
        mounts,
        hostname: name.to_owned(),
        sysctls: vec![
            on("net/ipv4/ip_forward"),
            on("net/ipv4/conf/all/route_localnet"),
            // Answers to a Service's address have to pass where the address was translated.
            on("net/bridge/bridge-nf-call-iptables"),
        ],
        logs,
        lock: Some(run.lock_file()),
        components: components::all(toolbox, name, names),
    })
}

async fn api_ready(cluster: &Cluster) -> Result<()> {
    until("the API server is ready", API_TIMEOUT, 1, async || {
        let request = http::Request::get("/readyz").body(Vec::new())?;
        Ok(match cluster.client.request_text(request).await {
            Ok(_) => Seen::Ready(()),
            Err(error) => Seen::NotYet(format!("{:#}", anyhow::Error::from(error))),
        })
    })
    .await
}

async fn node_ready(cluster: &Cluster) -> Result<()> {
    let nodes: Api<NodeObject> = Api::all(cluster.client.clone());
    until("the node is Ready", READY_TIMEOUT, 1, async || {
        let Some(node) = nodes.get_opt(&cluster.name).await? else {
            return Ok(Seen::NotYet("the kubelet has not registered it".to_owned()));
        };
        let conditions = node.status.and_then(|status| status.conditions).unwrap_or_default();
        Ok(match conditions.into_iter().find(|condition| condition.type_ == "Ready") {
            Some(ready) if ready.status == "True" => Seen::Ready(()),
            Some(ready) => Seen::NotYet(ready.message.unwrap_or_default()),
            None => Seen::NotYet("it has no condition Ready".to_owned()),
        })
    })
    .await
}

async fn dns_ready(cluster: &Cluster, names: &Names) -> Result<()> {
    let namespaces: Api<Namespace> = Api::all(cluster.client.clone());
    until("there is a namespace kube-system", API_TIMEOUT, 1, async || {
        let missing = || Seen::NotYet("the API server has not made it".to_owned());
        Ok(namespaces.get_opt("kube-system").await?.map_or_else(missing, Seen::Ready))
    })
    .await?;
    let manifest = dns_manifest(names)?;
    cluster
        .kubectl
        .clone()
        .args(["apply", "--server-side", "-f", "-"])
        .stdin(manifest)
        .run()
        .await?;
    let deployments: Api<Deployment> = Api::namespaced(cluster.client.clone(), "kube-system");
    until("CoreDNS is ready", READY_TIMEOUT, 1, async || {
        let status = deployments.get("coredns").await?.status.unwrap_or_default();
        let why = || Seen::NotYet("no replica is ready".to_owned());
        Ok(if status.ready_replicas.unwrap_or(0) > 0 { Seen::Ready(()) } else { why() })
    })
    .await
}

fn dns_manifest(names: &Names) -> Result<String> {
    let template = include_str!("local/coredns.yaml");
    let values =
        minijinja::context! { image => COREDNS_IMAGE, address => names.dns_ip().to_string() };
    minijinja::Environment::new()
        .render_str(template, values)
        .context("cannot render CoreDNS's manifest")
}

/// Says everything that this machine lacks for a local node, at once. `folders` are those that the
/// node has to see: the run's, the cache, the harness's own program.
///
/// # Errors
/// Something is missing.
pub(crate) fn preflight(folders: &[&Path]) -> Result<()> {
    let mut missing = Vec::new();
    if !rustix::process::geteuid().is_root() {
        missing.push("root: namespaces, mounts and cgroups are made".to_owned());
    }
    let mountinfo = fs::read_to_string("/proc/self/mountinfo").context("cannot read the mounts")?;
    if let Err(error) = cgroups::mounts(&mountinfo) {
        missing.push(format!("{error:#}"));
    }
    let filesystems = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    if !filesystems.lines().any(|line| line.trim_start_matches("nodev").trim() == "overlay") {
        missing.push("the overlay filesystem: `modprobe overlay`".to_owned());
    }
    if !Path::new("/proc/sys/net/bridge/bridge-nf-call-iptables").exists() {
        missing.push("bridge netfilter: `modprobe br_netfilter`".to_owned());
    }
    for folder in folders {
        if let Some(own) = OWN_FOLDERS.into_iter().find(|own| folder.starts_with(own)) {
            missing.push(format!(
                "{} elsewhere: the node has a {own} of its own (CARGO_TARGET_DIR and \
                 CACERTS_CACHE say where)",
                folder.display()
            ));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    anyhow::bail!("this machine cannot run a local node; it needs\n  {}", missing.join("\n  "))
}
