//! What a running istiod does with a bundle, as measured with Istio 1.31: takes it, drops it, half
//! applies it, or reports success and breaks.

use pki::{BundleFiles, Context};
use rcgen::{IsCa, KeyUsagePurpose};
use time::Duration;

use super::table::{Cast, Row, cast, check_in, damaged};
use crate::common::{Made, NOW, context, files, made};

const ROOT: &str = BundleFiles::ROOT_CERT;
const CHAIN: &str = BundleFiles::CERT_CHAIN;

fn running(current: &[&Made], multi_root: bool) -> Context {
    let current = current.iter().map(|root| root.pem.as_str()).collect::<String>();
    Context { current: Some(current.into_bytes()), multi_root, ..context() }
}

/// Rows whose outcome is the same with one root allowed and with several.
#[track_caller]
fn in_both_modes(it: &Cast, rows: impl Fn() -> Vec<Row<'static>>) {
    for multi_root in [false, true] {
        check_in(&running(&[&it.root], multi_root), rows());
    }
}

#[test]
fn with_the_same_root() {
    let it = cast();
    let next = |edit: fn(&mut rcgen::CertificateParams)| {
        let next = made("next", Some(&it.root), edit);
        files(&next, &[&next], &[&it.root])
    };
    in_both_modes(&it, || {
        vec![
            ("new intermediate", next(|_| {}), "", &[]),
            // Old CA kept, dead at the next start.
            (
                "another key",
                it.with(BundleFiles::CA_KEY, |_| it.foreign.key_pem()),
                "SR",
                &["key-mismatch"],
            ),
            (
                "empty key",
                it.with(BundleFiles::CA_KEY, |_| String::new()),
                "SR",
                &["unreadable-key"],
            ),
            (
                "expired",
                next(|it| it.not_after = NOW - Duration::HOUR),
                "SRAEZT",
                &["outside-validity"],
            ),
            ("no ca-key", it.without(&[BundleFiles::CA_KEY]), "SR", &["missing-file"]),
            ("no cert-chain", it.without(&[CHAIN]), "SR", &["missing-file"]),
            ("stray tls.crt", it.with("tls.crt", |_| it.ca.pem.clone()), "SR", &["tls-layout"]),
            // Success is reported, and no workload gets a certificate any more.
            ("leaf", next(|it| it.is_ca = IsCa::NoCa), "SAEZT", &["not-a-ca"]),
            (
                "no keyCertSign",
                next(|it| it.key_usages = vec![KeyUsagePurpose::CrlSign]),
                "AET",
                &["no-key-cert-sign"],
            ),
            ("chain empty", it.chain(&[]), "AEZT", &["chain-lacks-cluster-ca"]),
            (
                "chain foreign",
                it.chain(&[&it.foreign]),
                "AEZT",
                &["chain-lacks-cluster-ca", "unrelated-certificate"],
            ),
            (
                "chain garbage",
                it.with(CHAIN, |_| "garbage\n".to_owned()),
                "SAEZT",
                &["unreadable-pem", "chain-lacks-cluster-ca"],
            ),
            // Taken without a new certificate for istiod itself.
            (
                "chain with bad DER",
                it.with(CHAIN, |pem| pem.to_owned() + &damaged()),
                "S",
                &["unreadable-pem"],
            ),
        ]
    });
}

#[test]
fn with_root_bytes_that_differ() {
    let it = cast();
    let rows = |letters: &'static str, rules: &'static [&'static str]| -> Vec<Row<'static>> {
        let crlf = |pem: &str| pem.replace('\n', "\r\n");
        vec![
            ("newline", it.with(ROOT, |pem| format!("{pem}\n")), letters, rules),
            ("comment", it.with(ROOT, |pem| format!("# root\n{pem}")), letters, rules),
            ("CRLF", it.with(ROOT, crlf), letters, rules),
            ("superset", it.roots(&[&it.root, &it.foreign]), letters, rules),
        ]
    };
    check_in(&running(&[&it.root], false), rows("R", &["root-change"]));
    check_in(&running(&[&it.root], true), rows("", &[]));
    let two = |multi_root| running(&[&it.root, &it.foreign], multi_root);
    let order = || it.roots(&[&it.foreign, &it.root]);
    check_in(
        &two(false),
        vec![
            ("order", order(), "R", &["root-change"]),
            ("subset", it.good(), "R", &["root-change"]),
        ],
    );
    check_in(&two(true), vec![("order", order(), "", &[]), ("subset", it.good(), "", &[])]);
    let twice = || it.roots(&[&it.root, &it.root]);
    check_in(
        &running(&[&it.root], false),
        vec![("twice", twice(), "R", &["root-change", "duplicate-certificate"])],
    );
    check_in(&running(&[&it.root], true), vec![("twice", twice(), "", &["duplicate-certificate"])]);
}

#[test]
fn with_other_roots_where_several_are_allowed() {
    let it = cast();
    let key = rcgen::KeyPair::from_pem(&it.root.key_pem()).unwrap();
    let again = crate::common::made_with("root", None, key, |it| it.not_after += Duration::DAY);
    let running = |current| running(&[current], true);
    check_in(&running(&it.foreign), vec![("disjoint", it.good(), "R", &["root-change"])]);
    check_in(&running(&again), vec![("issued again", it.good(), "R", &["root-change"])]);
    check_in(
        &running(&it.root),
        vec![
            (
                "with the key",
                it.with(ROOT, |pem| pem.to_owned() + &it.root.key_pem()),
                "S",
                &["private-key-handed-out"],
            ),
            (
                "bad DER first",
                it.with(ROOT, |pem| damaged() + pem),
                "SRT",
                &["unreadable-pem", "half-applied-roots"],
            ),
        ],
    );
}
