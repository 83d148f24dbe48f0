//! One line of a list: which certificate, since when, and why.

use std::fmt;
use std::str::FromStr;

use time::OffsetDateTime;
use x509_cert::ext::pkix::CrlReason;
use x509_parser::revocation_list::RevokedCertificate;

use super::CrlError;
use crate::{Certificate, Error};

/// A certificate that its CA has revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Its serial number.
    pub serial: Serial,
    /// Since when it is revoked; whole seconds.
    pub date: OffsetDateTime,
    /// Why; `None` where nobody says, for which RFC 5280 section 5.3.1 wants no reason written.
    pub reason: Option<Reason>,
}

impl Revocation {
    pub(super) fn read(entry: &RevokedCertificate<'_>) -> Self {
        Self {
            serial: Serial(crate::hex::lower(entry.raw_serial())),
            date: entry.revocation_date.to_datetime(),
            reason: entry.reason_code().and_then(|(_, code)| Reason::of_code(code.0)),
        }
    }
}

/// A certificate's serial number, as [`Certificate::serial_hex`] spells it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial(String);

impl Serial {
    /// RFC 5280 section 4.1.2.2 allows no more, the octet of the sign not counted.
    const OCTETS: usize = 20;

    /// The one of a certificate.
    pub fn of(certificate: &Certificate) -> Self {
        Self(certificate.serial_hex())
    }

    /// The content octets of the DER INTEGER.
    pub(super) fn octets(&self) -> Vec<u8> {
        crate::hex::bytes(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Serial {
    type Err = Error;

    /// Reads hex as this crate and OpenSSL print it: lower or upper case, `:` between the octets
    /// or not, with or without leading zeros. Serial numbers are positive.
    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || CrlError::Serial { found: text.to_owned() };
        let mut digits = text.to_ascii_lowercase();
        if text.contains(':') {
            let octets: Vec<_> = digits.split(':').collect();
            if octets.iter().any(|octet| octet.len() != 2) {
                return Err(wrong().into());
            }
            digits = octets.concat();
        }
        if digits.len() % 2 == 1 {
            digits.insert(0, '0');
        }
        let octets = crate::hex::bytes(&digits).ok_or_else(wrong)?;
        let zeros = octets.iter().take_while(|octet| **octet == 0).count();
        let octets = &octets[zeros..];
        match octets {
            [] => Err(wrong().into()),
            _ if octets.len() > Self::OCTETS => Err(wrong().into()),
            [0x80..=0xff, ..] => Ok(Self(format!("00{}", crate::hex::lower(octets)))),
            _ => Ok(Self(crate::hex::lower(octets))),
        }
    }
}

/// Why a certificate is revoked (RFC 5280 section 5.3.1). `removeFromCRL` is missing: only delta
/// lists have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its key is, or may be, in other hands.
    KeyCompromise,
    /// The same, of a CA.
    CaCompromise,
    /// A name in it no longer holds.
    AffiliationChanged,
    /// Another one has taken its place.
    Superseded,
    /// What it was made for is gone.
    CessationOfOperation,
    /// Until further notice.
    CertificateHold,
    /// What it allows has been withdrawn.
    PrivilegeWithdrawn,
    /// The key of an attribute authority is in other hands.
    AaCompromise,
}

impl Reason {
    /// All of them, with the code and the name of the RFC.
    const ALL: [(Self, CrlReason, &'static str); 8] = [
        (Self::KeyCompromise, CrlReason::KeyCompromise, "keyCompromise"),
        (Self::CaCompromise, CrlReason::CaCompromise, "cACompromise"),
        (Self::AffiliationChanged, CrlReason::AffiliationChanged, "affiliationChanged"),
        (Self::Superseded, CrlReason::Superseded, "superseded"),
        (Self::CessationOfOperation, CrlReason::CessationOfOperation, "cessationOfOperation"),
        (Self::CertificateHold, CrlReason::CertificateHold, "certificateHold"),
        (Self::PrivilegeWithdrawn, CrlReason::PrivilegeWithdrawn, "privilegeWithdrawn"),
        (Self::AaCompromise, CrlReason::AaCompromise, "aACompromise"),
    ];

    /// The names that are read, in the order of their codes.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().map(|(.., name)| name)
    }

    pub(super) fn code(self) -> CrlReason {
        Self::ALL
            .into_iter()
            .find_map(|(reason, code, _)| (reason == self).then_some(code))
            .unwrap_or(CrlReason::Unspecified)
    }

    fn of_code(found: u8) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find_map(|(reason, code, _)| (code as u32 == u32::from(found)).then_some(reason))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.into_iter().find_map(|(it, _, name)| (it == *self).then_some(name));
        f.write_str(name.unwrap_or_default())
    }
}

impl FromStr for Reason {
    type Err = Error;

    /// Reads the RFC's names, whatever the case: `keyCompromise`, as OpenSSL writes them too.
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find_map(|(reason, _, name)| name.eq_ignore_ascii_case(text).then_some(reason))
            .ok_or_else(|| CrlError::Reason { found: text.to_owned() }.into())
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_serial_number_is_read_as_openssl_and_this_crate_print_it() {
        let read = |text: &str| text.parse::<Serial>().unwrap().to_string();
        assert_eq!(read("0F3A"), "0f3a");
        assert_eq!(read("F3A"), "0f3a");
        assert_eq!(read("8f:00:a1"), "008f00a1");
        assert_eq!(read("008f00a1"), "008f00a1");
        assert_eq!(read(&"ff".repeat(20)), format!("00{}", "ff".repeat(20)));
        for text in ["", "0", "00:00", "xyz", "0x1f", "-1", "1:2", "é", &"11".repeat(21)] {
            let expected =
                format!("`{text}` is not a serial number, expected hex of 1 to 20 octets, not 0");
            assert_eq!(text.parse::<Serial>().unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn every_reason_reads_what_it_prints() {
        for name in Reason::names() {
            let reason: Reason = name.parse().unwrap();
            assert_eq!(reason.to_string(), name);
            assert_eq!(Reason::of_code(reason.code() as u8), Some(reason));
        }
        assert_eq!("cacompromise".parse::<Reason>().unwrap(), Reason::CaCompromise);
        let expected = "`because` is not a reason, expected keyCompromise, cACompromise, \
                        affiliationChanged, superseded, cessationOfOperation, certificateHold, \
                        privilegeWithdrawn, aACompromise";
        assert_eq!("because".parse::<Reason>().unwrap_err().to_string(), expected);
    }
}
