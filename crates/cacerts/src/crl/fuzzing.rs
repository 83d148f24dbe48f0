//! What a fuzzer claims about records.

use pki::{Certificate, Revocation};
use time::macros::datetime;

use super::record::Record;

/// A record is written as it was read, and what is added to it is found again.
pub fn record(text: &str, ca: &Certificate) {
    let Ok(mut record) = Record::read(text, ca) else { return };
    let again = |record: &Record| {
        let written = record.to_string();
        let read = Record::read(&written, ca);
        let read = read.unwrap_or_else(|reason| panic!("{reason}, in\n{written}"));
        assert_eq!(read.number(), record.number());
        assert!(read.revoked().eq(record.revoked()));
        assert_eq!(read.to_string(), written);
    };
    again(&record);
    let revocation = Revocation {
        serial: pki::Serial::of(ca),
        date: datetime!(2026-12-01 12:00 UTC),
        reason: None,
    };
    if record.find(&revocation.serial).is_none() {
        record.revoke(revocation.clone(), Some(text));
        assert_eq!(record.find(&revocation.serial), Some(&revocation));
        again(&record);
    }
}
