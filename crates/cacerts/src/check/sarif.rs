//! The answer as SARIF 2.1.0 (OASIS), for whatever shows the findings of linters beside the files.
//!
//! Advice is a note, a warning a warning, what must not be an error. A target that could not be
//! read is a notification of the run, which then did not succeed.

use std::path::Path;

use pki::{Finding, RULES, Rule, Severity};
use serde_json::{Value, json};

use super::judged::{Checked, Judged, Outcome};
use crate::judges;
use crate::target::Origin;

/// The whole answer as one SARIF log of one run.
pub(super) fn render(all: &[Checked], outcome: Outcome) -> String {
    let errors: Vec<_> = all
        .iter()
        .filter_map(|checked| {
            let error = checked.result.as_ref().err()?;
            Some(json!({ "level": "error", "message": { "text": error } }))
        })
        .collect();
    let results: Vec<_> = all
        .iter()
        .filter_map(|checked| Some((checked, checked.result.as_ref().ok()?)))
        .flat_map(|(checked, judged)| {
            judged.report.findings.iter().map(move |it| result(checked, judged, it))
        })
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "cacerts",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": RULES.iter().map(|it| rule(it)).collect::<Vec<_>>(),
            }},
            "invocations": [{
                "executionSuccessful": errors.is_empty(),
                "exitCode": outcome.exit_code(),
                "toolExecutionNotifications": errors,
            }],
            "results": results,
        }],
    });
    format!("{log:#}")
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Refuse => "error",
        Severity::Warn => "warning",
        Severity::Advice => "note",
    }
}

fn rule(rule: &Rule) -> Value {
    let Rule { id, what, why, fix, source, evidence, istiod, severity, versions, .. } = rule;
    let judges: Vec<_> = rule.judges.iter().map(|judge| judges::id(*judge)).collect();
    json!({
        "id": id,
        "shortDescription": { "text": format!("{what}.") },
        "fullDescription": { "text": format!("{why}.") },
        "help": { "text": format!("{fix}.") },
        "defaultConfiguration": { "level": level(*severity) },
        "properties": {
            "refusedBy": judges,
            "istio": versions.to_string(),
            "istiodLog": istiod,
            "source": source,
            "evidence": evidence,
        },
    })
}

fn result(checked: &Checked, judged: &Judged, finding: &Finding) -> Value {
    let Finding { rule, found, expected, .. } = finding;
    let text = format!("{}. Found: {found}. Expected: {expected}.", rule.what);
    let index = RULES.iter().position(|other| other.id == rule.id);
    json!({
        "ruleId": rule.id,
        "ruleIndex": index,
        "level": level(rule.severity),
        "message": { "text": text },
        "locations": [location(checked, judged, finding)],
        "properties": {
            "target": checked.name,
            "block": finding.block,
            "refusedBy": finding.judges.iter().map(|it| judges::id(*it)).collect::<Vec<_>>(),
        },
    })
}

fn location(checked: &Checked, judged: &Judged, finding: &Finding) -> Value {
    // cert-manager's chain is two files put together; its first is named.
    let file = finding.file.as_deref().map(|file| file.split(" with ").next().unwrap_or(file));
    let logical = |file: Option<&str>| {
        let name = file.map_or_else(|| checked.name.clone(), |it| format!("{} {it}", checked.name));
        json!([{ "fullyQualifiedName": name }])
    };
    match &checked.origin {
        Origin::Folder(folder) => {
            let path = file.map_or_else(|| folder.clone(), |file| folder.join(file));
            let mut place = json!({ "artifactLocation": { "uri": uri(&path) } });
            let block = finding.file.as_deref().zip(finding.block);
            if let Some(line) = block.and_then(|(file, at)| judged.files.block_line(file, at)) {
                place["region"] = json!({ "startLine": line });
            }
            json!({ "physicalLocation": place })
        }
        Origin::Manifest(path) => json!({
            "physicalLocation": { "artifactLocation": { "uri": uri(path) } },
            "logicalLocations": logical(file),
        }),
        Origin::Stdin => json!({ "logicalLocations": logical(file) }),
    }
}

/// A path as a URI reference (RFC 3986): a whole one of an absolute path, else a relative one.
fn uri(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    let bytes = path.as_os_str().as_bytes();
    let mut uri = String::from(if path.is_absolute() { "file://" } else { "" });
    for &byte in bytes.strip_prefix(b"./").unwrap_or(bytes) {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_path_is_a_uri() {
        let uri = |path: &str| uri(Path::new(path));
        assert_eq!(uri("./ca/c1/ca-cert.pem"), "ca/c1/ca-cert.pem");
        assert_eq!(uri("../a b/ü:%.pem"), "../a%20b/%C3%BC%3A%25.pem");
        assert_eq!(uri("/ca/c1"), "file:///ca/c1");
    }
}
