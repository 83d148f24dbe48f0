//! What the issuer's side grants: its own options and defaults, and of what is asked for no more than
//! it says.

use clap::Args;
use pki::{Certificate, ClusterCaParams, KeyAlgorithm, Profile, Validity};
use time::OffsetDateTime;

use crate::asked::RequestFile;
use crate::failure::Failure;
use crate::issuer::IssuerFolder;
use crate::lifetime::Lifetime;
use crate::name::ClusterName;
use crate::variables::{Level, Variables};
use crate::wish::{Said, default_lifetime, profile_of};

/// What an administrator of the issuer may say.
#[derive(Args, Clone, Debug)]
pub(super) struct PolicyArgs {
    /// What goes into the certificates [default: what the issuer is of]
    #[arg(long, value_name = "hardened|makefile")]
    profile: Option<Profile>,
    /// The longest life that is granted; who asks for less gets less [default: 2 years, or
    /// the makefile profile's 10]
    #[arg(long, value_name = "LIFETIME")]
    lifetime: Option<Lifetime>,
    /// O of the subject [default: Istio]
    #[arg(long, value_name = "NAME")]
    organization: Option<String>,
    /// CN of the subject [default: Intermediate CA]
    #[arg(long, value_name = "NAME")]
    common_name: Option<String>,
    /// The DNS name in the certificate [default: istiod.istio-system.svc]
    #[arg(long, value_name = "NAME")]
    dns_name: Option<String>,
    /// Grants the profile and the names that are asked for, where no option says otherwise
    #[arg(long)]
    as_asked: bool,
}

/// The options and the Makefile's variables, for one request.
pub(super) struct Policy {
    said: Said,
    profile: Profile,
    /// What the request itself asks for; it may only shorten a life.
    asked: Option<Lifetime>,
}

impl PolicyArgs {
    /// Says what counts for one request, and a line about variables that do not.
    pub(super) fn of(
        &self,
        file: &RequestFile,
        issuer: &Certificate,
        variables: &Variables,
    ) -> (Policy, Option<String>) {
        let Self { profile, lifetime, organization, common_name, dns_name, as_asked } =
            self.clone();
        let mut said = Said { profile, key: None, organization, common_name, dns_name, lifetime };
        let wanted = file.asked.as_ref().filter(|_| as_asked);
        said.profile = said.profile.or_else(|| wanted.map(|asked| asked.profile));
        let profile = said.profile.unwrap_or_else(|| profile_of(issuer));
        let note = said.with(profile, variables);
        if let Some(asked) = wanted {
            said.organization.get_or_insert_with(|| asked.organization.clone());
            said.common_name.get_or_insert_with(|| asked.common_name.clone());
            said.dns_name.get_or_insert_with(|| asked.dns_name.clone());
        }
        let asked = file.asked.as_ref().map(|asked| asked.lifetime);
        (Policy { said, profile, asked }, note)
    }
}

impl Policy {
    /// What is to be signed.
    pub(super) fn grant(
        &self,
        cluster: &ClusterName,
        file: &RequestFile,
        issuer: &IssuerFolder,
        now: OffsetDateTime,
    ) -> Result<ClusterCaParams, Failure> {
        let key = key(self.profile, &file.request.public_key_kind())?;
        let said = Said { lifetime: Some(self.lifetime(now)), key: Some(key), ..self.said.clone() };
        let wish = said.wish(Level::Cluster, self.profile, now)?;
        // Nothing that is signed here outlives a CA above it, in whichever profile.
        let end = wish.validity.not_after().min(issuer.end());
        let validity = Validity::new(wish.validity.not_before(), end)
            .map_err(Failure::within(format!("the {} cannot sign any more", issuer.noun())))?;
        Ok(ClusterCaParams {
            profile: wish.profile,
            common_name: wish.common_name,
            organization: wish.organization,
            cluster: cluster.to_string(),
            dns_name: wish.dns_name,
            validity,
            key: wish.key,
        })
    }

    /// The shorter of what is granted and what is asked for.
    fn lifetime(&self, now: OffsetDateTime) -> Lifetime {
        let longest =
            self.said.lifetime.unwrap_or_else(|| default_lifetime(Level::Cluster, self.profile));
        // A life without an end is refused later, in words.
        match self.asked {
            Some(asked) if asked.end(now) < longest.end(now) && asked.end(now).is_some() => asked,
            _ => longest,
        }
    }

    /// Where a CA that was signed earlier is not what is granted now; a line each.
    pub(super) fn differences(&self, found: &Certificate) -> Vec<String> {
        let mut differences = Said { lifetime: None, ..self.said.clone() }.differences(found);
        let (start, end) = (found.validity().not_before(), found.validity().not_after());
        let longest = self.said.lifetime.filter(|longest| {
            longest.end(start).is_some_and(|granted| end > granted + time::Duration::SECOND)
        });
        differences.extend(longest.map(|longest| {
            format!("it is valid {}, granted is a lifetime of {longest}", found.validity())
        }));
        differences
    }
}

/// The keys that are certified are those that `cacerts` makes.
fn key(profile: Profile, kind: &str) -> Result<KeyAlgorithm, Failure> {
    let Some(key) = KeyAlgorithm::ALL.into_iter().find(|key| key.kind() == kind) else {
        let kinds: Vec<_> = KeyAlgorithm::ALL.into_iter().map(KeyAlgorithm::kind).collect();
        return Err(Failure::refused(format!(
            "it has a key of kind {kind}, expected {}",
            kinds.join(", ")
        )));
    };
    if profile == Profile::Makefile && key != KeyAlgorithm::Rsa4096 {
        return Err(Failure::refused(format!(
            "it has a key of kind {kind}, and the makefile profile is rsa 4096 as Istio's Makefile \
             has it: --profile hardened signs it"
        )));
    }
    Ok(key)
}
