//! The variables of Istio's Makefile, which work under the makefile profile as they do for make.

use std::env::VarError;

use crate::failure::Failure;
use crate::lifetime::Lifetime;

/// Where a CA stands.
#[derive(Clone, Copy)]
pub(crate) enum Level<'a> {
    /// At the top: `ROOTCA_..`
    Root,
    /// Between the two, by its name. The Makefile has none.
    Tier(&'a str),
    /// A cluster's: `INTERMEDIATE_..`
    Cluster,
}

/// What is set for one level. Empty counts as set, as it does for make.
#[derive(Default)]
pub(crate) struct Variables {
    pub(crate) lifetime: Option<Lifetime>,
    pub(crate) organization: Option<String>,
    pub(crate) common_name: Option<String>,
    pub(crate) dns_name: Option<String>,
    /// Stands in root-ca.conf and has no other effect, for make either: its keys are 4096 bits.
    pub(crate) key_size: Option<String>,
    /// The names that are set.
    names: Vec<String>,
}

impl Variables {
    /// Reads the environment.
    pub(crate) fn of(level: Level<'_>) -> Result<Self, Failure> {
        Self::read(level, |name| match std::env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(VarError::NotPresent) => Ok(None),
            Err(VarError::NotUnicode(_)) => {
                Err(Failure::refused(format!("{name} is set to something that is not UTF-8")))
            }
        })
    }

    pub(crate) fn read(
        level: Level<'_>,
        get: impl Fn(&str) -> Result<Option<String>, Failure>,
    ) -> Result<Self, Failure> {
        let mut names = Vec::new();
        let prefix = match level {
            Level::Root => "ROOTCA",
            Level::Tier(_) => return Ok(Self::default()),
            Level::Cluster => "INTERMEDIATE",
        };
        let mut take = |suffix: &str| {
            let name = format!("{prefix}_{suffix}");
            let value = get(&name)?;
            if value.is_some() {
                names.push(name);
            }
            Ok::<_, Failure>(value)
        };
        let (days, organization) = (take("DAYS")?, take("ORG")?);
        let (common_name, key_size) = (take("CN")?, take("KEYSZ")?);
        let dns_name = match level {
            Level::Root | Level::Tier(_) => None,
            Level::Cluster => take("SAN_DNS")?,
        };
        let lifetime = days.map(|days| lifetime(&days)).transpose()?;
        Ok(Self { lifetime, organization, common_name, dns_name, key_size, names })
    }

    /// A line for those who set them and chose another profile.
    pub(crate) fn ignored(&self) -> Option<String> {
        (!self.names.is_empty())
            .then(|| format!("only --profile makefile heeds {}", self.names.join(", ")))
    }
}

fn lifetime(days: &str) -> Result<Lifetime, Failure> {
    match days.parse::<u32>() {
        Ok(number @ 1..) => Ok(Lifetime::days(number.into())),
        _ => Err(Failure::refused(format!("`{days}` is not a number of days (..._DAYS)"))),
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn read(level: Level<'_>, set: &[(&str, &str)]) -> Result<Variables, Failure> {
        let value = |name: &str| set.iter().find(|(set, _)| *set == name);
        Variables::read(level, |name| Ok(value(name).map(|(_, value)| (*value).to_owned())))
    }

    #[test]
    fn each_level_has_its_own_variables() {
        let set = [("ROOTCA_CN", "R"), ("INTERMEDIATE_CN", "I"), ("INTERMEDIATE_SAN_DNS", "d")];
        let (root, cluster) =
            (read(Level::Root, &set).unwrap(), read(Level::Cluster, &set).unwrap());
        assert_eq!((root.common_name.as_deref(), root.dns_name), (Some("R"), None));
        assert_eq!(cluster.common_name.as_deref(), Some("I"));
        assert_eq!(cluster.dns_name.as_deref(), Some("d"));
        assert_eq!(
            cluster.ignored().unwrap(),
            "only --profile makefile heeds INTERMEDIATE_CN, INTERMEDIATE_SAN_DNS"
        );
        assert_eq!(read(Level::Root, &[]).unwrap().ignored(), None);
        assert_eq!(read(Level::Tier("prod"), &set).unwrap().ignored(), None);
    }

    #[test]
    fn days_are_a_number() {
        let set = read(Level::Root, &[("ROOTCA_DAYS", "90")]).unwrap();
        assert_eq!(set.lifetime, Some(Lifetime::days(90)));
        for days in ["", "0", "-1", "9d"] {
            let error = read(Level::Root, &[("ROOTCA_DAYS", days)]).err().unwrap();
            let expected = format!("`{days}` is not a number of days (..._DAYS)");
            assert_eq!(error.to_string(), expected);
        }
    }
}
