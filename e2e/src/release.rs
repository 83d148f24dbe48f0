//! An Istio to install: its istioctl, its samples, and the settings that its images need.
//!
//! Either the one that `tools` built, or an unpacked release as the page has it. It installs
//! nothing: that is the step "Deploy Istio".

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use tools::{Program, Toolbox, versions};

use crate::cmd::Tool;

/// The oldest release whose behaviour the claims were written for.
const OLDEST: (u32, u32) = (1, 27);

/// Which Istio to install, as a person says it.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct ReleaseArgs {
    /// An unpacked Istio release, as the page has it (bin/istioctl, samples, tools/certs)
    #[arg(long, value_name = "DIR")]
    pub(crate) istio_dir: Option<PathBuf>,
    /// One more setting for `istioctl install --set`; may be repeated
    #[arg(long = "istio-set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<String>,
}

/// What Istio is installed from.
#[derive(Clone, Debug)]
pub(crate) struct Release {
    istioctl: PathBuf,
    folder: PathBuf,
    version: String,
    settings: Vec<String>,
    images: Images,
}

/// Whose images are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Images {
    /// Those that `tools` builds.
    Built,
    /// Those that the release names.
    OfRelease,
}

impl Release {
    /// The one that was built here, with images that no registry has.
    pub(crate) fn built(toolbox: &Toolbox) -> Self {
        Self {
            istioctl: toolbox.program(Program::Istioctl).to_owned(),
            folder: toolbox.istio_dir().to_owned(),
            version: versions::ISTIO.to_owned(),
            settings: settings_of_built_images(),
            images: Images::Built,
        }
    }

    /// An unpacked release: `bin/istioctl`, `samples` and `tools/certs`, version 1.27 or later.
    ///
    /// # Errors
    /// Something is not in the folder, or is older.
    pub(crate) async fn unpacked(folder: &Path) -> Result<Self> {
        let folder = std::fs::canonicalize(folder)
            .with_context(|| format!("there is no Istio release in {}", folder.display()))?;
        let istioctl = folder.join("bin/istioctl");
        for part in ["bin/istioctl", "samples/httpbin/httpbin.yaml", "tools/certs"] {
            let found = folder.join(part).exists();
            ensure!(
                found,
                "{} is no unpacked Istio release: it has no {part}; unpack istio-VERSION-linux of \
                 the project's releases and name its folder with --istio-dir",
                folder.display()
            );
        }
        let told = Tool::new(&istioctl).args(["version", "--remote=false"]).run().await?.stdout;
        let version = version_told(&told)
            .with_context(|| format!("{} says no version: {told}", istioctl.display()))?;
        ensure!(
            minor(version)? >= OLDEST,
            "{} is Istio {version}; {}.{} is the oldest that can be tested",
            folder.display(),
            OLDEST.0,
            OLDEST.1
        );
        let version = version.to_owned();
        let (settings, images) = (Vec::new(), Images::OfRelease);
        Ok(Self { istioctl, folder, version, settings, images })
    }

    /// The same with the images that were built here in place of its own.
    ///
    /// # Errors
    /// They are of another version than the release.
    pub(crate) fn with_built_images(mut self) -> Result<Self> {
        if self.version != versions::ISTIO {
            bail!(
                "{} is Istio {}, the images that are built here are {}: use --images registry, or \
                 leave --istio-dir out",
                self.folder.display(),
                self.version,
                versions::ISTIO
            );
        }
        self.settings = settings_of_built_images();
        self.images = Images::Built;
        Ok(self)
    }

    /// The same with more settings, each `KEY=VALUE` as `istioctl --set` takes it. The last of a
    /// key counts.
    pub(crate) fn with_settings(mut self, settings: &[String]) -> Self {
        self.settings.extend_from_slice(settings);
        self
    }

    /// Its istioctl.
    pub(crate) fn istioctl(&self) -> &Path {
        &self.istioctl
    }

    /// What istioctl calls itself.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// What istioctl calls itself, and what only the images built here have a version of.
    pub(crate) fn versions(&self) -> Vec<(String, String)> {
        let mut known = vec![("Istio", self.version.as_str())];
        if self.images == Images::Built {
            known.push(("Istio module", versions::ISTIO_MODULE));
            known.push(("Envoy", versions::ENVOY_VERSION));
        }
        known.into_iter().map(|(name, version)| (name.to_owned(), version.to_owned())).collect()
    }

    /// What istioctl has to be told beside the profile, each `KEY=VALUE`.
    pub(crate) fn settings(&self) -> &[String] {
        &self.settings
    }

    /// The manifest of a sample, unchanged.
    pub(crate) fn sample(&self, name: &str) -> PathBuf {
        self.folder.join("samples").join(name).join(format!("{name}.yaml"))
    }
}

fn settings_of_built_images() -> Vec<String> {
    vec![
        format!("hub={}", versions::ISTIO_HUB),
        format!("tag={}", versions::ISTIO),
        // Envoy's wheel is the upstream build, without Istio's own filters: request metrics and
        // protocol sniffing over mutual TLS are off. Nothing of the certificates depends on them.
        "values.telemetry.enabled=false".to_owned(),
        "values.pilot.env.PILOT_ENABLE_METADATA_EXCHANGE=false".to_owned(),
        "values.pilot.env.PILOT_ENABLE_ALPN_FILTER=false".to_owned(),
    ]
}

/// `1.31.4` of `client version: 1.31.4`.
fn version_told(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.trim().strip_prefix("client version:")).map(str::trim)
}

/// `(1, 31)` of `1.31.4`, `1.31-dev` and `1.31-alpha.0`.
fn minor(version: &str) -> Result<(u32, u32)> {
    let numbers = || {
        let (major, rest) = version.split_once('.')?;
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        Some((major.parse().ok()?, digits.parse().ok()?))
    };
    numbers().with_context(|| format!("`{version}` is not a version of Istio"))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        let known = ["1.31.4", "1.31-dev", "1.9.0", "2.0.0-rc.1"].map(|v| minor(v).unwrap());
        assert_eq!(known, [(1, 31), (1, 31), (1, 9), (2, 0)]);
        assert!(minor("1.9.0").unwrap() < OLDEST && minor("1.27.0").unwrap() >= OLDEST);
    }

    #[test]
    fn what_is_no_version_is_named() {
        let error = minor("unknown").unwrap_err().to_string();
        assert_eq!(error, "`unknown` is not a version of Istio");
    }

    #[test]
    fn istioctl_tells_its_version_in_a_line() {
        assert_eq!(version_told("client version: 1.31-dev\n"), Some("1.31-dev"));
        assert_eq!(version_told("no running Istio pods\n"), None);
    }

    #[tokio::test]
    async fn a_folder_that_is_no_release_is_refused_by_what_it_lacks() {
        let folder = tempfile::tempdir().unwrap();
        let error = Release::unpacked(folder.path()).await.unwrap_err().to_string();
        let root = std::fs::canonicalize(folder.path()).unwrap();
        assert_eq!(
            error,
            format!(
                "{} is no unpacked Istio release: it has no bin/istioctl; unpack \
                 istio-VERSION-linux of the project's releases and name its folder with --istio-dir",
                root.display()
            )
        );
    }
}
