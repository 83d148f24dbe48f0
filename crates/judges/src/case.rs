//! One bundle in a folder of its own, as the judges that are programs read it.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use pki::{BundleFiles, Report};
use time::OffsetDateTime;

use crate::cast::{Ca, Cast, text};
use crate::table::Row;

/// The Istio that `tools` pins.
const ISTIO: pki::IstioVersion = pki::IstioVersion::new(1, 31, 0);
pub(crate) const TRUST_DOMAIN: &str = "cluster.local";

/// A bundle on disk, with what the rules say of it.
pub(crate) struct Case {
    pub(crate) folder: PathBuf,
    pub(crate) files: BundleFiles,
    /// The roots that were made for it.
    pub(crate) roots: Vec<Ca>,
    pub(crate) report: Report,
}

impl Case {
    /// Makes the bundle and writes it below `parent`.
    pub(crate) fn new(row: &'static Row, cast: &Cast, parent: &Path) -> Result<Self> {
        let files = (row.make)(cast).with_context(|| format!("cannot make `{}`", row.name))?;
        let roots = cast.take_roots();
        // Certificates that OpenSSL made start with the second in which it made them.
        let context = pki::Context::new(OffsetDateTime::now_utc(), ISTIO, TRUST_DOMAIN);
        let report = files.judge(&context).context("the rules cannot judge it")?;
        let case = Self { folder: parent.join(row.name), files, roots, report };
        make_folder(&case.folder)?;
        make_folder(&case.bundle())?;
        for name in case.files.names() {
            case.write(&format!("bundle/{name}"), case.files.get(name).unwrap_or_default())?;
        }
        Ok(case)
    }

    /// The folder of the bundle's files, and nothing else.
    pub(crate) fn bundle(&self) -> PathBuf {
        self.folder.join("bundle")
    }

    /// Writes a file into the case's folder.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> Result<()> {
        let path = self.folder.join(name);
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
    }

    /// One of the four files as istiod takes it: from cert-manager's three where none of the four
    /// is there.
    pub(crate) fn file(&self, name: &str) -> String {
        if self.has_four_files() {
            return text(&self.files, name);
        }
        let of = |name| text(&self.files, name);
        match name {
            BundleFiles::CA_CERT => of("tls.crt"),
            BundleFiles::CA_KEY => of("tls.key"),
            BundleFiles::ROOT_CERT => of("ca.crt"),
            _ => of("tls.crt") + &of("ca.crt"),
        }
    }

    /// Whether any of the four files is there: the layout is not cert-manager's then.
    pub(crate) fn has_four_files(&self) -> bool {
        BundleFiles::NAMES.iter().any(|name| self.files.get(name).is_some())
    }

    /// Whether istiod takes cert-manager's files, and so reads none of the four that are there too.
    pub(crate) fn is_hidden(&self) -> bool {
        let tls = ["tls.crt", "tls.key", "ca.crt"];
        self.has_four_files() && tls.iter().all(|name| self.files.get(name).is_some())
    }

    /// A new folder in the case's own.
    pub(crate) fn subfolder(&self, name: &str) -> Result<PathBuf> {
        let path = self.folder.join(name);
        make_folder(&path)?;
        Ok(path)
    }
}

/// Keys of bundles lie in there, though nobody trusts them.
fn make_folder(path: &Path) -> Result<()> {
    let made = fs::DirBuilder::new().mode(0o700).create(path);
    made.with_context(|| format!("cannot make {}", path.display()))
}
