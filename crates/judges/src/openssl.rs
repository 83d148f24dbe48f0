//! OpenSSL, of the machine: makes what rcgen does not, and is a judge (`judge/openssl.rs`).

use anyhow::{Context as _, Result};
use pki::BundleFiles;

use crate::command;

/// What kinds of keys and signatures a bundle is made of.
pub(crate) struct Kinds {
    /// Algorithm and options of `openssl genpkey`.
    pub(crate) root: &'static str,
    pub(crate) ca: &'static str,
    /// The digest, and options, of the root's own signature and of that on the cluster CA.
    pub(crate) root_digest: &'static str,
    pub(crate) ca_digest: &'static str,
    /// The cluster CA's, in the form of `openssl req -subj`.
    pub(crate) subject: &'static str,
}

const EXTENSIONS: &str = "basicConstraints=critical,CA:TRUE\n\
    keyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n";

/// Root and cluster CA of these kinds.
pub(crate) fn bundle(kinds: &Kinds) -> Result<BundleFiles> {
    let Kinds { root, ca, root_digest, ca_digest, subject } = kinds;
    let folder = tempfile::tempdir().context("cannot make a folder")?;
    let folder = folder.path();
    std::fs::write(folder.join("ca.conf"), EXTENSIONS).context("cannot write a configuration")?;
    let days = "-extfile ca.conf";
    for command in [
        format!("genpkey -algorithm {root} -out root-key.pem"),
        format!("genpkey -algorithm {ca} -out ca-key.pem"),
        // A request's own digest is nobody's concern, but small keys cannot sign every one.
        format!("req -new -key root-key.pem -subj /O=Istio/CN=root {root_digest} -out root.csr"),
        format!("req -new -key ca-key.pem -multivalue-rdn -subj {subject} -out ca.csr"),
        format!(
            "x509 -req -in root.csr -signkey root-key.pem {root_digest} -days 365 {days} -out \
             root-cert.pem"
        ),
        format!(
            "x509 -req -in ca.csr -CA root-cert.pem -CAkey root-key.pem -CAcreateserial \
             {ca_digest} -days 364 {days} -out ca-cert.pem"
        ),
    ] {
        let words = command.split(' ').filter(|word| !word.is_empty());
        command::at_once("openssl", words, folder)?;
    }
    let mut files = BundleFiles::new();
    for (name, made) in [
        (BundleFiles::CA_CERT, "ca-cert.pem"),
        (BundleFiles::CA_KEY, "ca-key.pem"),
        (BundleFiles::CERT_CHAIN, "ca-cert.pem"),
        (BundleFiles::ROOT_CERT, "root-cert.pem"),
    ] {
        let made = folder.join(made);
        files.insert(name, std::fs::read(&made).context("openssl did not write what it should")?);
    }
    Ok(files)
}

/// An empty list of a CA with these extensions, in the form of openssl's configuration.
pub(crate) fn list(certificate: &str, key_pem: &str, extensions: &str) -> Result<String> {
    let folder = tempfile::tempdir().context("cannot make a folder")?;
    let folder = folder.path();
    let config = format!(
        "[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\ndefault_md=sha256\n\
         [lists]\n{extensions}\n"
    );
    for (name, content) in [
        ("ca.conf", config.as_str()),
        ("index.txt", ""),
        ("ca.pem", certificate),
        ("key.pem", key_pem),
    ] {
        std::fs::write(folder.join(name), content).context("cannot write for openssl")?;
    }
    let args =
        "ca -gencrl -config ca.conf -cert ca.pem -keyfile key.pem -crldays 29 -crlexts lists";
    command::at_once("openssl", args.split(' '), folder)
}

/// A key as `openssl ARGS` writes it, which finds it as `key.pem`.
pub(crate) fn converted(key_pem: &str, args: &str) -> Result<String> {
    let folder = tempfile::tempdir().context("cannot make a folder")?;
    std::fs::write(folder.path().join("key.pem"), key_pem).context("cannot write a key")?;
    command::at_once("openssl", args.split(' '), folder.path())
}
