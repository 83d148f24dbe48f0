//! `cargo xtask fixtures`: makes the captures of Istio's Makefile anew, with the real make and the
//! real openssl, and compares them with the committed ones.
//!
//! Keys, serials, dates and what follows from them differ at every run; everything else must not.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::command::{Program, target_dir, workspace};
use crate::terminal;

/// What to do with the captures.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Compare only; the committed captures stay as they are (the default, and what CI does)
    #[arg(long, conflicts_with = "write")]
    check: bool,
    /// Replace the committed captures by new ones
    #[arg(long)]
    write: bool,
}

/// The committed captures: certificates only, no key.
const COMMITTED: &str = "fixtures/makefile";

/// Each capture with the file of make's that it is.
const CAPTURES: &[(&str, &str)] = &[
    ("root-cert.pem", "root-cert.pem"),
    ("cluster1/ca-cert.pem", "cluster1/ca-cert.pem"),
    ("cluster1/cert-chain.pem", "cluster1/cert-chain.pem"),
    ("cluster1/root-cert.pem", "cluster1/root-cert.pem"),
];

/// Checks or replaces the captures.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    if args.write {
        let made = make()?;
        for (capture, file) in CAPTURES {
            let target = workspace().join(COMMITTED).join(capture);
            std::fs::copy(made.join(file), &target)
                .with_context(|| format!("cannot replace {}", target.display()))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    Ok(if check()? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether the committed captures are what the Makefile makes today; differences are printed.
pub(crate) fn check() -> Result<bool> {
    let made = make()?;
    let mut same = true;
    for (capture, file) in CAPTURES {
        let committed = stable_text(&workspace().join(COMMITTED).join(capture))?;
        let fresh = stable_text(&made.join(file))?;
        if committed != fresh {
            same = false;
            terminal::say(&format!(
                "{COMMITTED}/{capture} is not what the Makefile makes today\n--- committed\n\
                 {committed}\n+++ made\n{fresh}"
            ));
        }
    }
    Ok(same)
}

/// Runs the Makefile of the pinned Istio module in a folder of its own.
fn make() -> Result<PathBuf> {
    let folder = target_dir().join("fixtures-makefile");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).context("cannot remove the captures of an earlier run")?;
    }
    std::fs::create_dir_all(&folder).context("cannot create a folder for the captures")?;
    let makefile = istio_module()?.join("tools/certs/Makefile.selfsigned.mk");
    for target in ["root-ca", "cluster1-cacerts"] {
        Program::new("make")
            .args(["-f".as_ref(), makefile.as_os_str(), target.as_ref()])
            .in_folder(&folder)
            .stdout()
            .context("Istio's Makefile failed")?;
    }
    Ok(folder)
}

/// The folder of the pinned Istio module, downloaded if it is not there.
pub(crate) fn istio_module() -> Result<PathBuf> {
    let module = Program::new("go")
        .args(["mod", "download", "-json", "istio.io/istio"])
        .env("GOFLAGS", "-mod=readonly")
        .in_folder(&workspace().join("crates/tools/go/istio"))
        .stdout()
        .context("cannot fetch the pinned Istio module")?;
    let module: Value = serde_json::from_str(&module).context("go printed no JSON")?;
    let Some(dir) = module["Dir"].as_str() else { bail!("go named no folder of istio.io/istio") };
    Ok(dir.into())
}

/// openssl's text of every certificate in a file, without what differs at every run.
pub(crate) fn stable_text(file: &Path) -> Result<String> {
    // `crl2pkcs7 | pkcs7` would print all certificates of a file, but not their extensions.
    let pem =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let folder = target_dir().join("fixtures-makefile");
    std::fs::create_dir_all(&folder).context("cannot create a folder for openssl")?;
    let mut texts = Vec::new();
    for block in pem.split_inclusive("-----END CERTIFICATE-----\n") {
        let alone = folder.join("one-certificate.pem");
        std::fs::write(&alone, block).context("cannot write a certificate for openssl")?;
        let text = Program::new("openssl")
            .args(["x509", "-noout", "-text", "-in"])
            .args([&alone])
            .stdout()
            .with_context(|| format!("openssl cannot read {}", file.display()))?;
        texts.push(stable_lines(&text));
    }
    Ok(texts.join("\n"))
}

/// Blanks serial, dates, key, signature and key identifiers.
pub(crate) fn stable_lines(text: &str) -> String {
    let is_hex = |line: &str| {
        let line = line.trim().trim_start_matches("keyid:");
        line.contains(':') && line.chars().all(|c| c.is_ascii_hexdigit() || c == ':')
    };
    let is_date = |line: &str| ["Not Before:", "Not After :"].iter().any(|d| line.contains(d));
    text.lines()
        .map(str::trim_end)
        .filter(|line| !is_hex(line) && !is_date(line))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::stable_lines;

    #[test]
    fn what_differs_at_every_run_is_blanked_and_the_rest_is_kept() {
        let text = "        Serial Number:\n            14:0a:bc\n        Issuer: O = Istio\n            \
                    Not Before: Nov 24 10:00:00 2026 GMT\n            Not After : Nov 21 10:00:00 \
                    2036 GMT\n            X509v3 Basic Constraints: critical\n                CA:TRUE";
        let expected = "        Serial Number:\n        Issuer: O = Istio\n            \
                        X509v3 Basic Constraints: critical\n                CA:TRUE";
        assert_eq!(stable_lines(text), expected);
    }
}
