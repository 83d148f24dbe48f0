//! One side: a CA, its list and its record, and whether a new list is needed.

use std::path::PathBuf;

use pki::{Certificate, Crl, CrlParams, Profile, Revocation, Validity};
use time::{Duration, OffsetDateTime};

use super::record::Record;
use super::report::List;
use super::target::Target;
use super::{ListArgs, read};
use crate::failure::Failure;
use crate::lifetime::{Lifetime, rfc3339};
use crate::terminal;
use crate::wish::profile_of;

/// Clocks differ: a list that is valid from this second on is refused where it is earlier.
const BACKDATED: Duration = Duration::minutes(5);

/// Two weekly runs in a row may fail before the list ends.
const LIFETIME: Lifetime = Lifetime::days(30);

pub(super) struct Side {
    /// In words: `the root`, or `c1`.
    pub(super) whose: String,
    /// The command that makes this list.
    pub(super) command: String,
    pub(super) ca: Certificate,
    pub(super) list: PathBuf,
    pub(super) record: PathBuf,
}

/// What is there.
struct Present {
    list: Option<Crl>,
    record: Record,
    /// Whether the record was read, not made of the list.
    has_record: bool,
}

impl Side {
    /// Makes the list if a new one is needed. `issue` signs it, and is not called otherwise, so
    /// that nobody is asked for a passphrase only to hear that there is nothing to do.
    pub(super) fn run(
        &self,
        args: &ListArgs,
        now: OffsetDateTime,
        issue: impl FnOnce(&CrlParams) -> Result<Crl, Failure>,
    ) -> Result<List, Failure> {
        self.prove_may_sign()?;
        let Present { list, mut record, has_record } = self.present()?;
        let is_newly_revoked = self.revoke(args, &mut record, now)?;
        let period = self.period(args.lifetime.unwrap_or(LIFETIME), now)?;
        if let Some(list) = list
            && has_record
            && !args.anew
            && !is_newly_revoked
            && self.is_good(&list, &record, args.lifetime, now)
        {
            return Ok(List::new(self, &list, false));
        }
        let number = record.number().checked_add(1).ok_or_else(|| {
            Failure::refused(format!("there is no number after {}", record.number()))
        })?;
        record.set_number(number);
        let revoked = record.revoked().cloned().collect();
        let list = issue(&CrlParams { number, period, revoked })?;
        let refused = || format!("cannot write the list of {}", self.whose);
        let pem = list.to_pem().map_err(Failure::within(refused()))?;
        // The record first: a number that is in it and on no list is passed over by the next run.
        ca_dir::replace_public(&self.record, record.to_string().as_bytes())?;
        ca_dir::replace_public(&self.list, pem.as_bytes())?;
        Ok(List::new(self, &list, true))
    }

    fn prove_may_sign(&self) -> Result<(), Failure> {
        if profile_of(&self.ca) == Profile::Hardened {
            return Ok(());
        }
        Err(Failure::refused(format!(
            "`{}` may sign no revocation list: its key usage lacks cRLSign, as that of Istio's \
             Makefile does; a mesh with lists needs a root and clusters' CAs of --profile hardened",
            self.ca.subject()
        )))
    }

    fn present(&self) -> Result<Present, Failure> {
        let list = match read::if_there(&self.list)? {
            Some(content) => Some(self.own(read::lists(&self.list, &content)?)?),
            None => None,
        };
        let named = format!("`{}`", self.record.display());
        let used = match list.as_ref().and_then(Crl::number).map(pki::CrlNumber::to_u64) {
            Some(Some(number)) => number,
            Some(None) => {
                let list = self.list.display();
                return Err(Failure::refused(format!("the number of `{list}` is too large")));
            }
            None => 0,
        };
        let on_list = list.as_ref().map(Crl::revoked).unwrap_or_default();
        let Some(content) = read::if_there(&self.record)? else {
            if list.is_some() {
                terminal::note(&format!("{named} was missing and is made anew of the list"));
            }
            let record = Record::new(&self.ca, &self.command, used, on_list);
            return Ok(Present { list, record, has_record: false });
        };
        let text = String::from_utf8(content).map_err(|error| error.to_string());
        let mut record = text
            .and_then(|text| Record::read(&text, &self.ca))
            .map_err(|problem| Failure::refused(format!("{named}, {problem}")))?;
        if let Some(lost) = on_list.iter().find(|entry| record.find(&entry.serial).is_none()) {
            return Err(Failure::refused(format!(
                "{named} lacks serial {}, which `{}` revokes; a revocation is not taken back: put \
                 the line back (revoked {} {})",
                lost.serial,
                self.list.display(),
                lost.serial,
                rfc3339(lost.date)
            )));
        }
        record.set_number(record.number().max(used));
        Ok(Present { list, record, has_record: true })
    }

    /// The one list that is there, if it is this CA's.
    fn own(&self, lists: Vec<Crl>) -> Result<Crl, Failure> {
        match <[Crl; 1]>::try_from(lists) {
            Ok([list]) if list.is_of(&self.ca) => Ok(list),
            _ => Err(Failure::refused(format!(
                "`{}` is there and is not one list of `{}`; move it away",
                self.list.display(),
                self.ca.subject()
            ))),
        }
    }

    /// Whether something is revoked that was not before.
    fn revoke(
        &self,
        args: &ListArgs,
        record: &mut Record,
        now: OffsetDateTime,
    ) -> Result<bool, Failure> {
        let mut is_new = false;
        for text in &args.revoke {
            let Target { serial, whose } = Target::read(text, &self.ca)?;
            if let Some(known) = record.find(&serial) {
                let date = rfc3339(known.date);
                terminal::note(&format!("serial {serial} is revoked already, since {date}"));
                continue;
            }
            if whose.is_none() {
                terminal::note(&format!(
                    "serial {serial} is taken as it stands: nothing here shows that `{}` issued it",
                    self.ca.subject()
                ));
            }
            let date = now.truncate_to_second();
            record.revoke(Revocation { serial, date, reason: args.reason }, whose.as_deref());
            is_new = true;
        }
        Ok(is_new)
    }

    /// From this update to the next, cut where the CA's life ends.
    fn period(&self, lifetime: Lifetime, now: OffsetDateTime) -> Result<Validity, Failure> {
        let life = self.ca.validity();
        if life.not_after() <= now {
            let (subject, end) = (self.ca.subject(), rfc3339(life.not_after()));
            return Err(Failure::refused(format!(
                "`{subject}` ended at {end} and makes no list any more"
            )));
        }
        let start = (now - BACKDATED).max(life.not_before());
        let last = life.not_after();
        let end = lifetime.end(start).map_or(last, |end| end.min(last));
        if end <= now {
            return Err(Failure::refused(format!(
                "a list of {lifetime} would have ended at {}: it is {}",
                rfc3339(end),
                rfc3339(now.truncate_to_second())
            )));
        }
        Validity::new(start, end).map_err(Failure::within("no list is good for so long"))
    }

    /// Whether the list is what a new one would be, with a third of its time to go.
    fn is_good(
        &self,
        list: &Crl,
        record: &Record,
        asked: Option<Lifetime>,
        now: OffsetDateTime,
    ) -> bool {
        let Some((due, next)) = list.due().zip(list.next_update()) else { return false };
        let is_asked = |asked: Lifetime| {
            let wanted = asked.end(list.this_update()).unwrap_or(next);
            let cut = wanted.min(self.ca.validity().not_after());
            (cut - next).abs() <= Duration::SECOND
        };
        let is_recorded = record.revoked().eq(list.revoked())
            && list.number().and_then(pki::CrlNumber::to_u64) == Some(record.number());
        list.is_valid(now) && now < due && is_recorded && asked.is_none_or(is_asked)
    }
}
