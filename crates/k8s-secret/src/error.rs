//! What can go wrong between a bundle and the Secret in a cluster. Every message names the Secret
//! and the way out.

use std::fmt;
use std::time::Duration;

use crate::{Change, Held, SecretRef};

/// The error of this crate. All but [`Error::NamespaceName`] come from the feature `client`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Text that cannot be a namespace.
    #[error(
        "`{found}` is not the name of a namespace: expected 1 to 63 of `a` to `z`, `0` to `9` and \
         `-`, not starting or ending with `-`"
    )]
    NamespaceName {
        /// The text.
        found: String,
    },
    /// The root differs and nobody asked for that.
    #[error("{}", root_change(object, change))]
    RootChange {
        /// The Secret.
        object: SecretRef,
        /// The roots there and in the bundle.
        change: Change,
    },
    /// The Secret has a key that keeps istiod from using the bundle.
    #[error(
        "{object} has the key `{key}`: {why}; remove it first: kubectl patch secret {name} \
         --namespace {namespace} --type json \
         --patch '[{{\"op\": \"remove\", \"path\": \"/data/{key}\"}}]'",
        name = SecretRef::NAME, namespace = object.namespace()
    )]
    KeyInTheWay {
        /// The Secret.
        object: SecretRef,
        /// The key's name.
        key: &'static str,
        /// What it does to the bundle.
        why: &'static str,
    },
    /// The Secret cannot be changed, only deleted.
    #[error(
        "{object} is immutable and holds another bundle; delete it and plug in again, at a time \
         when istiod does not restart: without the Secret it would make a CA of its own"
    )]
    Immutable {
        /// The Secret.
        object: SecretRef,
    },
    /// The Secret is about to vanish.
    #[error("{object} is being deleted; plug in again once it is gone")]
    BeingDeleted {
        /// The Secret.
        object: SecretRef,
    },
    /// The namespace is not there.
    #[error(
        "{object} cannot be written: there is no namespace `{namespace}`; create it first: \
         kubectl create namespace {namespace}",
        namespace = object.namespace()
    )]
    NamespaceMissing {
        /// The Secret.
        object: SecretRef,
    },
    /// Another writer owns fields of the Secret and wrote other values.
    #[error(
        "{object} belongs to another writer ({}); stop that writer, then plug in again and ask to \
         take over its fields",
        owners(fields)
    )]
    OtherWriter {
        /// The Secret.
        object: SecretRef,
        /// Who owns what, as the API server says.
        fields: Vec<OwnedField>,
    },
    /// Somebody wrote the Secret between reading and writing it.
    #[error(
        "{object} was written by somebody else while this ran, nothing was changed; plug in again"
    )]
    ChangedMeanwhile {
        /// The Secret.
        object: SecretRef,
    },
    /// The API server does not know the caller.
    #[error("{object}: the API server does not accept the credentials ({message})")]
    Unauthorized {
        /// The Secret.
        object: SecretRef,
        /// The API server's words.
        message: String,
    },
    /// The caller lacks a right.
    #[error(
        "{object}: the right to `{verb}` it is missing ({message}); reading takes get, plugging in \
         takes get, create and patch, on secrets in the namespace {namespace}",
        namespace = object.namespace()
    )]
    Forbidden {
        /// The Secret.
        object: SecretRef,
        /// What the caller may not do: `get`, `create` or `patch`.
        verb: String,
        /// The API server's words.
        message: String,
    },
    /// No answer: no connection, no TLS, a broken stream.
    #[error("{object}: the API server cannot be reached to {call}: {reason}{}", call.doubt())]
    Unreachable {
        /// The Secret.
        object: SecretRef,
        /// What was asked.
        call: Call,
        /// The chain of causes.
        reason: String,
    },
    /// No answer within the caller's limit.
    #[error("{object}: no answer within {limit:?} to {call}{}", call.doubt())]
    TooSlow {
        /// The Secret.
        object: SecretRef,
        /// What was asked.
        call: Call,
        /// The time for all calls together.
        limit: Duration,
    },
    /// The API server, or an admission webhook behind it, said no for another reason.
    #[error("{object}: the API server refused to {call}, status {status}: {message}")]
    Refused {
        /// The Secret.
        object: SecretRef,
        /// What was asked.
        call: Call,
        /// The HTTP status.
        status: u16,
        /// The API server's words; long ones are cut.
        message: String,
    },
    /// An answer that no API server gives.
    #[error("{object}: the answer to {call} is not one of an API server: {reason}")]
    Answer {
        /// The Secret.
        object: SecretRef,
        /// What was asked.
        call: Call,
        /// What is wrong with it; never a part of it, since it may hold the key.
        reason: String,
    },
}

/// The calls to the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// GET.
    Read,
    /// PATCH, as server-side apply.
    Write,
}

impl Call {
    /// A write that got no answer may have happened all the same.
    fn doubt(self) -> &'static str {
        match self {
            Self::Read => "",
            Self::Write => "; whether it was written is unknown, read it back",
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read it",
            Self::Write => "write it",
        })
    }
}

/// A field of the Secret with an owner other than this crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedField {
    /// Path of the field, such as `.data.ca-cert.pem`.
    pub field: String,
    /// The field manager and how it wrote, as in `"kubectl-create" using v1`.
    pub owner: String,
}

fn owners(fields: &[OwnedField]) -> String {
    let fields: Vec<_> =
        fields.iter().map(|OwnedField { field, owner }| format!("{field}: {owner}")).collect();
    fields.join(", ")
}

fn root_change(object: &SecretRef, change: &Change) -> String {
    let Change { from, to } = change;
    if matches!(from, Held::Certificates(_)) && from == to {
        format!(
            "{object} holds the same root ({to}) in other bytes of root-cert.pem: istiod compares \
             bytes and drops such an update unless ISTIO_MULTIROOT_MESH is set; take root-cert.pem \
             as it is in the Secret, or ask for the change of root"
        )
    } else {
        format!(
            "{object} holds another root: {from}, the bundle has {to}; workloads refuse \
             certificates under a root they do not trust yet, so rotate in steps, or ask for the \
             change of root"
        )
    }
}
