//! What each CA may do: basic constraints, key usage, purposes, name constraints, extensions.

use super::{Row, row};
use crate::cast::{Cast, files};
use rcgen::{
    CertificateParams, CidrSubnet, CustomExtension, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    KeyUsagePurpose, NameConstraints, SanType,
};

use ExtendedKeyUsagePurpose::{Any, ClientAuth, CodeSigning, OcspSigning, ServerAuth};
use KeyUsagePurpose::{CrlSign, DigitalSignature, KeyCertSign, KeyEncipherment};

fn plain(_: &mut CertificateParams) {}

fn usage(usages: &[KeyUsagePurpose]) -> impl FnOnce(&mut CertificateParams) + use<> {
    let usages = usages.to_vec();
    move |it| it.key_usages = usages
}

fn purpose(purposes: &[ExtendedKeyUsagePurpose]) -> impl FnOnce(&mut CertificateParams) + use<> {
    let purposes = purposes.to_vec();
    move |it| it.extended_key_usages = purposes
}

fn dns(permitted: &[&str], excluded: &[&str]) -> impl FnOnce(&mut CertificateParams) + use<> {
    let subtrees = |names: &[&str]| -> Vec<_> {
        names.iter().map(|name| GeneralSubtree::DnsName((*name).to_owned())).collect()
    };
    let (permitted_subtrees, excluded_subtrees) = (subtrees(permitted), subtrees(excluded));
    move |it| {
        it.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees });
    }
}

fn permitted(subtree: GeneralSubtree) -> impl FnOnce(&mut CertificateParams) {
    move |it| {
        it.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![subtree],
            excluded_subtrees: Vec::new(),
        });
    }
}

const PERMITTED: u8 = 0xa0;
const EXCLUDED: u8 = 0xa1;

/// Critical name constraints with one subtree on a URI's host, which rcgen has not.
fn uri(tag: u8, host: &str) -> impl FnOnce(&mut CertificateParams) + use<> {
    // Every host here is far below the 121 bytes to which one byte of length is enough.
    let length = u8::try_from(host.len()).unwrap_or(0);
    let mut content = vec![0x30, length + 6, tag, length + 4, 0x30, length + 2, 0x86, length];
    content.extend(host.as_bytes());
    extension(&[2, 5, 29, 30], content, true)
}

fn extension(
    oid: &[u64],
    content: Vec<u8>,
    critical: bool,
) -> impl FnOnce(&mut CertificateParams) + use<> {
    let mut extension = CustomExtension::from_oid_content(oid, content);
    extension.set_criticality(critical);
    move |it| it.custom_extensions = vec![extension]
}

fn unknown(critical: bool) -> impl FnOnce(&mut CertificateParams) {
    extension(&[1, 2, 3, 4], vec![5, 0], critical)
}

/// A root with DNS constraints above a cluster CA that names istiod.
fn above_istiod(
    it: &Cast,
    root: impl FnOnce(&mut CertificateParams),
) -> anyhow::Result<pki::BundleFiles> {
    let name = "istiod.istio-system.svc".try_into()?;
    it.two(root, |params| params.subject_alt_names = vec![SanType::DnsName(name)])
}

pub(super) const ROWS: &[Row] = &[
    row("leaf-as-ca", |it| it.two(plain, |ca| ca.is_ca = IsCa::ExplicitNoCa)),
    row("no-basic-constraints", |it| it.two(plain, |ca| ca.is_ca = IsCa::NoCa)),
    row("root-is-a-leaf", |it| it.two(|root| root.is_ca = IsCa::ExplicitNoCa, plain)),
    row("root-no-basic-constraints", |it| it.two(|root| root.is_ca = IsCa::NoCa, plain)),
    row("tier-is-a-leaf", |it| it.three(plain, |tier| tier.is_ca = IsCa::ExplicitNoCa, plain)),
    row("tier-no-basic-constraints", |it| it.three(plain, |tier| tier.is_ca = IsCa::NoCa, plain)),
    row("usage-none", |it| it.two(usage(&[]), usage(&[]))),
    row("usage-none-on-ca", |it| it.two(plain, usage(&[]))),
    row("usage-crl-sign-only", |it| it.two(plain, usage(&[CrlSign]))),
    row("usage-digital-signature-only", |it| it.two(plain, usage(&[DigitalSignature]))),
    row("usage-cert-sign-only", |it| it.two(usage(&[KeyCertSign]), usage(&[KeyCertSign]))),
    row("usage-of-the-makefile", |it| {
        let all = [DigitalSignature, KeyEncipherment, KeyCertSign];
        it.two(usage(&all), usage(&all))
    }),
    row("usage-crl-sign-only-on-root", |it| it.two(usage(&[CrlSign]), plain)),
    row("usage-crl-sign-only-on-tier", |it| it.three(plain, usage(&[CrlSign]), plain)),
    row("purpose-server", |it| it.two(plain, purpose(&[ServerAuth]))),
    row("purpose-client", |it| it.two(plain, purpose(&[ClientAuth]))),
    row("purpose-both", |it| it.two(plain, purpose(&[ServerAuth, ClientAuth]))),
    row("purpose-any", |it| it.two(plain, purpose(&[Any]))),
    row("purpose-any-and-both", |it| it.two(plain, purpose(&[Any, ServerAuth, ClientAuth]))),
    row("purpose-code-signing", |it| it.two(plain, purpose(&[CodeSigning]))),
    row("purpose-ocsp-signing", |it| it.two(plain, purpose(&[OcspSigning]))),
    row("purpose-both-and-code-signing", |it| {
        it.two(plain, purpose(&[ServerAuth, ClientAuth, CodeSigning]))
    }),
    row("purpose-server-on-root", |it| it.two(purpose(&[ServerAuth]), plain)),
    row("purpose-client-on-root", |it| it.two(purpose(&[ClientAuth]), plain)),
    row("purpose-both-on-root", |it| it.two(purpose(&[ServerAuth, ClientAuth]), plain)),
    row("purpose-any-on-root", |it| it.two(purpose(&[Any]), plain)),
    row("purpose-code-signing-on-root", |it| it.two(purpose(&[CodeSigning]), plain)),
    row("purpose-server-on-tier", |it| it.three(plain, purpose(&[ServerAuth]), plain)),
    row("purpose-client-on-tier", |it| it.three(plain, purpose(&[ClientAuth]), plain)),
    row("purpose-any-on-tier", |it| it.three(plain, purpose(&[Any]), plain)),
    row("purpose-both-on-tier", |it| it.three(plain, purpose(&[ServerAuth, ClientAuth]), plain)),
    row("extension-unknown-critical", |it| it.two(plain, unknown(true))),
    row("extension-unknown", |it| it.two(plain, unknown(false))),
    row("extension-unknown-critical-on-root", |it| it.two(unknown(true), plain)),
    row("extension-unknown-on-root", |it| it.two(unknown(false), plain)),
    row("extension-unknown-critical-on-tier", |it| it.three(plain, unknown(true), plain)),
    row("policy", |it| {
        it.two(plain, extension(&[2, 5, 29, 32], vec![48, 6, 48, 4, 6, 2, 42, 3], false))
    }),
    row("policy-critical", |it| {
        it.two(plain, extension(&[2, 5, 29, 32], vec![48, 6, 48, 4, 6, 2, 42, 3], true))
    }),
    row("policy-constraints-critical", |it| {
        it.two(plain, extension(&[2, 5, 29, 36], vec![48, 3, 128, 1, 0], true))
    }),
    row("inhibit-any-policy-critical", |it| {
        it.two(plain, extension(&[2, 5, 29, 54], vec![2, 1, 0], true))
    }),
    row("uri-permitted", |it| it.two(plain, uri(PERMITTED, "cluster.local"))),
    row("uri-permitted-on-root", |it| it.two(uri(PERMITTED, "cluster.local"), plain)),
    row("uri-permitted-below", |it| it.two(plain, uri(PERMITTED, ".cluster.local"))),
    row("uri-permitted-upper-case", |it| it.two(plain, uri(PERMITTED, "CLUSTER.local"))),
    row("uri-permitted-other", |it| it.two(plain, uri(PERMITTED, "other.domain"))),
    row("uri-permitted-other-on-root", |it| it.two(uri(PERMITTED, "other.domain"), plain)),
    row("uri-permitted-on-tier", |it| it.three(plain, uri(PERMITTED, "cluster.local"), plain)),
    row("uri-permitted-other-on-tier", |it| it.three(plain, uri(PERMITTED, "other.domain"), plain)),
    row("uri-excluded", |it| it.two(plain, uri(EXCLUDED, "cluster.local"))),
    row("uri-excluded-on-root", |it| it.two(uri(EXCLUDED, "cluster.local"), plain)),
    row("uri-excluded-other", |it| it.two(plain, uri(EXCLUDED, "other.domain"))),
    row("dns-permitted", |it| it.two(plain, dns(&["istio-system.svc"], &[]))),
    row("dns-permitted-svc", |it| it.two(plain, dns(&["svc"], &[]))),
    row("dns-permitted-with-a-dot", |it| it.two(plain, dns(&[".istio-system.svc"], &[]))),
    row("dns-permitted-one-name", |it| it.two(plain, dns(&["istiod.istio-system.svc"], &[]))),
    row("dns-permitted-other", |it| it.two(plain, dns(&["example.com"], &[]))),
    row("dns-permitted-other-on-root", |it| it.two(dns(&["example.com"], &[]), plain)),
    row("dns-permitted-on-root", |it| it.two(dns(&["istio-system.svc"], &[]), plain)),
    row("dns-excluded", |it| it.two(plain, dns(&[], &["istio-system.svc"]))),
    row("dns-excluded-other", |it| it.two(plain, dns(&[], &["example.com"]))),
    row("dns-excluded-above-istiod", |it| above_istiod(it, dns(&[], &["istio-system.svc"]))),
    row("dns-excluded-other-above-istiod", |it| above_istiod(it, dns(&[], &["example.com"]))),
    row("dns-permitted-above-istiod", |it| above_istiod(it, dns(&["istio-system.svc"], &[]))),
    row("dns-permitted-other-above-istiod", |it| above_istiod(it, dns(&["example.com"], &[]))),
    row("email-permitted", |it| {
        it.two(plain, permitted(GeneralSubtree::Rfc822Name("example.com".to_owned())))
    }),
    row("ip-permitted", |it| {
        let net = CidrSubnet::from_v4_prefix([10, 0, 0, 0], 8);
        it.two(plain, permitted(GeneralSubtree::IpAddress(net)))
    }),
    row("directory-name-permitted", |it| {
        let mut name = rcgen::DistinguishedName::new();
        name.push(rcgen::DnType::OrganizationName, "Istio");
        it.two(plain, permitted(GeneralSubtree::DirectoryName(name)))
    }),
    row("san-on-the-ca", |it| above_istiod(it, plain)),
    row("leaf-and-wrong-root", |it| {
        let leaf = it.made("leaf", Some(&it.root), |ca| ca.is_ca = IsCa::NoCa)?;
        Ok(files(&leaf, &[&leaf], &[&it.foreign]))
    }),
];
