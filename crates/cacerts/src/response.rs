//! The response file: a cluster's CA and the CAs above it as PEM, below a statement that names it and
//! the root.

use std::path::{Path, PathBuf};

use pki::{Certificate, Fingerprint};

use crate::issuer::IssuerFolder;
use crate::lifetime::rfc3339;
use crate::name::ClusterName;
use crate::statement::Statement;

#[cfg(fuzzing)]
pub(crate) mod fuzzing;

const TITLE: &str = "cacerts response 1";

/// What came back from the root.
pub(crate) struct Response {
    /// `None` for certificates that another tool sent.
    pub(crate) cluster: Option<ClusterName>,
    /// The first certificate: the cluster's CA, in a response of `cacerts`.
    pub(crate) ca: Certificate,
    /// The others.
    pub(crate) above: Vec<Certificate>,
}

/// Where the response to a cluster's request goes.
pub(crate) fn path(dir: &Path, cluster: &ClusterName) -> PathBuf {
    dir.join(format!("{cluster}.response.pem"))
}

/// The file for a CA that was signed: behind it the tiers, the root last.
pub(crate) fn file(
    cluster: &ClusterName,
    ca: &Certificate,
    issuer: &IssuerFolder,
) -> Result<String, String> {
    let fields = [
        ("cluster", cluster.to_string()),
        ("subject", ca.subject().to_string()),
        ("until", rfc3339(ca.validity().not_after())),
        ("public key", ca.public_key_fingerprint().to_string()),
        ("certificate", ca.fingerprint().to_string()),
        ("root", issuer.root().fingerprint().to_string()),
    ];
    let all = [ca].into_iter().chain(issuer.way_up());
    Statement::write(TITLE, &fields, &all.map(Certificate::to_pem).collect::<String>())
}

impl Response {
    /// Every certificate, in the file's order.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Certificate> {
        std::iter::once(&self.ca).chain(&self.above)
    }

    /// Reads a response of `cacerts`, or the certificates that another tool sent. That the text says
    /// what the certificates do is checked, nothing else.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let statement = Statement::read(TITLE, text)?;
        let certificates = Certificate::all_from_pem(text.as_bytes());
        let mut above = certificates.map_err(|error| error.to_string())?;
        let ca = above.remove(0);
        let cluster =
            statement.map(|it| check(it, &ca, above.last().unwrap_or(&ca))).transpose()?;
        Ok(Self { cluster, ca, above })
    }
}

fn check(
    mut statement: Statement,
    ca: &Certificate,
    root: &Certificate,
) -> Result<ClusterName, String> {
    let cluster = ClusterName::read(&statement.take("cluster")?)?;
    let fingerprint = |text: String| text.parse().map_err(|error: pki::Error| error.to_string());
    let told = [
        ("public key", ca.public_key_fingerprint()),
        ("certificate", ca.fingerprint()),
        ("root", root.fingerprint()),
    ];
    for (field, found) in told {
        let told: Fingerprint = fingerprint(statement.take(field)?)?;
        if told != found {
            return Err(format!("its text says of the {field} {told}, and it is {found}"));
        }
    }
    let of_text =
        [("subject", ca.subject().to_string()), ("until", rfc3339(ca.validity().not_after()))];
    for (field, found) in of_text {
        let told = statement.take(field)?;
        if told != found {
            return Err(format!("its text says of the {field} `{told}`, and it is `{found}`"));
        }
    }
    statement.end()?;
    Ok(cluster)
}
