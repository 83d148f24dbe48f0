//! What stands in the chain, and how many levels there are.

use anyhow::Result;
use pki::{
    BundleFiles, ClusterCaParams, KeyAlgorithm, Profile, RootCa, RootCaParams, TierCaParams,
    Validity,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa};
use time::Duration;

use super::{Row, row};
use crate::cast::{CA, CHAIN, Cast, edited, files};

fn plain(_: &mut CertificateParams) {}

fn length(length: u8) -> impl FnOnce(&mut CertificateParams) {
    move |it| it.is_ca = IsCa::Ca(BasicConstraints::Constrained(length))
}

pub(super) const ROWS: &[Row] = &[
    row("chain-with-root", |it| Ok(it.chain(&[&it.ca, &it.root]))),
    row("chain-root-first", |it| Ok(it.chain(&[&it.root, &it.ca]))),
    row("chain-root-only", |it| Ok(it.chain(&[&it.root]))),
    row("chain-root-twice", |it| Ok(it.chain(&[&it.ca, &it.root, &it.root]))),
    row("chain-empty", |it| Ok(it.chain(&[]))),
    row("chain-twice", |it| Ok(it.chain(&[&it.ca, &it.ca]))),
    row("chain-foreign", |it| Ok(it.chain(&[&it.foreign]))),
    row("chain-foreign-behind", |it| Ok(it.chain(&[&it.ca, &it.foreign]))),
    row("chain-foreign-first", |it| Ok(it.chain(&[&it.foreign, &it.ca]))),
    row("chain-leaf-behind", |it| {
        let leaf = it.made("leaf", Some(&it.ca), |it| it.is_ca = IsCa::NoCa)?;
        Ok(it.chain(&[&it.ca, &leaf]))
    }),
    row("chain-leaf-first", |it| {
        let leaf = it.made("leaf", Some(&it.ca), |it| it.is_ca = IsCa::NoCa)?;
        Ok(it.chain(&[&leaf, &it.ca]))
    }),
    row("chain-other-ca-of-the-root", |it| {
        let other = it.made("other", Some(&it.root), plain)?;
        Ok(it.chain(&[&other]))
    }),
    row("chain-namesake-of-the-ca", |it| {
        let namesake = it.made("ca", Some(&it.root), plain)?;
        Ok(it.chain(&[&namesake]))
    }),
    row("chain-namesake-and-the-ca", |it| {
        let namesake = it.made("ca", Some(&it.root), plain)?;
        Ok(it.chain(&[&namesake, &it.ca]))
    }),
    row("chain-renewed-twin-of-the-ca", |it| {
        let twin = it.made_with("ca", Some(&it.root), it.ca.key_again()?, plain)?;
        Ok(it.chain(&[&twin]))
    }),
    row("three-levels", |it| it.three(plain, plain, plain)),
    row("three-levels-with-root", |it| {
        let tier = it.made("tier", Some(&it.root), plain)?;
        let ca = it.made("below", Some(&tier), plain)?;
        Ok(files(&ca, &[&ca, &tier, &it.root], &[&it.root]))
    }),
    row("three-levels-root-first", |it| {
        let tier = it.made("tier", Some(&it.root), plain)?;
        let ca = it.made("below", Some(&tier), plain)?;
        Ok(files(&ca, &[&it.root, &tier, &ca], &[&it.root]))
    }),
    row("three-levels-tier-first", |it| {
        let tier = it.made("tier", Some(&it.root), plain)?;
        let ca = it.made("below", Some(&tier), plain)?;
        Ok(files(&ca, &[&tier, &ca], &[&it.root]))
    }),
    row("three-levels-no-tier", |it| {
        let tier = it.made("tier", Some(&it.root), plain)?;
        let ca = it.made("below", Some(&tier), plain)?;
        Ok(files(&ca, &[&ca], &[&it.root]))
    }),
    row("three-levels-no-ca", |it| {
        let tier = it.made("tier", Some(&it.root), plain)?;
        let ca = it.made("below", Some(&tier), plain)?;
        Ok(files(&ca, &[&tier], &[&it.root]))
    }),
    row("three-levels-tier-in-ca-cert-only", |it| {
        let tier = it.made("tier", Some(&it.root), plain)?;
        let ca = it.made("below", Some(&tier), plain)?;
        let files = files(&ca, &[&ca], &[&it.root]);
        Ok(edited(files, CA, |pem| pem.to_owned() + &tier.pem))
    }),
    row("three-levels-tier-in-roots-too", |it| {
        let tier = it.made("tier", Some(&it.root), plain)?;
        let ca = it.made("below", Some(&tier), plain)?;
        Ok(files(&ca, &[&ca, &tier], &[&it.root, &tier]))
    }),
    row("three-levels-tier-in-roots-only", |it| {
        let tier = it.made("tier", Some(&it.root), plain)?;
        let ca = it.made("below", Some(&tier), plain)?;
        Ok(files(&ca, &[&ca], &[&it.root, &tier]))
    }),
    row("four-levels", |it| {
        let one = it.made("tier 1", Some(&it.root), plain)?;
        let two = it.made("tier 2", Some(&one), plain)?;
        let ca = it.made("below", Some(&two), plain)?;
        Ok(files(&ca, &[&ca, &two, &one], &[&it.root]))
    }),
    row("four-levels-by-cacerts", by_cacerts),
    row("seven-levels", |it| deep(it, 5)),
    row("eight-levels", |it| deep(it, 6)),
    row("ten-levels", |it| deep(it, 8)),
    row("one-level", |it| Ok(files(&it.root, &[&it.root], &[&it.root]))),
    row("one-level-empty-chain", |it| Ok(files(&it.root, &[], &[&it.root]))),
    row("one-level-path-length-0", |it| {
        let root = it.made("root", None, length(0))?;
        Ok(files(&root, &[&root], &[&root]))
    }),
    row("anchored-at-the-ca", |it| Ok(files(&it.ca, &[&it.ca], &[&it.ca]))),
    row("anchored-at-the-ca-empty-chain", |it| Ok(files(&it.ca, &[], &[&it.ca]))),
    row("anchored-at-the-ca-and-the-root", |it| Ok(it.roots(&[&it.ca, &it.root]))),
    row("anchored-at-the-tier", |it| {
        let tier = it.made("tier", Some(&it.root), plain)?;
        let ca = it.made("below", Some(&tier), plain)?;
        Ok(files(&ca, &[&ca], &[&tier]))
    }),
    row("path-length-root-0", |it| it.two(length(0), plain)),
    row("path-length-root-1", |it| it.two(length(1), plain)),
    row("path-length-root-1-ca-0", |it| it.two(length(1), length(0))),
    row("path-length-ca-0", |it| it.two(plain, length(0))),
    row("path-length-ca-5", |it| it.two(length(1), length(5))),
    row("path-length-tier-0", |it| it.three(plain, length(0), plain)),
    row("path-length-tier-1", |it| it.three(plain, length(1), plain)),
    row("path-length-tier-1-ca-0", |it| it.three(length(2), length(1), length(0))),
    row("path-length-root-0-above-tier", |it| it.three(length(0), plain, plain)),
    row("path-length-root-1-above-tier", |it| it.three(length(1), plain, plain)),
    row("path-length-root-2-above-tier", |it| it.three(length(2), plain, plain)),
    row("cross-signed-root", |it| {
        let crossed = it.made_with("root", Some(&it.foreign), it.root.key_again()?, plain)?;
        Ok(files(&it.ca, &[&it.ca, &crossed], &[&it.foreign]))
    }),
    row("cross-signed-root-beside-the-root", |it| {
        let crossed = it.made_with("root", Some(&it.foreign), it.root.key_again()?, plain)?;
        Ok(files(&it.ca, &[&it.ca, &crossed], &[&it.root]))
    }),
    row("cross-signed-root-as-root", |it| {
        let crossed = it.made_with("root", Some(&it.foreign), it.root.key_again()?, plain)?;
        Ok(files(&it.ca, &[&it.ca], &[&crossed]))
    }),
    row("chain-hundred-times", |it| Ok(it.with(CHAIN, |pem| pem.repeat(100)))),
];

/// A bundle with so many tiers between root and cluster CA.
fn deep(it: &Cast, tiers: usize) -> Result<BundleFiles> {
    let mut cas = vec![it.made("root", None, plain)?];
    for level in 0..=tiers {
        cas.push(it.made(&format!("level {level}"), cas.last(), plain)?);
    }
    let chain: Vec<_> = cas.iter().rev().collect();
    Ok(files(chain[0], &chain[..chain.len() - 1], &[&cas[0]]))
}

/// As `cacerts init`, `tier` twice and `issue` make it.
fn by_cacerts(it: &Cast) -> Result<BundleFiles> {
    let (profile, organization) = (Profile::Hardened, "Istio".to_owned());
    let validity = Validity::new(it.now - Duration::DAY, it.now + Duration::days(365))?;
    let key = KeyAlgorithm::EcdsaP256;
    let root = RootCa::generate(&RootCaParams {
        profile,
        common_name: "Root CA".to_owned(),
        organization: organization.clone(),
        validity,
        key,
    })?;
    let tier = |name: &str, path_len| TierCaParams {
        profile,
        common_name: name.to_owned(),
        organization: organization.clone(),
        path_len,
        validity,
        key,
    };
    let lower = root.issue_tier_ca(&tier("eu CA", 2))?.issue_tier_ca(&tier("prod CA", 1))?;
    let ca = lower.issue_cluster_ca(&ClusterCaParams {
        profile,
        common_name: "Intermediate CA".to_owned(),
        organization: organization.clone(),
        cluster: "cluster1".to_owned(),
        dns_name: "istiod.istio-system.svc".to_owned(),
        validity,
        key,
    })?;
    Ok(ca.bundle()?.into_files())
}
