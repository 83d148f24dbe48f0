//! The SDS secrets that an Envoy proxy holds: the chain it serves and the roots it trusts, read
//! from its administrative port. Changes nothing, needs no exec rights, and keeps no key: Envoy
//! redacts it, and there is no field for it here.

use pki::{Certificate, TrustBundle};
use time::OffsetDateTime;

use crate::forward::Port;
use crate::{Error, Mesh, PodRef, Proxy, Request};

mod dump;
use dump::Dump;

/// The name under which Istio's agent hands out the workload certificate.
pub(crate) const DEFAULT: &str = "default";
/// The name under which it hands out the trust bundle.
pub(crate) const ROOTCA: &str = "ROOTCA";
/// Envoy's administrative port in an Istio proxy (`proxyAdminPort`).
const ADMIN_PORT: u16 = 15000;

/// What a proxy serves and trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxySecrets {
    /// The whole chain of the secret `default`, leaf first.
    pub chain: Vec<Certificate>,
    /// The secret `ROOTCA`.
    pub roots: TrustBundle,
    /// When Envoy took the chain in.
    pub chain_updated: OffsetDateTime,
    /// When Envoy took the roots in.
    pub roots_updated: OffsetDateTime,
}

impl Mesh {
    /// The secrets that a proxy uses at this moment.
    ///
    /// # Errors
    /// [`Error::NotEnvoy`] for a ztunnel; [`Error::ProxyNotReady`] for a proxy that does not run
    /// or whose pod has ended; [`Error::SecretMissing`] or [`Error::SecretWarming`] when the agent
    /// has got no certificate; those of [`ProxySecrets::from_config_dump`].
    pub async fn proxy_secrets(&self, proxy: &Proxy) -> Result<ProxySecrets, Error> {
        proxy.must_be_envoy()?;
        let active = self.config_dump(proxy, "dynamic_active_secrets").await;
        let active = active.map_err(|error| match proxy.must_run() {
            // That it does not run explains a refused connection better than the kubelet does.
            Err(not_running) if matches!(error, Error::PortForward { .. }) => not_running,
            _ => error,
        })?;
        match ProxySecrets::from_config_dump(&proxy.pod, &active) {
            Err(Error::SecretMissing { proxy: pod, secret, found }) => {
                let warming = self.config_dump(proxy, "dynamic_warming_secrets").await?;
                let since = Dump::parse(&pod, &warming)?.last_updated(secret).map(str::to_owned);
                Err(match since {
                    Some(since) => Error::SecretWarming { proxy: pod, secret, since },
                    None => Error::SecretMissing { proxy: pod, secret, found },
                })
            }
            other => other,
        }
    }

    async fn config_dump(&self, proxy: &Proxy, resource: &str) -> Result<Vec<u8>, Error> {
        let request = Request::get("localhost", &format!("/config_dump?resource={resource}"));
        let purpose = "Envoy's administrative interface";
        let admin = Port { pod: proxy.pod.clone(), port: ADMIN_PORT, purpose };
        Ok(self.ask(admin, &request).await?.body.to_vec())
    }
}

impl ProxySecrets {
    /// Reads the answer to `/config_dump?resource=dynamic_active_secrets`, or a whole config dump.
    /// Log lines before the JSON, as `pilot-agent request` prints them, are skipped.
    ///
    /// # Errors
    /// [`Error::ConfigDump`] when it is no such answer; [`Error::SecretMissing`] and
    /// [`Error::SecretWarming`]; [`Error::SecretRefused`] when Envoy goes on with an older secret;
    /// [`Error::SecretContent`] and [`Error::SecretCertificates`] when the content is unusable.
    pub fn from_config_dump(proxy: &PodRef, body: &[u8]) -> Result<Self, Error> {
        let dump = Dump::parse(proxy, body)?;
        let leaf = dump.active(DEFAULT)?;
        let chain = Certificate::all_from_pem(&leaf.certificate_chain()?)
            .map_err(|source| leaf.unreadable(source))?;
        if chain.is_empty() {
            return Err(leaf.unusable("its chain is empty"));
        }
        let trust = dump.active(ROOTCA)?;
        let roots = TrustBundle::from_pem(&trust.trusted_ca()?)
            .map_err(|source| trust.unreadable(source))?;
        let (chain_updated, roots_updated) = (leaf.last_updated()?, trust.last_updated()?);
        Ok(Self { chain, roots, chain_updated, roots_updated })
    }
}

#[cfg(test)]
mod tests;
