//! One line a bundle: name, files, who refuses it, and every rule that finds something.

use pki::{BundleFiles, Context, Judge};

use crate::common::{Made, context, files, made};
use crate::judge::against;

/// Name, files, the judges who refuse by their letters in the order of [`Judge::ALL`] (`S` istiod
/// at start, `R` on reload, `A` agent, `E` Envoy, `Z` ztunnel, `T` other TLS clients), the ids of
/// the rules in the report's order.
pub(super) type Row<'a> = (&'a str, BundleFiles, &'a str, &'a [&'a str]);

/// Every row at once, so that one run shows all that differ.
#[track_caller]
pub(super) fn check_in(context: &Context, rows: Vec<Row<'_>>) {
    let mut wrong = Vec::new();
    for (name, files, judges, rules) in rows {
        let report = files.judge(context).unwrap();
        let (found, ids) = (letters(&against(&report)), report.rule_ids());
        if (found.as_str(), ids.as_slice()) != (judges, rules) {
            wrong.push(format!(
                "{name}: expected {judges:?} {rules:?}, found {found:?} {ids:?}\n{report}\n"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[track_caller]
pub(super) fn check(rows: Vec<Row<'_>>) {
    check_in(&context(), rows);
}

pub(super) fn letters(judges: &[Judge]) -> String {
    let letter = |judge: &Judge| match judge {
        Judge::IstiodStart => 'S',
        Judge::IstiodReload => 'R',
        Judge::Agent => 'A',
        Judge::Envoy => 'E',
        Judge::Ztunnel => 'Z',
        Judge::TlsClient => 'T',
    };
    judges.iter().map(letter).collect()
}

/// Root, cluster CA, and what else a row may need.
pub(super) struct Cast {
    pub(super) root: Made,
    pub(super) ca: Made,
    /// Another self-signed root.
    pub(super) foreign: Made,
}

pub(super) fn cast() -> Cast {
    let root = made("root", None, |_| {});
    let ca = made("ca", Some(&root), |_| {});
    Cast { ca, root, foreign: made("foreign", None, |_| {}) }
}

impl Cast {
    /// The same bundle unspoilt, for each row that spoils one.
    pub(super) fn good(&self) -> BundleFiles {
        files(&self.ca, &[&self.ca], &[&self.root])
    }

    /// The good bundle with one file changed.
    pub(super) fn with(&self, name: &str, change: impl FnOnce(&str) -> String) -> BundleFiles {
        edited(self.good(), name, change)
    }

    pub(super) fn without(&self, names: &[&str]) -> BundleFiles {
        let mut files = self.good();
        for name in names {
            files.remove(name);
        }
        files
    }

    pub(super) fn roots(&self, roots: &[&Made]) -> BundleFiles {
        files(&self.ca, &[&self.ca], roots)
    }

    pub(super) fn chain(&self, chain: &[&Made]) -> BundleFiles {
        files(&self.ca, chain, &[&self.root])
    }
}

/// A file that is not there counts as empty.
pub(super) fn edited(
    mut files: BundleFiles,
    name: &str,
    change: impl FnOnce(&str) -> String,
) -> BundleFiles {
    let before = String::from_utf8(files.get(name).unwrap_or_default().to_vec()).unwrap();
    files.insert(name, change(&before));
    files
}

pub(super) fn block(label: &str, base64: &str) -> String {
    format!("-----BEGIN {label}-----\n{base64}\n-----END {label}-----\n")
}

/// A block that says certificate and holds other DER.
pub(super) fn damaged() -> String {
    block("CERTIFICATE", "MAUCAQECAQI=")
}
