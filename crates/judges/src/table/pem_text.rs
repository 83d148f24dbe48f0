//! How the certificates are written: what Go, OpenSSL and BoringSSL each read as PEM.

use super::{Row, late, row};
use crate::cast::{CA, CHAIN, KEY, ROOT, block, damaged, edited};

fn crlf(pem: &str) -> String {
    pem.replace('\n', "\r\n")
}

fn cr(pem: &str) -> String {
    pem.replace('\n', "\r")
}

fn bom(pem: &str) -> String {
    format!("\u{feff}{pem}")
}

fn no_newline(pem: &str) -> String {
    pem.trim_end().to_owned()
}

fn indented(pem: &str) -> String {
    pem.lines().map(|line| format!("  {line}\n")).collect()
}

fn trailing_blanks(pem: &str) -> String {
    pem.lines().map(|line| format!("{line}  \n")).collect()
}

fn one_line(pem: &str) -> String {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    block("CERTIFICATE", &body)
}

fn labelled(pem: &str, label: &str) -> String {
    pem.replace(" CERTIFICATE", &format!(" {label}"))
}

fn headers(pem: &str) -> String {
    pem.replace("BEGIN CERTIFICATE-----\n", "BEGIN CERTIFICATE-----\nComment: root\n\n")
}

fn cut(pem: &str) -> String {
    pem[..pem.len() / 2].to_owned()
}

fn no_end(pem: &str) -> String {
    pem.replace("-----END CERTIFICATE-----\n", "")
}

fn flipped(pem: &str) -> String {
    let lines = pem.lines().enumerate();
    lines
        .map(|(at, line)| if at == 2 { "!!!!\n".to_owned() } else { format!("{line}\n") })
        .collect()
}

fn text_around(pem: &str) -> String {
    format!("subject=CN = some CA\nissuer=CN = root\n{pem}the end\n")
}

fn hyphens(pem: &str) -> String {
    format!("----------\n{pem}----------\n")
}

pub(super) const ROWS: &[Row] = &[
    row("ca-empty", |it| Ok(it.with(CA, |_| String::new()))),
    row("ca-no-pem", |it| Ok(it.with(CA, |_| "hello\n".to_owned()))),
    row("ca-bom", |it| Ok(it.with(CA, bom))),
    row("ca-crlf", |it| Ok(it.with(CA, crlf))),
    row("ca-cr", |it| Ok(it.with(CA, cr))),
    row("ca-no-newline", |it| Ok(it.with(CA, no_newline))),
    row("ca-indented", |it| Ok(it.with(CA, indented))),
    row("ca-trailing-blanks", |it| Ok(it.with(CA, trailing_blanks))),
    row("ca-one-line", |it| Ok(it.with(CA, one_line))),
    row("ca-text-around", |it| Ok(it.with(CA, text_around))),
    row("ca-headers", |it| Ok(it.with(CA, headers))),
    row("ca-cut", |it| Ok(it.with(CA, cut))),
    row("ca-no-end-line", |it| Ok(it.with(CA, no_end))),
    row("ca-flipped-line", |it| Ok(it.with(CA, flipped))),
    row("ca-damaged", |it| Ok(it.with(CA, |_| damaged()))),
    row("ca-damaged-behind", |it| Ok(it.with(CA, |pem| pem.to_owned() + &damaged()))),
    row("ca-labelled-x509", |it| Ok(it.with(CA, |pem| labelled(pem, "X509 CERTIFICATE")))),
    row("ca-labelled-trusted", |it| Ok(it.with(CA, |pem| labelled(pem, "TRUSTED CERTIFICATE")))),
    row("ca-key-block-first", |it| Ok(it.with(CA, |pem| it.ca.key_pem() + pem))),
    row("ca-key-block-behind", |it| Ok(it.with(CA, |pem| pem.to_owned() + &it.ca.key_pem()))),
    row("ca-public-key-first", |it| {
        Ok(it.with(CA, |pem| block("PUBLIC KEY", "MAUCAQECAQI=") + pem))
    }),
    row("ca-root-first", |it| Ok(it.with(CA, |pem| it.root.pem.clone() + pem))),
    row("ca-root-behind", |it| Ok(it.with(CA, |pem| pem.to_owned() + &it.root.pem))),
    row("chain-no-pem", |it| Ok(it.with(CHAIN, |_| "garbage\n".to_owned()))),
    row("chain-blank", |it| Ok(it.with(CHAIN, |_| "\n".to_owned()))),
    row("chain-bom", |it| Ok(it.with(CHAIN, bom))),
    row("chain-crlf", |it| Ok(it.with(CHAIN, crlf))),
    row("chain-no-newline", |it| Ok(it.with(CHAIN, no_newline))),
    row("chain-indented", |it| Ok(it.with(CHAIN, indented))),
    row("chain-text-around", |it| Ok(it.with(CHAIN, text_around))),
    row("chain-headers", |it| Ok(it.with(CHAIN, headers))),
    row("chain-cut", |it| Ok(it.with(CHAIN, cut))),
    row("chain-glued", |it| Ok(it.with(CHAIN, |pem| no_newline(pem) + &it.root.pem))),
    row("chain-garbage-between", |it| {
        Ok(it.with(CHAIN, |pem| format!("{pem}garbage\n{}", it.root.pem)))
    }),
    row("chain-damaged-first", |it| Ok(it.with(CHAIN, |pem| damaged() + pem))),
    late("chain-damaged-second", |it| Ok(it.with(CHAIN, |pem| pem.to_owned() + &damaged()))),
    row("chain-key-block-inside", |it| {
        Ok(it.with(CHAIN, |pem| pem.to_owned() + &it.root.key_pem()))
    }),
    row("chain-key-block-first", |it| Ok(it.with(CHAIN, |pem| it.ca.key_pem() + pem))),
    row("chain-public-key-inside", |it| {
        Ok(it.with(CHAIN, |pem| pem.to_owned() + &block("PUBLIC KEY", "MAUCAQECAQI=")))
    }),
    row("chain-public-key-first", |it| {
        Ok(it.with(CHAIN, |pem| block("PUBLIC KEY", "MAUCAQECAQI=") + pem))
    }),
    row("chain-labelled-x509", |it| Ok(it.with(CHAIN, |pem| labelled(pem, "X509 CERTIFICATE")))),
    row("chain-labelled-trusted", |it| {
        Ok(it.with(CHAIN, |pem| labelled(pem, "TRUSTED CERTIFICATE")))
    }),
    row("root-empty", |it| Ok(it.with(ROOT, |_| String::new()))),
    row("root-no-pem", |it| Ok(it.with(ROOT, |_| "hello\n".to_owned()))),
    row("root-bom", |it| Ok(it.with(ROOT, bom))),
    row("root-crlf", |it| Ok(it.with(ROOT, crlf))),
    row("root-cr", |it| Ok(it.with(ROOT, cr))),
    row("root-no-newline", |it| Ok(it.with(ROOT, no_newline))),
    row("root-indented", |it| Ok(it.with(ROOT, indented))),
    row("root-trailing-blanks", |it| Ok(it.with(ROOT, trailing_blanks))),
    row("root-one-line", |it| Ok(it.with(ROOT, one_line))),
    row("root-text-around", |it| Ok(it.with(ROOT, text_around))),
    row("root-hyphens-around", |it| Ok(it.with(ROOT, hyphens))),
    row("root-blank-lines", |it| Ok(it.with(ROOT, |pem| format!("\n\n{pem}\n\n")))),
    row("root-comment", |it| Ok(it.with(ROOT, |pem| format!("# root\n{pem}")))),
    row("root-headers", |it| Ok(it.with(ROOT, headers))),
    row("root-cut", |it| Ok(it.with(ROOT, cut))),
    row("root-no-end-line", |it| Ok(it.with(ROOT, no_end))),
    row("root-flipped-line", |it| Ok(it.with(ROOT, flipped))),
    row("root-damaged", |it| Ok(it.with(ROOT, |_| damaged()))),
    late("root-damaged-behind", |it| Ok(it.with(ROOT, |pem| pem.to_owned() + &damaged()))),
    late("root-damaged-first", |it| Ok(it.with(ROOT, |pem| damaged() + pem))),
    late(
        "root-key-block-behind",
        |it| Ok(it.with(ROOT, |pem| pem.to_owned() + &it.root.key_pem())),
    ),
    late("root-public-key-behind", |it| {
        Ok(it.with(ROOT, |pem| pem.to_owned() + &block("PUBLIC KEY", "MAUCAQECAQI=")))
    }),
    row("root-labelled-x509", |it| Ok(it.with(ROOT, |pem| labelled(pem, "X509 CERTIFICATE")))),
    row(
        "root-labelled-trusted",
        |it| Ok(it.with(ROOT, |pem| labelled(pem, "TRUSTED CERTIFICATE"))),
    ),
    row("root-glued-to-another", |it| Ok(it.with(ROOT, |pem| no_newline(&it.foreign.pem) + pem))),
    row("root-garbage-and-another", |it| {
        Ok(it.with(ROOT, |pem| format!("{pem}garbage\n{}", it.foreign.pem)))
    }),
    row("crlf-everywhere", |it| {
        Ok([CA, KEY, CHAIN, ROOT].iter().fold(it.good(), |all, name| edited(all, name, crlf)))
    }),
    row("no-newline-anywhere", |it| {
        Ok([CA, KEY, CHAIN, ROOT].iter().fold(it.good(), |all, name| edited(all, name, no_newline)))
    }),
];
