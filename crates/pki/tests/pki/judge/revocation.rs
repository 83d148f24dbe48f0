//! `ca-crl.pem`, as Istio 1.31 loaded it and Envoy asked it.

use pki::{BundleFiles, Context, IstioVersion, Refusal};
use pretty_assertions::assert_eq;
use rcgen::{
    CertificateRevocationListParams, CrlDistributionPoint, CrlIssuingDistributionPoint, Issuer,
    KeyIdMethod, KeyUsagePurpose, RevokedCertParams, SerialNumber,
};
use time::Duration;

use super::table::{Cast, cast, check, check_in, edited};
use crate::common::{Made, NOW, context, files, made};

const CRL: &str = "ca-crl.pem";

/// A list from and until so many days from now, with one certificate on it.
fn list_of(issuer: &Made, days: [i64; 2], revoked: Option<&Made>) -> String {
    signed(issuer, days, revoked, None)
}

/// A list that may be one of several of its CA.
fn list_of_a_point(issuer: &Made) -> String {
    let uris = vec!["http://example.com/crl".to_owned()];
    let distribution_point = CrlDistributionPoint { uris };
    let point = CrlIssuingDistributionPoint { distribution_point, scope: None };
    signed(issuer, [-1, 29], None, Some(point))
}

fn signed(
    issuer: &Made,
    days: [i64; 2],
    revoked: Option<&Made>,
    issuing_distribution_point: Option<CrlIssuingDistributionPoint>,
) -> String {
    let serial = |made: &Made| {
        let hex = made.certificate().serial_hex();
        let octets = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16));
        SerialNumber::from(octets.collect::<Result<Vec<_>, _>>().unwrap())
    };
    let list = CertificateRevocationListParams {
        this_update: NOW + Duration::days(days[0]),
        next_update: NOW + Duration::days(days[1]),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point,
        revoked_certs: revoked
            .map(|made| RevokedCertParams {
                serial_number: serial(made),
                revocation_time: NOW - Duration::HOUR,
                reason_code: None,
                invalidity_date: None,
            })
            .into_iter()
            .collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    list.signed_by(&Issuer::from_params(&issuer.params, &issuer.key)).unwrap().pem().unwrap()
}

fn list(issuer: &Made) -> String {
    list_of(issuer, [-1, 29], None)
}

/// The bundle of the page, with the root in the chain.
fn with(it: &Cast, lists: &[&str]) -> BundleFiles {
    edited(it.chain(&[&it.ca, &it.root]), CRL, |_| lists.concat())
}

#[test]
fn one_list_of_each_ca() {
    let it = cast();
    let (root, ca, foreign) = (list(&it.root), list(&it.ca), list(&it.foreign));
    let advice = &["root-in-chain"];
    let missing = &["crl-missing", "root-in-chain"];
    let namesake = made("root", None, |_| {});
    let crlf = |lists: &str| lists.replace('\n', "\r\n");
    check(vec![
        ("both", with(&it, &[&root, &ca]), "", advice),
        ("other order", with(&it, &[&ca, &root]), "", advice),
        ("a foreign list more", with(&it, &[&ca, &foreign, &root]), "", advice),
        ("CRLF", with(&it, &[&crlf(&ca), &crlf(&root)]), "", advice),
        ("empty file", with(&it, &[]), "", advice),
        ("garbage", with(&it, &["garbage\n"]), "SRE", missing),
        ("only the root's", with(&it, &[&root]), "SRE", missing),
        ("only the intermediate's", with(&it, &[&ca]), "SRE", missing),
        ("another signature", with(&it, &[&ca, &list(&namesake)]), "SRE", missing),
        (
            "chain and list of the intermediate alone",
            it.with(CRL, |_| ca.clone()),
            "E",
            &["crl-missing"],
        ),
        (
            "garbage between the lists",
            with(&it, &[&root, &format!(" {ca}"), &ca]),
            "",
            &["crl-unreadable", "root-in-chain"],
        ),
    ]);
    let found = |files: BundleFiles| {
        let report = files.judge(&context()).unwrap();
        report.findings.iter().map(|it| it.found.clone()).collect::<Vec<_>>()
    };
    assert_eq!(found(it.with(CRL, |_| list(&it.ca))), ["`CN=root`: none"]);
    assert_eq!(
        found(it.with(CRL, |_| list(&it.ca) + &list(&namesake))),
        ["`CN=root`: a list of that name with another signature"]
    );
}

#[test]
fn cas_that_may_sign_lists_and_cas_that_may_not() {
    let bundle = |usages: &[KeyUsagePurpose]| {
        let root = made("root", None, |it| it.key_usages = usages.to_vec());
        let ca = made("ca", Some(&root), |it| it.key_usages = usages.to_vec());
        // rcgen makes no list for such a CA, others do.
        let able = |made: &Made| {
            let key = rcgen::KeyPair::from_pem(&made.key_pem()).unwrap();
            let mut params = made.params.clone();
            params.key_usages = vec![KeyUsagePurpose::CrlSign];
            list(&Made { params, key, pem: made.pem.clone() })
        };
        edited(files(&ca, &[&ca], &[&root]), CRL, |_| able(&root) + &able(&ca))
    };
    let makefile = [KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign];
    check(vec![
        ("no key usage", bundle(&[]), "", &[]),
        ("like the Makefile's", bundle(&makefile), "SRE", &["crl-missing", "no-crl-sign"]),
    ]);
}

#[test]
fn dates_and_what_is_revoked() {
    let it = cast();
    let both = |root: String, ca: String| it.with(CRL, |_| root + &ca);
    let of = |made: &Made, from: i64, to: i64| list_of(made, [from, to], None);
    let outside = &["crl-outside-validity"];
    check(vec![
        ("expired", both(of(&it.root, -30, -1), list(&it.ca)), "E", outside),
        ("not yet", both(list(&it.root), of(&it.ca, 1, 30)), "E", outside),
        (
            "expired beside a new one",
            both(of(&it.root, -30, -1) + &list(&it.root), list(&it.ca)),
            "",
            &[],
        ),
        ("two thirds gone", both(of(&it.root, -20, 10), list(&it.ca)), "", &[]),
        ("due", both(of(&it.root, -21, 9), list(&it.ca)), "", &["crl-due"]),
        (
            "intermediate revoked",
            both(list_of(&it.root, [-1, 29], Some(&it.ca)), list(&it.ca)),
            "E",
            &["crl-revokes"],
        ),
        (
            "another revoked",
            both(list_of(&it.root, [-1, 29], Some(&it.foreign)), list(&it.ca)),
            "",
            &[],
        ),
    ]);
}

#[test]
fn a_list_that_may_be_a_part_counts_only_beside_a_whole_one() {
    let it = cast();
    let (root, ca, part) = (list(&it.root), list(&it.ca), list_of_a_point(&it.root));
    let partial = || it.with(CRL, |_| part.clone() + &ca);
    check(vec![
        ("the root's is whole", it.with(CRL, |_| root.clone() + &ca), "", &[]),
        ("the root's has a distribution point", partial(), "E", &["crl-partial"]),
        ("before a whole one", it.with(CRL, |_| part.clone() + &root + &ca), "", &[]),
        ("behind a whole one", it.with(CRL, |_| root.clone() + &part + &ca), "", &[]),
    ]);
    let report = partial().judge(&context()).unwrap();
    let found: Vec<_> = report.findings.iter().map(|it| it.found.as_str()).collect();
    assert_eq!(found, ["`CN=root`: a list with the extension 2.5.29.28"]);
}

#[test]
fn before_1_27_nobody_read_it() {
    let it = cast();
    let old = Context { istio: IstioVersion::new(1, 26, 4), ..context() };
    let bundle = || it.with(CRL, |_| list(&it.root));
    check_in(&old, vec![("root's", bundle(), "", &[])]);
    check(vec![("root's", bundle(), "SRE", &["crl-missing"])]);
}

#[test]
fn lists_are_not_lost_on_the_way_to_a_bundle() {
    let it = cast();
    let lists = list(&it.root) + &list(&it.ca);
    let Err(Refusal::NotJudged(error)) = it.with(CRL, |_| lists).into_bundle(&context()) else {
        panic!("it became a bundle");
    };
    assert_eq!(
        error.to_string(),
        "a bundle has only the four files, and no place for `ca-crl.pem`; plug the bundle in \
         first, then add the revocation lists"
    );
    it.with(CRL, |_| String::new()).into_bundle(&context()).unwrap();
}
