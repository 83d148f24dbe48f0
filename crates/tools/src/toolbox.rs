//! The programs and images, ready to use: makes what the cache lacks, in order, one after the
//! other (each `go build` takes all cores by itself).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::cache::Cache;
use crate::error::Result;
use crate::item::Item;
use crate::progress::Progress;
use crate::stock::Stock;
use crate::versions::ISTIO_SOURCE;
use crate::{NodeImage, Program, Set, kind};

/// An image as a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageArchive {
    /// `registry/repository:tag`.
    pub name: &'static str,
    /// An archive for `ctr images import` and `docker load`.
    pub path: PathBuf,
    /// The digest of the image's manifest, `sha256:..`.
    pub digest: String,
}

/// The programs and images of a [`Set`], built and in the cache.
#[derive(Debug)]
pub struct Toolbox {
    programs: BTreeMap<Program, PathBuf>,
    istio: PathBuf,
    images: Vec<ImageArchive>,
    kind_node: Option<NodeImage>,
}

impl Toolbox {
    /// Finds everything of the set in the cache and makes what is not there. Blocks: for
    /// milliseconds if all is there, for a quarter of an hour if nothing is.
    ///
    /// # Errors
    /// What a build or download said; what was made before it stays in the cache.
    pub fn prepare_set(cache: &Cache, set: Set, progress: &dyn Progress) -> Result<Self> {
        let stock = Stock::new(cache)?;
        stock.make_items(&set.items(), progress)?;
        let programs = set.programs().into_iter();
        let images = set.images().into_iter().map(|spec| stock.image(spec));
        Ok(Self {
            programs: programs.map(|(name, item)| (name, stock.program(name, item))).collect(),
            istio: stock.entry(Item::Source(&ISTIO_SOURCE)).path().to_owned(),
            images: images.collect::<Result<_>>()?,
            kind_node: (set == Set::Kind).then(|| kind::image(&stock)).transpose()?,
        })
    }

    /// Where the program is.
    ///
    /// # Panics
    /// If the program is not in the set that the toolbox was prepared for.
    pub fn program(&self, program: Program) -> &Path {
        &self.programs[&program]
    }

    /// A folder with `samples`, `tools/certs` and `tools/packaging/common` of Istio's own module,
    /// unchanged. It is there whenever istioctl is in the set.
    pub fn istio_dir(&self) -> &Path {
        &self.istio
    }

    /// The kind node image, in [`Set::Kind`].
    pub fn kind_node(&self) -> Option<&NodeImage> {
        self.kind_node.as_ref()
    }

    /// The images of the set.
    pub fn images(&self) -> &[ImageArchive] {
        &self.images
    }
}
