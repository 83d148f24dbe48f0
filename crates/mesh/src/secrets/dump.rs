//! The JSON of Envoy's config dump, as far as secrets go (`envoy.admin.v3.SecretsConfigDump`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::{Error, PodRef};

/// The secrets of one dump. A resource query lists them at the top, a whole dump in two groups.
pub(super) struct Dump<'a> {
    proxy: &'a PodRef,
    active: Vec<Entry>,
    warming: Vec<Entry>,
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    configs: Vec<Config>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Config {
    One(Box<Entry>),
    Groups {
        #[serde(default)]
        dynamic_active_secrets: Vec<Entry>,
        #[serde(default)]
        dynamic_warming_secrets: Vec<Entry>,
    },
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    #[serde(default)]
    last_updated: String,
    secret: Secret,
    error_state: Option<ErrorState>,
}

/// No field takes the private key.
#[derive(Deserialize)]
struct Secret {
    tls_certificate: Option<TlsCertificate>,
    validation_context: Option<ValidationContext>,
}

#[derive(Deserialize)]
struct TlsCertificate {
    certificate_chain: Option<DataSource>,
}

#[derive(Deserialize)]
struct ValidationContext {
    trusted_ca: Option<DataSource>,
}

#[derive(Deserialize)]
struct DataSource {
    inline_bytes: Option<String>,
    inline_string: Option<String>,
    filename: Option<String>,
}

#[derive(Deserialize)]
struct ErrorState {
    #[serde(default)]
    details: String,
}

impl<'a> Dump<'a> {
    pub(super) fn parse(proxy: &'a PodRef, body: &[u8]) -> Result<Self, Error> {
        let json = without_log_lines(body);
        let document: Document =
            serde_json::from_slice(json).map_err(|source| Error::ConfigDump {
                proxy: proxy.clone(),
                start: String::from_utf8_lossy(body).chars().take(60).collect(),
                source,
            })?;
        let mut dump = Self { proxy, active: Vec::new(), warming: Vec::new() };
        for config in document.configs {
            match config {
                Config::One(entry) => dump.active.push(*entry),
                Config::Groups { dynamic_active_secrets, dynamic_warming_secrets } => {
                    dump.active.extend(dynamic_active_secrets);
                    dump.warming.extend(dynamic_warming_secrets);
                }
            }
        }
        Ok(dump)
    }

    /// When the secret of that name was last touched, whichever group it is in.
    pub(super) fn last_updated(&self, name: &str) -> Option<&str> {
        let all = self.active.iter().chain(&self.warming);
        all.into_iter().find(|entry| entry.name == name).map(|entry| entry.last_updated.as_str())
    }

    /// The secret of that name, which Envoy uses and whose last update it took.
    pub(super) fn active(&self, secret: &'static str) -> Result<Active<'_>, Error> {
        let proxy = self.proxy.clone();
        let Some(entry) = self.active.iter().find(|entry| entry.name == secret) else {
            if let Some(waiting) = self.warming.iter().find(|entry| entry.name == secret) {
                let since = waiting.last_updated.clone();
                return Err(Error::SecretWarming { proxy, secret, since });
            }
            let names: Vec<_> = self.active.iter().map(|entry| entry.name.as_str()).collect();
            let found = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Err(Error::SecretMissing { proxy, secret, found });
        };
        match &entry.error_state {
            Some(ErrorState { details }) => {
                Err(Error::SecretRefused { proxy, secret, details: details.clone() })
            }
            None => Ok(Active { proxy: self.proxy, secret, entry }),
        }
    }
}

/// A secret in use.
pub(super) struct Active<'a> {
    proxy: &'a PodRef,
    secret: &'static str,
    entry: &'a Entry,
}

impl Active<'_> {
    pub(super) fn certificate_chain(&self) -> Result<Vec<u8>, Error> {
        let tls = self.entry.secret.tls_certificate.as_ref();
        self.bytes(tls.and_then(|tls| tls.certificate_chain.as_ref()), "certificate chain")
    }

    pub(super) fn trusted_ca(&self) -> Result<Vec<u8>, Error> {
        let context = self.entry.secret.validation_context.as_ref();
        self.bytes(context.and_then(|context| context.trusted_ca.as_ref()), "trusted CA")
    }

    pub(super) fn last_updated(&self) -> Result<OffsetDateTime, Error> {
        let text = &self.entry.last_updated;
        OffsetDateTime::parse(text, &Rfc3339)
            .map_err(|e| self.unusable(&format!("`{text}` is no RFC 3339 time: {e}")))
    }

    pub(super) fn unusable(&self, reason: &str) -> Error {
        let (proxy, secret) = (self.proxy.clone(), self.secret);
        Error::SecretContent { proxy, secret, reason: reason.to_owned() }
    }

    pub(super) fn unreadable(&self, source: pki::Error) -> Error {
        Error::SecretCertificates {
            proxy: self.proxy.clone(),
            secret: self.secret,
            source: Box::new(source),
        }
    }

    fn bytes(&self, source: Option<&DataSource>, what: &str) -> Result<Vec<u8>, Error> {
        match source {
            Some(DataSource { inline_bytes: Some(text), .. }) => STANDARD
                .decode(text)
                .map_err(|e| self.unusable(&format!("its {what} is no base64: {e}"))),
            Some(DataSource { inline_string: Some(text), .. }) => Ok(text.clone().into_bytes()),
            Some(DataSource { filename: Some(file), .. }) => {
                let reason = format!("its {what} is a file of the proxy, `{file}`, not SDS");
                Err(self.unusable(&reason))
            }
            _ => Err(self.unusable(&format!("it has no {what}"))),
        }
    }
}

/// `pilot-agent request` may log to the same stream before Envoy's answer.
fn without_log_lines(body: &[u8]) -> &[u8] {
    let mut rest = body;
    while !rest.trim_ascii_start().starts_with(b"{") {
        match rest.iter().position(|&byte| byte == b'\n') {
            Some(end) => rest = &rest[end + 1..],
            None => return body,
        }
    }
    rest
}
