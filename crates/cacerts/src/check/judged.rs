//! What came of a bundle: each judge's opinion, what a reload would do, and the exit code.

use pki::{BundleFiles, Certificate, Context, Judge, Report, Severity, Verdict};

use crate::target::Origin;

/// How a check ended; the worst of several targets first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// Somebody who counts refuses, or a rule that nobody may break is broken.
    Refused,
    /// It could not be read.
    NotChecked,
    /// It works, with warnings.
    Warned,
    /// It works.
    Accepted,
}

impl Outcome {
    pub(super) fn exit_code(self) -> u8 {
        match self {
            Self::Refused => 1,
            Self::NotChecked => 2,
            Self::Warned => 3,
            Self::Accepted => 0,
        }
    }

    /// The word in JSON and in the headline.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::NotChecked => "not checked",
            Self::Warned => "accepted with warnings",
            Self::Accepted => "accepted",
        }
    }
}

/// What one judge makes of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Opinion {
    /// No rule says otherwise.
    Accepts,
    /// These rules say that it refuses, each once.
    Refuses(Vec<&'static str>),
    /// istiod refuses before it comes to this judge, who would have nothing against the rest.
    NotReached,
    /// What a reload does depends on what is there now, which was not said.
    NotAsked,
}

/// What a running istiod does with the bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reload {
    pub(super) applied: Applied,
    /// Whether agents or Envoys refuse what it signs from then on.
    pub(super) broken: bool,
    /// Whether its next start refuses it.
    pub(super) dead_at_restart: bool,
}

/// How much of an update a running istiod takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Applied {
    Whole,
    Half,
    Nothing,
}

/// One bundle, judged.
pub(super) struct Judged {
    pub(super) files: BundleFiles,
    pub(super) report: Report,
    pub(super) opinions: Vec<(Judge, Opinion)>,
    pub(super) reload: Option<Reload>,
    ambient: bool,
}

/// One bundle or, where it could not be read, the reason.
pub(super) struct Checked {
    pub(super) name: String,
    pub(super) origin: Origin,
    pub(super) result: Result<Judged, String>,
}

impl Judged {
    pub(super) fn new(files: BundleFiles, context: &Context) -> Result<Self, pki::Error> {
        let report = files.judge(context)?;
        let with_current = context.current.is_some();
        let refuses = |judge| !report.verdict(judge).accepts();
        let starts = !refuses(Judge::IstiodStart);
        let runs = starts || (with_current && !refuses(Judge::IstiodReload));
        let opinion = |judge| match report.verdict(judge) {
            _ if judge == Judge::IstiodReload && !with_current => Opinion::NotAsked,
            Verdict::Refuses(findings) => {
                let mut ids: Vec<_> = findings.iter().map(|finding| finding.rule.id).collect();
                ids.dedup();
                Opinion::Refuses(ids)
            }
            Verdict::Accepts if runs || is_istiod(judge) => Opinion::Accepts,
            Verdict::Accepts => Opinion::NotReached,
        };
        let opinions = Judge::ALL.map(|judge| (judge, opinion(judge))).to_vec();
        let reload = with_current.then(|| Reload {
            applied: match report.verdict(Judge::IstiodReload) {
                Verdict::Accepts => Applied::Whole,
                Verdict::Refuses(findings) => {
                    let half = findings.iter().all(|finding| finding.rule.id == HALF);
                    if half { Applied::Half } else { Applied::Nothing }
                }
            },
            broken: refuses(Judge::Agent) || refuses(Judge::Envoy),
            dead_at_restart: !starts,
        });
        Ok(Self { files, report, opinions, reload, ambient: context.ambient })
    }

    /// Whether a judge's refusal is the bundle's.
    pub(super) fn counts(&self, judge: Judge) -> bool {
        match judge {
            Judge::IstiodStart | Judge::Agent | Judge::Envoy => true,
            Judge::IstiodReload => self.reload.is_some(),
            Judge::Ztunnel => self.ambient,
            Judge::TlsClient => false,
        }
    }

    pub(super) fn outcome(&self) -> Outcome {
        let refused = self
            .opinions
            .iter()
            .any(|(judge, opinion)| self.counts(*judge) && matches!(opinion, Opinion::Refuses(_)));
        if refused || self.report.refused() {
            Outcome::Refused
        } else if self.count(Severity::Warn) > 0 {
            Outcome::Warned
        } else {
            Outcome::Accepted
        }
    }

    /// How many findings weigh so much.
    pub(super) fn count(&self, severity: Severity) -> usize {
        self.report.findings.iter().filter(|finding| finding.rule.severity == severity).count()
    }

    /// Every certificate, with its file and the PEM block there.
    pub(super) fn certificates(&self) -> impl Iterator<Item = (&str, usize, Certificate)> {
        self.files.certificates()
    }
}

impl Checked {
    pub(super) fn outcome(&self) -> Outcome {
        self.result.as_ref().map_or(Outcome::NotChecked, Judged::outcome)
    }
}

/// The rule that istiod takes an update by half for.
const HALF: &str = "half-applied-roots";

fn is_istiod(judge: Judge) -> bool {
    matches!(judge, Judge::IstiodStart | Judge::IstiodReload)
}
