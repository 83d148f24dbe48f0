//! Bundles that work today, and what the report says of tomorrow.

use pki::{Context, IstioVersion};
use time::Duration;
use time::macros::datetime;

use super::table::{Row, cast, check, check_in};
use crate::common::{NOW, context, files, made};

/// Root and cluster CA that both end after so long.
fn ending(after: Duration) -> pki::BundleFiles {
    let end = |params: &mut rcgen::CertificateParams| params.not_after = NOW + after;
    let root = made("root", None, end);
    let ca = made("ca", Some(&root), end);
    files(&ca, &[&ca], &[&root])
}

#[test]
fn certificates_that_end_soon() {
    let it = cast();
    let stranger = made("stranger", None, |it| it.not_after = NOW + Duration::days(30));
    check(vec![
        ("61 days", ending(Duration::days(61)), "", &[]),
        ("60 days", ending(Duration::days(60)), "", &[]),
        ("59 days", ending(Duration::days(59)), "", &["ends-soon"]),
        ("14 days", ending(Duration::days(14)), "", &["ends-soon"]),
        ("13 days", ending(Duration::days(13)), "", &["ends-too-soon"]),
        ("a second root", it.roots(&[&it.root, &stranger]), "", &["ends-soon"]),
        ("47 hours", ending(Duration::hours(47)), "", &["ends-too-soon", "short-lived-ca"]),
    ]);
    let report = ending(Duration::days(13)).judge(&context()).unwrap();
    assert!(report.refused());
    // Each certificate once, where it stands first.
    let at: Vec<_> = report.findings.iter().map(|it| (it.file.as_deref(), it.block)).collect();
    assert_eq!(at, [(Some("ca-cert.pem"), Some(1)), (Some("root-cert.pem"), Some(1))]);
    let no_limit =
        Context { fail_within: Duration::ZERO, warn_within: Duration::ZERO, ..context() };
    check_in(&no_limit, vec![("13 days", ending(Duration::days(13)), "", &[])]);
}

#[test]
fn a_limit_behind_the_end_of_the_calendar_is_one_like_any_other() {
    let limit = Duration::days(365 * 8000);
    let late = Context { fail_within: limit, workload_lifetime: limit, ..context() };
    let rules: &[&str] = &["ends-too-soon", "short-lived-ca"];
    check_in(&late, vec![("a year", ending(Duration::days(365)), "", rules)]);
    let last = Context { now: datetime!(9999-12-31 23:59:59 UTC), ..context() };
    let ended: &[&str] = &["outside-validity"];
    check_in(&last, vec![("a year", ending(Duration::days(365)), "SRAEZT", ended)]);
}

#[test]
fn a_cluster_ca_shorter_than_its_leaves() {
    let at = |istio, workload_lifetime| Context {
        istio,
        workload_lifetime,
        fail_within: Duration::ZERO,
        warn_within: Duration::ZERO,
        ..context()
    };
    let day = Duration::DAY;
    fn row<'a>(rules: &'a [&'a str]) -> Vec<Row<'a>> {
        vec![("30 hours", ending(Duration::hours(30)), "", rules)]
    }
    let new = IstioVersion::new(1, 31, 0);
    check_in(&at(new, Duration::hours(15)), row(&[]));
    check_in(&at(new, day), row(&["short-lived-ca"]));
    check_in(&at(new, day * 2), row(&["short-lived-ca"]));
    let unclamped: &[&str] = &["short-lived-ca", "leaf-outlives-ca"];
    for (minor, patch, rules) in [
        (27, 9, unclamped),
        (28, 6, unclamped),
        (28, 7, &["short-lived-ca"]),
        (29, 2, unclamped),
        (29, 3, &["short-lived-ca"]),
        (30, 0, &["short-lived-ca"]),
    ] {
        check_in(&at(IstioVersion::new(1, minor, patch), day * 2), row(rules));
    }
    check_in(&at(IstioVersion::new(1, 27, 0), day), row(&["short-lived-ca"]));
}

#[test]
fn before_1_27_a_missing_key_is_a_silent_self_signed_ca() {
    let it = cast();
    let old = Context { istio: IstioVersion::new(1, 26, 9), ..context() };
    let key = || it.without(&["ca-key.pem"]);
    check_in(
        &old,
        vec![
            ("no key", key(), "SR", &["silent-self-signed"]),
            ("no chain", it.without(&["cert-chain.pem"]), "SR", &["missing-file"]),
            ("whole", it.good(), "", &[]),
        ],
    );
    check(vec![("no key", key(), "SR", &["missing-file"])]);
}

#[test]
fn a_ca_that_outlives_its_issuer_and_a_certificate_twice() {
    let it = cast();
    let long = made("ca", Some(&it.root), |it| it.not_after += Duration::DAY);
    check(vec![
        ("outlives", files(&long, &[&long], &[&it.root]), "", &["issuer-ends-first"]),
        ("root twice", it.roots(&[&it.root, &it.root]), "", &["duplicate-certificate"]),
        ("chain twice", it.chain(&[&it.ca, &it.ca]), "", &["duplicate-certificate"]),
    ]);
}
