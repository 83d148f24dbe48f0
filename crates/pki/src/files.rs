//! Whatever lies in the folder or Secret of a plugged-in CA: names and bytes, not yet believed.

use std::collections::BTreeMap;
use std::fmt;

use zeroize::Zeroizing;

use crate::{Certificate, pem};

/// File name to raw bytes. May hold too much or too little, and a key in the wrong place: the
/// rules say. Bytes are wiped when dropped; Debug prints names and lengths only.
#[derive(Default)]
pub struct BundleFiles(BTreeMap<String, Zeroizing<Vec<u8>>>);

impl BundleFiles {
    /// Certificate of the cluster CA. This and the following names are those of Istio's Makefile
    /// and of security/pkg/pki/ca/ca.go.
    pub const CA_CERT: &'static str = "ca-cert.pem";
    /// Private key of the cluster CA: the only file that holds a key.
    pub const CA_KEY: &'static str = "ca-key.pem";
    /// The certificates istiod hands out behind each workload certificate.
    pub const CERT_CHAIN: &'static str = "cert-chain.pem";
    /// The trust bundle.
    pub const ROOT_CERT: &'static str = "root-cert.pem";
    /// All four.
    pub const NAMES: [&'static str; 4] =
        [Self::CA_CERT, Self::CA_KEY, Self::CERT_CHAIN, Self::ROOT_CERT];

    /// No files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file, or replaces it; the bytes may end in a newline or not, and are not looked at.
    pub fn insert(&mut self, name: impl Into<String>, bytes: impl AsRef<[u8]>) {
        self.0.insert(name.into(), Zeroizing::new(bytes.as_ref().to_vec()));
    }

    /// Takes a file out, for a caller that breaks or repairs a bundle on purpose.
    pub fn remove(&mut self, name: &str) -> Option<Zeroizing<Vec<u8>>> {
        self.0.remove(name)
    }

    /// The bytes of a file. Those of ca-key.pem are secret.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(|bytes| bytes.as_slice())
    }

    /// The names, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Every certificate of every file, with the file's name and the position of its PEM block
    /// there, from 1. What cannot be read is passed over: that is for the rules to say.
    pub fn certificates(&self) -> impl Iterator<Item = (&str, usize, Certificate)> {
        self.0.iter().flat_map(|(name, bytes)| {
            let blocks = pem::scan(bytes).read.into_iter().enumerate();
            blocks.filter_map(|(position, block)| {
                let certificate = Certificate::from_block(&block).ok()?;
                Some((name.as_str(), position + 1, certificate))
            })
        })
    }

    /// The line on which a PEM block of a file begins; both are counted from 1.
    pub fn block_line(&self, name: &str, block: usize) -> Option<usize> {
        let blocks = pem::scan(self.get(name)?).read;
        blocks.get(block.checked_sub(1)?).map(|block| block.line)
    }

    /// Keeps the four files of a bundle and wipes everything else.
    pub(crate) fn retain_bundle(&mut self) {
        self.0.retain(|name, _| Self::NAMES.contains(&name.as_str()));
    }
}

impl fmt::Debug for BundleFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lengths = self.0.iter().map(|(name, bytes)| (name, format!("{} bytes", bytes.len())));
        f.debug_map().entries(lengths).finish()
    }
}
