//! A Secret as text that may be shown: certificates by fingerprint and subject, all else by length.

use std::fmt;

use k8s_openapi::api::core::v1::Secret;
use pki::{BundleFiles, Certificate};

use crate::{CacertsSecret, from_secret};

/// Prints any Secret in the shape of its YAML, one line a fact and in a fixed order, so that two
/// can be compared line by line. Bytes that are not certificates throughout are never shown.
#[derive(Clone, Copy)]
pub struct Redacted<'a>(pub &'a Secret);

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let metadata = &self.0.metadata;
        writeln!(f, "kind: Secret")?;
        writeln!(f, "metadata:")?;
        writeln!(f, "  name: {}", metadata.name.as_deref().unwrap_or_default())?;
        writeln!(f, "  namespace: {}", metadata.namespace.as_deref().unwrap_or_default())?;
        for (title, pairs) in [("labels", &metadata.labels), ("annotations", &metadata.annotations)]
        {
            if let Some(pairs) = pairs.as_ref().filter(|pairs| !pairs.is_empty()) {
                writeln!(f, "  {title}:")?;
                for (key, value) in pairs {
                    writeln!(f, "    {key}: {}", shown(title, key, value))?;
                }
            }
        }
        if self.0.immutable == Some(true) {
            writeln!(f, "immutable: true")?;
        }
        if let Some(kind) = &self.0.type_ {
            writeln!(f, "type: {kind}")?;
        }
        writeln!(f, "data:")?;
        let files = from_secret(self.0);
        files.names().try_for_each(|name| file(f, &files, name))
    }
}

impl fmt::Debug for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Annotations of others are elided: the one `kubectl apply` leaves holds the whole manifest, the
/// key included.
fn shown(title: &str, key: &str, value: &str) -> String {
    if title == "labels" || CacertsSecret::ANNOTATIONS.contains(&key) {
        value.to_owned()
    } else {
        format!("{} characters, elided", value.chars().count())
    }
}

fn file(f: &mut fmt::Formatter<'_>, files: &BundleFiles, name: &str) -> fmt::Result {
    let bytes = files.get(name).unwrap_or_default();
    match Certificate::all_from_pem(bytes) {
        Ok(certificates) => {
            writeln!(f, "  {name}: {} bytes", bytes.len())?;
            certificates.iter().try_for_each(|certificate| {
                writeln!(f, "    {} {}", certificate.fingerprint(), certificate.subject())
            })
        }
        Err(_) => writeln!(f, "  {name}: {} bytes, elided", bytes.len()),
    }
}
