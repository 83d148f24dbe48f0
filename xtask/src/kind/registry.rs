//! Images from a registry, as most people have them: Debian's own registry on loopback, filled with
//! the images that are built here, and an Istio release assembled from Istio's module.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::command::{Running, target_dir};
use crate::e2e;
use crate::engine::Engine;
use crate::fixtures::istio_module;
use crate::stock;
use crate::tally::Tally;

/// Debian's registry listens on this port of the engine's network.
const PORT: u16 = 5000;
/// What it logs once it does.
const LISTENS: &str = "listening on";
/// What the node image is called there.
const NODE: &str = "kindest/node:v1.36.3";
/// Istio's images get the hub of a release: the node's own store has none of that name.
const HUB: &str = "docker.io/istio";
const TAG: &str = "1.31-dev";
/// Istio's images and what they are called there; those of the samples keep their names.
const IMAGES: [(&str, &str); 4] = [
    ("registry.local/istio/pilot:1.31-dev", "istio/pilot:1.31-dev"),
    ("registry.local/istio/proxyv2:1.31-dev", "istio/proxyv2:1.31-dev"),
    ("docker.io/mccutchen/go-httpbin:v2.15.0", "mccutchen/go-httpbin:v2.15.0"),
    ("docker.io/curlimages/curl:8.16.0", "curlimages/curl:8.16.0"),
];
/// What the upstream Envoy in the images lacks; a real release needs none of it.
const SETTINGS: [&str; 3] = [
    "values.telemetry.enabled=false",
    "values.pilot.env.PILOT_ENABLE_METADATA_EXCHANGE=false",
    "values.pilot.env.PILOT_ENABLE_ALPN_FILTER=false",
];

/// Every claim, on a kind cluster that gets all its images from the registry.
pub(crate) fn claims() -> Result<Tally> {
    stock::build(&["docker-registry", "istioctl"])?;
    let _engine = super::prepare()?;
    let release = release(&target_dir().join("ci/istio-release"))?;
    let _registry = serve(&target_dir().join("ci/registry"))?;
    fill()?;
    let mirror = format!("http://{}:{PORT}", gateway()?);
    let run = super::harness().args(["--images", "registry", "--require", "--istio-dir"]);
    let run = run.arg(release).args(["--registry-mirror", &mirror, "--node-image"]);
    let run = run.arg(format!("127.0.0.1:{PORT}/{NODE}"));
    let names = [format!("hub={HUB}"), format!("tag={TAG}")];
    let settings = names.iter().map(String::as_str).chain(SETTINGS);
    e2e::counted("kind-registry", run.args(settings.flat_map(|set| ["--istio-set", set])), 0)
}

/// The engine's own address on its default network, which every container reaches: the first of
/// the network's.
fn gateway() -> Result<String> {
    let subnet = ["network", "inspect", "--format", "{{(index .IPAM.Config 0).Subnet}}", "bridge"];
    let subnet = Engine::inside("docker").args(subnet).stdout()?;
    let network = subnet.trim().split_once(".0/").map(|(network, _)| network);
    let network = network.with_context(|| format!("the engine's network is `{}`", subnet.trim()));
    Ok(format!("{}.1", network?))
}

/// A folder as an Istio release is unpacked: the page's bin, samples and tools.
fn release(folder: &Path) -> Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(folder).context("cannot remove an earlier release folder")?;
    }
    fs::create_dir_all(folder.join("bin")).context("cannot make the release folder")?;
    let module = istio_module()?;
    let istioctl = stock::path("istioctl")?;
    for (from, to) in [
        (istioctl, "bin/istioctl"),
        (module.join("samples"), "samples"),
        (module.join("tools"), "tools"),
    ] {
        symlink(&from, folder.join(to)).with_context(|| format!("cannot link {to}"))?;
    }
    Ok(folder.to_owned())
}

/// Starts the registry with an empty store below `folder`; it ends when dropped.
fn serve(folder: &Path) -> Result<Running> {
    if folder.exists() {
        fs::remove_dir_all(folder).context("cannot empty the registry's store")?;
    }
    fs::create_dir_all(folder).context("cannot make the registry's store")?;
    let config = folder.join("config.yml");
    let store = folder.join("store");
    let text = format!(
        "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: :{PORT}\n",
        store.display()
    );
    fs::write(&config, text).context("cannot write the registry's configuration")?;
    let registry = stock::path("docker-registry")?.join("usr/bin/docker-registry");
    let registry = Engine::inside(registry);
    registry.arg("serve").arg(config).until_it_says(LISTENS)
}

/// Loads each image into the engine and pushes it under its name in the registry.
fn fill() -> Result<()> {
    let docker = |args: &[&str]| {
        let done = Engine::inside("docker").args(args).status()?;
        ensure!(done.success(), "docker {} failed", args.join(" "));
        anyhow::Ok(())
    };
    let load = |name: &str| {
        let load = Engine::inside("docker").args(["load", "--quiet", "--input"]);
        load.arg(stock::path(name)?).stdout()
    };
    let node = load("kind-node")?;
    let node = node.trim().rsplit(": ").next().context("docker named no image")?.to_owned();
    for (image, _) in IMAGES {
        load(image)?;
    }
    for (image, name) in IMAGES.into_iter().chain([(node.as_str(), NODE)]) {
        let there = format!("127.0.0.1:{PORT}/{name}");
        docker(&["tag", image, &there])?;
        docker(&["push", "--quiet", &there])?;
        // Else the engine would have it without asking the registry.
        docker(&["rmi", &there])?;
    }
    Ok(())
}
