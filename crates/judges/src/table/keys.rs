//! The private key: how it is written, and whose it is.

use anyhow::{Result, ensure};
use pki::BundleFiles;

use super::{Row, row};
use crate::cast::{Cast, KEY, block};
use crate::openssl;

/// Something that is no key, under a label.
fn alone(it: &Cast, label: &str) -> BundleFiles {
    it.with(KEY, |_| block(label, "MAUCAQECAQI="))
}

fn before(it: &Cast, label: &str) -> BundleFiles {
    it.with(KEY, |pem| block(label, "MAUCAQECAQI=") + pem)
}

/// The key as openssl writes it.
fn converted(it: &Cast, args: &str) -> Result<BundleFiles> {
    let written = openssl::converted(&it.ca.key_pem(), args)?;
    ensure!(written.contains("-----BEGIN "), "openssl {args} wrote no PEM");
    Ok(it.with(KEY, |_| written))
}

const PROC_TYPE: &str = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\
    DEK-Info: AES-256-CBC,00\n\nMAUCAQECAQI=\n-----END RSA PRIVATE KEY-----\n";

pub(super) const ROWS: &[Row] = &[
    row("key-empty", |it| Ok(it.with(KEY, |_| String::new()))),
    row("key-no-pem", |it| Ok(it.with(KEY, |_| "hello\n".to_owned()))),
    row("key-bom", |it| Ok(it.with(KEY, |pem| format!("\u{feff}{pem}")))),
    row("key-crlf", |it| Ok(it.with(KEY, |pem| pem.replace('\n', "\r\n")))),
    row("key-no-newline", |it| Ok(it.with(KEY, |pem| pem.trim_end().to_owned()))),
    row("key-leading-text", |it| Ok(it.with(KEY, |pem| format!("the key\n{pem}")))),
    row("key-trailing-text", |it| Ok(it.with(KEY, |pem| format!("{pem}the key\n")))),
    row("key-indented", |it| {
        Ok(it.with(KEY, |pem| pem.lines().map(|line| format!(" {line}\n")).collect()))
    }),
    row("key-cut", |it| Ok(it.with(KEY, |pem| pem[..pem.len() / 2].to_owned()))),
    row("key-certificate", |it| Ok(it.with(KEY, |_| it.ca.pem.clone()))),
    row("key-certificate-first", |it| Ok(it.with(KEY, |pem| it.ca.pem.clone() + pem))),
    row("key-certificate-behind", |it| Ok(it.with(KEY, |pem| pem.to_owned() + &it.ca.pem))),
    row("key-public", |it| Ok(it.with(KEY, |_| it.ca.key.public_key_pem()))),
    row("key-openssh", |it| Ok(alone(it, "OPENSSH PRIVATE KEY"))),
    row("key-encrypted-label", |it| Ok(alone(it, "ENCRYPTED PRIVATE KEY"))),
    row("key-unknown-label", |it| Ok(alone(it, "SECRET"))),
    row("key-damaged-pkcs8", |it| Ok(alone(it, "PRIVATE KEY"))),
    row("key-damaged-pkcs1", |it| Ok(alone(it, "RSA PRIVATE KEY"))),
    row("key-damaged-sec1", |it| Ok(alone(it, "EC PRIVATE KEY"))),
    row("key-proc-type", |it| Ok(it.with(KEY, |_| PROC_TYPE.to_owned()))),
    row("key-ec-parameters-first", |it| Ok(before(it, "EC PARAMETERS"))),
    row("key-ec-parameters-behind", |it| {
        Ok(it.with(KEY, |pem| pem.to_owned() + &block("EC PARAMETERS", "BggqhkjOPQMBBw==")))
    }),
    row("key-sec1", |it| converted(it, "ec -in key.pem")),
    row("key-sec1-with-parameters", |it| {
        converted(it, "ec -in key.pem").map(|files| {
            let parameters = block("EC PARAMETERS", "BggqhkjOPQMBBw==");
            crate::cast::edited(files, KEY, |pem| parameters + pem)
        })
    }),
    row("key-explicit-parameters", |it| converted(it, "pkey -in key.pem -ec_param_enc explicit")),
    row("key-sec1-explicit-parameters", |it| converted(it, "ec -in key.pem -param_enc explicit")),
    row("key-encrypted", |it| {
        converted(it, "pkcs8 -topk8 -in key.pem -v2 aes-256-cbc -passout pass:secret")
    }),
    row("key-labelled-pkcs1", |it| {
        Ok(it.with(KEY, |pem| pem.replace("PRIVATE KEY", "RSA PRIVATE KEY")))
    }),
    row("key-labelled-sec1", |it| {
        Ok(it.with(KEY, |pem| pem.replace("PRIVATE KEY", "EC PRIVATE KEY")))
    }),
    row("key-of-another", |it| Ok(it.with(KEY, |_| it.foreign.key_pem()))),
    row("key-of-another-first", |it| Ok(it.with(KEY, |pem| it.foreign.key_pem() + pem))),
    row("key-of-another-behind", |it| {
        Ok(it.with(KEY, |pem| pem.to_owned() + &it.foreign.key_pem()))
    }),
    row("key-of-the-root", |it| Ok(it.with(KEY, |_| it.root.key_pem()))),
];
