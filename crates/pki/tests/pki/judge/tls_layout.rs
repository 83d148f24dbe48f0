//! cert-manager's layout: `tls.crt`, `tls.key` and `ca.crt`, as Istio 1.31 took it.

use pki::{BundleFiles, Refusal};
use pretty_assertions::assert_eq;

use super::table::{Cast, cast, check, edited};
use crate::common::{context, made};

fn tls(it: &Cast) -> BundleFiles {
    let mut files = BundleFiles::new();
    files.insert("tls.crt", &it.ca.pem);
    files.insert("tls.key", it.ca.key_pem());
    files.insert("ca.crt", &it.root.pem);
    files
}

fn lacking(it: &Cast, name: &str) -> BundleFiles {
    let mut files = tls(it);
    files.remove(name).unwrap();
    files
}

#[test]
fn the_three_files_alone() {
    let it = cast();
    let with = |name: &str, change: &dyn Fn(&str) -> String| edited(tls(&it), name, change);
    let trimmed = |pem: &str| pem.trim_end().to_owned();
    check(vec![
        ("whole", tls(&it), "", &[]),
        ("no tls.key", lacking(&it, "tls.key"), "SR", &["missing-file"]),
        ("no ca.crt", lacking(&it, "ca.crt"), "SRAEZT", &["missing-file", "no-path-to-root"]),
        (
            "only tls.key and ca.crt",
            lacking(&it, "tls.crt"),
            "SR",
            &["private-key-handed-out", "no-bundle", "stray-file"],
        ),
        (
            "no newline behind tls.crt",
            with("tls.crt", &trimmed),
            "SAEZT",
            &["unreadable-pem", "chain-lacks-cluster-ca"],
        ),
        ("no newline behind ca.crt", with("ca.crt", &trimmed), "", &[]),
        ("another key", with("tls.key", &|_| it.foreign.key_pem()), "SR", &["key-mismatch"]),
        ("lists", with("ca-crl.pem", &|_| "garbage".to_owned()), "", &["crl-ignored"]),
    ]);
    // Tiers stand behind the cluster CA.
    let tier = made("tier", Some(&it.root), |_| {});
    let below = made("below", Some(&tier), |_| {});
    let mut deep = tls(&it);
    deep.insert("tls.crt", below.pem.clone() + &tier.pem);
    deep.insert("tls.key", below.key_pem());
    check(vec![("three levels", deep, "", &[])]);
    let report = lacking(&it, "tls.key").judge(&context()).unwrap();
    assert_eq!(report.findings[0].file.as_deref(), Some("tls.key"));
}

#[test]
fn beside_the_four_files_they_win() {
    let (it, other) = (cast(), cast());
    let mut files = it.good();
    for name in ["tls.crt", "tls.key", "ca.crt"] {
        files.insert(name, tls(&other).get(name).unwrap());
    }
    check(vec![(
        "both sets",
        files,
        "SR",
        &["private-key-handed-out", "tls-layout", "stray-file"],
    )]);
}

#[test]
fn they_are_judged_and_become_no_bundle() {
    let Err(Refusal::NotJudged(error)) = tls(&cast()).into_bundle(&context()) else {
        panic!("it became a bundle");
    };
    assert_eq!(
        error.to_string(),
        "a bundle has only the four files, and no place for `tls.crt`; move the content of the \
         tls files into the four files"
    );
}
