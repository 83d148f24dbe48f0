//! The programs and images, ready to use: makes what the cache lacks, in order, one after the
//! other (each `go build` takes all cores by itself).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::cache::Cache;
use crate::error::Result;
use crate::item::Item;
use crate::program::Program;
use crate::progress::Progress;
use crate::stock::Stock;
use crate::versions::IMAGES;

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

/// Every pinned program and image, built and in the cache.
#[derive(Debug)]
pub struct Toolbox {
    programs: BTreeMap<Program, PathBuf>,
    istio: PathBuf,
    images: Vec<ImageArchive>,
}

impl Toolbox {
    /// Finds everything in the cache and makes what is not there. Blocks: for milliseconds if all
    /// is there, for a quarter of an hour if nothing is.
    ///
    /// # Errors
    /// What a build or download said; what was made before it stays in the cache.
    pub fn prepare(cache: &Cache, progress: &dyn Progress) -> Result<Self> {
        let stock = Stock::new(cache)?;
        stock.make_items(&Item::of_mesh(), progress)?;
        let programs = Program::ALL.iter().map(|&program| (program, stock.program(program)));
        let images = IMAGES.iter().map(|spec| stock.image(spec));
        Ok(Self {
            programs: programs.collect(),
            istio: stock.entry(Item::IstioSource).path().to_owned(),
            images: images.collect::<Result<_>>()?,
        })
    }

    /// Where the program is.
    pub fn program(&self, program: Program) -> &Path {
        &self.programs[&program]
    }

    /// A folder with `samples`, `tools/certs` and `tools/packaging/common` of Istio's own module,
    /// unchanged.
    pub fn istio_dir(&self) -> &Path {
        &self.istio
    }

    /// The images of a mesh on the local node.
    pub fn images(&self) -> &[ImageArchive] {
        &self.images
    }
}
