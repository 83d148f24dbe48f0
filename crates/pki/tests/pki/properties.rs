//! No input panics, and what is read prints back.

use pki::{
    BundleFiles, CaRequest, Certificate, Fingerprint, Hierarchy, IstioVersion, KeyAlgorithm,
    PrivateKey, Profile, SpiffeId, TrustBundle, Validity, probe,
};
use proptest::collection::vec;
use proptest::prelude::*;
use time::{Duration, OffsetDateTime};

use crate::common::{NOW, bundle, context, files_of, httpbin};

/// PEM-like text: fragments that a scanner can trip over, in any order.
fn pem_like() -> impl Strategy<Value = String> {
    let good = bundle(Profile::Hardened).certificate().to_pem();
    let fragments = vec![
        good,
        "-----BEGIN CERTIFICATE-----".to_owned(),
        "-----END CERTIFICATE-----".to_owned(),
        "-----BEGIN ".to_owned(),
        "-----END ".to_owned(),
        "-----".to_owned(),
        "PRIVATE KEY-----".to_owned(),
        "\n".to_owned(),
        "\r\n".to_owned(),
        " ".to_owned(),
        "a: b".to_owned(),
        "MAUCAQECAQI=".to_owned(),
        "\u{feff}".to_owned(),
    ];
    vec(prop::sample::select(fragments), 0..12).prop_map(|parts| parts.concat())
}

/// A good DER with a few bytes changed, cut or added.
fn damaged(der: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let edits = vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    (edits, any::<prop::sample::Index>(), 0..3usize).prop_map(move |(edits, cut, how)| {
        let mut der = der.clone();
        for (at, byte) in edits {
            let at = at.index(der.len());
            der[at] = byte;
        }
        match how {
            0 => der.truncate(cut.index(der.len() + 1)),
            1 => der.push(0),
            _ => {}
        }
        der
    })
}

/// Either outcome is right; a panic is not.
fn done<T, E>(result: Result<T, E>) {
    drop(result);
}

fn leaf_der() -> Vec<u8> {
    let bundle = bundle(Profile::Hardened);
    probe::workload_leaf(&bundle, &httpbin(), NOW).unwrap().certificate.der().to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in vec(any::<u8>(), 0..300)) {
        done(Certificate::from_der(&bytes));
        done(Certificate::from_pem(&bytes));
        done(TrustBundle::from_pem(&bytes));
        done(PrivateKey::from_pem(&bytes));
        done(CaRequest::from_pem(&bytes));
    }

    #[test]
    fn pem_like_text_is_read_without_a_panic_and_what_is_read_prints_back(text in pem_like()) {
        done(PrivateKey::from_pem(text.as_bytes()));
        if let Ok(certificates) = Certificate::all_from_pem(text.as_bytes()) {
            let printed: String = certificates.iter().map(Certificate::to_pem).collect();
            prop_assert_eq!(Certificate::all_from_pem(printed.as_bytes()).unwrap(), certificates);
        }
    }

    #[test]
    fn any_files_are_judged_without_a_panic(
        name in prop::sample::select(BundleFiles::NAMES.to_vec()), text in pem_like()
    ) {
        let mut files = files_of(&bundle(Profile::Hardened));
        files.insert(name, &text);
        let report = files.judge(&context()).unwrap();
        let hierarchy = Hierarchy::from_files(&files);
        // What no rule refuses is a bundle; what cannot be read, a rule refuses.
        prop_assert!(report.refused() || hierarchy.is_ok(), "{text:?}\n{report}");
        prop_assert_eq!(files.into_bundle(&context()).is_ok(), !report.refused());
    }

    #[test]
    fn damaged_certificates_neither_panic_nor_pass(der in damaged(leaf_der())) {
        let ours = bundle(Profile::Hardened);
        if let Ok(certificate) = Certificate::from_der(&der) {
            prop_assert_eq!(certificate.der(), der.as_slice());
            prop_assert!(!certificate.is_signed_by(ours.certificate()), "{}", certificate.text());
        }
        let served = [der, ours.certificate().der().to_vec()];
        prop_assert!(ours.hierarchy().verify(&served, &httpbin(), NOW).is_err());
    }

    #[test]
    fn spiffe_ids_print_back(text in "spiffe://[a-z.]{0,8}(/[a-zA-Z0-9._-]{0,4}){0,4}") {
        if let Ok(id) = text.parse::<SpiffeId>() {
            prop_assert_eq!(id.to_string(), text);
            prop_assert_eq!(format!("spiffe://{}{}", id.trust_domain(), id.path()), id.to_string());
        }
    }

    #[test]
    fn any_text_is_parsed_without_a_panic(text in any::<String>()) {
        done(text.parse::<SpiffeId>());
        done(text.parse::<Validity>());
        done(text.parse::<Fingerprint>());
        done(text.parse::<KeyAlgorithm>());
        done(text.parse::<IstioVersion>());
        done(text.parse::<Profile>());
    }

    #[test]
    fn validities_print_back(start in 0i64..200_000_000_000, length in 0i64..10_000_000_000) {
        let start = OffsetDateTime::from_unix_timestamp(start).unwrap();
        let validity = Validity::new(start, start + Duration::seconds(length)).unwrap();
        prop_assert_eq!(validity.to_string().parse::<Validity>().unwrap(), validity);
    }

    #[test]
    fn fingerprints_print_back(bytes in any::<[u8; 32]>()) {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = format!("sha256:{hex}");
        let fingerprint: Fingerprint = text.parse().unwrap();
        prop_assert_eq!(fingerprint.as_bytes(), &bytes);
        prop_assert_eq!(fingerprint.to_string(), text);
    }
}
