//! istiod as it starts, in its first stage: loading the CA. No cluster is there, so that it ends by
//! itself as soon as it has a CA: in a panic that is known and says nothing about the bundle.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::case::Case;
use crate::command::{Output, Tool};
use crate::verdict::Verdict;

/// A fifth of a second on an idle machine.
const DEADLINE: Duration = Duration::from_secs(60);
const FAILED: &str = "Error: failed to create discovery service: ";

/// Starts the real istiod with the bundle as its CA.
pub(crate) async fn first_stage(program: &Path, case: &Case) -> Result<Verdict> {
    let folder = case.subfolder("istiod")?;
    let configuration = case.subfolder("istiod/configuration")?;
    let istiod = Tool::new(program, &folder)
        .args(["discovery", "--registries=Mock", "--httpsAddr=", "--grpcAddr="])
        .arg(format!("--configDir={}", configuration.display()))
        // The kernel gives each a port that is free.
        .args(["--httpAddr=127.0.0.1:0", "--secureGRPCAddr=127.0.0.1:0"])
        .args(["--monitoringAddr=127.0.0.1:0", "--ctrlz_port=0"])
        .env("ROOT_CA_DIR", case.bundle());
    let output = istiod.output(DEADLINE).await?;
    case.write("istiod.log", format!("{}{}", output.stdout, output.stderr))?;
    read(&output)
}

fn read(output: &Output) -> Result<Verdict> {
    let said = |words| output.stdout.contains(words) || output.stderr.contains(words);
    if let Some(words) = failure(&output.stderr) {
        return Ok(Verdict::Refuses(words));
    }
    if said("Use local self-signed CA certificate") {
        return Ok(Verdict::Refuses("Use local self-signed CA certificate for testing".to_owned()));
    }
    if said("Use local CA certificate") && said("Added cacerts files watcher at ") {
        return Ok(Verdict::Accepts);
    }
    bail!("istiod said nothing of its CA and ended ({}): {}", output.status, output.last_words())
}

/// What istiod ends with, without what each such line starts with.
pub(crate) fn failure(stderr: &str) -> Option<String> {
    let line = stderr.lines().find_map(|line| line.strip_prefix(FAILED))?;
    let line = line.strip_prefix("failed to create CA: ").unwrap_or(line);
    Some(line.strip_prefix("failed to create an istiod CA: ").unwrap_or(line).to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    use pretty_assertions::assert_eq;

    use super::*;

    fn output(stdout: &str, stderr: &str) -> Output {
        let status = ExitStatus::from_raw(2 << 8);
        Output { status, stdout: stdout.to_owned(), stderr: stderr.to_owned() }
    }

    #[test]
    fn a_ca_that_is_watched_is_accepted_though_the_end_is_a_panic() {
        let said = "info\tUse local CA certificate\ninfo\tAdded cacerts files watcher at d\n";
        assert_eq!(read(&output(said, "panic: nil\n")).unwrap(), Verdict::Accepts);
    }

    #[test]
    fn a_ca_of_its_own_and_a_failure_are_refusals_in_istiods_words() {
        let said = "info\tUse local self-signed CA certificate for testing. Will use ...\n";
        let verdict = read(&output(said, "panic: nil\n")).unwrap();
        assert!(matches!(verdict, Verdict::Refuses(words) if words.contains("self-signed")));
        let line = format!("{FAILED}failed to create CA: incomplete signing CA bundle detected\n");
        let expected = Verdict::Refuses("incomplete signing CA bundle detected".to_owned());
        assert_eq!(read(&output("", &line)).unwrap(), expected);
    }

    #[test]
    fn silence_is_an_error_and_no_verdict() {
        let error = read(&output("", "panic: other\n")).unwrap_err().to_string();
        assert!(error.starts_with("istiod said nothing of its CA and ended"), "{error}");
    }
}
