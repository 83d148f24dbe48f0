//! The page's own verification, with the page's own openssl commands: an independent witness.
//!
//! The chain is fetched in the client's proxy, as the page does. The comparisons run beside this
//! program, as they do on the reader's machine. `page/commands.txt` of the run's folder has each
//! command of the page next to what was run for it.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use pki::Hierarchy;
use tokio::time::timeout;

use super::control_plane::finding;
use crate::claim::{Evidence, Finding};
use crate::cmd::{Output, Tool};
use crate::view::View;

/// openssl answers in a second; one whose connection hangs would wait for ever.
const ANSWER: Duration = Duration::from_secs(60);

/// Claim 5.
pub(super) async fn openssl_agrees(view: &View<'_>) -> Result<Finding> {
    if let Some(reason) = other_layout(&view.truth.hierarchy) {
        return Ok(Finding::Skipped(reason));
    }
    // The policy has reached the proxy once it serves its chain: the page sleeps 20 s instead.
    view.served().await?;
    std::fs::create_dir_all(&view.page).context("cannot create the folder of the page's files")?;
    let mut log = CommandLog::default();
    let fetch = view
        .workloads
        .client_proxy_exec(view.cluster)
        .args(["openssl", "s_client", "-showcerts", "-connect"])
        .arg(view.workloads.httpbin_host_port());
    let fetched = log.run(
        "kubectl exec \"$(kubectl get pod -l app=sleep -n foo -o jsonpath={.items..metadata.name})\" \
         -c istio-proxy -n foo -- openssl s_client -showcerts -connect httpbin.foo:8000 \
         > httpbin-proxy-cert.txt",
        &fetch,
    );
    // The exit code says nothing: a server that insists on a client certificate makes it 0 or 1.
    let fetched = fetched.await?;
    if no_openssl(&fetched.stdout, &fetched.stderr) {
        let reason = "the client's proxy has no openssl (a distroless image)".to_owned();
        return Ok(Finding::Skipped(reason));
    }
    write(&view.page, "httpbin-proxy-cert.txt", &fetched.stdout)?;
    let certificates = pem_blocks(&fetched.stdout);
    for (index, pem) in certificates.iter().enumerate() {
        write(&view.page, &format!("proxy-cert-{}.pem", index + 1), pem)?;
    }
    let mut evidence = Evidence::default().with("certificates", certificates.len());
    let mut wrong = Vec::new();
    if certificates.len() < 3 {
        let found = certificates.len();
        return Ok(Finding::is_false(format!("expected at least 3 certificates, found {found}")));
    }
    for (file, served) in [("root-cert.pem", 3), ("ca-cert.pem", 2)] {
        let served = format!("proxy-cert-{served}.pem");
        let ours = log.text(&view.truth.folder.join(file)).await?;
        let theirs = log.text(&view.page.join(&served)).await?;
        let verdict = if ours == theirs { "identical" } else { "different" };
        evidence = evidence.with(format!("{file} and {served}"), verdict);
        if ours != theirs {
            wrong.push(format!(
                "{file} and {served}: expected identical texts, found different ones"
            ));
        }
    }
    let verified = log.verify(view).await?;
    let said = verified.stdout.trim().replace(&format!("{}/", view.page.display()), "./");
    evidence = evidence.with("openssl verify", &said);
    if !verified.status.success() || !said.ends_with(": OK") {
        wrong.push(format!(
            "openssl verify: expected `./proxy-cert-1.pem: OK`, found `{said} {}`",
            verified.stderr.trim()
        ));
    }
    write(&view.page, "commands.txt", &log.0)?;
    Ok(finding(wrong, evidence))
}

/// Each command of the page, and what was run for it.
#[derive(Default)]
struct CommandLog(String);

impl CommandLog {
    async fn run(&mut self, of_the_page: &str, tool: &Tool) -> Result<Output> {
        writeln!(self.0, "page: {of_the_page}\nran:  {tool}\n").context("cannot note a command")?;
        let output = timeout(ANSWER, tool.output()).await;
        output.with_context(|| format!("`{tool}` did not end within {} s", ANSWER.as_secs()))?
    }

    /// openssl's text of the certificate in a file.
    async fn text(&mut self, file: &Path) -> Result<String> {
        let tool = Tool::new("openssl").args(["x509", "-in"]).arg(file).args(["-text", "-noout"]);
        let of_the_page = format!(
            "openssl x509 -in {} -text -noout, then diff -s",
            file.file_name().unwrap_or_default().to_string_lossy()
        );
        let output = self.run(&of_the_page, &tool).await?;
        anyhow::ensure!(output.status.success(), "`{tool}`: {}", output.stderr.trim());
        Ok(output.stdout)
    }

    async fn verify(&mut self, view: &View<'_>) -> Result<Output> {
        let anchors = view.page.join("ca-and-root.pem");
        let mut pem = std::fs::read(view.truth.folder.join("ca-cert.pem"))?;
        pem.extend(std::fs::read(view.truth.folder.join("root-cert.pem"))?);
        std::fs::write(&anchors, pem).context("cannot write the page's CA file")?;
        let leaf = view.page.join("proxy-cert-1.pem");
        let tool = Tool::new("openssl").args(["verify", "-CAfile"]).arg(anchors).arg(leaf);
        let of_the_page = "openssl verify -CAfile <(cat certs/cluster1/ca-cert.pem \
                           certs/cluster1/root-cert.pem) ./proxy-cert-1.pem";
        self.run(of_the_page, &tool).await
    }
}

/// Why the page's commands do not fit a hierarchy: they read the cluster CA off certificate 2, the
/// one root off certificate 3.
fn other_layout(hierarchy: &Hierarchy) -> Option<String> {
    let roots = hierarchy.trust_bundle().certificates().len();
    let why = if !hierarchy.tiers().is_empty() {
        format!("{} CAs are between the cluster CA and the root", hierarchy.tiers().len())
    } else if roots > 1 {
        format!("root-cert.pem holds {roots} certificates")
    } else if hierarchy.cluster_ca() == hierarchy.root() {
        "the cluster CA is the root itself".to_owned()
    } else {
        return None;
    };
    Some(format!("{why}: the page's commands are made for one root and one intermediate"))
}

/// The words are runc's and crun's.
fn no_openssl(stdout: &str, stderr: &str) -> bool {
    let missing = ["executable file not found", "executable file `openssl` not found"];
    stdout.is_empty()
        && stderr.contains("openssl")
        && missing.iter().chain(&["no such file or directory"]).any(|words| stderr.contains(words))
}

/// The certificates in openssl's output, each with its own markers (the page's sed and awk).
fn pem_blocks(text: &str) -> Vec<String> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    text.split(BEGIN)
        .skip(1)
        .filter_map(|rest| Some(format!("{BEGIN}{}{END}\n", rest.split_once(END)?.0)))
        .collect()
}

fn write(folder: &Path, name: &str, content: &str) -> Result<()> {
    std::fs::write(folder.join(name), content).with_context(|| format!("cannot write page/{name}"))
}

#[cfg(test)]
mod tests {
    use pki::{Hierarchy, Profile, TrustBundle};
    use pretty_assertions::assert_eq;
    use time::macros::datetime;

    use super::{no_openssl, other_layout, pem_blocks};
    use crate::steps::ca::{self, CaArgs};

    #[test]
    fn a_proxy_without_openssl_is_told_from_one_that_is_refused() {
        let runc = "error: Internal error occurred: failed to exec in container: OCI runtime exec \
                    failed: exec failed: unable to start container process: exec: \"openssl\": \
                    executable file not found in $PATH";
        let crun = "OCI runtime exec failed: crun: executable file `openssl` not found in $PATH: No \
                    such file or directory";
        assert!(no_openssl("", runc) && no_openssl("", crun));
        let refused = "connect:errno=111\nConnection refused";
        assert!(!no_openssl("", refused) && !no_openssl("CONNECTED(00000003)", runc));
    }

    #[test]
    fn the_pages_commands_are_for_one_root_and_one_intermediate() {
        let now = datetime!(2026-11-24 12:00 UTC);
        let args = CaArgs { profile: Profile::Hardened, key: None };
        let made = |name: &str| {
            let folder = tempfile::tempdir().unwrap();
            let made = ca::make(&folder.path().join("ca"), name, args, now).unwrap();
            made.truth.hierarchy
        };
        let (one, other) = (made("one"), made("other"));
        assert_eq!(other_layout(&one), None);

        let roots = one.trust_bundle().to_pem() + &other.trust_bundle().to_pem();
        let roots = TrustBundle::from_pem(roots.as_bytes()).unwrap();
        let two_roots = Hierarchy::new(one.cluster_ca().clone(), &[], roots).unwrap();
        let alone = Hierarchy::new(one.root().clone(), &[], one.trust_bundle().clone()).unwrap();
        let reasons = [&two_roots, &alone].map(|hierarchy| other_layout(hierarchy).unwrap());
        let tail = ": the page's commands are made for one root and one intermediate";
        let whys = ["root-cert.pem holds 2 certificates", "the cluster CA is the root itself"];
        assert_eq!(reasons, whys.map(|why| format!("{why}{tail}")));
    }

    #[test]
    fn certificates_are_cut_out_of_what_surrounds_them() {
        let text = "depth=1\n-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n 1 s:\n\
                    -----BEGIN CERTIFICATE-----\nBB\n-----END CERTIFICATE-----\n---\n";
        let block =
            |body| format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
        assert_eq!(pem_blocks(text), [block("AA"), block("BB")]);
    }

    #[test]
    fn a_certificate_that_is_cut_off_is_none() {
        assert_eq!(pem_blocks("-----BEGIN CERTIFICATE-----\nAA"), Vec::<String>::new());
    }
}
