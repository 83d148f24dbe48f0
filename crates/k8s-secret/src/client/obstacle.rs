//! Keys with which a bundle would be written and not be used.

use pki::BundleFiles;

use crate::layout::TLS_CERT;
use crate::{Difference, Error, SecretRef};

struct Obstacle {
    key: &'static str,
    why: &'static str,
    /// Whether it matters only when a file changes.
    of_the_replaced_ca: bool,
}

const OBSTACLES: &[Obstacle] = &[
    Obstacle {
        key: TLS_CERT,
        why: "istiod reads it instead of ca-cert.pem",
        of_the_replaced_ca: false,
    },
    // Istio, `USE_CACERTS_FOR_SELF_SIGNED_CA`.
    Obstacle {
        key: "istio-generated",
        why: "it marks a CA that istiod made and renews by itself",
        of_the_replaced_ca: false,
    },
    // Server-side apply leaves keys of others alone, and no bundle carries revocation lists.
    Obstacle {
        key: "ca-crl.pem",
        why: "it revokes for the CA that is replaced, and istiod refuses a bundle whose issuers \
              it does not cover",
        of_the_replaced_ca: true,
    },
];

/// Looks for one among the keys that stay.
///
/// # Errors
/// [`Error::KeyInTheWay`] for the first.
pub(super) fn check(
    at: &SecretRef,
    live: &BundleFiles,
    difference: &Difference,
) -> Result<(), Error> {
    let found = OBSTACLES.iter().find(|obstacle| {
        live.get(obstacle.key).is_some()
            && (!obstacle.of_the_replaced_ca || difference.changes_data())
    });
    match found {
        Some(Obstacle { key, why, .. }) => Err(Error::KeyInTheWay { object: at.clone(), key, why }),
        None => Ok(()),
    }
}
