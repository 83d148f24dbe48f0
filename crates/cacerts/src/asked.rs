//! The request file: what a cluster asks for, as a statement above the request itself.

use std::path::{Path, PathBuf};

use pki::{CaRequest, ClusterCaParams, Fingerprint, PrivateKey, Profile, Validity};
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};
use time::OffsetDateTime;

use crate::lifetime::Lifetime;
use crate::name::ClusterName;
use crate::statement::Statement;
use crate::wish::Said;

#[cfg(fuzzing)]
pub(crate) mod fuzzing;

const TITLE: &str = "cacerts request 1";

/// What a request of `cacerts` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) cluster: ClusterName,
    pub(crate) profile: Profile,
    pub(crate) lifetime: Lifetime,
    pub(crate) organization: String,
    pub(crate) common_name: String,
    pub(crate) dns_name: String,
}

impl Serialize for Asked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Asked", 5)?;
        object.serialize_field("profile", &self.profile.to_string())?;
        object.serialize_field("lifetime", &self.lifetime.short())?;
        object.serialize_field("organization", &self.organization)?;
        object.serialize_field("common_name", &self.common_name)?;
        object.serialize_field("dns_name", &self.dns_name)?;
        object.end()
    }
}

/// A request file: what is asked for, where it says so, and the request.
pub(crate) struct RequestFile {
    /// `None` for a request that another tool made.
    pub(crate) asked: Option<Asked>,
    pub(crate) request: CaRequest,
}

/// Where a cluster's request lies: beside the folder with the key, and never in it.
pub(crate) fn path(dir: &Path, cluster: &ClusterName) -> PathBuf {
    dir.join(format!("{cluster}.request.pem"))
}

impl Asked {
    /// The request file for a key.
    pub(crate) fn file(&self, key: &PrivateKey) -> Result<String, String> {
        let request = CaRequest::for_cluster(key, &self.params()?);
        let pem =
            request.and_then(|request| request.to_pem()).map_err(|error| error.to_string())?;
        let fields = [
            ("cluster", self.cluster.to_string()),
            ("profile", self.profile.to_string()),
            ("lifetime", self.lifetime.short()),
            ("organization", self.organization.clone()),
            ("common name", self.common_name.clone()),
            ("DNS name", self.dns_name.clone()),
            ("key", key.kind()),
            ("public key", key.public_key_fingerprint().to_string()),
        ];
        Statement::write(TITLE, &fields, &pem)
    }

    /// Where this is not what was said; a line each.
    pub(crate) fn differences(&self, said: &Said) -> Vec<String> {
        let text = |value: &Option<String>| value.clone();
        let compared = [
            ("profile", said.profile.map(|p| p.to_string()), self.profile.to_string()),
            ("lifetime", said.lifetime.map(Lifetime::short), self.lifetime.short()),
            ("organization", text(&said.organization), self.organization.clone()),
            ("common name", text(&said.common_name), self.common_name.clone()),
            ("DNS name", text(&said.dns_name), self.dns_name.clone()),
        ];
        let differences = compared.into_iter().filter_map(|(what, said, found)| {
            let said = said.filter(|said| *said != found)?;
            Some(format!("its {what} is {found}, asked for was {said}"))
        });
        differences.collect()
    }

    fn params(&self) -> Result<ClusterCaParams, String> {
        let epoch = OffsetDateTime::UNIX_EPOCH;
        Ok(ClusterCaParams {
            profile: self.profile,
            common_name: self.common_name.clone(),
            organization: self.organization.clone(),
            cluster: self.cluster.to_string(),
            dns_name: self.dns_name.clone(),
            // No request has either.
            validity: Validity::new(epoch, epoch).map_err(|error| error.to_string())?,
            key: pki::KeyAlgorithm::EcdsaP256,
        })
    }
}

impl RequestFile {
    /// Reads a request of `cacerts`, or one that another tool made. The signature is checked, and
    /// that the text says what the request does.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let statement = Statement::read(TITLE, text)?;
        let blocks = text.matches("-----BEGIN ").count();
        if blocks > 1 {
            return Err(format!("it holds {blocks} PEM blocks, expected one request"));
        }
        let request = CaRequest::from_pem(text.as_bytes()).map_err(|error| error.to_string())?;
        let asked = statement.map(|statement| asked(statement, &request)).transpose()?;
        Ok(Self { asked, request })
    }
}

fn asked(mut statement: Statement, request: &CaRequest) -> Result<Asked, String> {
    let asked = Asked {
        cluster: ClusterName::read(&statement.take("cluster")?)?,
        profile: statement
            .take("profile")?
            .parse()
            .map_err(|error: pki::Error| error.to_string())?,
        lifetime: statement.take("lifetime")?.parse()?,
        organization: statement.take("organization")?,
        common_name: statement.take("common name")?,
        dns_name: statement.take("DNS name")?,
    };
    let (kind, found) = (statement.take("key")?, request.public_key_kind());
    let said: Fingerprint =
        statement.take("public key")?.parse().map_err(|error: pki::Error| error.to_string())?;
    statement.end()?;
    if (kind.as_str(), said) != (found.as_str(), request.public_key_fingerprint()) {
        return Err(format!(
            "its text is of the key {kind}, {said}, and its request of {found}, {}",
            request.public_key_fingerprint()
        ));
    }
    let subject = asked.params()?.subject().map_err(|error| error.to_string())?;
    if subject != *request.subject() {
        return Err(format!(
            "its text asks for the name {subject}, and its request for {}",
            crate::statement::visible(&request.subject().to_string())
        ));
    }
    Ok(asked)
}
