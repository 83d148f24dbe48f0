//! The node's own certificates: one CA for Kubernetes, one for the aggregation layer's proxy, and
//! for every component a client certificate with the name that Kubernetes' own RBAC rules expect.
//!
//! They have nothing to do with the CA that is plugged into the mesh. They live as long as the
//! node: nothing of them is used again.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use anyhow::{Context as _, Result};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, SanType,
};
use time::{Duration, OffsetDateTime};

use super::names::Names;
use crate::rundir::{write, write_secret};

/// Longer than anyone keeps a node.
const LIFETIME: Duration = Duration::days(365);
/// For clocks that differ a little.
const BACKDATED: Duration = Duration::hours(1);

/// Who may do anything (kubernetes.io, "User-facing roles").
const ADMINISTRATORS: &str = "system:masters";

type Ca = CertifiedIssuer<'static, KeyPair>;

/// The access of a person or a component to the API server.
struct Client {
    /// The file name of its certificate (`.crt`) and key (`.key`).
    name: &'static str,
    user: String,
    groups: Option<&'static str>,
}

/// The clients of the API server on the node called `node`. Users and groups are those of
/// Kubernetes' default RBAC bindings.
fn clients(node: &str) -> Vec<Client> {
    let client = |name, user: &str, groups| Client { name, user: user.to_owned(), groups };
    vec![
        client("admin", "cacerts-e2e", Some(ADMINISTRATORS)),
        client("apiserver-kubelet-client", "kube-apiserver-kubelet-client", Some(ADMINISTRATORS)),
        client("controller-manager", "system:kube-controller-manager", None),
        client("scheduler", "system:kube-scheduler", None),
        client("kubelet", &format!("system:node:{node}"), Some("system:nodes")),
        client("proxy", "system:kube-proxy", None),
    ]
}

/// Writes every certificate and key of a node into the empty folder `dir`.
///
/// # Errors
/// A file cannot be written.
pub(crate) fn write_all(dir: &Path, node: &str, names: &Names, now: OffsetDateTime) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let ca = authority(dir, "ca", "kubernetes", now)?;
    let proxy_ca = authority(dir, "front-proxy-ca", "front-proxy-ca", now)?;

    for Client { name, user, groups } in clients(node) {
        let params = leaf(&user, groups, ExtendedKeyUsagePurpose::ClientAuth, now);
        issue(dir, name, params, &ca)?;
    }
    let params = leaf("front-proxy-client", None, ExtendedKeyUsagePurpose::ClientAuth, now);
    issue(dir, "front-proxy-client", params, &proxy_ca)?;

    let mut params = leaf("kube-apiserver", None, ExtendedKeyUsagePurpose::ServerAuth, now);
    let service = "kubernetes.default.svc.cluster.local";
    for (dots, _) in service.match_indices('.').chain([(service.len(), "")]) {
        params.subject_alt_names.push(SanType::DnsName(service[..dots].try_into()?));
    }
    let own = [names.node_ip(), names.api_service_ip(), Ipv4Addr::LOCALHOST];
    params.subject_alt_names.extend(own.map(|ip| SanType::IpAddress(IpAddr::V4(ip))));
    issue(dir, "apiserver", params, &ca)?;

    let mut params = leaf(node, None, ExtendedKeyUsagePurpose::ServerAuth, now);
    params.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(names.node_ip())));
    issue(dir, "kubelet-server", params, &ca)?;

    // The API server checks tokens with the public half of the key that it signs them with.
    let tokens = KeyPair::generate()?;
    write_secret(&dir.join("service-accounts.key"), &tokens.serialize_pem())?;
    write(&dir.join("service-accounts.pub"), &tokens.public_key_pem())
}

fn authority(dir: &Path, file: &str, name: &str, now: OffsetDateTime) -> Result<Ca> {
    let mut params = subject(name, None, now);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    write(&dir.join(format!("{file}.crt")), &ca.pem())?;
    write_secret(&dir.join(format!("{file}.key")), &ca.key().serialize_pem())?;
    Ok(ca)
}

fn issue(dir: &Path, file: &str, params: CertificateParams, ca: &Ca) -> Result<()> {
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, ca)?;
    write(&dir.join(format!("{file}.crt")), &certificate.pem())?;
    write_secret(&dir.join(format!("{file}.key")), &key.serialize_pem())
}

fn leaf(
    user: &str,
    group: Option<&str>,
    purpose: ExtendedKeyUsagePurpose,
    now: OffsetDateTime,
) -> CertificateParams {
    let mut params = subject(user, group, now);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![purpose];
    params.use_authority_key_identifier_extension = true;
    params
}

fn subject(name: &str, group: Option<&str>, now: OffsetDateTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    if let Some(group) = group {
        params.distinguished_name.push(DnType::OrganizationName, group);
    }
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = now - BACKDATED;
    params.not_after = now + LIFETIME;
    params
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use pretty_assertions::assert_eq;
    use time::macros::datetime;

    use super::*;
    use crate::rundir::RunId;

    #[test]
    fn every_key_is_for_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let names = Names::new(&RunId::random().unwrap(), dir.path(), 0, 0);
        write_all(dir.path(), "node", &names, datetime!(2026-11-25 0:00 UTC)).unwrap();
        let mut modes = Vec::new();
        for item in fs::read_dir(dir.path()).unwrap() {
            let item = item.unwrap();
            let name = item.file_name().into_string().unwrap();
            let expected = if name.ends_with(".key") { 0o600 } else { 0o644 };
            let mode = item.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, expected, "{name}");
            modes.push(mode);
        }
        // Two CAs, six clients, the front proxy, two servers, and the key of the tokens.
        assert_eq!(modes.iter().filter(|mode| **mode == 0o600).count(), 12);
    }

    #[test]
    fn components_have_the_names_that_rbac_expects() {
        let users: Vec<_> = clients("n1").into_iter().map(|client| client.user).collect();
        assert_eq!(
            users,
            [
                "cacerts-e2e",
                "kube-apiserver-kubelet-client",
                "system:kube-controller-manager",
                "system:kube-scheduler",
                "system:node:n1",
                "system:kube-proxy",
            ]
        );
    }
}
