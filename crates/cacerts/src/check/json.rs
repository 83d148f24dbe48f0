//! The answer for programs. Its shape is docs/check.schema.json; a test holds one against the
//! other.

use pki::{Certificate, Context, Finding, IstioVersion, Judge, Severity};
use serde::Serialize;

use super::judged::{Applied, Checked, Judged, Opinion, Outcome, Reload};
use crate::failure::Failure;
use crate::judges;
use crate::lifetime::rfc3339;

/// The number of the shape: what is added later does not change it, what is changed does.
const SHAPE: &str = "cacerts-check/1";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    version: &'static str,
    now: String,
    istio: String,
    trust_domain: &'a str,
    ambient: bool,
    multi_root: bool,
    outcome: &'static str,
    exit_code: u8,
    targets: Vec<Target<'a>>,
}

#[derive(Serialize)]
struct Target<'a> {
    name: &'a str,
    outcome: &'static str,
    error: Option<&'a str>,
    verdicts: Vec<VerdictText>,
    reload: Option<ReloadText>,
    findings: Vec<FindingText<'a>>,
    certificates: Vec<CertificateText<'a>>,
}

#[derive(Serialize)]
struct VerdictText {
    judge: &'static str,
    /// Whose verdict it really is, where that is another's.
    by: Option<&'static str>,
    counts: bool,
    verdict: &'static str,
    rules: Vec<&'static str>,
}

#[derive(Serialize)]
struct ReloadText {
    applied: &'static str,
    broken: bool,
    dead_at_restart: bool,
}

#[derive(Serialize)]
struct FindingText<'a> {
    rule: &'static str,
    severity: &'static str,
    file: Option<&'a str>,
    block: Option<usize>,
    found: &'a str,
    expected: &'a str,
    refused_by: Vec<&'static str>,
    what: &'static str,
    why: &'static str,
    fix: &'static str,
    source: &'static str,
    evidence: &'static str,
    istiod: &'static [&'static str],
}

#[derive(Serialize)]
struct CertificateText<'a> {
    file: &'a str,
    block: usize,
    subject: String,
    issuer: String,
    serial: String,
    key: String,
    ca: bool,
    not_before: String,
    not_after: String,
    fingerprint: String,
}

/// The whole answer as one JSON object.
pub(super) fn render(
    all: &[Checked],
    outcome: Outcome,
    context: &Context,
) -> Result<String, Failure> {
    let document = Document {
        schema: SHAPE,
        version: env!("CARGO_PKG_VERSION"),
        now: rfc3339(context.now),
        istio: release(context.istio),
        trust_domain: &context.trust_domain,
        ambient: context.ambient,
        multi_root: context.multi_root,
        outcome: word(outcome),
        exit_code: outcome.exit_code(),
        targets: all.iter().map(target).collect(),
    };
    // Written from the struct: by way of a `Value` the members would lose their order.
    serde_json::to_string_pretty(&document)
        .map_err(|error| Failure::could_not(format!("JSON cannot be written: {error}")))
}

/// The release, or that it is newer than any.
fn release(istio: IstioVersion) -> String {
    if istio == IstioVersion::NEWEST { "newest".to_owned() } else { istio.to_string() }
}

fn target(checked: &Checked) -> Target<'_> {
    let empty = Target {
        name: &checked.name,
        outcome: word(checked.outcome()),
        error: None,
        verdicts: Vec::new(),
        reload: None,
        findings: Vec::new(),
        certificates: Vec::new(),
    };
    match &checked.result {
        Err(error) => Target { error: Some(error), ..empty },
        Ok(judged) => Target {
            verdicts: judged
                .opinions
                .iter()
                .map(|(judge, it)| verdict(judged, *judge, it))
                .collect(),
            reload: judged.reload.map(reload),
            findings: judged.report.findings.iter().map(finding).collect(),
            certificates: judged.certificates().map(certificate).collect(),
            ..empty
        },
    }
}

fn verdict(judged: &Judged, judge: Judge, opinion: &Opinion) -> VerdictText {
    let (verdict, rules) = match opinion {
        Opinion::Accepts => ("accepts", Vec::new()),
        Opinion::Refuses(rules) => ("refuses", rules.clone()),
        Opinion::NotReached => ("not-reached", Vec::new()),
        Opinion::NotAsked => ("not-asked", Vec::new()),
    };
    VerdictText {
        judge: judges::id(judge),
        by: (judge == Judge::Ztunnel).then_some(judges::ZTUNNEL_BY),
        counts: judged.counts(judge),
        verdict,
        rules,
    }
}

fn reload(reload: Reload) -> ReloadText {
    let Reload { applied, broken, dead_at_restart } = reload;
    let applied = match applied {
        Applied::Whole => "whole",
        Applied::Half => "half",
        Applied::Nothing => "nothing",
    };
    ReloadText { applied, broken, dead_at_restart }
}

fn finding(finding: &Finding) -> FindingText<'_> {
    let rule = finding.rule;
    FindingText {
        rule: rule.id,
        severity: severity(rule.severity),
        file: finding.file.as_deref(),
        block: finding.block,
        found: &finding.found,
        expected: &finding.expected,
        refused_by: finding.judges.iter().map(|judge| judges::id(*judge)).collect(),
        what: rule.what,
        why: rule.why,
        fix: rule.fix,
        source: rule.source,
        evidence: rule.evidence,
        istiod: rule.istiod,
    }
}

fn certificate((file, block, certificate): (&str, usize, Certificate)) -> CertificateText<'_> {
    CertificateText {
        file,
        block,
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        serial: certificate.serial_hex(),
        key: certificate.public_key_kind(),
        ca: certificate.is_ca(),
        not_before: rfc3339(certificate.validity().not_before()),
        not_after: rfc3339(certificate.validity().not_after()),
        fingerprint: certificate.fingerprint().to_string(),
    }
}

/// The stable word of an outcome.
fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Refused => "refused",
        Outcome::NotChecked => "not-checked",
        Outcome::Warned => "warned",
        Outcome::Accepted => "accepted",
    }
}

/// The stable word of a severity.
pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Refuse => "refuse",
        Severity::Warn => "warn",
        Severity::Advice => "advice",
    }
}
