//! `ca-crl.pem` beside a bundle.

use super::{Row, late, row};
use crate::cast::{CRL, Ca, Cast, block, edited, files};
use crate::openssl;
use anyhow::{Context as _, Result};
use pki::{BundleFiles, Certificate};
use rcgen::{
    CertificateRevocationListParams, Issuer, KeyIdMethod, KeyUsagePurpose, RevokedCertParams,
    SerialNumber,
};
use time::Duration;

use KeyUsagePurpose::{CrlSign, DigitalSignature, KeyCertSign};

/// A list from and until so many days from now, with perhaps a certificate on it.
fn list_of(it: &Cast, issuer: &Ca, days: [i64; 2], revoked: Option<&Ca>) -> Result<String> {
    let serial = |ca: &Ca| -> Result<SerialNumber> {
        let hex = Certificate::from_pem(ca.pem.as_bytes())?.serial_hex();
        let octets = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16));
        Ok(SerialNumber::from(octets.collect::<Result<Vec<_>, _>>()?))
    };
    let entry = |ca| -> Result<_> {
        Ok(RevokedCertParams {
            serial_number: serial(ca)?,
            revocation_time: it.now - Duration::HOUR,
            reason_code: None,
            invalidity_date: None,
        })
    };
    let list = CertificateRevocationListParams {
        this_update: it.now + Duration::days(days[0]),
        next_update: it.now + Duration::days(days[1]),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: revoked.map(entry).transpose()?.into_iter().collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let signed = list.signed_by(&Issuer::from_params(&issuer.params, &issuer.key));
    signed.and_then(|list| list.pem()).context("cannot make a revocation list")
}

fn list(it: &Cast, issuer: &Ca) -> Result<String> {
    list_of(it, issuer, [-1, 29], None)
}

/// The good bundle with its root in the chain, and these lists.
fn with(it: &Cast, lists: &[String]) -> BundleFiles {
    edited(it.chain(&[&it.ca, &it.root]), CRL, |_| lists.concat())
}

/// The good bundle with these lists: the chain lacks the root.
fn alone(it: &Cast, lists: &[String]) -> BundleFiles {
    it.with(CRL, |_| lists.concat())
}

/// A bundle whose CAs have these usages, with both lists; rcgen makes none for a CA without
/// cRLSign, others do.
fn by_usage(it: &Cast, usages: &[KeyUsagePurpose]) -> Result<BundleFiles> {
    let root = it.made("root", None, |params| params.key_usages = usages.to_vec())?;
    let ca = it.made("ca", Some(&root), |params| params.key_usages = usages.to_vec())?;
    let able = |ca: &Ca| {
        let mut params = ca.params.clone();
        params.key_usages = vec![CrlSign];
        list(it, &Ca { params, key: ca.key_again()?, pem: ca.pem.clone() })
    };
    let lists = able(&root)? + &able(&ca)?;
    Ok(edited(files(&ca, &[&ca, &root], &[&root]), CRL, |_| lists))
}

const DELTA: &str = "2.5.29.27=critical,DER:020101";
const POINT: &str = "issuingDistributionPoint=critical,fullname:URI:http://example.com/crl";

/// The good bundle with both lists, and one of the root's with these extensions before or behind
/// them.
fn beside(it: &Cast, extensions: &str, before: bool) -> Result<BundleFiles> {
    let extended = openssl::list(&it.root.pem, &it.root.key_pem(), extensions)?;
    let whole = list(it, &it.root)? + &list(it, &it.ca)?;
    Ok(with(it, &if before { [extended, whole] } else { [whole, extended] }))
}

/// The good bundle with both lists; the root's has these extensions.
fn extended(it: &Cast, extensions: &str) -> Result<BundleFiles> {
    let of_root = openssl::list(&it.root.pem, &it.root.key_pem(), extensions)?;
    Ok(with(it, &[of_root, list(it, &it.ca)?]))
}

pub(super) const ROWS: &[Row] = &[
    row("crl-both", |it| Ok(with(it, &[list(it, &it.root)?, list(it, &it.ca)?]))),
    row("crl-other-order", |it| Ok(with(it, &[list(it, &it.ca)?, list(it, &it.root)?]))),
    row("crl-foreign-too", |it| {
        Ok(with(it, &[list(it, &it.ca)?, list(it, &it.foreign)?, list(it, &it.root)?]))
    }),
    row("crl-both-twice", |it| {
        let both = list(it, &it.root)? + &list(it, &it.ca)?;
        Ok(with(it, &[both.clone(), both]))
    }),
    row("crl-crlf", |it| {
        let both = list(it, &it.root)? + &list(it, &it.ca)?;
        Ok(with(it, &[both.replace('\n', "\r\n")]))
    }),
    row("crl-no-newline", |it| {
        let both = list(it, &it.root)? + &list(it, &it.ca)?;
        Ok(with(it, &[both.trim_end().to_owned()]))
    }),
    row("crl-glued", |it| {
        Ok(with(it, &[list(it, &it.root)?.trim_end().to_owned(), list(it, &it.ca)?]))
    }),
    row("crl-text-around", |it| {
        Ok(with(it, &["# root\n".into(), list(it, &it.root)?, list(it, &it.ca)?, "end\n".into()]))
    }),
    row("crl-empty", |it| Ok(with(it, &[]))),
    row("crl-blank", |it| Ok(with(it, &["\n".to_owned()]))),
    row("crl-garbage", |it| Ok(with(it, &["garbage\n".to_owned()]))),
    row("crl-certificate", |it| Ok(with(it, std::slice::from_ref(&it.root.pem)))),
    row("crl-damaged", |it| Ok(with(it, &[block("X509 CRL", "MAUCAQECAQI=")]))),
    row("crl-damaged-behind", |it| {
        let damaged = block("X509 CRL", "MAUCAQECAQI=");
        Ok(with(it, &[list(it, &it.root)?, list(it, &it.ca)?, damaged]))
    }),
    row("crl-certificate-behind", |it| {
        Ok(with(it, &[list(it, &it.root)?, list(it, &it.ca)?, it.root.pem.clone()]))
    }),
    row("crl-only-roots", |it| Ok(with(it, &[list(it, &it.root)?]))),
    row("crl-only-cas", |it| Ok(with(it, &[list(it, &it.ca)?]))),
    row("crl-only-foreign", |it| Ok(with(it, &[list(it, &it.foreign)?]))),
    row("crl-of-a-namesake", |it| {
        let namesake = it.made("root", None, |_| {})?;
        Ok(with(it, &[list(it, &namesake)?, list(it, &it.ca)?]))
    }),
    row("crl-both-chain-without-root", |it| {
        Ok(alone(it, &[list(it, &it.root)?, list(it, &it.ca)?]))
    }),
    row("crl-only-cas-chain-without-root", |it| Ok(alone(it, &[list(it, &it.ca)?]))),
    row("crl-only-roots-chain-without-root", |it| Ok(alone(it, &[list(it, &it.root)?]))),
    row("crl-expired", |it| {
        Ok(with(it, &[list_of(it, &it.root, [-30, -1], None)?, list(it, &it.ca)?]))
    }),
    row("crl-expired-of-the-ca", |it| {
        Ok(with(it, &[list(it, &it.root)?, list_of(it, &it.ca, [-30, -1], None)?]))
    }),
    row("crl-not-yet-valid", |it| {
        Ok(with(it, &[list(it, &it.root)?, list_of(it, &it.ca, [1, 30], None)?]))
    }),
    row("crl-expired-beside-a-new-one", |it| {
        let old = list_of(it, &it.root, [-30, -1], None)?;
        Ok(with(it, &[old, list(it, &it.root)?, list(it, &it.ca)?]))
    }),
    row("crl-expired-behind-a-new-one", |it| {
        let old = list_of(it, &it.root, [-30, -1], None)?;
        Ok(with(it, &[list(it, &it.root)?, old, list(it, &it.ca)?]))
    }),
    row("crl-due", |it| Ok(with(it, &[list_of(it, &it.root, [-21, 9], None)?, list(it, &it.ca)?]))),
    row("crl-revokes-the-ca", |it| {
        let revoking = list_of(it, &it.root, [-1, 29], Some(&it.ca))?;
        Ok(with(it, &[revoking, list(it, &it.ca)?]))
    }),
    row("crl-revokes-the-ca-and-one-does-not", |it| {
        let revoking = list_of(it, &it.root, [-1, 29], Some(&it.ca))?;
        Ok(with(it, &[list(it, &it.root)?, revoking, list(it, &it.ca)?]))
    }),
    row("crl-revokes-the-ca-in-the-first-of-two", |it| {
        let revoking = list_of(it, &it.root, [-1, 29], Some(&it.ca))?;
        Ok(with(it, &[revoking, list(it, &it.root)?, list(it, &it.ca)?]))
    }),
    row("crl-revokes-the-ca-in-a-newer-second", |it| {
        let revoking = list_of(it, &it.root, [0, 30], Some(&it.ca))?;
        Ok(with(it, &[list(it, &it.root)?, revoking, list(it, &it.ca)?]))
    }),
    row("crl-revokes-another", |it| {
        let revoking = list_of(it, &it.root, [-1, 29], Some(&it.foreign))?;
        Ok(with(it, &[revoking, list(it, &it.ca)?]))
    }),
    row("crl-revokes-the-root", |it| {
        let revoking = list_of(it, &it.root, [-1, 29], Some(&it.root))?;
        Ok(with(it, &[revoking, list(it, &it.ca)?]))
    }),
    row("crl-of-cas-without-usage", |it| by_usage(it, &[])),
    row("crl-of-cas-that-may-not", |it| by_usage(it, &[DigitalSignature, KeyCertSign])),
    row("crl-of-three-levels", |it| {
        let tier = it.made("tier", Some(&it.root), |_| {})?;
        let ca = it.made("below", Some(&tier), |_| {})?;
        let lists = list(it, &it.root)? + &list(it, &tier)? + &list(it, &ca)?;
        Ok(edited(files(&ca, &[&ca, &tier], &[&it.root]), CRL, |_| lists))
    }),
    row("crl-of-three-levels-none-of-the-tier", |it| {
        let tier = it.made("tier", Some(&it.root), |_| {})?;
        let ca = it.made("below", Some(&tier), |_| {})?;
        let lists = list(it, &it.root)? + &list(it, &ca)?;
        Ok(edited(files(&ca, &[&ca, &tier], &[&it.root]), CRL, |_| lists))
    }),
    row("crl-and-a-foreign-certificate-in-the-chain", |it| {
        let lists = list(it, &it.root)? + &list(it, &it.ca)?;
        Ok(edited(it.chain(&[&it.ca, &it.foreign]), CRL, |_| lists))
    }),
    row("crl-with-a-number", |it| extended(it, "crlNumber=DER:020107")),
    row("crl-with-an-extension-nobody-knows", |it| extended(it, "1.2.3.4=DER:0500")),
    row("crl-with-a-critical-extension-nobody-knows", |it| {
        extended(it, "1.2.3.4=critical,DER:0500")
    }),
    row("crl-delta", |it| extended(it, DELTA)),
    row("crl-delta-not-critical", |it| extended(it, "2.5.29.27=DER:020101")),
    row("crl-of-a-distribution-point", |it| extended(it, POINT)),
    row("crl-of-a-distribution-point-not-critical", |it| {
        extended(it, "issuingDistributionPoint=fullname:URI:http://example.com/crl")
    }),
    row("crl-for-users-only", |it| extended(it, "2.5.29.28=critical,DER:30038101ff")),
    row("crl-for-users-only-not-critical", |it| extended(it, "2.5.29.28=DER:30038101ff")),
    row("crl-delta-before-a-whole-one", |it| beside(it, DELTA, true)),
    row("crl-delta-behind-a-whole-one", |it| beside(it, DELTA, false)),
    row("crl-of-a-distribution-point-before-a-whole-one", |it| beside(it, POINT, true)),
    row("crl-of-a-distribution-point-behind-a-whole-one", |it| beside(it, POINT, false)),
    late("crl-and-a-key-in-root-cert", |it| {
        let lists = list(it, &it.root)? + &list(it, &it.ca)?;
        let files = with(it, &[lists]);
        Ok(edited(files, crate::cast::ROOT, |pem| pem.to_owned() + &it.root.key_pem()))
    }),
];
