//! The small types: what they read they print back, and what they refuse.

use pki::{Fingerprint, IstioVersion, KeyAlgorithm, Profile, SpiffeId, Validity};
use pretty_assertions::assert_eq;
use time::Duration;

use crate::common::{NOW, bundle, days};

#[track_caller]
fn refused(text: &str) -> String {
    text.parse::<SpiffeId>().unwrap_err().to_string()
}

#[test]
fn a_workload_identity_prints_as_istio_writes_it() {
    let id = SpiffeId::workload("cluster.local", "foo", "httpbin").unwrap();
    assert_eq!(id.to_string(), "spiffe://cluster.local/ns/foo/sa/httpbin");
    assert_eq!(id.trust_domain(), "cluster.local");
    assert_eq!(id.path(), "/ns/foo/sa/httpbin");
    assert_eq!(id.to_string().parse::<SpiffeId>().unwrap(), id);
    // The identity of a trust domain has no path.
    assert_eq!("spiffe://td".parse::<SpiffeId>().unwrap().path(), "");
}

#[test]
fn a_spiffe_id_that_breaks_the_standard_is_refused_with_the_rule() {
    let characters = "a trust domain has only the characters a-z, 0-9, `.`, `-` and `_`";
    let segments = "a path has only the characters a-z, A-Z, 0-9, `.`, `-` and `_`";
    for (text, rule) in [
        ("https://td/a", "it does not start with `spiffe://`"),
        ("SPIFFE://td/a", "it does not start with `spiffe://`"),
        ("spiffe:///a", "the trust domain is empty"),
        ("spiffe://Td/a", characters),
        ("spiffe://user@td/a", characters),
        ("spiffe://td:8080/a", characters),
        ("spiffe://td?query", characters),
        ("spiffe://td/a?query", segments),
        ("spiffe://td/a#fragment", segments),
        ("spiffe://td/a%20b", segments),
        ("spiffe://td/\u{e4}", segments),
        ("spiffe://td/", "the path has an empty segment"),
        ("spiffe://td/a/", "the path has an empty segment"),
        ("spiffe://td//a", "the path has an empty segment"),
        ("spiffe://td/a/../b", "the path has a relative segment"),
        ("spiffe://td/./b", "the path has a relative segment"),
    ] {
        assert_eq!(refused(text), format!("`{text}` is not a SPIFFE ID: {rule}"));
    }
    let longest = format!("spiffe://td/{}", "a".repeat(2048 - 12));
    assert_eq!(longest.parse::<SpiffeId>().unwrap().to_string().len(), 2048);
    let long = format!("{longest}a");
    assert_eq!(
        refused(&long),
        format!("`{long}` is not a SPIFFE ID: it is longer than 2048 bytes")
    );
    let long = format!("spiffe://{}/a", "t".repeat(256));
    assert_eq!(
        refused(&long),
        format!("`{long}` is not a SPIFFE ID: the trust domain is longer than 255 bytes")
    );
}

#[test]
fn a_workload_of_an_empty_or_hostile_part_is_refused() {
    for (namespace, account) in [("", "a"), ("a", ""), ("a/b/..", "a"), ("a", "b c")] {
        let error = SpiffeId::workload("td", namespace, account).unwrap_err();
        assert!(error.to_string().contains("is not a SPIFFE ID"), "{namespace} {account}: {error}");
    }
}

#[test]
fn a_validity_holds_both_its_ends_and_prints_back_what_it_read() {
    let text = "2026-11-24T12:00:00Z/2026-11-25T12:00:00Z";
    let validity: Validity = text.parse().unwrap();
    assert_eq!(validity.to_string(), text);
    assert_eq!(validity, days(0, 1));
    let second = Duration::seconds(1);
    let around = [NOW - second, NOW, NOW + Duration::DAY, NOW + Duration::DAY + second];
    assert_eq!(around.map(|time| validity.contains(time)), [false, true, true, false]);
    // Other offsets and parts of a second are the same instant, cut.
    let text = "2026-11-24T14:00:00.9+02:00/2026-11-25T12:00:00Z";
    assert_eq!(text.parse::<Validity>().unwrap(), validity);
}

#[test]
fn a_validity_that_ends_before_it_starts_is_refused() {
    assert_eq!(
        Validity::new(NOW, NOW - Duration::DAY).unwrap_err().to_string(),
        "validity ends 2026-11-23T12:00:00Z before it starts 2026-11-24T12:00:00Z"
    );
    assert_eq!(
        "tomorrow".parse::<Validity>().unwrap_err().to_string(),
        "`tomorrow` is not a validity, expected two RFC 3339 times with `/` between"
    );
}

#[test]
fn a_time_that_its_offset_takes_off_the_calendar_is_refused() {
    let of = |start: &str, end: &str| format!("{start}/{end}").parse::<Validity>();
    let (first, last) = ("0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z");
    assert_eq!(of(first, last).unwrap().to_string(), format!("{first}/{last}"));
    let after = of(first, "9999-12-31T23:59:59-00:01").unwrap_err();
    let before = of("0000-01-01T00:00:00+00:01", last).unwrap_err();
    for (error, found) in
        [(after, "9999-12-31T23:59:59-00:01"), (before, "0000-01-01 0:00:00.0 +00:01:00")]
    {
        let expected = "cannot stand in a certificate, expected the years 1970 to 9999";
        let text = error.to_string();
        assert!(text.starts_with(found) && text.ends_with(expected), "{text}");
    }
}

#[test]
fn a_fingerprint_prints_back_what_it_read_and_nothing_else_is_one() {
    let fingerprint = bundle(Profile::Hardened).certificate().fingerprint();
    let text = fingerprint.to_string();
    assert_eq!(text.len(), "sha256:".len() + 64);
    assert_eq!(text.parse::<Fingerprint>().unwrap(), fingerprint);
    for wrong in [&text[7..], &text[..70], &format!("{text}0"), &text.to_uppercase()] {
        assert_eq!(
            wrong.parse::<Fingerprint>().unwrap_err().to_string(),
            format!(
                "`{wrong}` is not a fingerprint, expected `sha256:` and 64 lower-case hex digits"
            )
        );
    }
}

#[test]
fn names_of_algorithms_profiles_and_releases_are_read_and_printed() {
    for algorithm in KeyAlgorithm::ALL {
        assert_eq!(algorithm.to_string().parse::<KeyAlgorithm>().unwrap(), algorithm);
    }
    assert_eq!(
        "rsa1024".parse::<KeyAlgorithm>().unwrap_err().to_string(),
        "`rsa1024` is not a key algorithm, expected p256, p384, rsa2048, rsa3072 or rsa4096"
    );
    for profile in [Profile::Makefile, Profile::Hardened] {
        assert_eq!(profile.to_string().parse::<Profile>().unwrap(), profile);
    }
    assert_eq!("1.31".parse::<IstioVersion>().unwrap(), IstioVersion::new(1, 31, 0));
    assert_eq!("1.31.0-rc.0".parse::<IstioVersion>().unwrap(), IstioVersion::new(1, 31, 0));
    assert!("1.28.7".parse::<IstioVersion>().unwrap() < IstioVersion::new(1, 29, 0));
    assert_eq!(
        "latest".parse::<IstioVersion>().unwrap_err().to_string(),
        "`latest` is not an Istio version, expected for example `1.31` or `1.31.0`"
    );
}
