//! A real single-node Kubernetes in namespaces of its own, without Docker and without a registry.
//!
//! Debian 12 with root and cgroup v1. Outside of the run's folder there is nothing of it on the
//! machine but one veth pair and one cgroup per controller, and those are written down before they
//! are made.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use tools::versions::COREDNS_IMAGE;
use tools::{Cache, Kubernetes, Program, Set, Toolbox, host, progress, versions};

use crate::cluster::Cluster;
use crate::poll::{Seen, until};
use crate::provider::{Made, ready};
use crate::release::Release;
use crate::run::Run;
use crate::rundir::{RunDir, RunId, write, write_secret};
use crate::terminal;

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
use names::{Names, free_index};
use node::Node;
use plan::{Mount, Plan};

/// The folders of the machine that a node sees its own in place of.
const OWN_FOLDERS: [&str; 3] = ["/run", "/var/lib", "/var/log"];

const API_TIMEOUT: Duration = Duration::from_secs(60);
const READY_TIMEOUT: Duration = Duration::from_secs(90);

/// A machine that can run a node, and what the node is made of.
pub(crate) struct Local {
    cache: Cache,
    toolbox: Toolbox,
}

impl Local {
    /// Checks the machine and builds what is missing. `runs` is the folder of the runs.
    ///
    /// # Errors
    /// The machine lacks something that cannot be installed, or a build failed.
    pub(crate) fn prepare(cache: Cache, runs: &Path, kubernetes: Kubernetes) -> Result<Self> {
        preflight(&[runs, cache.root()])?;
        host::prepare(&cache, host::Purpose::Node, terminal::say)?;
        let toolbox =
            Toolbox::prepare_set(&cache, Set::Local(kubernetes), progress::for_stderr().as_ref())?;
        Ok(Self { cache, toolbox })
    }

    /// What a node runs beside Kubernetes.
    pub(crate) fn versions(&self) -> Vec<(String, String)> {
        vec![("etcd".to_owned(), versions::ETCD.to_owned())]
    }

    /// The Istio that it runs: no registry is asked for its images.
    pub(crate) fn release(&self) -> Release {
        Release::built(&self.toolbox)
    }

    /// Brings up a node called `name`, and returns once it is Ready and resolves names.
    ///
    /// # Errors
    /// A part of it does not start; the reason is that part's own.
    pub(crate) async fn up(&self, run: &Run, name: &str) -> Result<Cluster> {
        let names = run.made.iter().find_map(|made| match made {
            Made::LocalNode(names) => Some(names),
            Made::KindCluster(_) | Made::Namespace(_) => None,
        });
        let names = names.context("no node was reserved")?;
        up(run, name, names, &self.cache, &self.toolbox).await
    }
}

/// The names and address ranges of a node for a run, beside the nodes of the `others`.
///
/// # Errors
/// No address range is free.
pub(crate) async fn reserve(id: &RunId, dir: &RunDir, others: &[&Names]) -> Result<Names> {
    let taken: Vec<_> = others.iter().map(|names| names.index).collect();
    let index = free_index(&taken, &network::machine_routes().await?)?;
    Ok(Names::new(id, dir.root(), 0, index))
}

async fn up(
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
    run.hold(node);
    run.hint_if_kept(format!("kept, with KUBECONFIG={}", kubeconfig.display()));
    run.hint_if_kept(format!("to enter the node: {}", node::enter(names)?));

    let kubectl = toolbox.program(Program::Kubectl);
    let home = names.disk.join("home");
    let mut cluster = Cluster::open(&kubeconfig, kubectl, &home).await?;
    let store = steps.part("copy the images", async {
        let golden = store::golden(cache, toolbox, &run.abort).await?;
        store::copy(&golden, &inside(&lib, STORE)?).await
    });
    let served = async {
        steps.part("the API server is ready", ready::api(&cluster.client, API_TIMEOUT)).await?;
        write(&inside(&lib, API_READY)?, "")?;
        let node = steps.part("the node is Ready", ready::nodes(&cluster.client, READY_TIMEOUT));
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
    ready::dns(&cluster.client, READY_TIMEOUT).await
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
fn preflight(folders: &[&Path]) -> Result<()> {
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
