//! Which roots there are, and whether they are the right ones.

use super::{Row, row};
use crate::cast::{CA, CHAIN, Ca, Cast, KEY, ROOT, edited, files};
use anyhow::Result;
use rcgen::{CertificateParams, DnType, IsCa, KeyIdMethod, KeyPair, SerialNumber};
use time::Duration;

fn plain(_: &mut CertificateParams) {}

/// The root's certificate again, of the same name and key.
fn twin(it: &Cast, edit: impl FnOnce(&mut CertificateParams)) -> Result<Ca> {
    it.made_with("root", None, it.root.key_again()?, edit)
}

fn expired(it: &Cast) -> impl FnOnce(&mut CertificateParams) + use<> {
    let end = it.now - Duration::HOUR;
    move |params| params.not_after = end
}

/// A root that says it has another key id than its children say.
fn relabelled(it: &Cast) -> Result<Ca> {
    let key = it.root.key_again()?;
    let mut params = it.root.params.clone();
    params.key_identifier_method = KeyIdMethod::PreSpecified(vec![7; 20]);
    Ok(Ca { params, key, pem: it.root.pem.clone() })
}

/// The signature of the cluster CA with its last byte changed.
fn corrupt(pem: &str) -> String {
    let end = pem.rfind("\n-----END").unwrap_or(0);
    let (body, tail) = pem.split_at(end);
    let kept = body.trim_end_matches('=');
    let cut = kept.len() - 2;
    let other = if kept[cut..].starts_with('A') { "B" } else { "A" };
    format!("{}{other}{}{}{tail}", &kept[..cut], &kept[cut + 1..], &body[kept.len()..])
}

pub(super) const ROWS: &[Row] = &[
    row("roots-good-and-foreign", |it| Ok(it.roots(&[&it.root, &it.foreign]))),
    row("roots-foreign-and-good", |it| Ok(it.roots(&[&it.foreign, &it.root]))),
    row("roots-twice", |it| Ok(it.roots(&[&it.root, &it.root]))),
    row("roots-foreign", |it| Ok(it.roots(&[&it.foreign]))),
    row("roots-five", |it| {
        let more = ["one", "two", "three", "four"].map(|name| it.made(name, None, plain));
        let more = more.into_iter().collect::<Result<Vec<_>>>()?;
        Ok(it.roots(&[&more[0], &more[1], &it.root, &more[2], &more[3]]))
    }),
    row("roots-namesake", |it| {
        let namesake = it.made("root", None, plain)?;
        Ok(it.roots(&[&namesake]))
    }),
    row("roots-namesake-first", |it| {
        let namesake = it.made("root", None, plain)?;
        Ok(it.roots(&[&namesake, &it.root]))
    }),
    row("roots-namesake-last", |it| {
        let namesake = it.made("root", None, plain)?;
        Ok(it.roots(&[&it.root, &namesake]))
    }),
    row("roots-namesake-of-same-key-id", |it| {
        let id = it.root.params.key_identifier(&it.root.key);
        let namesake = it.made("root", None, |params| {
            params.key_identifier_method = KeyIdMethod::PreSpecified(id);
        })?;
        Ok(it.roots(&[&namesake, &it.root]))
    }),
    row("roots-namesake-of-same-key-id-last", |it| {
        let id = it.root.params.key_identifier(&it.root.key);
        let namesake = it.made("root", None, |params| {
            params.key_identifier_method = KeyIdMethod::PreSpecified(id);
        })?;
        Ok(it.roots(&[&it.root, &namesake]))
    }),
    row("roots-namesake-first-and-no-key-id", |it| {
        let namesake = it.made("root", None, plain)?;
        let ca = it.made("ca", Some(&it.root), |params| {
            params.use_authority_key_identifier_extension = false;
        })?;
        Ok(files(&ca, &[&ca], &[&namesake, &it.root]))
    }),
    row("chain-namesake-of-the-root", |it| {
        let namesake = it.made("root", Some(&it.foreign), plain)?;
        Ok(it.chain(&[&namesake, &it.ca]))
    }),
    row("chain-namesake-of-same-key-id", |it| {
        let id = it.ca.params.key_identifier(&it.ca.key);
        let namesake = it.made("ca", Some(&it.root), |params| {
            params.key_identifier_method = KeyIdMethod::PreSpecified(id);
        })?;
        Ok(it.chain(&[&namesake, &it.ca]))
    }),
    row("chain-namesake-of-same-key-id-last", |it| {
        let id = it.ca.params.key_identifier(&it.ca.key);
        let namesake = it.made("ca", Some(&it.root), |params| {
            params.key_identifier_method = KeyIdMethod::PreSpecified(id);
        })?;
        Ok(it.chain(&[&it.ca, &namesake]))
    }),
    row("name-of-the-root-and-no-key-id", |it| {
        let namesake = it.made("root", Some(&it.root), |params| {
            params.use_authority_key_identifier_extension = false;
        })?;
        Ok(files(&namesake, &[&namesake], &[&it.root]))
    }),
    row("roots-leaf-beside", |it| {
        let leaf = it.made("leaf", None, |params| params.is_ca = IsCa::NoCa)?;
        Ok(it.roots(&[&it.root, &leaf]))
    }),
    row("roots-issued-again", |it| Ok(it.roots(&[&twin(it, plain)?]))),
    row("roots-issued-again-beside", |it| Ok(it.roots(&[&it.root, &twin(it, plain)?]))),
    row("roots-expired-twin-first", |it| Ok(it.roots(&[&twin(it, expired(it))?, &it.root]))),
    row("roots-expired-twin-last", |it| Ok(it.roots(&[&it.root, &twin(it, expired(it))?]))),
    row("roots-expired-stranger-first", |it| {
        let old = it.made("old", None, expired(it))?;
        Ok(it.roots(&[&old, &it.root]))
    }),
    row("roots-expired-stranger-last", |it| {
        let old = it.made("old", None, expired(it))?;
        Ok(it.roots(&[&it.root, &old]))
    }),
    row("roots-expired-namesake-first", |it| {
        let old = it.made("root", None, expired(it))?;
        Ok(it.roots(&[&old, &it.root]))
    }),
    row("roots-twin-that-is-no-ca", |it| {
        let leaf = twin(it, |params| params.is_ca = IsCa::NoCa)?;
        Ok(it.roots(&[&leaf, &it.root]))
    }),
    row("chain-expired-twin-first", |it| {
        let old = it.made_with("ca", Some(&it.root), it.ca.key_again()?, expired(it))?;
        Ok(it.chain(&[&old, &it.ca]))
    }),
    row("chain-expired-twin-last", |it| {
        let old = it.made_with("ca", Some(&it.root), it.ca.key_again()?, expired(it))?;
        Ok(it.chain(&[&it.ca, &old]))
    }),
    row("chain-expired-stranger-first", |it| {
        let old = it.made("old", None, expired(it))?;
        Ok(it.chain(&[&old, &it.ca]))
    }),
    row("chain-expired-stranger-last", |it| {
        let old = it.made("old", None, expired(it))?;
        Ok(it.chain(&[&it.ca, &old]))
    }),
    row("chain-expired-twin-of-the-root", |it| Ok(it.chain(&[&it.ca, &twin(it, expired(it))?]))),
    row("key-id-of-another", |it| {
        let ca = it.made("ca", Some(&relabelled(it)?), plain)?;
        Ok(files(&ca, &[&ca], &[&it.root]))
    }),
    row("key-id-of-another-in-a-tier", |it| {
        let tier = it.made("tier", Some(&relabelled(it)?), plain)?;
        let ca = it.made("below", Some(&tier), plain)?;
        Ok(files(&ca, &[&ca, &tier], &[&it.root]))
    }),
    row("key-id-none", |it| {
        it.two(plain, |params| params.use_authority_key_identifier_extension = false)
    }),
    row("name-of-the-root", |it| {
        let namesake = it.made("root", Some(&it.root), plain)?;
        Ok(files(&namesake, &[&namesake], &[&it.root]))
    }),
    row("name-of-the-root-in-a-tier", |it| {
        let tier = it.made("root", Some(&it.root), plain)?;
        let ca = it.made("below", Some(&tier), plain)?;
        Ok(files(&ca, &[&ca, &tier], &[&it.root]))
    }),
    row("name-of-the-tier", |it| {
        let tier = it.made("tier", Some(&it.root), plain)?;
        let ca = it.made("tier", Some(&tier), plain)?;
        Ok(files(&ca, &[&ca, &tier], &[&it.root]))
    }),
    row("name-empty", |it| {
        it.two(plain, |params| {
            params.distinguished_name.remove(DnType::CommonName);
        })
    }),
    row("name-empty-on-the-root", |it| {
        it.two(
            |params| {
                params.distinguished_name.remove(DnType::CommonName);
            },
            plain,
        )
    }),
    row("name-in-unicode", |it| {
        it.two(plain, |params| params.distinguished_name.push(DnType::CommonName, "Wurzel Ä 根"))
    }),
    row("name-long", |it| {
        it.two(plain, |params| {
            params.distinguished_name.push(DnType::CommonName, "n".repeat(300));
        })
    }),
    row("serial-of-19-bytes", |it| {
        it.two(plain, |params| params.serial_number = Some(SerialNumber::from(vec![0x7f; 19])))
    }),
    row("serial-of-20-bytes", |it| {
        it.two(plain, |params| params.serial_number = Some(SerialNumber::from(vec![0x7f; 20])))
    }),
    row("serial-of-21-bytes", |it| {
        it.two(plain, |params| params.serial_number = Some(SerialNumber::from(vec![0x7f; 21])))
    }),
    row("serial-one", |it| {
        it.two(plain, |params| params.serial_number = Some(SerialNumber::from(1_u64)))
    }),
    row("serial-zero", |it| {
        it.two(plain, |params| params.serial_number = Some(SerialNumber::from(0_u64)))
    }),
    row("signature-corrupt-everywhere", |it| {
        let files = it.with(CA, corrupt);
        Ok(edited(files, CHAIN, corrupt))
    }),
    row("signature-corrupt-in-ca-cert", |it| Ok(it.with(CA, corrupt))),
    row("signature-corrupt-in-chain", |it| Ok(it.with(CHAIN, corrupt))),
    row("signature-corrupt-on-root", |it| Ok(it.with(ROOT, corrupt))),
    row("ca-of-another-root", |it| Ok(files(&it.foreign, &[&it.foreign], &[&it.root]))),
    row("root-as-ca-with-the-ca-key", |it| Ok(it.with(CA, |_| it.root.pem.clone()))),
    row("same-key-for-root-and-ca", |it| {
        let ca = it.made_with("ca", Some(&it.root), it.root.key_again()?, plain)?;
        Ok(files(&ca, &[&ca], &[&it.root]))
    }),
    row("new-key-in-old-certificate", |it| {
        Ok(it.with(KEY, |_| KeyPair::generate().map(|key| key.serialize_pem()).unwrap_or_default()))
    }),
];
