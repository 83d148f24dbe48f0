//! Who plays in the bundles: a root, a cluster CA under it, and a stranger; good ones, to be spoilt.

use std::cell::RefCell;

use anyhow::{Context as _, Result};
use pki::BundleFiles;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use time::{Duration, OffsetDateTime};

pub(crate) const CA: &str = BundleFiles::CA_CERT;
pub(crate) const KEY: &str = BundleFiles::CA_KEY;
pub(crate) const CHAIN: &str = BundleFiles::CERT_CHAIN;
pub(crate) const ROOT: &str = BundleFiles::ROOT_CERT;
pub(crate) const CRL: &str = "ca-crl.pem";

/// A certificate with what is needed to sign below it.
pub(crate) struct Ca {
    pub(crate) params: CertificateParams,
    pub(crate) key: KeyPair,
    pub(crate) pem: String,
}

impl Ca {
    pub(crate) fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    fn again(&self) -> Result<Self> {
        let key = self.key_again()?;
        Ok(Self { params: self.params.clone(), key, pem: self.pem.clone() })
    }

    /// The same key once more.
    pub(crate) fn key_again(&self) -> Result<KeyPair> {
        KeyPair::from_pem(&self.key_pem()).context("cannot read a key back")
    }
}

/// What every bundle is made of.
pub(crate) struct Cast {
    /// When the bundles are made, and judged.
    pub(crate) now: OffsetDateTime,
    pub(crate) root: Ca,
    pub(crate) ca: Ca,
    /// Another self-signed root.
    pub(crate) foreign: Ca,
    /// The self-signed ones that were made since they were last taken.
    roots: RefCell<Vec<Ca>>,
}

impl Cast {
    pub(crate) fn new(now: OffsetDateTime) -> Result<Self> {
        let root = made("root", None, now, |_| {})?;
        let ca = made("ca", Some(&root), now, |_| {})?;
        let foreign = made("foreign", None, now, |_| {})?;
        Ok(Self { now, root, ca, foreign, roots: RefCell::default() })
    }

    /// A CA, good unless `edit` makes it odd; self-signed without an issuer.
    pub(crate) fn made(
        &self,
        name: &str,
        issuer: Option<&Ca>,
        edit: impl FnOnce(&mut CertificateParams),
    ) -> Result<Ca> {
        self.made_with(name, issuer, KeyPair::generate().context("cannot make a key")?, edit)
    }

    /// As [`Cast::made`], with a key that is there.
    pub(crate) fn made_with(
        &self,
        name: &str,
        issuer: Option<&Ca>,
        key: KeyPair,
        edit: impl FnOnce(&mut CertificateParams),
    ) -> Result<Ca> {
        let made = made_with(name, issuer, key, self.now, edit)?;
        if issuer.is_none() {
            self.roots.borrow_mut().push(made.again()?);
        }
        Ok(made)
    }

    /// The self-signed ones that were made for a bundle.
    pub(crate) fn take_roots(&self) -> Vec<Ca> {
        self.roots.take()
    }

    /// A bundle of a new root and a new cluster CA.
    pub(crate) fn two(
        &self,
        root: impl FnOnce(&mut CertificateParams),
        ca: impl FnOnce(&mut CertificateParams),
    ) -> Result<BundleFiles> {
        let root = self.made("root", None, root)?;
        let ca = self.made("ca", Some(&root), ca)?;
        Ok(files(&ca, &[&ca], &[&root]))
    }

    /// A bundle with a tier between a new root and a new cluster CA.
    pub(crate) fn three(
        &self,
        root: impl FnOnce(&mut CertificateParams),
        tier: impl FnOnce(&mut CertificateParams),
        ca: impl FnOnce(&mut CertificateParams),
    ) -> Result<BundleFiles> {
        let root = self.made("root", None, root)?;
        let tier = self.made("tier", Some(&root), tier)?;
        let ca = self.made("ca", Some(&tier), ca)?;
        Ok(files(&ca, &[&ca, &tier], &[&root]))
    }

    /// The good bundle: the cluster CA alone in the chain.
    pub(crate) fn good(&self) -> BundleFiles {
        files(&self.ca, &[&self.ca], &[&self.root])
    }

    /// The good bundle with one file changed; a file that is not there counts as empty.
    pub(crate) fn with(&self, name: &str, change: impl FnOnce(&str) -> String) -> BundleFiles {
        edited(self.good(), name, change)
    }

    pub(crate) fn without(&self, names: &[&str]) -> BundleFiles {
        let mut files = self.good();
        for name in names {
            files.remove(name);
        }
        files
    }

    pub(crate) fn chain(&self, chain: &[&Ca]) -> BundleFiles {
        files(&self.ca, chain, &[&self.root])
    }

    pub(crate) fn roots(&self, roots: &[&Ca]) -> BundleFiles {
        files(&self.ca, &[&self.ca], roots)
    }
}

fn made(
    name: &str,
    issuer: Option<&Ca>,
    now: OffsetDateTime,
    edit: impl FnOnce(&mut CertificateParams),
) -> Result<Ca> {
    let key = KeyPair::generate().context("cannot make a key")?;
    made_with(name, issuer, key, now, edit)
}

fn made_with(
    name: &str,
    issuer: Option<&Ca>,
    key: KeyPair,
    now: OffsetDateTime,
    edit: impl FnOnce(&mut CertificateParams),
) -> Result<Ca> {
    let mut params = CertificateParams::default();
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = now - Duration::days(1);
    params.not_after = now + Duration::days(365);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = issuer.is_some();
    edit(&mut params);
    let certificate = match issuer {
        Some(ca) => params.signed_by(&key, &Issuer::from_params(&ca.params, &ca.key)),
        None => params.self_signed(&key),
    };
    let certificate = certificate.with_context(|| format!("cannot make the certificate {name}"))?;
    Ok(Ca { pem: certificate.pem(), params, key })
}

/// The four files, as an administrator would put them together.
pub(crate) fn files(ca: &Ca, chain: &[&Ca], roots: &[&Ca]) -> BundleFiles {
    let pem = |cas: &[&Ca]| cas.iter().map(|one| one.pem.as_str()).collect::<String>();
    let mut files = BundleFiles::new();
    files.insert(CA, &ca.pem);
    files.insert(KEY, ca.key_pem());
    files.insert(CHAIN, pem(chain));
    files.insert(ROOT, pem(roots));
    files
}

/// One file changed; one that is not there counts as empty.
pub(crate) fn edited(
    mut files: BundleFiles,
    name: &str,
    change: impl FnOnce(&str) -> String,
) -> BundleFiles {
    let before = text(&files, name);
    files.insert(name, change(&before));
    files
}

/// A file as text; empty where it is not there.
pub(crate) fn text(files: &BundleFiles, name: &str) -> String {
    String::from_utf8_lossy(files.get(name).unwrap_or_default()).into_owned()
}

/// A PEM block of any label around these base64 digits.
pub(crate) fn block(label: &str, base64: &str) -> String {
    format!("-----BEGIN {label}-----\n{base64}\n-----END {label}-----\n")
}

/// A block that says certificate and holds other DER.
pub(crate) fn damaged() -> String {
    block("CERTIFICATE", "MAUCAQECAQI=")
}
