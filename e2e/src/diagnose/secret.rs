//! The Secret `cacerts` without its secrets: the names of its keys, and the public certificates.

use anyhow::Result;
use k8s_secret::SecretRef;
use pki::{BundleFiles, Certificate};

use super::{LOOK, Scene};
use crate::steps::cacerts::SYSTEM_NAMESPACE;

impl Scene<'_> {
    pub(super) async fn write_secret(&self) -> Result<Vec<String>> {
        let at = SecretRef::in_namespace(SYSTEM_NAMESPACE)?;
        let Some(files) = k8s_secret::read(&self.client, &at, LOOK).await? else {
            let none = format!("there is no {at}");
            self.folder.write("secret.txt", &format!("{none}\n"))?;
            return Ok(vec![none]);
        };
        self.folder.write("secret.txt", &format!("{at}\n{}", describe(&files)))?;
        Ok(Vec::new())
    }
}

/// Each key with the certificates in it; what is anything but certificates is not shown.
fn describe(files: &BundleFiles) -> String {
    let mut text = String::new();
    for name in files.names() {
        let bytes = files.get(name).unwrap_or_default();
        let Ok(certificates) = Certificate::all_from_pem(bytes) else {
            text += &format!("  {name}: {} bytes, not shown\n", bytes.len());
            continue;
        };
        text += &format!("  {name}:\n");
        for found in certificates {
            let (print, subject, life) = (found.fingerprint(), found.subject(), found.validity());
            text += &format!("    {print} ({subject}), valid {life}\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use pki::{KeyAlgorithm, Profile, RootCa, RootCaParams, Validity};
    use pretty_assertions::assert_eq;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn certificates_are_named_and_all_else_is_not_shown() {
        let root = RootCa::generate(&RootCaParams {
            profile: Profile::Hardened,
            common_name: "Root CA".to_owned(),
            organization: "Istio".to_owned(),
            validity: Validity::new(
                datetime!(2026-11-24 12:00 UTC),
                datetime!(2036-11-24 12:00 UTC),
            )
            .unwrap(),
            key: KeyAlgorithm::EcdsaP256,
        });
        let certificate = root.unwrap().certificate().clone();
        let mut files = BundleFiles::new();
        files.insert("root-cert.pem", certificate.to_pem());
        files.insert("ca-key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n");
        files.insert("stray", format!("{}-----BEGIN PRIVATE KEY-----\n", certificate.to_pem()));
        let stray = files.get("stray").unwrap().len();
        let expected = format!(
            "  ca-key.pem: 33 bytes, not shown\n  root-cert.pem:\n    {} (CN=Root CA,O=Istio), valid \
             2026-11-24T12:00:00Z/2036-11-24T12:00:00Z\n  stray: {stray} bytes, not shown\n",
            certificate.fingerprint()
        );
        assert_eq!(describe(&files), expected);
    }
}
