//! An image layer: an uncompressed tar archive on disk, and its digest.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::{FileContext, Result};

/// The layer's file in the cache entry of a layer.
pub(crate) const FILE: &str = "layer.tar";

/// The layer's digest, hex, in its entry.
const DIGEST: &str = "sha256";

/// A layer on disk.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The tar archive.
    pub path: PathBuf,
    /// Its digest, hex.
    pub sha256: String,
    /// Its size in bytes.
    pub size: u64,
}

impl Layer {
    /// The archive at `path`; reads all of it.
    pub(crate) fn of_file(path: &Path) -> Result<Self> {
        let mut file = File::open(path).file("read", path)?;
        let mut hashing = Hashing::of(io::sink());
        io::copy(&mut file, &mut hashing).file("read", path)?;
        Ok(hashing.layer(path))
    }

    /// Notes the digest in the cache entry that has the layer.
    pub(crate) fn keep_digest(&self, entry: &Path) -> Result<()> {
        let path = entry.join(DIGEST);
        fs::write(&path, &self.sha256).file("write", &path)
    }

    /// The layer in an entry where its digest was kept.
    pub(crate) fn kept_in(entry: &Path) -> Result<Self> {
        let (path, digest) = (entry.join(FILE), entry.join(DIGEST));
        let sha256 = fs::read_to_string(&digest).file("read", &digest)?;
        let size = fs::metadata(&path).file("look at", &path)?.len();
        Ok(Self { path, sha256, size })
    }
}

/// Hashes and counts what passes through.
pub(crate) struct Hashing<W> {
    inner: W,
    hash: Sha256,
    size: u64,
}

impl<W> Hashing<W> {
    pub(crate) fn of(inner: W) -> Self {
        Self { inner, hash: Sha256::new(), size: 0 }
    }

    /// The layer that has passed through, which is at `path`.
    pub(crate) fn layer(self, path: &Path) -> Layer {
        let sha256 = crate::hex(&self.hash.finalize());
        Layer { path: path.to_owned(), sha256, size: self.size }
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
