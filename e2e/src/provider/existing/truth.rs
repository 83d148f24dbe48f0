//! What a mesh of others is held against: the public half of the administrator's own bundle, or
//! what the cluster's Secret says. No key is kept: of a folder ca-key.pem is not read, of the Secret
//! it is dropped with everything else that is not public.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use k8s_secret::SecretRef;
use kube::Client;
use pki::BundleFiles;

use crate::view::Truth;

/// The files that hold no key.
const PUBLIC: [&str; 3] = [BundleFiles::CA_CERT, BundleFiles::CERT_CHAIN, BundleFiles::ROOT_CERT];
/// The key with which istiod marks a CA of its own making (security/pkg/pki/ca, `IstioGenerated`).
const GENERATED: &str = "istio-generated";
/// How long reading the Secret may take.
const READ: Duration = Duration::from_secs(15);

/// Where the truth is from.
#[derive(Debug)]
pub(super) enum Source {
    /// The administrator's own files.
    Folder(BundleFiles),
    /// The Secret in the cluster itself.
    Secret,
}

impl Source {
    /// Reads the three public files of a folder.
    ///
    /// # Errors
    /// One cannot be read.
    pub(super) fn folder(folder: &Path) -> Result<Self> {
        let mut files = BundleFiles::new();
        for name in PUBLIC {
            let path = folder.join(name);
            let bytes = std::fs::read(&path).with_context(|| {
                format!(
                    "cannot read {}: --bundle needs the public half of the CA, {}",
                    path.display(),
                    PUBLIC.join(", ")
                )
            })?;
            files.insert(name, bytes);
        }
        Ok(Self::Folder(files))
    }

    /// The truth, with its files in `folder` of the run: the page's commands compare files.
    ///
    /// # Errors
    /// There is no Secret, or the files are no bundle.
    pub(super) async fn truth(
        &self,
        client: &Client,
        system_namespace: &str,
        folder: &Path,
    ) -> Result<Truth> {
        match self {
            Self::Folder(files) => {
                written(files, folder).context("the bundle of --bundle cannot be used")
            }
            Self::Secret => {
                let at = SecretRef::in_namespace(system_namespace)?;
                let Some(found) = k8s_secret::read(client, &at, READ).await? else {
                    bail!(
                        "there is no {at}: name the folder with the public half of the CA with \
                         --bundle, or plug a CA in first"
                    )
                };
                let files = plugged_in(&found).with_context(|| format!("{at} is no truth"))?;
                drop(found);
                written(&files, folder).with_context(|| format!("{at} is no bundle"))
            }
        }
    }

    /// Whether the cluster itself is asked.
    pub(super) fn is_secret(&self) -> bool {
        matches!(self, Self::Secret)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(_) => f.write_str("the administrator's own public files (--bundle)"),
            Self::Secret => f.write_str(
                "the cluster's own Secret cacerts: the mesh agrees with itself; that the CA is the \
                 administrator's needs --bundle",
            ),
        }
    }
}

/// The public files of a Secret into which somebody plugged a CA. istiod keeps one of its own making
/// there too (`USE_CACERTS_FOR_SELF_SIGNED_CA`), and would agree with itself.
fn plugged_in(found: &BundleFiles) -> Result<BundleFiles> {
    ensure!(
        found.get(GENERATED).is_none(),
        "its key `{GENERATED}` says that istiod made this CA itself and nobody plugged one in; \
         where somebody did, hold the mesh against their files with --bundle"
    );
    Ok(public(found))
}

/// The public files of a Secret, by the names of the four files. A `tls.crt` means the layout of
/// cert-manager, which istiod prefers (security/pkg/pki/ca, `NewSigningCAFileBundle`): its chain is
/// `tls.crt` and `ca.crt`, its root `ca.crt`.
fn public(found: &BundleFiles) -> BundleFiles {
    let mut files = BundleFiles::new();
    if let (Some(certificate), Some(root)) = (found.get("tls.crt"), found.get("ca.crt")) {
        files.insert(BundleFiles::CA_CERT, certificate);
        files.insert(BundleFiles::CERT_CHAIN, [certificate, root].concat());
        files.insert(BundleFiles::ROOT_CERT, root);
        return files;
    }
    for name in PUBLIC {
        if let Some(bytes) = found.get(name) {
            files.insert(name, bytes);
        }
    }
    files
}

/// The truth of public files, which are written once it is known that no key is among them.
fn written(files: &BundleFiles, folder: &Path) -> Result<Truth> {
    let truth = Truth::new(files, folder.to_owned())?;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for name in PUBLIC {
        let path = folder.join(name);
        std::fs::write(&path, files.get(name).unwrap_or_default())
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(truth)
}

#[cfg(test)]
mod tests {
    use pki::{Bundle, ClusterCaParams, KeyAlgorithm, Profile, RootCa, RootCaParams, Validity};
    use pretty_assertions::assert_eq;
    use time::macros::datetime;

    use super::*;

    fn bundle() -> Bundle {
        let (profile, key) = (Profile::Hardened, KeyAlgorithm::EcdsaP256);
        let start = datetime!(2026-11-24 12:00 UTC);
        let validity = Validity::new(start, start + time::Duration::days(30)).unwrap();
        let (common_name, organization) = ("Root CA".to_owned(), "Example".to_owned());
        let root = RootCaParams { profile, common_name, organization, validity, key };
        let cluster_ca = ClusterCaParams {
            profile,
            common_name: "Intermediate CA".to_owned(),
            organization: "Example".to_owned(),
            cluster: "cluster1".to_owned(),
            dns_name: "istiod.istio-system.svc".to_owned(),
            validity,
            key,
        };
        let root = RootCa::generate(&root).unwrap();
        root.issue_cluster_ca(&cluster_ca).unwrap().bundle().unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name());
        let mut names: Vec<_> = files.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn of_a_secret_the_public_files_alone_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let truth = written(&public(bundle().files()), folder.path()).unwrap();
        assert_eq!(names(folder.path()), ["ca-cert.pem", "cert-chain.pem", "root-cert.pem"]);
        assert_eq!(truth.folder, folder.path());
    }

    #[test]
    fn a_secret_of_cert_managers_layout_is_read_as_istiod_reads_it() {
        let bundle = bundle();
        let ours = |name| bundle.files().get(name).unwrap();
        let mut found = BundleFiles::new();
        found.insert("tls.crt", ours(BundleFiles::CA_CERT));
        found.insert("tls.key", ours(BundleFiles::CA_KEY));
        found.insert("ca.crt", ours(BundleFiles::ROOT_CERT));
        let folder = tempfile::tempdir().unwrap();
        let truth = written(&public(&found), folder.path()).unwrap();
        assert_eq!(truth.hierarchy, *bundle.hierarchy());
        assert_eq!(truth.chain.len(), 2);
    }

    #[test]
    fn a_ca_that_istiod_made_itself_is_no_truth() {
        let mut found = BundleFiles::new();
        let bundle = bundle();
        for name in BundleFiles::NAMES {
            found.insert(name, bundle.files().get(name).unwrap());
        }
        assert_eq!(plugged_in(&found).unwrap().names().collect::<Vec<_>>(), PUBLIC);
        found.insert(GENERATED, "");
        assert_eq!(
            plugged_in(&found).unwrap_err().to_string(),
            "its key `istio-generated` says that istiod made this CA itself and nobody plugged one \
             in; where somebody did, hold the mesh against their files with --bundle"
        );
    }

    #[test]
    fn a_key_in_a_public_file_is_refused_and_not_written() {
        let bundle = bundle();
        let mut files = public(bundle.files());
        let key = bundle.files().get(BundleFiles::CA_KEY).unwrap();
        let both = [files.get(BundleFiles::CERT_CHAIN).unwrap(), key].concat();
        files.insert(BundleFiles::CERT_CHAIN, both);
        let folder = tempfile::tempdir().unwrap();
        let Err(error) = written(&files, folder.path()) else { panic!("it was taken") };
        assert!(error.to_string().contains("cert-chain.pem"), "{error:#}");
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }

    #[test]
    fn a_folder_that_lacks_a_file_is_refused_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let error = Source::folder(folder.path()).unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "cannot read {}: --bundle needs the public half of the CA, ca-cert.pem, \
                 cert-chain.pem, root-cert.pem",
                folder.path().join("ca-cert.pem").display()
            )
        );
    }
}
