//! rustls-webpki, which verifies for ztunnel: every workload is a server and a client to it.

use anyhow::{Context as _, Result};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use crate::case::Case;
use crate::verdict::Verdict;

/// Verifies the leaf that lies in the case's folder.
pub(crate) fn verify(case: &Case) -> Result<Verdict> {
    let read = |name: &str| -> Result<Vec<CertificateDer<'static>>> {
        let pem = std::fs::read(case.folder.join(name)).with_context(|| format!("no {name}"))?;
        // As ztunnel: what cannot be read is left out.
        Ok(CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok).collect())
    };
    let (served, roots) = (read("served.pem")?, read("roots.pem")?);
    let (leaf, above) = served.split_first().context("no leaf was read back")?;
    let anchors: Vec<_> =
        roots.iter().filter_map(|root| anchor_from_trusted_cert(root).ok()).collect();
    // The leaf is younger than the bundle.
    let now = UnixTime::now();
    let leaf = match EndEntityCert::try_from(leaf) {
        Ok(leaf) => leaf,
        Err(reason) => return Ok(Verdict::Refuses(format!("{reason:?}"))),
    };
    for (name, usage) in [("server", KeyUsage::server_auth()), ("client", KeyUsage::client_auth())]
    {
        let verified =
            leaf.verify_for_usage(ALL_VERIFICATION_ALGS, &anchors, above, now, usage, None, None);
        if let Err(reason) = verified {
            return Ok(Verdict::Refuses(format!("{name}: {reason:?}")));
        }
    }
    Ok(Verdict::Accepts)
}
