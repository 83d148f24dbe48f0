//! Secrets out of a manifest, YAML or JSON, one or many. No message quotes the text: it may be a
//! key.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ca_dir::SECRET_LIMIT;
use pki::BundleFiles;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

use crate::terminal::printable;

/// A Secret's keys as files.
pub(super) struct Secret {
    pub(super) name: Option<String>,
    namespace: Option<String>,
    pub(super) files: BundleFiles,
}

impl Secret {
    /// `namespace/name`, as far as it has them.
    pub(super) fn label(&self) -> String {
        let name = printable(self.name.as_deref().unwrap_or("without a name"));
        match &self.namespace {
            Some(namespace) => format!("{}/{name}", printable(namespace)),
            None => name,
        }
    }
}

/// Every Secret of the text's documents and of their lists; at least one.
pub(super) fn read(text: &str) -> Result<Vec<Secret>, String> {
    let mut secrets = Vec::new();
    let mut others = Vec::new();
    for document in documents(text)?.into_iter().flatten() {
        collect(document, &mut secrets, &mut others)?;
    }
    if !secrets.is_empty() {
        return Ok(secrets);
    }
    others.dedup();
    Err(match others.is_empty() {
        true => "it is no manifest: it has no `kind`, expected `kind: Secret`".to_owned(),
        false => format!("it is of kind {}, expected `Secret`", others.join(", ")),
    })
}

fn collect(
    document: Document,
    secrets: &mut Vec<Secret>,
    others: &mut Vec<String>,
) -> Result<(), String> {
    let Document { kind, metadata, data, string_data, items } = document;
    match kind.as_deref() {
        Some("Secret") => {
            let Metadata { name, namespace } = metadata.unwrap_or_default();
            secrets.push(Secret { name, namespace, files: files(data, string_data)? });
        }
        Some("List" | "SecretList") => {
            // The items of a typed list need not say their kind.
            let typed = kind.as_deref() == Some("SecretList");
            let before = secrets.len() + others.len();
            for mut item in items.unwrap_or_default() {
                if typed && item.kind.is_none() {
                    item.kind = Some("Secret".to_owned());
                }
                collect(item, secrets, others)?;
            }
            if secrets.len() + others.len() == before {
                others.push("`List`, an empty one".to_owned());
            }
        }
        // Anything else may be a piece of a key in the wrong place.
        Some(other) if other.len() <= 63 && other.bytes().all(|it| it.is_ascii_alphanumeric()) => {
            others.push(format!("`{other}`"));
        }
        Some(_) => others.push("unknown".to_owned()),
        None => {}
    }
    Ok(())
}

/// As the API server does: `stringData` wins over `data`.
fn files(data: Entries, string_data: Entries) -> Result<BundleFiles, String> {
    let mut files = BundleFiles::new();
    let mut total = 0;
    let sources = [("data", data), ("stringData", string_data)];
    for (field, name, value) in sources
        .into_iter()
        .flat_map(|(field, entries)| entries.0.into_iter().map(move |(n, v)| (field, n, v)))
    {
        // What cannot be a key of a Secret may be anything, and is not shown.
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if name.is_empty() || name.len() > 253 || !name.bytes().all(allowed) {
            return Err(format!("a key of its `{field}` is no name of a file"));
        }
        let Value::Text(text) = value else {
            return Err(format!("`{field}.{name}` is not text"));
        };
        let content = if field == "data" { decode(&name, &text)? } else { bytes_of(&text) };
        total += content.len();
        if total > SECRET_LIMIT {
            return Err(format!(
                "with `{field}.{name}` it holds more than {} KiB, which is more than any Secret \
                 can",
                SECRET_LIMIT / 1024
            ));
        }
        files.insert(name, content);
    }
    Ok(files)
}

fn bytes_of(text: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(text.as_bytes().to_vec())
}

fn decode(name: &str, text: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    if text.starts_with("ENC[") {
        return Err(format!("`data.{name}` is encrypted by SOPS; decrypt it first"));
    }
    // Go, which reads manifests for Kubernetes, passes over line ends and nothing else.
    let digits = text.bytes().filter(|byte| !b"\r\n".contains(byte));
    let digits: Zeroizing<Vec<u8>> = Zeroizing::new(digits.collect());
    match STANDARD.decode(&digits[..]) {
        Ok(content) => Ok(Zeroizing::new(content)),
        // The error quotes a byte.
        Err(_) if text.contains("-----BEGIN ") => Err(format!(
            "`data.{name}` is PEM, expected base64 of it; `stringData` takes PEM as it is"
        )),
        Err(_) => Err(format!("`data.{name}` is not base64")),
    }
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    kind: Option<String>,
    metadata: Option<Metadata>,
    #[serde(default)]
    data: Entries,
    #[serde(default)]
    string_data: Entries,
    items: Option<Vec<Self>>,
}

#[derive(Default, serde::Deserialize)]
struct Metadata {
    name: Option<String>,
    namespace: Option<String>,
}

/// A document that holds nothing is none.
fn documents(text: &str) -> Result<Vec<Option<Document>>, String> {
    // kubectl's own JSON may be indented with tabs, which YAML forbids.
    if text.trim_start().starts_with('{')
        && let Ok(document) = serde_json::from_str(text)
    {
        return Ok(vec![Some(document)]);
    }
    serde_saphyr::from_multiple(text).map_err(|error| {
        // The parser's own words quote the text.
        let place = error.location().map_or_else(String::new, |at| {
            format!(" at line {}, column {}", at.line(), at.column())
        });
        format!("it cannot be read as YAML or JSON of a Secret{place}")
    })
}

/// The values of `data` or `stringData`. Kinds other than Secrets may have anything there.
#[derive(Default)]
struct Entries(BTreeMap<String, Value>);

enum Value {
    Text(Zeroizing<String>),
    Other,
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfEntries;
        impl<'de> Visitor<'de> for OfEntries {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_unit<E>(self) -> Result<Entries, E> {
                Ok(Entries::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = BTreeMap::new();
                while let Some((name, value)) = map.next_entry()? {
                    entries.insert(name, value);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_any(OfEntries)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfValue;
        impl<'de> Visitor<'de> for OfValue {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }

            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(Zeroizing::new(text.to_owned())))
            }

            fn visit_string<E>(self, text: String) -> Result<Value, E> {
                Ok(Value::Text(Zeroizing::new(text)))
            }

            // `kubectl create --dry-run` writes an empty file so.
            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Text(Zeroizing::default()))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
                Ok(Value::Other)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
                Ok(Value::Other)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
                Ok(Value::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
                Ok(Value::Other)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Value::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Value::Other)
            }
        }
        deserializer.deserialize_any(OfValue)
    }
}
