//! What the administrator asked for: options first, then the Makefile's variables, then defaults.
//!
//! Only what was said is held against a CA that is there: who says nothing takes it as it is.

use pki::{Certificate, KeyAlgorithm, KeyUsageBit, Profile, Validity};
use time::OffsetDateTime;

use crate::failure::Failure;
use crate::lifetime::{Lifetime, rfc3339};
use crate::variables::{Level, Variables};

#[cfg(fuzzing)]
pub(crate) mod fuzzing;

/// What was said; `None` where nothing was.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(crate) profile: Option<Profile>,
    pub(crate) key: Option<KeyAlgorithm>,
    pub(crate) organization: Option<String>,
    pub(crate) common_name: Option<String>,
    pub(crate) dns_name: Option<String>,
    pub(crate) lifetime: Option<Lifetime>,
}

/// What to make.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) profile: Profile,
    pub(crate) key: KeyAlgorithm,
    pub(crate) organization: String,
    pub(crate) common_name: String,
    pub(crate) dns_name: String,
    pub(crate) validity: Validity,
}

impl Said {
    /// Under the makefile profile, the variables count for what no option says. Under the other
    /// they do not, and a line is returned that says so.
    pub(crate) fn with(&mut self, profile: Profile, variables: &Variables) -> Option<String> {
        if profile == Profile::Hardened {
            return variables.ignored();
        }
        let Self { organization, common_name, dns_name, lifetime, .. } = self;
        *organization = organization.take().or_else(|| variables.organization.clone());
        *common_name = common_name.take().or_else(|| variables.common_name.clone());
        *dns_name = dns_name.take().or_else(|| variables.dns_name.clone());
        *lifetime = lifetime.take().or(variables.lifetime);
        None
    }

    /// Fills in the defaults: the Makefile's, but for the hardened profile's keys, for its cluster
    /// CAs, which live two years, and for its tiers, which live five.
    pub(crate) fn wish(
        self,
        level: Level<'_>,
        profile: Profile,
        now: OffsetDateTime,
    ) -> Result<Wish, Failure> {
        let common_name = match level {
            Level::Root => "Root CA".to_owned(),
            Level::Tier(name) => format!("{name} CA"),
            Level::Cluster => "Intermediate CA".to_owned(),
        };
        let wish = Wish {
            profile,
            key: key(profile, self.key)?,
            organization: self.organization.unwrap_or_else(|| "Istio".to_owned()),
            common_name: self.common_name.unwrap_or(common_name),
            dns_name: self.dns_name.unwrap_or_else(|| "istiod.istio-system.svc".to_owned()),
            validity: validity(
                self.lifetime.unwrap_or_else(|| default_lifetime(level, profile)),
                now,
            )?,
        };
        for (what, name) in
            [("organization", &wish.organization), ("common name", &wish.common_name)]
        {
            if name.chars().any(char::is_control) {
                return Err(Failure::refused(format!(
                    "the {what} {name:?} has a control character"
                )));
            }
        }
        Ok(wish)
    }

    /// The same, without a lifetime that only the issuer's `end` has cut.
    pub(crate) fn but_for_a_cut(&self, found: &Certificate, end: OffsetDateTime) -> Self {
        let start = found.validity().not_before();
        let is_cut = |asked: Lifetime| {
            found.validity().not_after() == end && asked.end(start).is_none_or(|it| it > end)
        };
        Self { lifetime: self.lifetime.filter(|asked| !is_cut(*asked)), ..self.clone() }
    }

    /// Where a CA that is there is not what was asked for; a line each.
    pub(crate) fn differences(&self, found: &Certificate) -> Vec<String> {
        let mut differences = Vec::new();
        let mut compare = |what: &str, said: Option<String>, found: String| {
            if let Some(said) = said.filter(|said| *said != found) {
                differences.push(format!("its {what} is {found}, asked for was {said}"));
            }
        };
        let profile = profile_of(found);
        compare("profile", self.profile.map(|p| p.to_string()), profile.to_string());
        compare("key", self.key.map(|key| key.kind().to_owned()), found.public_key_kind());
        let (subject, names) = (found.subject(), |names: Vec<String>| names.join(", "));
        compare("organization", self.organization.clone(), names(subject.organizations()));
        compare("common name", self.common_name.clone(), names(subject.common_names()));
        compare("DNS name", self.dns_name.clone(), found.dns_sans().join(", "));
        if let Some(lifetime) = self.lifetime.filter(|said| !said.is_of(found.validity())) {
            let validity = found.validity();
            differences
                .push(format!("it is valid {validity}, asked for was a lifetime of {lifetime}"));
        }
        differences
    }
}

/// How long a CA lives when nobody says.
pub(crate) fn default_lifetime(level: Level<'_>, profile: Profile) -> Lifetime {
    match (level, profile) {
        (Level::Root, _) | (_, Profile::Makefile) => Lifetime::days(3650),
        (Level::Tier(_), Profile::Hardened) => Lifetime::days(1825),
        (Level::Cluster, Profile::Hardened) => Lifetime::days(730),
    }
}

/// The profile that a CA was made with: the hardened one may sign CRLs, the Makefile's may not.
pub(crate) fn profile_of(certificate: &Certificate) -> Profile {
    let signs_crls = |usage: pki::KeyUsage| usage.has(KeyUsageBit::CrlSign);
    match certificate.key_usage() {
        Some(usage) if !signs_crls(usage) => Profile::Makefile,
        _ => Profile::Hardened,
    }
}

fn key(profile: Profile, said: Option<KeyAlgorithm>) -> Result<KeyAlgorithm, Failure> {
    match (profile, said) {
        (Profile::Makefile, None | Some(KeyAlgorithm::Rsa4096)) => Ok(KeyAlgorithm::Rsa4096),
        (Profile::Makefile, Some(other)) => Err(Failure::refused(format!(
            "the makefile profile is rsa4096, as Istio's Makefile has it: --key {other} is for \
             --profile hardened"
        ))),
        (Profile::Hardened, said) => Ok(said.unwrap_or(KeyAlgorithm::EcdsaP256)),
    }
}

fn validity(lifetime: Lifetime, now: OffsetDateTime) -> Result<Validity, Failure> {
    let end = lifetime.end(now).filter(|end| end.year() <= 9999);
    let end = end.ok_or_else(|| {
        Failure::refused(format!("a lifetime of {lifetime} ends after the year 9999"))
    })?;
    if end <= now {
        let now = rfc3339(now);
        return Err(Failure::refused(format!("a lifetime {lifetime} is over: it is {now}")));
    }
    Validity::new(now, end).map_err(Failure::within("no certificate lives so long"))
}
