//! Which files are there.

use super::{Row, row};
use crate::cast::{CA, CHAIN, CRL, Cast, KEY, ROOT, files, text};
use pki::BundleFiles;

const TLS: [&str; 3] = ["tls.crt", "tls.key", "ca.crt"];

/// cert-manager's layout of the good bundle.
pub(super) fn tls(it: &Cast) -> BundleFiles {
    let mut files = BundleFiles::new();
    files.insert("tls.crt", &it.ca.pem);
    files.insert("tls.key", it.ca.key_pem());
    files.insert("ca.crt", &it.root.pem);
    files
}

fn tls_without(it: &Cast, names: &[&str]) -> BundleFiles {
    let mut files = tls(it);
    for name in names {
        files.remove(name);
    }
    files
}

fn tls_with(it: &Cast, name: &str, change: impl FnOnce(&str) -> String) -> BundleFiles {
    crate::cast::edited(tls(it), name, change)
}

/// The good bundle and these files of cert-manager's layout.
fn both(it: &Cast, names: &[&str]) -> BundleFiles {
    let (mut all, tls) = (it.good(), tls(it));
    for name in names {
        all.insert(*name, text(&tls, name));
    }
    all
}

/// cert-manager's layout of another CA beside the good bundle.
fn other_tls(it: &Cast) -> anyhow::Result<BundleFiles> {
    let root = it.made("other root", None, |_| {})?;
    let ca = it.made("other ca", Some(&root), |_| {})?;
    let mut all = it.good();
    for (name, text) in TLS.into_iter().zip([&ca.pem, &ca.key_pem(), &root.pem]) {
        all.insert(name, text);
    }
    Ok(all)
}

pub(super) const ROWS: &[Row] = &[
    row("good", |it| Ok(it.good())),
    row("no-file", |it| Ok(it.without(&[CA, KEY, CHAIN, ROOT]))),
    row("no-ca-cert", |it| Ok(it.without(&[CA]))),
    row("no-ca-key", |it| Ok(it.without(&[KEY]))),
    row("no-cert-chain", |it| Ok(it.without(&[CHAIN]))),
    row("no-root-cert", |it| Ok(it.without(&[ROOT]))),
    row("only-ca-cert", |it| Ok(it.without(&[KEY, CHAIN, ROOT]))),
    row("only-ca-key", |it| Ok(it.without(&[CA, CHAIN, ROOT]))),
    row("only-cert-chain", |it| Ok(it.without(&[CA, KEY, ROOT]))),
    row("only-root-cert", |it| Ok(it.without(&[CA, KEY, CHAIN]))),
    row("only-ca-cert-and-ca-key", |it| Ok(it.without(&[CHAIN, ROOT]))),
    row("only-ca-key-and-root-cert", |it| Ok(it.without(&[CA, CHAIN]))),
    row("only-crl", |it| {
        let mut files = it.without(&[CA, KEY, CHAIN, ROOT]);
        files.insert(CRL, "");
        Ok(files)
    }),
    row("only-istio-generated", |it| {
        let mut files = it.without(&[CA, KEY, CHAIN, ROOT]);
        files.insert("istio-generated", "");
        Ok(files)
    }),
    row("only-a-foreign-file", |it| {
        let mut files = it.without(&[CA, KEY, CHAIN, ROOT]);
        files.insert("notes.txt", "hello");
        Ok(files)
    }),
    row("every-file-empty", |_| {
        let mut files = BundleFiles::new();
        BundleFiles::NAMES.iter().for_each(|name| files.insert(*name, ""));
        Ok(files)
    }),
    row("istio-generated-beside", |it| Ok(it.with("istio-generated", |_| String::new()))),
    row("foreign-file-beside", |it| Ok(it.with("notes.txt", |_| "hello".to_owned()))),
    row("root-key-beside", |it| Ok(it.with("root-key.pem", |_| it.root.key_pem()))),
    row("tls-key-beside", |it| Ok(both(it, &["tls.key"]))),
    row("ca-crt-beside", |it| Ok(both(it, &["ca.crt"]))),
    row("tls-crt-beside", |it| Ok(both(it, &["tls.crt"]))),
    row("tls-crt-empty-beside", |it| Ok(it.with("tls.crt", |_| String::new()))),
    row("tls-crt-and-tls-key-beside", |it| Ok(both(it, &["tls.crt", "tls.key"]))),
    row("tls-layout-beside", |it| Ok(both(it, &TLS))),
    row("tls-layout-of-another-ca-beside", other_tls),
    row("tls-layout", |it| Ok(tls(it))),
    row("tls-layout-no-tls-crt", |it| Ok(tls_without(it, &["tls.crt"]))),
    row("tls-layout-no-tls-key", |it| Ok(tls_without(it, &["tls.key"]))),
    row("tls-layout-no-ca-crt", |it| Ok(tls_without(it, &["ca.crt"]))),
    row("tls-layout-only-tls-crt", |it| Ok(tls_without(it, &["tls.key", "ca.crt"]))),
    row("tls-layout-tls-crt-empty", |it| Ok(tls_with(it, "tls.crt", |_| String::new()))),
    row("tls-layout-ca-crt-empty", |it| Ok(tls_with(it, "ca.crt", |_| String::new()))),
    row("tls-layout-no-newline-behind-tls-crt", |it| {
        Ok(tls_with(it, "tls.crt", |pem| pem.trim_end().to_owned()))
    }),
    row("tls-layout-no-newline-behind-ca-crt", |it| {
        Ok(tls_with(it, "ca.crt", |pem| pem.trim_end().to_owned()))
    }),
    row("tls-layout-other-key", |it| Ok(tls_with(it, "tls.key", |_| it.foreign.key_pem()))),
    row("tls-layout-other-root", |it| Ok(tls_with(it, "ca.crt", |_| it.foreign.pem.clone()))),
    row("tls-layout-root-behind-tls-crt", |it| {
        Ok(tls_with(it, "tls.crt", |pem| pem.to_owned() + &it.root.pem))
    }),
    row("tls-layout-crl", |it| Ok(tls_with(it, CRL, |_| "garbage".to_owned()))),
    row("tls-layout-and-root-cert", |it| Ok(tls_with(it, ROOT, |_| it.root.pem.clone()))),
    row("tls-layout-of-three-levels", |it| {
        let tier = it.made("tier", Some(&it.root), |_| {})?;
        let ca = it.made("below", Some(&tier), |_| {})?;
        let mut files = BundleFiles::new();
        files.insert("tls.crt", ca.pem.clone() + &tier.pem);
        files.insert("tls.key", ca.key_pem());
        files.insert("ca.crt", &it.root.pem);
        Ok(files)
    }),
    row("tls-layout-self-signed", |it| {
        let mut all = BundleFiles::new();
        for (name, text) in TLS.into_iter().zip([&it.root.pem, &it.root.key_pem(), &it.root.pem]) {
            all.insert(name, text);
        }
        Ok(all)
    }),
    row("self-signed-as-all", |it| Ok(files(&it.root, &[&it.root], &[&it.root]))),
];
