//! Writes container images as archives that both containerd and Docker import: an OCI layout
//! (`index.json`, `blobs/sha256/..`) with Docker's `manifest.json` beside it.
//!
//! The archive of the same layers and configuration is the same to the byte.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::error::{FileContext, Result};
use crate::layer::Layer;

/// How a container of the image starts.
#[derive(Clone, Debug, Default)]
pub struct Config<'a> {
    /// `uid:gid`; empty for root.
    pub user: &'a str,
    /// The program and its first arguments.
    pub entrypoint: &'a [&'a str],
    /// The arguments that a container may replace.
    pub command: &'a [&'a str],
    /// `NAME=value`, besides `PATH`.
    pub env: &'a [&'a str],
    /// The signal that ends a container, by name; empty for the engine's own choice.
    pub stop_signal: &'a str,
}

/// The archive's file in the cache entry of an image. Beside it: `digest`.
pub(crate) const ARCHIVE: &str = "image.tar";

/// Notes the digest of an image's manifest in its cache entry.
pub(crate) fn keep_digest(entry: &Path, digest: &str) -> Result<()> {
    let path = entry.join("digest");
    fs::write(&path, digest).file("write", &path)
}

/// What [`keep_digest`] noted.
pub(crate) fn kept_digest(entry: &Path) -> Result<String> {
    let path = entry.join("digest");
    fs::read_to_string(&path).file("read", &path)
}

/// `PATH` in every image.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// OCI image specification, `config.md`: the architecture's name is Go's.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Writes the image `name` (`registry/repository:tag`) and returns its manifest's digest
/// (`sha256:..`). Layers go bottom first.
///
/// # Errors
/// [`crate::Error::File`] if a layer cannot be read or the archive not be written.
pub fn write_archive(
    path: &Path,
    name: &str,
    config: &Config<'_>,
    layers: &[Layer],
) -> Result<String> {
    let mut settings = json!({
        "User": config.user,
        "Env": std::iter::once(&PATH).chain(config.env).collect::<Vec<_>>(),
        "Entrypoint": config.entrypoint,
        "Cmd": config.command,
    });
    if !config.stop_signal.is_empty() {
        settings["StopSignal"] = json!(config.stop_signal);
    }
    let config = Blob::of(&json!({
        "architecture": architecture(),
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": settings,
        "rootfs": {
            "type": "layers",
            "diff_ids": layers.iter().map(|layer| format!("sha256:{}", layer.sha256)).collect::<Vec<_>>(),
        },
    }));
    let manifest = Blob::of(&json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config.descriptor("application/vnd.oci.image.config.v1+json"),
        "layers": layers.iter().map(|layer| json!({
            "mediaType": "application/vnd.oci.image.layer.v1.tar",
            "digest": format!("sha256:{}", layer.sha256),
            "size": layer.size,
        })).collect::<Vec<_>>(),
    }));
    let mut entry = manifest.descriptor("application/vnd.oci.image.manifest.v1+json");
    // containerd names the image by the first annotation, other OCI readers by the second.
    entry["annotations"] = json!({
        "io.containerd.image.name": name,
        "org.opencontainers.image.ref.name": name.rsplit_once(':').map_or(name, |(_, tag)| tag),
    });
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [entry],
    });
    let docker = json!([{
        "Config": config.path(),
        "RepoTags": [name],
        "Layers": layers.iter().map(|layer| blob_path(&layer.sha256)).collect::<Vec<_>>(),
    }]);

    let file = File::create(path).file("create", path)?;
    let mut archive = Archive(tar::Builder::new(io::BufWriter::new(file)));
    let write = |archive: &mut Archive<_>| -> io::Result<()> {
        archive.add("oci-layout", &json!({ "imageLayoutVersion": "1.0.0" }).to_string())?;
        archive.add("index.json", &index.to_string())?;
        archive.add("manifest.json", &docker.to_string())?;
        archive.add(&config.path(), &config.json)?;
        archive.add(&manifest.path(), &manifest.json)
    };
    write(&mut archive).file("write", path)?;
    let mut written = BTreeSet::new();
    for layer in layers.iter().filter(|layer| written.insert(&layer.sha256)) {
        let content = File::open(&layer.path).file("read", &layer.path)?;
        archive.append(&blob_path(&layer.sha256), layer.size, content).file("write", path)?;
    }
    archive.0.into_inner().and_then(|mut file| file.flush()).file("write", path)?;
    Ok(format!("sha256:{}", manifest.sha256))
}

fn blob_path(sha256: &str) -> String {
    format!("blobs/sha256/{sha256}")
}

/// A JSON document under its own digest.
struct Blob {
    json: String,
    sha256: String,
}

impl Blob {
    fn of(value: &Value) -> Self {
        let json = value.to_string();
        let sha256 = crate::hex(&Sha256::digest(&json));
        Self { json, sha256 }
    }

    fn path(&self) -> String {
        blob_path(&self.sha256)
    }

    fn descriptor(&self, media_type: &str) -> Value {
        json!({
            "mediaType": media_type,
            "digest": format!("sha256:{}", self.sha256),
            "size": self.json.len(),
        })
    }
}

struct Archive<W: Write>(tar::Builder<W>);

impl<W: Write> Archive<W> {
    fn add(&mut self, name: &str, text: &str) -> io::Result<()> {
        self.append(name, text.len() as u64, text.as_bytes())
    }

    fn append(&mut self, name: &str, size: u64, content: impl Read) -> io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_mtime(0);
        header.set_mode(0o644);
        header.set_size(size);
        self.0.append_data(&mut header, name, content)
    }
}
