//! The variables of Istio's Makefile, which work under the makefile profile as they do for make.

use std::env::VarError;

use crate::failure::Failure;
use crate::lifetime::Lifetime;

/// Which of the Makefile's two CAs is meant.
#[derive(Clone, Copy)]
pub(crate) enum Tier {
    /// `ROOTCA_..`
    Root,
    /// `INTERMEDIATE_..`
    Cluster,
}

/// What is set for one tier. Empty counts as set, as it does for make.
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
    pub(crate) fn of(tier: Tier) -> Result<Self, Failure> {
        Self::read(tier, |name| match std::env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(VarError::NotPresent) => Ok(None),
            Err(VarError::NotUnicode(_)) => {
                Err(Failure::refused(format!("{name} is set to something that is not UTF-8")))
            }
        })
    }

    fn read(
        tier: Tier,
        get: impl Fn(&str) -> Result<Option<String>, Failure>,
    ) -> Result<Self, Failure> {
        let mut names = Vec::new();
        let mut take = |suffix: &str| {
            let prefix = match tier {
                Tier::Root => "ROOTCA",
                Tier::Cluster => "INTERMEDIATE",
            };
            let name = format!("{prefix}_{suffix}");
            let value = get(&name)?;
            if value.is_some() {
                names.push(name);
            }
            Ok::<_, Failure>(value)
        };
        let (days, organization) = (take("DAYS")?, take("ORG")?);
        let (common_name, key_size) = (take("CN")?, take("KEYSZ")?);
        let dns_name = match tier {
            Tier::Root => None,
            Tier::Cluster => take("SAN_DNS")?,
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

    fn read(tier: Tier, set: &[(&str, &str)]) -> Result<Variables, Failure> {
        let value = |name: &str| set.iter().find(|(set, _)| *set == name);
        Variables::read(tier, |name| Ok(value(name).map(|(_, value)| (*value).to_owned())))
    }

    #[test]
    fn each_tier_has_its_own_variables() {
        let set = [("ROOTCA_CN", "R"), ("INTERMEDIATE_CN", "I"), ("INTERMEDIATE_SAN_DNS", "d")];
        let (root, cluster) = (read(Tier::Root, &set).unwrap(), read(Tier::Cluster, &set).unwrap());
        assert_eq!((root.common_name.as_deref(), root.dns_name), (Some("R"), None));
        assert_eq!(cluster.common_name.as_deref(), Some("I"));
        assert_eq!(cluster.dns_name.as_deref(), Some("d"));
        assert_eq!(
            cluster.ignored().unwrap(),
            "only --profile makefile heeds INTERMEDIATE_CN, INTERMEDIATE_SAN_DNS"
        );
        assert_eq!(read(Tier::Root, &[]).unwrap().ignored(), None);
    }

    #[test]
    fn days_are_a_number() {
        let set = read(Tier::Root, &[("ROOTCA_DAYS", "90")]).unwrap();
        assert_eq!(set.lifetime, Some(Lifetime::days(90)));
        for days in ["", "0", "-1", "9d"] {
            let error = read(Tier::Root, &[("ROOTCA_DAYS", days)]).err().unwrap();
            let expected = format!("`{days}` is not a number of days (..._DAYS)");
            assert_eq!(error.to_string(), expected);
        }
    }
}
