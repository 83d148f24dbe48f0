//! What was made and what was there, for people and for scripts.

use pki::Certificate;
use serde::Serialize;

use crate::lifetime::rfc3339;
use crate::terminal;

mod airgap;

pub(crate) use airgap::{Signed, accepted, converted, request, signed};

/// A CA. In JSON, times are RFC 3339 in UTC and the fingerprint is `sha256:` and hex.
#[derive(Serialize)]
pub(crate) struct Ca {
    /// The cluster; a root has none, and a tier neither.
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<String>,
    /// The name of a tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    tier: Option<String>,
    folder: String,
    /// Whether this run made it; else it was there and was not touched.
    created: bool,
    /// Whether the key of a root or a tier is under a passphrase; a cluster's never is.
    #[serde(skip_serializing_if = "Option::is_none")]
    encrypted: Option<bool>,
    /// How many CAs may follow below a tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    path_length: Option<u32>,
    subject: String,
    key: String,
    not_before: String,
    not_after: String,
    fingerprint: String,
}

impl Ca {
    pub(crate) fn root(
        folder: &std::path::Path,
        certificate: &Certificate,
        created: bool,
        encrypted: bool,
    ) -> Self {
        Self { encrypted: Some(encrypted), ..Self::of(folder, certificate, created) }
    }

    pub(crate) fn tier(
        name: &str,
        folder: &std::path::Path,
        certificate: &Certificate,
        created: bool,
        encrypted: bool,
    ) -> Self {
        Self {
            tier: Some(name.to_owned()),
            path_length: certificate.path_len(),
            ..Self::root(folder, certificate, created, encrypted)
        }
    }

    pub(crate) fn cluster(
        name: &str,
        folder: &std::path::Path,
        certificate: &Certificate,
        created: bool,
    ) -> Self {
        Self { cluster: Some(name.to_owned()), ..Self::of(folder, certificate, created) }
    }

    fn of(folder: &std::path::Path, certificate: &Certificate, created: bool) -> Self {
        Self {
            cluster: None,
            tier: None,
            path_length: None,
            folder: folder.display().to_string(),
            created,
            encrypted: None,
            subject: certificate.subject().to_string(),
            key: certificate.public_key_kind(),
            not_before: rfc3339(certificate.validity().not_before()),
            not_after: rfc3339(certificate.validity().not_after()),
            fingerprint: certificate.fingerprint().to_string(),
        }
    }

    /// Two lines: what happened, and what it is.
    fn lines(&self) -> String {
        let Self { folder, subject, key, not_after, fingerprint, .. } = self;
        let what = match (&self.cluster, &self.tier) {
            (Some(cluster), _) => format!("the CA of {cluster}"),
            (None, Some(tier)) => format!("the tier {tier}"),
            (None, None) => "the root".to_owned(),
        };
        let happened = if self.created {
            format!("made {what} in `{folder}`")
        } else {
            format!("{what} is already there in `{folder}`; nothing was changed")
        };
        let secrecy = match self.encrypted {
            Some(true) => ", its key under a passphrase",
            Some(false) => ", its key without a passphrase",
            None => "",
        };
        let length = self.path_length.map(|length| format!(", path length {length}"));
        let length = length.unwrap_or_default();
        format!(
            "{happened}\n  {subject}\n  {key}{secrecy}{length}, until {not_after}\n  {fingerprint}"
        )
    }
}

/// Prints the root: as lines, or as a JSON object.
pub(crate) fn root(root: &Ca, json: bool) {
    let text = if json { serde_json::json!(root).to_string() } else { root.lines() };
    terminal::answer(&text);
}

/// Prints CAs of clusters, or tiers, in the order they were asked for: as lines, or as a JSON array.
pub(crate) fn all(cas: &[Ca], json: bool) {
    if json {
        terminal::answer(&serde_json::json!(cas).to_string());
        return;
    }
    for ca in cas {
        terminal::answer(&ca.lines());
    }
}
