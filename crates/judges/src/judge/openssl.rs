//! OpenSSL, for every client that is none of the mesh: it reads root-cert.pem as it lies there.

use std::time::Duration;

use anyhow::Result;

use crate::case::Case;
use crate::command::Tool;
use crate::verdict::Verdict;

const DEADLINE: Duration = Duration::from_secs(30);

/// Verifies the leaf as a server's certificate and as a client's.
pub(crate) async fn verify(case: &Case) -> Result<Verdict> {
    for purpose in ["sslserver", "sslclient"] {
        let verify = Tool::new("openssl", &case.folder)
            .args(["verify", "-no-CApath", "-no-CAstore", "-purpose", purpose])
            .args(["-CAfile", "roots.pem", "-untrusted", "served.pem", "leaf.pem"]);
        let output = verify.output(DEADLINE).await?;
        if !output.status.success() {
            return Ok(Verdict::Refuses(format!("{purpose}: {}", reason(&output.stderr))));
        }
    }
    Ok(Verdict::Accepts)
}

/// The line that says why, else the first.
fn reason(stderr: &str) -> &str {
    let mut lines = stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let why = lines.clone().find(|line| line.starts_with("error "));
    why.or_else(|| lines.next()).unwrap_or("nothing")
}
