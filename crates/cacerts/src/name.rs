//! The name of a cluster: its folder, its CA's locality (L), and a target of make; and that of a tier.

use std::fmt;

use crate::failure::Failure;

/// What a folder, a certificate, make and a shell all take as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClusterName(String);

/// A tier's: as a cluster's, but for the locality.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TierName(String);

/// The upper bound of L (RFC 5280 appendix A.1).
const LIMIT: usize = 128;

/// A root's and a tier's own files, make's record of serial numbers among them.
const TAKEN: [&str; 12] = [
    "root-cert.pem",
    "root-key.pem",
    "root-ca.conf",
    "root-cert.csr",
    "root-cert.srl",
    "root-crl.pem",
    "root-revoked.txt",
    "tier-cert.pem",
    "tier-key.pem",
    "tier-root.pem",
    "tier-crl.pem",
    "tier-revoked.txt",
];

impl ClusterName {
    /// Reads every name before anything is done; a name may come once.
    pub(crate) fn all(texts: &[String]) -> Result<Vec<Self>, Failure> {
        all(texts, Self::read)
    }

    /// Reads one name.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        plain(text, "cluster").map(Self)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TierName {
    /// As [`ClusterName::all`].
    pub(crate) fn all(texts: &[String]) -> Result<Vec<Self>, Failure> {
        all(texts, |text| plain(text, "tier").map(Self))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn all<N: fmt::Display + PartialEq>(
    texts: &[String],
    read: impl Fn(&str) -> Result<N, String>,
) -> Result<Vec<N>, Failure> {
    let mut names = Vec::new();
    for text in texts {
        let name = read(text).map_err(Failure::refused)?;
        if names.contains(&name) {
            return Err(Failure::refused(format!("`{name}` is named twice")));
        }
        names.push(name);
    }
    Ok(names)
}

fn plain(text: &str, whose: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let problem = if text.is_empty() {
        "it is empty".to_owned()
    } else if let Some(odd) = text.chars().find(|c| !is_plain(*c)) {
        format!("it has {odd:?}")
    } else if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        "it starts with neither a letter nor a digit".to_owned()
    } else if text.len() > LIMIT {
        format!("it has {} characters", text.len())
    } else if TAKEN.contains(&text) {
        "a file of a root or a tier has it".to_owned()
    } else {
        return Ok(text.to_owned());
    };
    Err(format!(
        "{text:?} cannot be a {whose}'s name: {problem}; expected up to {LIMIT} of a-z, A-Z, 0-9, \
         `-`, `_` and `.`, a letter or digit first"
    ))
}

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TierName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn problem(name: &str) -> String {
        let error = ClusterName::read(name).unwrap_err();
        let (_, rest) = error.split_once(" cannot be a cluster's name: ").unwrap();
        rest.split_once("; expected").unwrap().0.to_owned()
    }

    #[test]
    fn names_of_clusters_as_clouds_make_them_are_taken() {
        for name in
            ["c1", "cluster1", "prod-eu.example.com", "gke_project_europe-west1-b_mesh", "7"]
        {
            assert_eq!(ClusterName::read(name).unwrap().as_str(), name);
        }
        let longest = "a".repeat(128);
        assert_eq!(ClusterName::read(&longest).unwrap().as_str(), longest);
    }

    #[test]
    fn what_a_folder_make_or_a_shell_would_take_for_something_else_is_refused() {
        assert_eq!(problem(""), "it is empty");
        assert_eq!(problem("my cluster"), "it has ' '");
        assert_eq!(problem("a/b"), "it has '/'");
        assert_eq!(problem("../up"), "it has '/'");
        assert_eq!(problem("$(id)"), "it has '$'");
        assert_eq!(problem("a;b"), "it has ';'");
        assert_eq!(problem("a%b"), "it has '%'");
        assert_eq!(problem("a\nb"), "it has '\\n'");
        assert_eq!(problem("zürich"), "it has 'ü'");
        for name in [".", "..", ".hidden", "-rf", "_x"] {
            assert_eq!(problem(name), "it starts with neither a letter nor a digit");
        }
        assert_eq!(problem(&"a".repeat(129)), "it has 129 characters");
        for name in ["root-key.pem", "tier-cert.pem"] {
            assert_eq!(problem(name), "a file of a root or a tier has it");
        }
    }

    #[test]
    fn a_name_may_come_once() {
        let error = ClusterName::all(&["c1".to_owned(), "c1".to_owned()]).unwrap_err();
        assert_eq!(error.to_string(), "`c1` is named twice");
    }
}
