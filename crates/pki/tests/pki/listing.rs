//! The certificates of files that nobody judged, and where they stand.

use pki::{BundleFiles, Profile};
use pretty_assertions::assert_eq;

use crate::common::{bundle, files_of};

#[test]
fn every_certificate_is_listed_with_its_place_and_everything_else_is_passed_over() {
    let bundle = bundle(Profile::Makefile);
    let (ca, root) = (bundle.certificate(), bundle.hierarchy().root());
    let mut files = files_of(&bundle);
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    files.insert("notes", format!("text\n{broken}{}\n{}", root.to_pem(), ca.to_pem()));
    let listed: Vec<_> = files.certificates().collect();
    let expected = [
        ("ca-cert.pem", 1, ca.clone()),
        ("cert-chain.pem", 1, ca.clone()),
        ("cert-chain.pem", 2, root.clone()),
        ("notes", 2, root.clone()),
        ("notes", 3, ca.clone()),
        ("root-cert.pem", 1, root.clone()),
    ];
    assert_eq!(listed, expected);
}

#[test]
fn a_block_begins_on_a_line() {
    let mut files = BundleFiles::new();
    let block = "-----BEGIN A-----\nAAAA\n-----END A-----\n";
    files.insert("f", format!("text\n{block}\n{block}"));
    let lines = [0, 1, 2, 3].map(|block| files.block_line("f", block));
    assert_eq!(lines, [None, Some(2), Some(6), None]);
    assert_eq!(files.block_line("g", 1), None);
}
