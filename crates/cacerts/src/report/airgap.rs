//! What went over the air gap: a request, what was signed, what was accepted.

use std::path::Path;

use pki::{CaRequest, Certificate};

use super::Ca;
use crate::asked::Asked;
use crate::lifetime::rfc3339;
use crate::name::ClusterName;
use crate::terminal;

/// Prints a request: as lines, or as a JSON object.
pub(crate) fn request(asked: &Asked, request: &CaRequest, dir: &Path, created: bool, json: bool) {
    let (folder, path) =
        (dir.join(asked.cluster.as_str()), crate::asked::path(dir, &asked.cluster));
    let (folder, path) = (folder.display(), path.display());
    let (key, public_key) = (request.public_key_kind(), request.public_key_fingerprint());
    if json {
        let object = serde_json::json!({
            "cluster": asked.cluster.as_str(),
            "folder": folder.to_string(),
            "request": path.to_string(),
            "created": created,
            "asked": asked,
            "key": key,
            "public_key": public_key.to_string(),
        });
        return terminal::answer(&object.to_string());
    }
    let happened = if created {
        format!("made a request for {} in `{path}`; its key stays in `{folder}`", asked.cluster)
    } else {
        format!(
            "the request for {} is already there in `{path}`; nothing was changed",
            asked.cluster
        )
    };
    let lifetime = asked.lifetime;
    terminal::answer(&format!(
        "{happened}\n  {}\n  {key}, {}, for {lifetime}\n  public key {public_key}",
        request.subject(),
        asked.profile,
    ));
}

/// What came of one request on the root's side.
pub(crate) struct Signed<'a> {
    pub(crate) cluster: &'a ClusterName,
    /// `None` where another tool made the request.
    pub(crate) asked: Option<&'a Asked>,
    pub(crate) request: &'a Path,
    pub(crate) response: &'a Path,
    /// Whether this run signed it.
    pub(crate) created: bool,
    pub(crate) ca: &'a Certificate,
    pub(crate) root: &'a Certificate,
}

/// Prints what was signed, in the order of the requests: as lines, or as a JSON array.
pub(crate) fn signed(all: &[Signed<'_>], json: bool) {
    if json {
        let array: Vec<_> = all.iter().map(Signed::object).collect();
        return terminal::answer(&serde_json::json!(array).to_string());
    }
    for signed in all {
        terminal::answer(&signed.lines());
    }
    if let Some(Signed { root, .. }) = all.first() {
        terminal::answer(&format!("root {}\n  {}", root.subject(), root.fingerprint()));
    }
}

impl Signed<'_> {
    fn lines(&self) -> String {
        let (cluster, response) = (self.cluster, self.response.display());
        let happened = if self.created {
            format!("signed the CA of {cluster}, which is in `{response}`")
        } else {
            format!("the CA of {cluster} is already signed, in `{response}`; nothing was changed")
        };
        let (subject, key) = (self.ca.subject(), self.ca.public_key_kind());
        let (public_key, until) =
            (self.ca.public_key_fingerprint(), rfc3339(self.ca.validity().not_after()));
        format!("{happened}\n  {subject}\n  {key}, until {until}\n  public key {public_key}")
    }

    fn object(&self) -> serde_json::Value {
        serde_json::json!({
            "cluster": self.cluster.as_str(),
            "request": self.request.display().to_string(),
            "response": self.response.display().to_string(),
            "created": self.created,
            "asked": self.asked,
            "subject": self.ca.subject().to_string(),
            "key": self.ca.public_key_kind(),
            "public_key": self.ca.public_key_fingerprint().to_string(),
            "not_before": rfc3339(self.ca.validity().not_before()),
            "not_after": rfc3339(self.ca.validity().not_after()),
            "fingerprint": self.ca.fingerprint().to_string(),
            "root": self.root.fingerprint().to_string(),
        })
    }
}

/// Prints a cluster's CA and its root: as lines, or as a JSON object.
pub(crate) fn accepted(ca: &Ca, root: &Certificate, json: bool) {
    if json {
        let mut object = serde_json::json!(ca);
        object["root"] = root.fingerprint().to_string().into();
        return terminal::answer(&object.to_string());
    }
    terminal::answer(&ca.lines());
    terminal::answer(&format!("root {}\n  {}", root.subject(), root.fingerprint()));
}

/// Prints a CA that was laid out anew: as lines, or as a JSON object.
pub(crate) fn converted(to: &Path, layout: &str, ca: &Certificate, created: bool, json: bool) {
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    let converted = Ca::cluster(&name, to, ca, created);
    if json {
        let mut object = serde_json::json!(converted);
        object["layout"] = layout.into();
        return terminal::answer(&object.to_string());
    }
    terminal::answer(&format!("{}\n  {layout}", converted.lines()));
}
