//! All that is one word or a line: versions, identities, names, times, numbers.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use k8s_secret::SecretRef;
use pki::{
    Fingerprint, IstioVersion, KeyAlgorithm, Profile, Reason, Serial, SpiffeId, Validity, Versions,
};

/// What is read is read again, the same, of what it prints.
pub fn hold(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    prints_back::<Fingerprint>(text);
    prints_back::<KeyAlgorithm>(text);
    prints_back::<Profile>(text);
    prints_back::<Reason>(text);
    prints_back::<Serial>(text);
    prints_back::<Validity>(text);
    if let Some(id) = prints_back::<SpiffeId>(text) {
        assert_eq!(format!("spiffe://{}{}", id.trust_domain(), id.path()), text);
    }
    if let Some(version) = prints_back::<IstioVersion>(text) {
        assert!(Versions::ALL.contain(version));
        assert_ne!(
            Versions::since(1, 30).contain(version),
            Versions::before(1, 30).contain(version)
        );
    }
    if let Ok(at) = SecretRef::in_namespace(text) {
        assert_eq!(at.to_string(), format!("Secret {text}/cacerts"));
    }
    let mut parts = text.split('|');
    let mut part = || parts.next().unwrap_or_default();
    if let Ok(id) = SpiffeId::workload(part(), part(), part()) {
        assert_eq!(id.to_string().parse().ok(), Some(id));
    }
    cacerts::fuzzing::words(text);
}

fn prints_back<T: FromStr + Display + Debug + PartialEq>(text: &str) -> Option<T> {
    let read: T = text.parse().ok()?;
    assert_eq!(read.to_string().parse().ok().as_ref(), Some(&read), "read of {text:?}");
    Some(read)
}
