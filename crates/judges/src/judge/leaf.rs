//! A workload certificate as istiod would issue it, signed with the bundle's key by OpenSSL, which
//! copies the issuer's name to the byte and signs with every kind of key.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use pki::BundleFiles;

use crate::case::{Case, TRUST_DOMAIN};
use crate::command::Tool;

const DEADLINE: Duration = Duration::from_secs(30);

/// The request every leaf is made of, in a folder of its own.
pub(crate) async fn request(folder: &Path) -> Result<()> {
    let key = "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out leaf-key.pem";
    let request = "req -new -key leaf-key.pem -subj / -out leaf.csr";
    for command in [key, request] {
        Tool::new("openssl", folder).args(command.split(' ')).succeed(DEADLINE).await?;
    }
    let extensions = format!(
        "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,keyEncipherment\n\
         extendedKeyUsage=serverAuth,clientAuth\nauthorityKeyIdentifier=keyid\n\
         subjectAltName=critical,URI:spiffe://{TRUST_DOMAIN}/ns/foo/sa/httpbin\n"
    );
    std::fs::write(folder.join("leaf.conf"), extensions).context("cannot write a configuration")
}

/// Writes `leaf.pem` and `served.pem`, what a workload would send, into the case's folder; or says
/// why OpenSSL signs none.
pub(crate) async fn issue(case: &Case, requests: &Path) -> Result<Result<(), String>> {
    for (name, file) in [
        ("ca.pem", BundleFiles::CA_CERT),
        ("key.pem", BundleFiles::CA_KEY),
        ("roots.pem", BundleFiles::ROOT_CERT),
    ] {
        case.write(name, case.file(file))?;
    }
    let sign = Tool::new("openssl", &case.folder)
        .args(["x509", "-req", "-days", "1", "-set_serial", "4096", "-out", "leaf.pem"])
        .args(["-CA", "ca.pem", "-CAkey", "key.pem"])
        .arg("-in")
        .arg(requests.join("leaf.csr"))
        .arg("-extfile")
        .arg(requests.join("leaf.conf"));
    let output = sign.output(DEADLINE).await?;
    if !output.status.success() {
        return Ok(Err(format!("no leaf can be signed: {}", output.last_words())));
    }
    let leaf = std::fs::read_to_string(case.folder.join("leaf.pem"));
    let leaf = leaf.context("openssl wrote no certificate")?;
    // istiod sends them as elements of a list, and the agent writes them line by line.
    let [chain, roots] =
        [BundleFiles::CERT_CHAIN, BundleFiles::ROOT_CERT].map(|name| case.file(name));
    case.write("served.pem", format!("{leaf}{chain}\n{roots}"))?;
    Ok(Ok(()))
}
