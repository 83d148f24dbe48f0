//! Certificates, names, trust bundles, and the PEM around them.

use pki::{Certificate, DistinguishedName, TrustBundle};
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// What is read is read again of what is written, and another reader sees the same in it.
pub fn hold(data: &[u8]) {
    pki::fuzzing::pem(data);
    let first = Certificate::from_pem(data);
    let all = Certificate::all_from_pem(data);
    let Ok(all) = all else { return };
    assert_eq!(first.ok().as_ref(), all.first(), "the first one is another than the first of all");
    all.iter().for_each(certificate);
    let written: String = all.iter().map(Certificate::to_pem).collect();
    assert_eq!(Certificate::all_from_pem(written.as_bytes()).ok().as_ref(), Some(&all));
    if let Ok(bundle) = TrustBundle::from_pem(data) {
        assert_eq!(bundle.certificates(), all);
        assert_eq!(bundle.to_pem(), written);
        assert!(all.iter().all(|certificate| bundle.contains(certificate)));
    }
    for issuer in &all {
        let signed = all[0].is_signed_by(issuer);
        assert!(!signed || all[0].issuer() == issuer.subject());
    }
}

fn certificate(certificate: &Certificate) {
    let again = Certificate::from_der(certificate.der());
    assert_eq!(again.ok().as_ref(), Some(certificate));
    let lines = certificate.text().lines().count();
    assert_eq!(lines, 11 + certificate.extensions().len(), "a line a field:\n{certificate:?}");
    let _ = (certificate.is_ca(), certificate.path_len(), certificate.san_is_critical());
    let usage = certificate.key_usage().map(|usage| usage.to_string());
    assert_ne!(usage.as_deref(), Some(""));
    for san in certificate.uri_sans().into_iter().chain(certificate.dns_sans()) {
        assert!(certificate.text().contains(&printed(san)));
    }
    name(certificate.subject());
    name(certificate.issuer());
    another_reader(certificate);
}

/// As [`Certificate::text`] prints foreign text.
fn printed(text: &str) -> String {
    let shown =
        |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

fn name(name: &DistinguishedName) {
    assert!(!name.to_string().chars().any(char::is_control), "{name:?}");
    assert_eq!(name.is_empty(), name.der() == [0x30, 0]);
    let (names, organizations) = (name.common_names(), name.organizations());
    assert!(!name.is_empty() || names.is_empty() && organizations.is_empty());
}

/// Where the strict reader of x509-cert takes it too, both see the same.
fn another_reader(certificate: &Certificate) {
    let Ok(other) = x509_cert::Certificate::from_der(certificate.der()) else { return };
    // It leaves out what it has no place for, as an empty set among the sets of a name.
    if other.to_der().is_ok_and(|der| der != certificate.der()) {
        return;
    }
    let der = |part: x509_cert::der::Result<Vec<u8>>| part.unwrap_or_default();
    let tbs = other.tbs_certificate();
    assert_eq!(certificate.subject().der(), der(tbs.subject().to_der()));
    assert_eq!(certificate.issuer().der(), der(tbs.issuer().to_der()));
    assert_eq!(certificate.public_key_der(), der(tbs.subject_public_key_info().to_der()));
    let validity = tbs.validity();
    let seconds = |time: &x509_cert::time::Time| time.to_unix_duration().as_secs() as i64;
    assert_eq!(certificate.validity().not_before().unix_timestamp(), seconds(&validity.not_before));
    assert_eq!(certificate.validity().not_after().unix_timestamp(), seconds(&validity.not_after));
    if let Ok(Some((_, names))) = tbs.get_extension::<SubjectAltName>() {
        let dns = names.0.iter().filter_map(|name| match name {
            GeneralName::DnsName(name) => Some(name.as_str()),
            _ => None,
        });
        assert_eq!(certificate.dns_sans(), dns.collect::<Vec<_>>());
    }
    let oids: Vec<_> =
        tbs.extensions().into_iter().flatten().map(|it| it.extn_id.to_string()).collect();
    let read: Vec<_> = certificate.extensions().iter().map(|it| it.oid.clone()).collect();
    assert_eq!(read, oids);
}
