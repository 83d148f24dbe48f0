//! Reads and writes the Secret through the API server.
//!
//! Requests are built and answers are parsed here, not by `kube::Api`: that one logs the body of an
//! answer it cannot parse, and the body may hold the private key.

mod answer;
mod api;
mod obstacle;

use std::time::Duration;

use kube::Client;
use pki::BundleFiles;

use crate::{CacertsSecret, Change, Difference, Error, Held, SecretRef, from_secret};
use api::{Api, Seen};

/// What a caller allows, and how long it waits.
#[derive(Clone, Copy, Debug)]
pub struct PlugIn {
    /// Whether root-cert.pem may change.
    pub root_change: RootChange,
    /// Whether fields of other field managers may be overwritten.
    pub other_writers: OtherWriters,
    /// For the whole, reading and writing.
    pub limit: Duration,
}

/// What happens where the Secret holds another root-cert.pem, were it by a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootChange {
    /// [`Error::RootChange`].
    Refuse,
    /// It is replaced. A mesh survives that only as a step of a rotation.
    Allow,
}

/// What happens where another field manager, such as `kubectl-create`, owns what is to be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherWriters {
    /// [`Error::OtherWriter`].
    Refuse,
    /// The fields are taken over; the other writer gets the conflict the next time.
    TakeOver,
}

/// What became of the Secret.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There was none.
    Created,
    /// It held this very bundle, and was not written.
    Unchanged,
    /// It was changed by this much.
    Updated(Difference),
}

/// Reads the Secret; `None` if there is none, which includes that there is no such namespace.
///
/// # Errors
/// [`Error::Unauthorized`], [`Error::Forbidden`], [`Error::Unreachable`], [`Error::TooSlow`],
/// [`Error::Refused`], [`Error::Answer`].
pub async fn read(
    client: &Client,
    at: &SecretRef,
    limit: Duration,
) -> Result<Option<BundleFiles>, Error> {
    let live = Api::new(client, at, limit).get().await?;
    Ok(live.map(|live| from_secret(live.expose_secret())))
}

/// Writes the Secret by server-side apply, if it differs. What was read is what is replaced: a
/// write by anybody else in between fails the call and changes nothing.
///
/// istiod reloads a new cluster CA under the same root by itself; one that runs on a CA of its own
/// takes no notice of a Secret that is new, until it restarts.
///
/// # Errors
/// Those of [`read`], and [`Error::RootChange`], [`Error::KeyInTheWay`], [`Error::Immutable`],
/// [`Error::BeingDeleted`], [`Error::NamespaceMissing`], [`Error::OtherWriter`],
/// [`Error::ChangedMeanwhile`].
pub async fn plug_in(
    client: &Client,
    secret: &CacertsSecret,
    terms: PlugIn,
) -> Result<Outcome, Error> {
    let api = Api::new(client, secret.at(), terms.limit);
    let Some(live) = api.get().await? else {
        api.apply(secret, Seen::Nothing, terms.other_writers).await?;
        return Ok(Outcome::Created);
    };
    let live = live.expose_secret();
    let object = || secret.at().clone();
    if live.metadata.deletion_timestamp.is_some() {
        return Err(Error::BeingDeleted { object: object() });
    }
    let difference = secret.difference(live);
    obstacle::check(secret.at(), &from_secret(live), &difference)?;
    if difference.is_empty() {
        return Ok(Outcome::Unchanged);
    }
    if let Some(change) = &difference.root
        && change.replaces()
        && terms.root_change == RootChange::Refuse
    {
        return Err(Error::RootChange { object: object(), change: change.clone() });
    }
    if live.immutable == Some(true) && difference.changes_data() {
        return Err(Error::Immutable { object: object() });
    }
    api.apply(secret, Seen::Object(&live.metadata), terms.other_writers).await?;
    Ok(Outcome::Updated(difference))
}

impl Change {
    fn replaces(&self) -> bool {
        self.from != Held::Absent
    }
}
