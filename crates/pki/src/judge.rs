//! Who would accept a bundle? The rules, what they are asked, and what they answer.
//!
//! Six judges read a bundle and disagree about it. Each rule is data and one function: it says
//! what is wrong, which judges then refuse, and where that was seen. A [`Bundle`] exists only
//! where no rule refuses.

use crate::{Bundle, BundleFiles, Error, Hierarchy};

mod context;
mod inspection;
mod key_form;
mod layout;
mod report;
mod rule;
mod rules;
mod weak;

pub use context::{Context, IstioVersion};
pub use report::{Finding, Report, Verdict};
pub use rule::{Judge, Rule, Severity, Versions};
pub use rules::RULES;

use inspection::Inspection;

impl BundleFiles {
    /// Runs every rule that holds for the Istio version.
    ///
    /// # Errors
    /// [`Error::SpiffeId`] if the context's trust domain is none: nothing about the files. What is
    /// wrong with them, unreadable PEM included, is a finding.
    pub fn judge(&self, context: &Context) -> Result<Report, Error> {
        let four_files = layout::four_files(self);
        Ok(report(&Inspection::new(self, four_files.as_ref(), context)?))
    }

    /// Makes a bundle of the four files, byte for byte, if no rule refuses them. Other files are
    /// wiped, save for two that would change what istiod does: cert-manager's layout and
    /// revocation lists are judged, and do not become a bundle.
    ///
    /// # Errors
    /// [`Refusal`], with [`Error::OtherLayout`] for those two.
    pub fn into_bundle(mut self, context: &Context) -> Result<Bundle, Refusal> {
        let four_files = layout::four_files(&self);
        let mut inspection =
            Inspection::new(&self, four_files.as_ref(), context).map_err(Refusal::NotJudged)?;
        let report = report(&inspection);
        if report.refused() {
            return Err(Refusal::Refused(report));
        }
        let key = inspection.key.take();
        for (name, fix) in [
            (layout::TLS_CERT, "move the content of the tls files into the four files"),
            (inspection::CRL, "plug the bundle in first, then add the revocation lists"),
        ] {
            // An empty one says nothing.
            if self.get(name).is_some_and(|bytes| !bytes.is_empty()) {
                return Err(Refusal::NotJudged(Error::OtherLayout { name, fix }));
            }
        }
        let hierarchy = Hierarchy::from_files(&self).map_err(Refusal::NotJudged)?;
        let missing = Error::MissingFile { name: Self::CA_KEY };
        let key = key.unwrap_or(Err(missing)).map_err(Refusal::NotJudged)?;
        self.retain_bundle();
        Ok(Bundle::of(hierarchy, key, self))
    }
}

/// What every rule says that holds for the Istio version.
fn report(inspection: &Inspection<'_>) -> Report {
    let (mut findings, mut refused) = (Vec::new(), false);
    for rule in RULES.iter().filter(|rule| rule.versions.contain(inspection.context.istio)) {
        let is_net = rules::is_net(rule);
        if is_net && refused {
            continue;
        }
        let found = rule.apply(inspection);
        refused |= !is_net && found.iter().any(|finding| !finding.judges.is_empty());
        findings.extend(found);
    }
    if inspection.tls_layout {
        findings.iter_mut().for_each(layout::rename);
    }
    Report::new(findings)
}

/// Why files did not become a bundle.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// At least one rule refuses them.
    #[error("the bundle is refused\n{0}")]
    Refused(Report),
    /// They could not be judged.
    #[error("the bundle cannot be judged")]
    NotJudged(#[source] Error),
}
