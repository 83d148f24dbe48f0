//! Revocation lists.

use pki::{Certificate, Crl, CrlSet};

use crate::set::Set;

/// A list is read again of what is written; a set holds one for each CA.
pub fn hold(data: &[u8]) {
    let set = Set::read(data);
    let Ok(lists) = Crl::all_from_pem(set.part("lists").unwrap_or(data)) else { return };
    lists.iter().for_each(list);
    let written: String = lists.iter().filter_map(|list| list.to_pem().ok()).collect();
    assert_eq!(Crl::all_from_pem(written.as_bytes()).ok().as_ref(), Some(&lists));
    let cas = set.part("cas").map(Certificate::all_from_pem);
    let Some(Ok(cas)) = cas else { return };
    let now = set.now();
    let Ok(made) = CrlSet::new(&cas, lists.clone(), now) else { return };
    assert!(made.lists().len() <= cas.len());
    for list in made.lists() {
        assert!(lists.contains(list) && list.is_valid(now));
    }
    for ca in &cas {
        assert!(made.lists().iter().any(|list| list.is_of(ca)));
    }
    assert!(made.due() <= made.next_update());
    let joined = made.to_pem().unwrap_or_else(|error| panic!("not written: {error}"));
    assert_eq!(Crl::all_from_pem(joined.as_bytes()).ok().as_deref(), Some(made.lists()));
    // A set is as new as itself.
    assert!(made.prove_newer(made.lists()).is_ok());
}

fn list(list: &Crl) {
    assert_eq!(Crl::from_der(list.der()).ok().as_ref(), Some(list));
    if let Some((due, next)) = list.due().zip(list.next_update()) {
        assert!(due <= next || next < list.this_update(), "{list:?}");
    }
    if let Some(number) = list.number() {
        let is_same = number.to_u64().is_none_or(|small| small.to_string() == number.to_string());
        assert!(is_same, "{number}");
    }
    for entry in list.revoked() {
        let printed = entry.serial.to_string();
        // In lists of others stand numbers that are negative, or too long to be read.
        if let Ok(read) = printed.parse::<pki::Serial>() {
            assert_eq!(read.to_string().parse().ok(), Some(read));
        }
        if let Some(reason) = entry.reason {
            assert_eq!(reason.to_string().parse().ok(), Some(reason));
        }
    }
}
