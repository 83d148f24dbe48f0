//! An image archive, read by a reader of its own: every digest is computed anew and every pointer
//! followed, the way containerd and Docker do.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tools::image::{Config, write_archive};
use tools::layer::Layer;
use tools::tree::{Content, Node, Tree};

const NAME: &str = "registry.local/some/image:1.2";

/// The files of an archive.
struct Archive(BTreeMap<String, Vec<u8>>);

impl Archive {
    fn read(path: &Path) -> Self {
        let mut archive = tar::Archive::new(std::fs::File::open(path).unwrap());
        let files = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.path().unwrap().display().to_string(), bytes)
        });
        Self(files.collect())
    }

    fn json(&self, path: &str) -> Value {
        serde_json::from_slice(&self.0[path]).unwrap()
    }

    /// The blob that an OCI descriptor points to; its digest and size must be true.
    fn blob(&self, descriptor: &Value) -> &[u8] {
        let digest = descriptor["digest"].as_str().unwrap();
        let bytes = &self.0[&format!("blobs/{}", digest.replace(':', "/"))];
        assert_eq!(digest, sha256(bytes));
        assert_eq!(descriptor["size"], json!(bytes.len()));
        bytes
    }
}

fn sha256(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

fn layer(folder: &Path, text: &str) -> Layer {
    let mut tree = Tree::new();
    tree.put("file", Node::File(0o644, Content::Bytes(text.into())));
    tree.write_layer(&folder.join(text)).unwrap()
}

fn config<'a>() -> Config<'a> {
    Config {
        user: "1337:1337",
        entrypoint: &["/bin/x", "serve"],
        command: &["--help"],
        ..Config::default()
    }
}

#[test]
fn every_digest_is_true_and_every_pointer_leads_somewhere() {
    let folder = tempfile::tempdir().unwrap();
    let layers = [layer(folder.path(), "below"), layer(folder.path(), "above")];
    let path = folder.path().join("image.tar");
    let digest = write_archive(&path, NAME, &config(), &layers).unwrap();

    let archive = Archive::read(&path);
    assert_eq!(archive.json("oci-layout"), json!({ "imageLayoutVersion": "1.0.0" }));
    let index = archive.json("index.json");
    let [entry] = index["manifests"].as_array().unwrap().as_slice() else {
        panic!("one image, not {index}");
    };
    assert_eq!(entry["digest"], json!(digest));
    assert_eq!(entry["annotations"]["io.containerd.image.name"], json!(NAME));
    assert_eq!(entry["annotations"]["org.opencontainers.image.ref.name"], json!("1.2"));

    let manifest: Value = serde_json::from_slice(archive.blob(entry)).unwrap();
    let contents: Vec<_> = manifest["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|descriptor| {
            let mut layer = tar::Archive::new(archive.blob(descriptor));
            let mut text = String::new();
            layer.entries().unwrap().next().unwrap().unwrap().read_to_string(&mut text).unwrap();
            text
        })
        .collect();
    assert_eq!(contents, ["below", "above"]);

    let config: Value = serde_json::from_slice(archive.blob(&manifest["config"])).unwrap();
    assert_eq!(config["os"], json!("linux"));
    assert_eq!(config["created"], json!("1970-01-01T00:00:00Z"));
    assert_eq!(
        config["config"],
        json!({
            "User": "1337:1337",
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "Entrypoint": ["/bin/x", "serve"],
            "Cmd": ["--help"],
        })
    );
    // The layers are not compressed, so their digests are those of their content too.
    let digests: Vec<_> =
        manifest["layers"].as_array().unwrap().iter().map(|layer| &layer["digest"]).collect();
    assert_eq!(config["rootfs"], json!({ "type": "layers", "diff_ids": digests }));
}

#[test]
fn what_a_system_in_a_container_needs_is_in_its_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let layers = [layer(folder.path(), "content")];
    let path = folder.path().join("image.tar");
    let config =
        Config { env: &["container=docker"], stop_signal: "SIGRTMIN+3", ..Config::default() };
    write_archive(&path, NAME, &config, &layers).unwrap();

    let archive = Archive::read(&path);
    let docker = archive.json("manifest.json");
    let found = archive.json(docker[0]["Config"].as_str().unwrap());
    assert_eq!(found["config"]["StopSignal"], json!("SIGRTMIN+3"));
    let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    assert_eq!(found["config"]["Env"], json!([path, "container=docker"]));
}

#[test]
fn docker_finds_the_same_blobs_under_its_own_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let layers = [layer(folder.path(), "below"), layer(folder.path(), "above")];
    let path = folder.path().join("image.tar");
    write_archive(&path, NAME, &config(), &layers).unwrap();

    let archive = Archive::read(&path);
    let docker = archive.json("manifest.json");
    assert_eq!(docker[0]["RepoTags"], json!([NAME]));
    let config: Value =
        serde_json::from_slice(&archive.0[docker[0]["Config"].as_str().unwrap()]).unwrap();
    let layers: Vec<_> = docker[0]["Layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|path| sha256(&archive.0[path.as_str().unwrap()]))
        .collect();
    assert_eq!(config["rootfs"]["diff_ids"], json!(layers));
}

#[test]
fn the_same_parts_make_the_same_archive_and_another_user_makes_another() {
    let folder = tempfile::tempdir().unwrap();
    let layers = [layer(folder.path(), "content")];
    let write = |file: &str, user| {
        let path = folder.path().join(file);
        let digest = write_archive(&path, NAME, &Config { user, ..config() }, &layers).unwrap();
        (digest, std::fs::read(&path).unwrap())
    };
    assert_eq!(write("first", "0"), write("second", "0"));
    assert_ne!(write("first", "0").0, write("other", "1").0);
}

#[test]
fn a_layer_that_two_images_share_has_one_digest_and_one_used_twice_is_stored_once() {
    let folder = tempfile::tempdir().unwrap();
    let base = layer(folder.path(), "base");
    let own = layer(folder.path(), "own");
    let blobs = |file: &str, layers: &[Layer]| {
        let path = folder.path().join(file);
        write_archive(&path, NAME, &config(), layers).unwrap();
        let mut names = Vec::new();
        for entry in tar::Archive::new(std::fs::File::open(&path).unwrap()).entries().unwrap() {
            names.push(entry.unwrap().path().unwrap().display().to_string());
        }
        names
    };
    let shared = format!("blobs/sha256/{}", base.sha256);
    let one = blobs("one", std::slice::from_ref(&base));
    let other = blobs("other", &[base.clone(), own, base]);
    assert_eq!(one.iter().filter(|name| **name == shared).count(), 1);
    assert_eq!(other.iter().filter(|name| **name == shared).count(), 1);
}
