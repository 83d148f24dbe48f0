//! The lists of a mesh: what `ca-crl.pem` must hold.

use time::OffsetDateTime;

use super::error::text;
use super::{Crl, CrlError, may_sign};
use crate::{Certificate, Error};

/// One valid list for each CA that needs one: Envoy asks for that of every issuer in a chain up to
/// the root, and refuses the connection where one is missing. In the order of the CAs.
#[derive(Debug)]
pub struct CrlSet(Vec<Crl>);

impl CrlSet {
    /// Picks each CA's list. A CA, or a list, that is given twice counts once.
    ///
    /// # Errors
    /// In [`Error::Crl`]: [`CrlError::NoCrlSign`], [`CrlError::Missing`], [`CrlError::Twice`],
    /// [`CrlError::Partial`], [`CrlError::NotValidAt`] for a CA; [`CrlError::Foreign`] for a list.
    pub fn new(
        cas: &[Certificate],
        mut lists: Vec<Crl>,
        now: OffsetDateTime,
    ) -> Result<Self, Error> {
        let mut set: Vec<Crl> = Vec::new();
        for ca in cas {
            let own = own(ca, &lists)?;
            prove(ca, &own, now)?;
            if !set.contains(&own) {
                set.push(own);
            }
        }
        lists.retain(|list| !set.contains(list));
        match lists.first() {
            Some(list) => Err(CrlError::Foreign { issuer: list.issuer().to_string() }.into()),
            None => Ok(Self(set)),
        }
    }

    /// The lists.
    pub fn lists(&self) -> &[Crl] {
        &self.0
    }

    /// The content of `ca-crl.pem`.
    ///
    /// # Errors
    /// As [`Crl::to_pem`].
    pub fn to_pem(&self) -> Result<String, Error> {
        self.0.iter().map(Crl::to_pem).collect()
    }

    /// The last second at which all of them are valid; `None` where none ends.
    pub fn next_update(&self) -> Option<OffsetDateTime> {
        self.0.iter().filter_map(Crl::next_update).min()
    }

    /// When the first of them should be made anew.
    pub fn due(&self) -> Option<OffsetDateTime> {
        self.0.iter().filter_map(Crl::due).min()
    }

    /// Proves that nothing is lost where these take the place of others: each CA that has a list
    /// there has one here, and none is older.
    ///
    /// # Errors
    /// In [`Error::Crl`]: [`CrlError::Dropped`], [`CrlError::Older`].
    pub fn prove_newer(&self, present: &[Crl]) -> Result<(), Error> {
        for present in present {
            let issuer = || present.issuer().to_string();
            let mut of_issuer = self.0.iter().filter(|list| list.issuer() == present.issuer());
            let Some(new) = of_issuer.next() else {
                return Err(CrlError::Dropped { issuer: issuer() }.into());
            };
            let age = |list: &Crl| (list.number().cloned(), list.this_update());
            let (new, present) = (age(new), age(present));
            if new < present {
                return Err(CrlError::Older { issuer: issuer(), new, present }.into());
            }
        }
        Ok(())
    }
}

fn own(ca: &Certificate, lists: &[Crl]) -> Result<Crl, CrlError> {
    let subject = || ca.subject().to_string();
    if !may_sign(ca) {
        let found = ca.key_usage().map(|usage| usage.to_string()).unwrap_or_default();
        return Err(CrlError::NoCrlSign { subject: subject(), found });
    }
    let mut own = lists.iter().filter(|list| list.is_of(ca));
    let Some(first) = own.next() else {
        let found = match lists.iter().any(|list| list.names(ca)) {
            true => "one of its name has another signature",
            false => "there is none",
        };
        return Err(CrlError::Missing { subject: subject(), found });
    };
    match own.find(|list| *list != first) {
        None => Ok(first.clone()),
        Some(second) => Err(CrlError::Twice {
            subject: subject(),
            first: text(first.number()),
            second: text(second.number()),
        }),
    }
}

fn prove(ca: &Certificate, list: &Crl, now: OffsetDateTime) -> Result<(), CrlError> {
    let subject = || ca.subject().to_string();
    if let Some(oid) = &list.partial {
        return Err(CrlError::Partial { subject: subject(), oid: oid.clone() });
    }
    if !list.is_valid(now) {
        return Err(CrlError::NotValidAt {
            subject: subject(),
            this_update: list.this_update,
            next_update: list.next_update,
            now,
        });
    }
    Ok(())
}
