//! A file tree in memory, and the image layer made from it: a tar archive that depends on nothing
//! but the tree (sorted, no times, owned by root).
//!
//! Paths are relative, without `./`. The tree is merged as in Debian: what a package puts into
//! `/bin`, `/sbin`, `/lib` or `/lib64` is kept under `/usr`, and those four are links.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::error::{FileContext, Result};
use crate::layer::{Hashing, Layer};

/// The directories that are links to their namesakes in `/usr`.
const MERGED: [&str; 4] = ["bin", "lib", "lib64", "sbin"];

/// One thing in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A directory with this mode.
    Directory(u32),
    /// A file with this mode and content.
    File(u32, Content),
    /// A symbolic link with this target.
    Symlink(String),
}

/// What is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// These bytes.
    Bytes(Vec<u8>),
    /// The bytes of this file at the time the layer is written.
    CopyOf(PathBuf),
}

/// Paths and what is there.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    nodes: BTreeMap<String, Node>,
}

impl Tree {
    /// An empty tree: not even the links into `/usr`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes `/bin`, `/sbin`, `/lib` and `/lib64` links into `/usr`.
    pub fn merge_usr(&mut self) {
        for name in MERGED {
            self.nodes.insert(name.to_owned(), Node::Symlink(format!("usr/{name}")));
            self.put(&format!("usr/{name}"), Node::Directory(0o755));
        }
    }

    /// Puts a node at `path`, replacing what is there, and makes the directories above it.
    pub fn put(&mut self, path: &str, node: Node) {
        let path = merged(path.trim_start_matches("./").trim_matches('/'));
        if path.is_empty() || (MERGED.contains(&path.as_str()) && self.nodes.contains_key(&path)) {
            return;
        }
        for (slash, _) in path.match_indices('/') {
            self.nodes.entry(path[..slash].to_owned()).or_insert(Node::Directory(0o755));
        }
        self.nodes.insert(path, node);
    }

    /// What is at `path`.
    pub fn get(&self, path: &str) -> Option<&Node> {
        self.nodes.get(&merged(path))
    }

    /// All paths that start with `prefix`, sorted.
    pub fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Node)> {
        self.nodes
            .range(prefix.to_owned()..)
            .map(|(path, node)| (path.as_str(), node))
            .take_while(move |(path, _)| path.starts_with(prefix))
    }

    /// Adds what is in a tar archive, except paths that start with one of `left_out`. Owners and
    /// times are dropped; devices and sockets, which no package ships, are left out too.
    ///
    /// # Errors
    /// What the tar reader says about an archive that is broken.
    pub fn add_tar(&mut self, archive: impl Read, left_out: &[&str]) -> io::Result<()> {
        let mut archive = tar::Archive::new(archive);
        for entry in archive.entries()? {
            let mut entry = entry?;
            let path = entry.path()?.to_string_lossy().trim_start_matches("./").to_owned();
            if left_out.iter().any(|prefix| path.starts_with(prefix)) {
                continue;
            }
            let mode = entry.header().mode()?;
            let link = entry.link_name()?.map(|link| link.to_string_lossy().into_owned());
            match (entry.header().entry_type(), link) {
                (tar::EntryType::Directory, _) => self.put(&path, Node::Directory(mode)),
                (tar::EntryType::Regular, _) => {
                    let mut bytes = Vec::new();
                    entry.read_to_end(&mut bytes)?;
                    self.put(&path, Node::File(mode, Content::Bytes(bytes)));
                }
                (tar::EntryType::Symlink, Some(target)) => self.put(&path, Node::Symlink(target)),
                (tar::EntryType::Link, Some(target)) => {
                    if let Some(node) = self.get(target.trim_start_matches("./")).cloned() {
                        self.put(&path, node);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Adds what is in `folder` of this machine below `path`, with its modes. Owners and times are
    /// dropped, and files are read when the layer is written.
    ///
    /// # Errors
    /// [`crate::Error::File`] if the folder cannot be read, or holds something that is no directory,
    /// file or symbolic link.
    pub fn add_folder(&mut self, path: &str, folder: &Path) -> Result<()> {
        let mode = |path: &Path| {
            let metadata = fs::symlink_metadata(path).file("look at", path)?;
            Ok(metadata.permissions().mode() & 0o7777)
        };
        self.put(path, Node::Directory(mode(folder)?));
        for found in fs::read_dir(folder).file("list", folder)? {
            let found = found.file("list", folder)?;
            let (from, kind) = (found.path(), found.file_type().file("look at", found.path())?);
            let path = format!("{path}/{}", found.file_name().to_string_lossy());
            if kind.is_dir() {
                self.add_folder(&path, &from)?;
            } else if kind.is_file() {
                self.put(&path, Node::File(mode(&from)?, Content::CopyOf(from)));
            } else {
                let target = fs::read_link(&from).file("read the link", &from)?;
                self.put(&path, Node::Symlink(target.to_string_lossy().into_owned()));
            }
        }
        Ok(())
    }

    /// Writes the tree as an uncompressed layer.
    ///
    /// # Errors
    /// [`crate::Error::File`] if the layer cannot be written or a [`Content::CopyOf`] not read.
    pub fn write_layer(&self, path: &Path) -> Result<Layer> {
        let file = File::create(path).file("create", path)?;
        let mut out = Hashing::of(io::BufWriter::new(file));
        let mut archive = tar::Builder::new(&mut out);
        for (name, node) in &self.nodes {
            append(&mut archive, name, node).file("write", path)?;
        }
        archive.into_inner().and_then(|out| out.flush()).file("write", path)?;
        Ok(out.layer(path))
    }
}

fn merged(path: &str) -> String {
    match path.split_once('/') {
        Some((first, _)) if MERGED.contains(&first) => format!("usr/{path}"),
        _ => path.to_owned(),
    }
}

fn append<W: Write>(archive: &mut tar::Builder<W>, name: &str, node: &Node) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    let mut header_for = |kind, mode, size| {
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(size);
        header.clone()
    };
    match node {
        Node::Directory(mode) => {
            let mut header = header_for(tar::EntryType::Directory, *mode, 0);
            archive.append_data(&mut header, format!("{name}/"), io::empty())
        }
        Node::Symlink(target) => {
            let mut header = header_for(tar::EntryType::Symlink, 0o777, 0);
            archive.append_link(&mut header, name, target)
        }
        Node::File(mode, Content::Bytes(bytes)) => {
            let mut header = header_for(tar::EntryType::Regular, *mode, bytes.len() as u64);
            archive.append_data(&mut header, name, bytes.as_slice())
        }
        Node::File(mode, Content::CopyOf(source)) => {
            let file = File::open(source).map_err(|error| {
                io::Error::new(error.kind(), format!("{}: {error}", source.display()))
            })?;
            let mut header = header_for(tar::EntryType::Regular, *mode, file.metadata()?.len());
            archive.append_data(&mut header, name, file)
        }
    }
}
