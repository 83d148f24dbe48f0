//! Makes lists: the TBSCertList of RFC 5280 section 5.1 and its extensions.
//!
//! As with certificates, the issuer's name is repeated to the byte, which rcgen does not do.

use const_oid::AssociatedOid;
use der::asn1::{AnyRef, Int, OctetString};
use der::{Decode, Encode, Sequence};
use x509_cert::Version;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, CrlNumber};
use x509_cert::time::Time;

use super::{Crl, CrlError, Revocation, Serial, may_sign};
use crate::signature::{self, Signer as _};
use crate::tbs::x509_time;
use crate::{Certificate, ClusterCa, Error, IssuingCa, PrivateKey, RootCa, TierCa, Validity};

/// A new list.
#[derive(Clone, Debug)]
pub struct CrlParams {
    /// Greater than that of every list the CA has made; from 1.
    pub number: u64,
    /// From this update to the next: the list is good at both ends and between them.
    pub period: Validity,
    /// All that the CA has revoked, not only what is new.
    pub revoked: Vec<Revocation>,
}

#[derive(Sequence)]
struct TbsCertList<'a> {
    version: Version,
    signature: AnyRef<'a>,
    issuer: AnyRef<'a>,
    this_update: Time,
    next_update: Time,
    /// Absent where nothing is revoked (section 5.1.2.6).
    revoked: Option<Vec<Entry>>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    extensions: Vec<Extension>,
}

#[derive(Sequence)]
struct Entry {
    serial: Int,
    date: Time,
    extensions: Option<Vec<Extension>>,
}

macro_rules! signs_crls {
    ($ca:ident, $key:ident) => {
        impl $ca {
            /// Makes the list of what this CA has revoked, and signs it.
            ///
            /// # Errors
            /// [`CrlError::NoCrlSign`], [`CrlError::OutsideLife`], [`CrlError::Number`],
            /// [`CrlError::RevokedTwice`], [`CrlError::RevokesItself`], each in [`Error::Crl`];
            /// [`Error::TimeRange`], [`Error::Crypto`].
            pub fn issue_crl(&self, params: &CrlParams) -> Result<Crl, Error> {
                issue(self.certificate(), self.$key(), params)
            }
        }
    };
}

signs_crls!(RootCa, expose_private_key);
signs_crls!(TierCa, expose_private_key);
signs_crls!(IssuingCa, expose_private_key);
signs_crls!(ClusterCa, key);

fn issue(ca: &Certificate, key: &PrivateKey, params: &CrlParams) -> Result<Crl, Error> {
    prove(ca, params)?;
    let algorithm = key.algorithm()?;
    let revoked = params.revoked.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    let tbs = TbsCertList {
        version: Version::V2,
        signature: AnyRef::from_der(&algorithm)?,
        issuer: AnyRef::from_der(ca.subject().der())?,
        this_update: x509_time(params.period.not_before())?,
        next_update: x509_time(params.period.not_after())?,
        revoked: (!revoked.is_empty()).then_some(revoked),
        extensions: extensions(ca, params.number)?,
    };
    Crl::from_der(&signature::sign(&tbs.to_der()?, key)?)
}

fn prove(ca: &Certificate, params: &CrlParams) -> Result<(), CrlError> {
    let subject = || ca.subject().to_string();
    if !may_sign(ca) {
        let found = ca.key_usage().map(|usage| usage.to_string()).unwrap_or_default();
        return Err(CrlError::NoCrlSign { subject: subject(), found });
    }
    let (wanted, life) = (params.period, ca.validity());
    if !life.contains(wanted.not_before()) || !life.contains(wanted.not_after()) {
        return Err(CrlError::OutsideLife { subject: subject(), wanted, life });
    }
    if params.number == 0 {
        return Err(CrlError::Number { found: params.number });
    }
    let mut serials: Vec<_> = params.revoked.iter().map(|revocation| &revocation.serial).collect();
    if ca.is_self_issued() && serials.contains(&&Serial::of(ca)) {
        return Err(CrlError::RevokesItself { subject: subject() });
    }
    serials.sort();
    match serials.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(CrlError::RevokedTwice { serial: pair[0].clone() }),
        None => Ok(()),
    }
}

fn entry(revocation: &Revocation) -> Result<Entry, Error> {
    let reason = revocation.reason.map(|reason| extension(&reason.code())).transpose()?;
    Ok(Entry {
        serial: Int::new(&revocation.serial.octets())?,
        date: x509_time(revocation.date)?,
        extensions: reason.map(|reason| vec![reason]),
    })
}

/// Section 5.2 requires both. A CA without a key identifier has none to name.
fn extensions(ca: &Certificate, number: u64) -> Result<Vec<Extension>, Error> {
    let key_id = ca.subject_key_id().map(|key_id| -> Result<_, Error> {
        extension(&AuthorityKeyIdentifier {
            key_identifier: Some(OctetString::new(key_id)?),
            authority_cert_issuer: None,
            authority_cert_serial_number: None,
        })
    });
    let mut extensions: Vec<_> = key_id.transpose()?.into_iter().collect();
    extensions.push(extension(&CrlNumber::try_from(number)?)?);
    Ok(extensions)
}

/// None of a list's extensions here is critical.
fn extension<E: AssociatedOid + Encode>(content: &E) -> Result<Extension, Error> {
    let extn_value = OctetString::new(content.to_der()?)?;
    Ok(Extension { extn_id: E::OID, critical: false, extn_value })
}
