//! What an administrator sees before anything is signed: what is asked for beside what is granted.

use std::path::Path;

use pki::ClusterCaParams;

use crate::asked::RequestFile;
use crate::issuer::IssuerFolder;
use crate::lifetime::rfc3339;
use crate::statement::visible;

/// The table of one request.
pub(super) fn table(path: &Path, file: &RequestFile, granted: &ClusterCaParams) -> String {
    let asked = file.asked.as_ref();
    let none = || "-".to_owned();
    let text = |value: Option<&String>| value.cloned().unwrap_or_else(none);
    let rows = [
        ("", "asked for".to_owned(), "granted".to_owned()),
        ("cluster", asked.map_or_else(none, |a| a.cluster.to_string()), granted.cluster.clone()),
        (
            "profile",
            asked.map_or_else(none, |a| a.profile.to_string()),
            granted.profile.to_string(),
        ),
        (
            "lifetime",
            asked.map_or_else(none, |a| a.lifetime.to_string()),
            format!("until {}", rfc3339(granted.validity.not_after())),
        ),
        ("organization", text(asked.map(|a| &a.organization)), granted.organization.clone()),
        ("common name", text(asked.map(|a| &a.common_name)), granted.common_name.clone()),
        ("DNS name", text(asked.map(|a| &a.dns_name)), granted.dns_name.clone()),
        ("path length", none(), "0".to_owned()),
    ];
    let width = rows.iter().map(|(_, asked, _)| asked.chars().count()).max().unwrap_or_default();
    let mut lines = vec![format!("`{}`", visible(&path.display().to_string()))];
    for (name, asked, granted) in &rows {
        let is_other = !["", "lifetime"].contains(name) && *asked != none() && asked != granted;
        let mark = if is_other { "  (not as asked)" } else { "" };
        lines.push(format!("  {name:<13} {asked:<width$}  {granted}{mark}"));
    }
    if asked.is_none() {
        // What other tools ask for is shown and not granted.
        let extensions = file.request.extensions().iter().map(|asked| asked.text());
        let subject = format!("subject: {}", file.request.subject());
        let wishes = std::iter::once(subject).chain(extensions);
        lines.extend(wishes.map(|wish| format!("  not granted   {}", visible(&wish))));
    }
    lines.push(format!("  key           {}", file.request.public_key_kind()));
    lines.push(format!("  public key    {}", file.request.public_key_fingerprint()));
    lines.join("\n")
}

/// The question below the tables.
pub(super) fn question(count: usize, issuer: &IssuerFolder) -> String {
    let what = if count == 1 { "this CA".to_owned() } else { format!("these {count} CAs") };
    let (noun, ca) = (issuer.noun(), issuer.certificate());
    format!("Sign {what} with the {noun} {}, {}? [y/N] ", ca.subject(), ca.fingerprint())
}
