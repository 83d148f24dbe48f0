//! The cells of the matrix: each is one command line of the harness.

use anyhow::{Result, ensure};
use pki::{KeyAlgorithm, Profile};
use tools::host::Purpose;
use tools::{Kubernetes, Set, versions};

/// A combination to test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) place: Place,
    pub(crate) profile: Profile,
    pub(crate) key: KeyAlgorithm,
}

/// Where its mesh runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// On a local node with this Kubernetes.
    Local(Kubernetes),
    /// In a kind cluster of images that are built here.
    Kind,
}

/// The CAs of a local node: the page's own, and what the hardened profile offers in its place.
const LOCAL: [(Profile, KeyAlgorithm); 4] = [
    (Profile::Makefile, KeyAlgorithm::Rsa4096),
    (Profile::Hardened, KeyAlgorithm::EcdsaP256),
    (Profile::Hardened, KeyAlgorithm::EcdsaP384),
    (Profile::Hardened, KeyAlgorithm::Rsa4096),
];

/// The CAs of a kind cluster: what depends on the cluster does not depend on the key's size.
const KIND: [(Profile, KeyAlgorithm); 2] =
    [(Profile::Makefile, KeyAlgorithm::Rsa4096), (Profile::Hardened, KeyAlgorithm::EcdsaP256)];

/// All cells, in the order of the table.
pub(crate) fn all() -> Vec<Cell> {
    let cell = |place, (profile, key)| Cell { place, profile, key };
    let local = Kubernetes::ALL.into_iter().map(Place::Local);
    let local = local.flat_map(|place| LOCAL.map(|ca| cell(place, ca)));
    local.chain(KIND.map(|ca| cell(Place::Kind, ca))).collect()
}

/// The cells with these names; all of them if none is given.
///
/// # Errors
/// No cell has one of the names.
pub(crate) fn chosen(names: &[String]) -> Result<Vec<Cell>> {
    let all = all();
    for name in names {
        let known = all.iter().any(|cell| cell.name() == *name);
        ensure!(known, "no cell is called `{name}`; `matrix --list` names them all");
    }
    let wanted = |cell: &Cell| names.is_empty() || names.contains(&cell.name());
    Ok(all.into_iter().filter(wanted).collect())
}

impl Cell {
    /// Its name: that of its report, too.
    pub(crate) fn name(&self) -> String {
        let Self { place, profile, key } = self;
        format!("{}-{}-{profile}-{key}", place.provider(), place.kubernetes())
    }

    /// What the harness is told, beyond where to write.
    pub(crate) fn args(&self) -> Vec<String> {
        let provider = self.place.provider();
        let mut args = vec!["run", "--require", "--provider", provider];
        match self.place {
            Place::Local(version) => args.extend(["--kubernetes", version.version()]),
            Place::Kind => args.extend(["--images", "built"]),
        }
        let mut args: Vec<_> = args.into_iter().map(str::to_owned).collect();
        args.extend(["--profile".to_owned(), self.profile.to_string()]);
        args.extend(["--key".to_owned(), self.key.to_string()]);
        args
    }
}

impl Place {
    /// The provider's name on the command line.
    pub(crate) fn provider(self) -> &'static str {
        match self {
            Self::Local(_) => "local",
            Self::Kind => "kind",
        }
    }

    /// What has to be built for it.
    pub(crate) fn set(self) -> Set {
        match self {
            Self::Local(version) => Set::Local(version),
            Self::Kind => Set::Kind,
        }
    }

    /// What the machine has to have for it.
    pub(crate) fn purpose(self) -> Purpose {
        match self {
            Self::Local(_) => Purpose::Node,
            Self::Kind => Purpose::Kind,
        }
    }

    /// The version of Kubernetes.
    pub(crate) fn kubernetes(self) -> &'static str {
        match self {
            Self::Local(version) => version.version(),
            Self::Kind => versions::KUBERNETES,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::Parser as _;
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn each_cell_has_a_name_of_its_own_and_a_command_line_that_the_harness_takes() {
        let cells = all();
        let names: BTreeSet<_> = cells.iter().map(Cell::name).collect();
        assert_eq!(names.len(), 14);
        for cell in cells {
            let line = ["e2e".to_owned()].into_iter().chain(cell.args());
            assert_eq!(Cli::try_parse_from(line).err().map(|error| error.to_string()), None);
        }
    }

    #[test]
    fn cells_are_chosen_by_name_and_keep_their_order() {
        let names = |only: &[&str]| -> Result<Vec<_>> {
            let only: Vec<_> = only.iter().map(|name| (*name).to_owned()).collect();
            Ok(chosen(&only)?.iter().map(Cell::name).collect())
        };
        let two = ["kind-v1.36.3-makefile-rsa4096", "local-v1.34.4-hardened-p384"];
        assert_eq!(names(&two).unwrap(), [two[1], two[0]]);
        assert_eq!(names(&[]).unwrap().len(), 14);
        let error = names(&["local"]).unwrap_err().to_string();
        assert_eq!(error, "no cell is called `local`; `matrix --list` names them all");
    }
}
