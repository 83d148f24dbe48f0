//! What `--revoke` names: a certificate in a file, or in the folder of a cluster or a tier, or a serial
//! number.

use std::path::Path;

use pki::{BundleFiles, Certificate, Serial};

use super::read;
use crate::failure::Failure;

/// Fewer digits are as likely a name that was mistyped; both profiles make twice as many.
const SURE: usize = 16;

/// A certificate that is to be revoked.
pub(super) struct Target {
    pub(super) serial: Serial,
    /// Its subject, or a workload's SPIFFE ID; `None` for a bare serial number.
    pub(super) whose: Option<String>,
}

impl Target {
    /// Reads one. A certificate must be the CA's own work, since no other's serial is on its list.
    pub(super) fn read(text: &str, ca: &Certificate) -> Result<Self, Failure> {
        let path = Path::new(text);
        let target = if path.is_dir() {
            let is_tier = ca_dir::TierSet::is_in(path);
            let name = if is_tier { ca_dir::TIER_CERT } else { BundleFiles::CA_CERT };
            Self::certificate(&path.join(name), ca)?
        } else if path.symlink_metadata().is_ok() {
            Self::certificate(path, ca)?
        } else {
            Self { serial: serial(text)?, whose: None }
        };
        if ca.is_self_issued() && target.serial == Serial::of(ca) {
            return Err(Failure::refused(format!(
                "`{}` cannot revoke itself; take it out of the trust bundle instead",
                ca.subject()
            )));
        }
        Ok(target)
    }

    fn certificate(path: &Path, ca: &Certificate) -> Result<Self, Failure> {
        let named = || format!("`{}`", path.display());
        let unusable = || format!("{} is no certificate that could be revoked", named());
        let certificate = Certificate::from_pem(&read::bytes(path)?);
        let certificate = certificate.map_err(Failure::within(unusable()))?;
        if !certificate.is_signed_by(ca) {
            return Err(Failure::refused(format!(
                "{} is not signed by `{}`, and only the CA that signed a certificate can revoke it",
                named(),
                ca.subject()
            )));
        }
        let serial = Serial::of(&certificate);
        if serial.to_string().parse().ok() != Some(serial.clone()) {
            return Err(Failure::refused(format!(
                "{} has a serial number that is not positive, {serial}, which is not revoked here",
                named()
            )));
        }
        let subject = certificate.subject();
        let whose = match certificate.uri_sans().first() {
            Some(uri) if subject.is_empty() => (*uri).to_owned(),
            _ => subject.to_string(),
        };
        Ok(Self { serial, whose: Some(whose) })
    }
}

fn serial(text: &str) -> Result<Serial, Failure> {
    let marked = text.strip_prefix("0x");
    let neither = || format!("`{text}` is neither a file nor a serial number");
    let serial = marked.unwrap_or(text).parse::<Serial>().map_err(Failure::within(neither()))?;
    if marked.is_none() && serial.to_string().len() < SURE {
        return Err(Failure::refused(format!(
            "there is no file `{text}`, and it is short for a serial number; 0x{text} says that it \
             is one"
        )));
    }
    Ok(serial)
}
