//! From what the API server answers, or does not, to the words of this crate.

use std::error::Error as _;

use kube::core::response::{Status, reason};
use serde::de::DeserializeOwned;

use crate::{Call, Error, OwnedField, SecretRef};

/// Characters of a refusal that are passed on: a proxy may answer with a whole page.
const LONGEST: usize = 300;

/// Whether the API server itself says that there is no such Secret. A 404 of anybody else, such as
/// a proxy under a wrong URL, says nothing about it.
pub(super) fn is_absent(status: &Status) -> bool {
    is_missing(status, "secrets")
}

fn is_missing(status: &Status, kind: &str) -> bool {
    status.reason == reason::NOT_FOUND
        && status.details.as_ref().is_some_and(|details| details.kind == kind)
}

/// Parses an answer without ever showing a part of it.
pub(super) fn parse<T: DeserializeOwned>(
    at: &SecretRef,
    call: Call,
    text: &str,
) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| {
        // The error's own text quotes the value that does not fit.
        let reason = format!(
            "{:?} error in its JSON, line {} column {}",
            error.classify(),
            error.line(),
            error.column()
        );
        Error::Answer { object: at.clone(), call, reason }
    })
}

/// Says what a failed call means.
pub(super) fn explain(at: &SecretRef, call: Call, error: &kube::Error) -> Error {
    let object = at.clone();
    let kube::Error::Api(status) = error else {
        return Error::Unreachable { object, call, reason: causes(error) };
    };
    let message = cut(&status.message);
    if status.code == 401 {
        return Error::Unauthorized { object, message };
    }
    if call == Call::Write && is_missing(status, "namespaces") {
        return Error::NamespaceMissing { object };
    }
    if status.is_conflict() || status.is_already_exists() {
        let fields = owned_fields(status);
        return if fields.is_empty() {
            Error::ChangedMeanwhile { object }
        } else {
            Error::OtherWriter { object, fields }
        };
    }
    match missing_right(status) {
        Some(verb) => Error::Forbidden { object, verb, message },
        None => Error::Refused { object, call, status: status.code, message },
    }
}

/// The fields that server-side apply would have to take from others (`k8s.io/apimachinery`,
/// `pkg/util/managedfields/internal/conflict.go`).
fn owned_fields(status: &Status) -> Vec<OwnedField> {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes
        .filter(|cause| cause.reason == "FieldManagerConflict")
        .map(|cause| OwnedField {
            field: cause.field.clone(),
            owner: cause
                .message
                .strip_prefix("conflict with ")
                .unwrap_or(&cause.message)
                .to_owned(),
        })
        .collect()
}

/// The verb that an authorizer denied. Admission denies with the same status and reason, and only
/// the text tells them apart (`k8s.io/apiserver`,
/// `pkg/endpoints/handlers/responsewriters/errors.go`, `forbiddenMessage`).
fn missing_right(status: &Status) -> Option<String> {
    if !status.is_forbidden() {
        return None;
    }
    let (_, after) = status.message.split_once("\" cannot ")?;
    after.split_once(" resource \"").map(|(verb, _)| verb.to_owned())
}

/// All causes in one line. `kube` wraps the error of the transport without adding to it.
fn causes(error: &kube::Error) -> String {
    let mut texts = Vec::new();
    let mut at = error.source();
    while let Some(error) = at {
        let text = error.to_string();
        if texts.last().is_none_or(|last: &String| !last.ends_with(&text)) {
            texts.push(text);
        }
        at = error.source();
    }
    if texts.is_empty() { error.to_string() } else { texts.join(": ") }
}

fn cut(message: &str) -> String {
    let message = message.trim();
    match message.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} ..", &message[..end]),
        None => message.to_owned(),
    }
}
