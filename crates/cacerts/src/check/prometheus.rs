//! The answer as a text file for Prometheus (the exposition format, version 0.0.4), as
//! node_exporter's textfile collector reads it.

use pki::{Context, Severity};

use super::json;
use super::judged::{Checked, Judged, Opinion};
use crate::judges;

/// Every sample of every target, a family after the other. A target that could not be read has
/// `cacerts_check_read` 0 and nothing else, so that an alert on it can be written.
pub(super) fn render(all: &[Checked], context: &Context) -> String {
    let judged: Vec<_> =
        all.iter().filter_map(|it| Some((it.name.as_str(), it.result.as_ref().ok()?))).collect();
    let mut page = Page::default();
    page.family("cacerts_check_timestamp_seconds", "The moment that was judged for.");
    page.sample(&[], context.now.unix_timestamp());
    page.family("cacerts_check_read", "Whether the target could be read (1) or not (0).");
    for checked in all {
        page.sample(&[("target", &checked.name)], checked.result.is_ok().into());
    }
    page.family(
        "cacerts_check_exit_code",
        "0 accepted, 1 refused, 2 not checked, 3 accepted with warnings.",
    );
    for checked in all {
        page.sample(&[("target", &checked.name)], checked.outcome().exit_code().into());
    }
    page.family(
        "cacerts_judge_accepts",
        "Whether a judge accepts (1) or refuses (0); no sample where it was not asked or reached.",
    );
    for (target, judged) in &judged {
        verdicts(&mut page, target, judged);
    }
    page.family("cacerts_findings", "How many findings weigh so much.");
    for (target, judged) in &judged {
        for severity in [Severity::Refuse, Severity::Warn, Severity::Advice] {
            let labels = [("target", *target), ("severity", json::severity(severity))];
            page.sample(&labels, judged.count(severity).try_into().unwrap_or(i64::MAX));
        }
    }
    dates(&mut page, &judged);
    page.text.truncate(page.text.trim_end().len());
    page.text
}

fn verdicts(page: &mut Page, target: &str, judged: &Judged) {
    for (judge, opinion) in &judged.opinions {
        let accepts = match opinion {
            Opinion::Accepts => 1,
            Opinion::Refuses(_) => 0,
            Opinion::NotReached | Opinion::NotAsked => continue,
        };
        let counts = if judged.counts(*judge) { "true" } else { "false" };
        let labels = [("target", target), ("judge", judges::id(*judge)), ("counts", counts)];
        page.sample(&labels, accepts);
    }
}

/// Of every certificate of every file: an expiry that nobody watches is the one that hurts.
fn dates(page: &mut Page, judged: &[(&str, &Judged)]) {
    let families = [
        ("cacerts_certificate_not_before_seconds", "The first moment of a certificate."),
        ("cacerts_certificate_not_after_seconds", "The last moment of a certificate."),
    ];
    for (position, (name, help)) in families.into_iter().enumerate() {
        page.family(name, help);
        for (target, judged) in judged {
            for (file, block, certificate) in judged.certificates() {
                let validity = certificate.validity();
                let date = if position == 0 { validity.not_before() } else { validity.not_after() };
                let (block, subject) = (block.to_string(), certificate.subject().to_string());
                let fingerprint = certificate.fingerprint().to_string();
                let labels = [
                    ("target", *target),
                    ("file", file),
                    ("block", &block),
                    ("subject", &subject),
                    ("fingerprint", &fingerprint),
                ];
                page.sample(&labels, date.unix_timestamp());
            }
        }
    }
}

#[derive(Default)]
struct Page {
    text: String,
    family: &'static str,
}

impl Page {
    fn family(&mut self, name: &'static str, help: &str) {
        self.family = name;
        self.text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n"));
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: i64) {
        let labels: Vec<_> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels =
            if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        self.text.push_str(&format!("{}{labels} {value}\n", self.family));
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_label_cannot_leave_its_quotes() {
        assert_eq!(escaped("a\"} 1\nb\\"), "a\\\"} 1\\nb\\\\");
    }
}
