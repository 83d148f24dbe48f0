//! The versions of Kubernetes that a node can have.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::versions;

/// A pinned version of Kubernetes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kubernetes {
    /// v1.34.
    V1_34,
    /// v1.36, the version of everything unless another is asked for.
    #[default]
    V1_36,
    /// v1.37.
    V1_37,
}

impl Kubernetes {
    /// All of them, the oldest first.
    pub const ALL: [Self; 3] = [Self::V1_34, Self::V1_36, Self::V1_37];

    /// The whole version, like `v1.36.3`.
    pub fn version(self) -> &'static str {
        versions::kubernetes(self).module.1
    }
}

impl fmt::Display for Kubernetes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.version())
    }
}

/// Reads a whole version or one without its patch level, with or without `v`: `v1.34.4`, `1.34`.
impl FromStr for Kubernetes {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wanted = text.strip_prefix('v').unwrap_or(text);
        let found = Self::ALL.into_iter().find(|known| {
            let whole = known.version().trim_start_matches('v');
            whole == wanted || whole.rsplit_once('.').is_some_and(|(minor, _)| minor == wanted)
        });
        found.ok_or_else(|| Error::UnknownKubernetes {
            version: text.to_owned(),
            known: Self::ALL.map(Self::version).join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_version_is_found_with_and_without_its_patch_level() {
        for (text, version) in [
            ("v1.34.4", Kubernetes::V1_34),
            ("1.36", Kubernetes::V1_36),
            ("v1.37", Kubernetes::V1_37),
            ("1.37.2", Kubernetes::V1_37),
        ] {
            assert_eq!(text.parse::<Kubernetes>().unwrap(), version);
        }
        assert_eq!(Kubernetes::default().version(), versions::KUBERNETES);
    }

    #[test]
    fn a_version_that_is_not_pinned_is_answered_with_those_that_are() {
        for text in ["1.35", "v1.36.4", "1", "", "1.3"] {
            assert_eq!(
                text.parse::<Kubernetes>().unwrap_err().to_string(),
                format!("no Kubernetes `{text}` is pinned; pinned are: v1.34.4, v1.36.3, v1.37.2")
            );
        }
    }
}
