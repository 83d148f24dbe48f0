//! The files of a bundle, read once for all rules.

use std::cell::OnceCell;

use super::{Context, weak};
use crate::crl::Crl;
use crate::hierarchy::path_to_root;
use crate::{BundleFiles, Certificate, Error, PrivateKey, SpiffeId, pem};

/// The revocation lists that istiod hands out.
pub(super) const CRL: &str = "ca-crl.pem";

/// One of the three files that istiod hands out or signs with.
pub(super) struct PublicFile {
    pub(super) name: &'static str,
    pub(super) is_empty: bool,
    pub(super) blocks: Vec<PublicBlock>,
    pub(super) skipped: Vec<pem::Skipped>,
}

pub(super) struct PublicBlock {
    pub(super) label: String,
    pub(super) line: usize,
    pub(super) certificate: Result<Certificate, Error>,
    /// The same whatever its label and headers say.
    pub(super) held: Option<Certificate>,
}

impl PublicFile {
    fn read(files: &BundleFiles, name: &'static str) -> Option<Self> {
        let bytes = files.get(name)?;
        let pem::Blocks { read, skipped } = pem::scan(bytes);
        let blocks = read
            .iter()
            .map(|block| {
                let parsed = Certificate::from_der(&block.contents).and_then(as_go_reads);
                let held = parsed.as_ref().ok().cloned();
                PublicBlock {
                    label: block.label.clone(),
                    line: block.line,
                    certificate: Certificate::check_block(block).and(parsed),
                    held,
                }
            })
            .collect();
        Some(Self { name, is_empty: bytes.is_empty(), blocks, skipped })
    }

    /// Every block that is a certificate.
    pub(super) fn certificates(&self) -> Vec<Certificate> {
        self.blocks.iter().filter_map(|block| block.certificate.as_ref().ok()).cloned().collect()
    }
}

/// The file of revocation lists.
pub(super) struct CrlFile {
    pub(super) is_empty: bool,
    pub(super) blocks: Vec<Result<Crl, Error>>,
    pub(super) skipped: Vec<pem::Skipped>,
}

impl CrlFile {
    fn read(bytes: &[u8]) -> Self {
        let pem::Blocks { read, skipped } = pem::scan(bytes);
        let blocks = read.iter().map(Crl::from_block).collect();
        Self { is_empty: bytes.is_empty(), blocks, skipped }
    }
}

/// Go parses no certificate whose elliptic key is on a curve it does not have.
fn as_go_reads(certificate: Certificate) -> Result<Certificate, Error> {
    let kind = certificate.public_key_kind();
    if kind.starts_with("ecdsa on curve") {
        let reason = format!("Go does not read a key of kind {kind}");
        return Err(Error::MalformedCertificate { reason });
    }
    Ok(certificate)
}

/// A certificate of the path from the cluster CA up, with where it was found.
pub(super) struct Step {
    pub(super) file: &'static str,
    pub(super) certificate: Certificate,
}

pub(super) struct Inspection<'a> {
    /// The four files, also where istiod makes them of cert-manager's three, and the others.
    pub(super) files: &'a BundleFiles,
    /// Whether the four were made of `tls.crt`, `tls.key` and `ca.crt`.
    pub(super) tls_layout: bool,
    pub(super) context: &'a Context,
    /// A workload of the mesh, for the synthetic leaf.
    pub(super) workload: SpiffeId,
    pub(super) ca_file: Option<PublicFile>,
    pub(super) chain_file: Option<PublicFile>,
    pub(super) root_file: Option<PublicFile>,
    pub(super) crl_file: Option<CrlFile>,
    pub(super) key: Option<Result<PrivateKey, Error>>,
    /// SubjectPublicKeyInfo of the key, also of an RSA key that is too small to be loaded.
    pub(super) key_public: Option<Vec<u8>>,
    /// First block of ca-cert.pem.
    pub(super) ca: Option<Certificate>,
    pub(super) chain: Vec<Certificate>,
    pub(super) roots: Vec<Certificate>,
    /// The way from the cluster CA (first) to an anchor (last), or where it ends.
    pub(super) path: Option<Result<Vec<Step>, Certificate>>,
    /// The cluster CA where it has no path, so that rules about it alone still see it.
    pub(super) lone_ca: Option<Step>,
    /// With the names of a workload and of istiod; see the rules that issue it.
    pub(super) probe_leaf: OnceCell<Certificate>,
}

impl<'a> Inspection<'a> {
    /// `four_files` where istiod does not read the given ones as they are.
    pub(super) fn new(
        given: &'a BundleFiles,
        four_files: Option<&'a BundleFiles>,
        context: &'a Context,
    ) -> Result<Self, Error> {
        let files = four_files.unwrap_or(given);
        let workload = SpiffeId::workload(&context.trust_domain, "default", "default")?;
        let ca_file = PublicFile::read(files, BundleFiles::CA_CERT);
        let chain_file = PublicFile::read(files, BundleFiles::CERT_CHAIN);
        let root_file = PublicFile::read(files, BundleFiles::ROOT_CERT);
        let first = ca_file.as_ref().and_then(|file| file.blocks.first());
        // istiod does not mind headers there.
        let ca = first
            .filter(|block| block.label == pem::CERTIFICATE)
            .and_then(|block| block.held.clone());
        let certificates = |file: &Option<PublicFile>| {
            file.as_ref().map(PublicFile::certificates).unwrap_or_default()
        };
        let (chain, roots) = (certificates(&chain_file), certificates(&root_file));
        let path = ca.as_ref().map(|ca| find_path(ca, &chain, &roots, context));
        let lone_ca = match (&ca, &path) {
            (Some(ca), Some(Err(_))) => {
                Some(Step { file: BundleFiles::CA_CERT, certificate: ca.clone() })
            }
            _ => None,
        };
        let key = files.get(BundleFiles::CA_KEY).map(PrivateKey::from_pem);
        let key_public = match &key {
            Some(Ok(key)) => Some(key.public_key_der().to_vec()),
            Some(Err(_)) => files.get(BundleFiles::CA_KEY).and_then(weak::rsa_public_key),
            None => None,
        };
        Ok(Self {
            files,
            tls_layout: four_files.is_some(),
            crl_file: files.get(CRL).map(CrlFile::read),
            context,
            workload,
            ca_file,
            chain_file,
            root_file,
            key,
            key_public,
            ca,
            chain,
            roots,
            path,
            lone_ca,
            probe_leaf: OnceCell::new(),
        })
    }

    pub(super) fn public_files(&self) -> impl Iterator<Item = &PublicFile> {
        [&self.ca_file, &self.chain_file, &self.root_file].into_iter().flatten()
    }

    /// The certificates from the cluster CA up to the anchor; none where there is no path.
    pub(super) fn steps(&self) -> &[Step] {
        match &self.path {
            Some(Ok(steps)) => steps,
            _ => &[],
        }
    }
}

/// CAs that are valid are tried first: Go, too, takes the twin that verifies.
fn find_path(
    ca: &Certificate,
    chain: &[Certificate],
    roots: &[Certificate],
    context: &Context,
) -> Result<Vec<Step>, Certificate> {
    let good_first = |certificates: &[Certificate]| {
        let mut sorted = certificates.to_vec();
        let is_good = |it: &Certificate| it.is_ca() && it.validity().contains(context.now);
        sorted.sort_by_key(|certificate| !is_good(certificate));
        sorted
    };
    let (tiers, anchor) = {
        let (chain, roots) = (good_first(chain), good_first(roots));
        path_to_root(ca, &chain, &roots, weak::is_signed_by)?
    };
    let step = |file, certificate: &Certificate| Step { file, certificate: certificate.clone() };
    let mut steps = vec![step(BundleFiles::CA_CERT, ca)];
    steps.extend(tiers.iter().map(|tier| step(BundleFiles::CERT_CHAIN, tier)));
    if anchor != *ca {
        steps.push(step(BundleFiles::ROOT_CERT, &anchor));
    }
    Ok(steps)
}
