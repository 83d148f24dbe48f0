//! Every bundle that is judged: one line a bundle, its name and how it is made from a good one.
//!
//! What becomes of a bundle is not written here: the judges say.

use anyhow::Result;
use pki::BundleFiles;

use crate::cast::Cast;

mod authorities;
mod chains;
mod crls;
mod dates;
mod files;
mod keys;
mod kinds;
mod pem_text;
mod roots;

/// One bundle.
pub(crate) struct Row {
    /// Lower-case words, unlike those of every other row.
    pub(crate) name: &'static str,
    pub(crate) make: fn(&Cast) -> Result<BundleFiles>,
    /// istiod's first stage takes it, and its second does not.
    pub(crate) late: bool,
}

const fn row(name: &'static str, make: fn(&Cast) -> Result<BundleFiles>) -> Row {
    Row { name, make, late: false }
}

const fn late(name: &'static str, make: fn(&Cast) -> Result<BundleFiles>) -> Row {
    Row { name, make, late: true }
}

/// All rows, a subject after the other.
pub(crate) fn rows() -> Vec<&'static Row> {
    let subjects = [
        files::ROWS,
        pem_text::ROWS,
        keys::ROWS,
        chains::ROWS,
        roots::ROWS,
        authorities::ROWS,
        dates::ROWS,
        crls::ROWS,
        kinds::ROWS,
    ];
    subjects.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn every_name_is_used_once_and_can_be_typed() {
        let names: BTreeSet<_> = rows().iter().map(|row| row.name).collect();
        assert_eq!(names.len(), rows().len());
        for name in names {
            let typed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(name.chars().all(typed), "{name}");
        }
    }
}
