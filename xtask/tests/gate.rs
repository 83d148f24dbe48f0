//! `.github/gate`, which action.yml runs, with a cargo that only looks like one: what the gate asks
//! for, and what it makes of the answer.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use pretty_assertions::assert_eq;

/// Notes its arguments, a line each, writes what `ANSWER` says where `--report=` says, and ends with
/// `CODE`; building ends with `BUILD`.
const CARGO: &str = r#"#!/bin/bash
[ "$1" = xtask ] || exit "${BUILD:-0}"
printf '%s\n' "$@" >"$CALLS"
for arg in "$@"; do
  case "$arg" in
  --report=*) [ -z "$ANSWER" ] || echo "$ANSWER" >"${arg#--report=}" ;;
  esac
done
exit "$CODE"
"#;

/// A runner of GitHub's.
struct Runner(PathBuf);

/// How a gate ended: its code, the outputs, and what it said.
struct Ended {
    code: Option<i32>,
    outputs: Vec<(String, String)>,
    said: String,
}

impl Runner {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(folder.join("bin")).unwrap();
        let cargo = folder.join("bin/cargo");
        fs::write(&cargo, CARGO).unwrap();
        fs::set_permissions(&cargo, Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn gate(&self, inputs: &[(&str, &str)]) -> Ended {
        let output = self.path("output");
        fs::write(&output, "").unwrap();
        let gate = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.github/gate");
        #[expect(clippy::disallowed_methods, reason = "the one place of this test that runs it")]
        let ended = std::process::Command::new(gate)
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", self.path("bin").display()))
            .env("RUNNER_TEMP", &self.0)
            .env("CARGO_TARGET_DIR", &self.0)
            .env("GITHUB_OUTPUT", &output)
            .env("CALLS", self.path("calls"))
            .current_dir(&self.0)
            .envs(inputs.iter().copied())
            .output()
            .unwrap();
        let outputs = fs::read_to_string(output).unwrap();
        let outputs = outputs.lines().map(|line| line.split_once('=').unwrap());
        Ended {
            code: ended.status.code(),
            outputs: outputs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            said: String::from_utf8(ended.stderr).unwrap(),
        }
    }

    /// What the harness was called with, but for the report.
    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.path("calls")).unwrap();
        let calls = calls.lines().filter(|line| !line.starts_with("--report="));
        calls.map(str::to_owned).collect()
    }
}

impl Ended {
    fn output(&self, name: &str) -> &str {
        let found: Vec<_> = self.outputs.iter().filter(|(output, _)| output == name).collect();
        assert_eq!(found.len(), 1, "{name} in {:?}", self.outputs);
        &found[0].1
    }

    /// The code and the verdict.
    fn verdict(&self) -> (Option<i32>, &str) {
        (self.code, self.output("verdict"))
    }
}

const REPORT: &str = "{\n  \"verdict\": \"..\",\n  \"run\": \"bcdfgh\",\n  \"claims\": []\n}";

#[test]
fn the_verdict_is_the_harnesss_and_comes_with_the_report_and_the_runs_folder() {
    let runner = Runner::new("verdicts");
    fs::create_dir_all(runner.path("e2e/bcdfgh")).unwrap();
    for (code, expected) in [
        ("0", (Some(0), "proven")),
        ("1", (Some(1), "disproven")),
        ("2", (Some(2), "unproven")),
        // Killed, or a panic: nothing was proven.
        ("137", (Some(2), "unproven")),
        ("101", (Some(2), "unproven")),
    ] {
        let ended = runner.gate(&[("CODE", code), ("ANSWER", REPORT)]);
        assert_eq!(ended.verdict(), expected, "{}", ended.said);
        assert_eq!(fs::read_to_string(ended.output("report")).unwrap().trim_end(), REPORT);
        assert_eq!(Path::new(ended.output("folder")), runner.path("e2e/bcdfgh"));
    }
}

#[test]
fn without_a_report_nothing_is_proven_whatever_the_code_is() {
    let runner = Runner::new("no-report");
    for code in ["0", "1", "2"] {
        let ended = runner.gate(&[("CODE", code), ("GATE_ARGS", "--print-role")]);
        assert_eq!(ended.verdict(), (Some(2), "unproven"));
        assert_eq!((ended.output("report"), ended.output("folder")), ("", ""));
        assert_eq!(
            ended.said,
            "::error title=cacerts::there is no report: nothing was tested; the end of the log \
             says why\n"
        );
    }
}

#[test]
fn a_harness_that_does_not_build_is_no_false_claim() {
    let ended = Runner::new("no-build").gate(&[("CODE", "0"), ("BUILD", "1")]);
    assert_eq!(ended.verdict(), (Some(2), "unproven"));
    assert_eq!(ended.said, "::error title=cacerts::the harness does not build\n");
}

#[test]
fn inputs_are_values_and_never_options_or_commands() {
    let runner = Runner::new("inputs");
    fs::create_dir_all(runner.path("e2e/bcdfgh")).unwrap();
    fs::create_dir_all(runner.path("my ca")).unwrap();
    let ended = runner.gate(&[
        ("CODE", "0"),
        ("ANSWER", REPORT),
        ("GATE_PROVIDER", "existing"),
        ("GATE_BUNDLE", "my ca"),
        ("GATE_CONTEXT", "--sabotage=$(touch x)"),
        ("GATE_CLAIMS", "2,3"),
        ("GATE_REQUIRE", "true"),
        ("GATE_ARGS", "--revision  *\n--client curl"),
    ]);
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    let bundle = format!("--bundle={}", runner.path("my ca").display());
    let inputs = [
        "--provider=existing",
        &bundle,
        "--context=--sabotage=$(touch x)",
        "--only=2,3",
        "--require",
        "--revision",
        "*",
        "--client",
        "curl",
    ];
    assert_eq!(runner.calls(), [&["xtask", "e2e", "run"], &inputs[..]].concat());
}

#[test]
fn an_input_that_cannot_be_is_named_in_one_annotation() {
    let runner = Runner::new("refused");
    for (input, value, said) in [
        (
            "GATE_BUNDLE",
            "no\n::warning::such",
            "the input bundle names no folder: no%0A::warning::such",
        ),
        ("GATE_ISTIO_DIR", "100%", "the input istio-dir names no folder: 100%25"),
        ("GATE_REQUIRE", "yes", "the input require is true or false, not yes"),
    ] {
        let ended = runner.gate(&[("CODE", "0"), ("ANSWER", REPORT), (input, value)]);
        assert_eq!(ended.verdict(), (Some(2), "unproven"));
        assert_eq!(ended.said, format!("::error title=cacerts::{said}\n"));
    }
}
