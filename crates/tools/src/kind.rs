//! The node image of a kind cluster, made without a container engine: a Debian, kind's own files
//! and the programs of a node, and containerd's store with every image that the cluster and the
//! mesh on it run. It takes the place of `kind build node-image`, and of `kind load` afterwards.
//!
//! Starts no cluster; loading the archive into an engine is up to the caller.

mod files;
pub(crate) mod root;
mod store;

use std::path::PathBuf;

use crate::cache::{Key, Work};
use crate::error::Result;
use crate::image::{self, ARCHIVE, Config};
use crate::item::Item;
use crate::layer::Layer;
use crate::spec::ImageSpec;
use crate::stock::Stock;
use crate::tree::Tree;
use crate::versions::{KIND_IMAGES, KIND_SOURCE, KUBERNETES, MESH_IMAGES};

/// Part of the image's key: raise it when [`build`] makes something else of the same parts.
const REVISION: &str = "1";

/// Where containerd has its root on a node.
const STORE: &str = "var/lib/containerd";

/// A kind node image as a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeImage {
    /// `cacerts/kind-node:` with the version of Kubernetes and 12 hex digits that are others
    /// whenever anything in the image is: an engine that has the name has this very image.
    pub name: String,
    /// An archive for `docker load`.
    pub path: PathBuf,
    /// The digest of the image's manifest, `sha256:..`.
    pub digest: String,
}

/// The images in the store of every node.
pub(crate) fn images() -> impl Iterator<Item = &'static ImageSpec> {
    KIND_IMAGES.iter().chain(MESH_IMAGES)
}

/// What the image is made of.
pub(crate) fn parts() -> Vec<Item> {
    let programs = files::PROGRAMS.iter().map(|(_, program)| Item::with(*program));
    let images = images().flat_map(|spec| Item::Image(spec).with_parts());
    programs.chain(images).chain([Item::Source(&KIND_SOURCE), Item::KindRoot]).collect()
}

/// The keys of all parts, and of what is added to them.
pub(crate) fn key(stock: &Stock<'_>) -> Key {
    let parts: Vec<_> = parts().into_iter().map(|part| stock.key(part)).collect();
    let parts = parts.iter().map(|key| ("part", key.as_str()));
    Key::of([("revision", REVISION)].into_iter().chain(files::TEXTS).chain(parts))
}

/// Writes the image into the entry.
pub(crate) fn build(stock: &Stock<'_>, work: &Work) -> Result<()> {
    let archives: Vec<_> =
        images().map(|spec| Ok(stock.image(spec)?.path)).collect::<Result<_>>()?;
    let store = work.scratch.join("store");
    store::fill(&archives, &store, &work.scratch)?;
    let mut stored = Tree::new();
    stored.add_folder(STORE, &store)?;
    let layers = [
        Layer::kept_in(stock.entry(Item::KindRoot).path())?,
        files::tree(stock)?.write_layer(&work.scratch.join("files.tar"))?,
        stored.write_layer(&work.scratch.join("store.tar"))?,
    ];
    // kind's images/base/Dockerfile: systemd looks for `container`, and ends at this signal.
    let config = Config {
        entrypoint: &["/usr/local/bin/entrypoint", "/sbin/init"],
        env: &["container=docker"],
        stop_signal: "SIGRTMIN+3",
        ..Config::default()
    };
    let digest =
        image::write_archive(&work.entry.join(ARCHIVE), &name(&key(stock)), &config, &layers)?;
    image::keep_digest(&work.entry, &digest)
}

/// The image, which has been made.
pub(crate) fn image(stock: &Stock<'_>) -> Result<NodeImage> {
    let (key, entry) = (key(stock), stock.entry(Item::KindNode));
    let path = entry.path().join(ARCHIVE);
    Ok(NodeImage { name: name(&key), path, digest: image::kept_digest(entry.path())? })
}

fn name(key: &Key) -> String {
    format!("cacerts/kind-node:{KUBERNETES}-{}", &key.as_str()[..12])
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn the_name_tells_the_version_and_the_contents() {
        let name_of = |input| name(&Key::of([("input", input)]));
        let (repository, tag) = name_of("a").split_once(':').map(owned).unwrap();
        assert_eq!(repository, "cacerts/kind-node");
        let (version, digits) = tag.rsplit_once('-').map(owned).unwrap();
        assert_eq!((version.as_str(), digits.len()), (KUBERNETES, 12));
        assert_ne!(name_of("a"), name_of("b"));
    }

    fn owned((one, other): (&str, &str)) -> (String, String) {
        (one.to_owned(), other.to_owned())
    }

    #[test]
    fn the_image_comes_after_all_its_parts() {
        let labels: Vec<_> = parts().into_iter().map(Item::label).collect();
        for wanted in [
            "kubernetes v1.36.3",
            "kubeadm v1.36.3",
            "crictl v1.36.0",
            "image etcd:3.6.8-0",
            "image proxyv2:1.31-dev",
            "kind files v0.33.0",
            "kind node root debian",
        ] {
            assert!(labels.iter().any(|label| label == wanted), "{wanted}: {labels:?}");
        }
        assert!(!labels.iter().any(|label| label == "etcd v3.7.3"), "{labels:?}");
    }
}
