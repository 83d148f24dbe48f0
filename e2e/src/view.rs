//! What the claims look at: the mesh, the workloads in it, and the truth that it is held against.
//!
//! A look that several claims share (the chain that httpbin serves) is made once.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use mesh::{Hello, Istiod, Look, Mesh, MeshConfig, PodRef, Proxy, Relay, RootState, handshake};
use pki::{Bundle, BundleFiles, Certificate, Hierarchy, SpiffeId, TrustBundle};
use time::OffsetDateTime;
use tokio::sync::{Mutex, OnceCell};

use crate::cluster::Cluster;
use crate::poll::{Seen, until};
use crate::steps::cacerts::Cacerts;
use crate::steps::workloads::Workloads;

mod proxies;

pub(crate) use proxies::Proxies;

/// How long a mesh that was just set up may take to behave: a policy to reach a proxy, a first
/// request to find its way. What has not settled by then is judged as it is.
pub(crate) const SETTLE: Duration = Duration::from_secs(20);

/// Everything a claim may look at.
pub(crate) struct View<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) mesh: &'a Mesh,
    pub(crate) workloads: &'a Workloads,
    /// What the mesh is held against.
    pub(crate) truth: &'a Truth,
    /// What the claim that changes the mesh does; nothing in a mesh that is not the harness's own.
    pub(crate) renewal: Option<Renewal<'a>>,
    /// The configuration of a mesh that others set up; it may leave namespaces out.
    pub(crate) config: Option<&'a MeshConfig>,
    /// A CA that the mesh must not know, of the same names.
    pub(crate) stranger: &'a Bundle,
    /// Where the page's own files go.
    pub(crate) page: PathBuf,
    served: OnceCell<Result<Look, String>>,
    proxies: OnceCell<Proxies>,
    relay: Mutex<Option<Relay>>,
}

/// A second cluster CA under the administrator's root, and the Secret that it goes into.
pub(crate) struct Renewal<'a> {
    pub(crate) cacerts: Cacerts,
    pub(crate) bundle: &'a Bundle,
}

/// The public half of the CA that should be plugged in. No key is in it.
pub(crate) struct Truth {
    pub(crate) hierarchy: Hierarchy,
    /// The bytes of `root-cert.pem`, as istiod publishes them.
    pub(crate) root_pem: Vec<u8>,
    /// The certificates of `cert-chain.pem`, in their order.
    pub(crate) chain: Vec<Certificate>,
    /// The folder with the four files.
    pub(crate) folder: PathBuf,
}

impl Truth {
    /// Reads the public files of a bundle.
    ///
    /// # Errors
    /// One of them is missing, cannot be read, or they do not belong together.
    pub(crate) fn new(files: &BundleFiles, folder: PathBuf) -> Result<Self> {
        let hierarchy = Hierarchy::from_files(files)?;
        let root_pem = files.get(BundleFiles::ROOT_CERT).unwrap_or_default().to_vec();
        let chain = files.get(BundleFiles::CERT_CHAIN).unwrap_or_default();
        let chain = Certificate::all_from_pem(chain)?;
        Ok(Self { hierarchy, root_pem, chain, folder })
    }
}

impl<'a> View<'a> {
    /// Nothing is looked at yet; the mesh is not to be changed.
    pub(crate) fn new(
        cluster: &'a Cluster,
        mesh: &'a Mesh,
        workloads: &'a Workloads,
        truth: &'a Truth,
        stranger: &'a Bundle,
        page: PathBuf,
    ) -> Self {
        let (served, proxies, relay) = (OnceCell::new(), OnceCell::new(), Mutex::new(None));
        let (renewal, config) = (None, None);
        Self {
            cluster,
            mesh,
            workloads,
            truth,
            renewal,
            config,
            stranger,
            page,
            served,
            proxies,
            relay,
        }
    }

    /// The same, of a mesh that may be changed in this way.
    pub(crate) fn that_may_change(self, renewal: Renewal<'a>) -> Self {
        Self { renewal: Some(renewal), ..self }
    }

    /// The same, of a mesh with this configuration.
    pub(crate) fn configured(self, config: &'a MeshConfig) -> Self {
        Self { config: Some(config), ..self }
    }

    /// The time at which certificates are judged.
    pub(crate) fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    /// httpbin's identity.
    pub(crate) fn httpbin_id(&self) -> Result<SpiffeId> {
        Ok(self.workloads.spiffe_id(&self.workloads.httpbin)?)
    }

    /// The handshake with httpbin as a client without a certificate has it; made once, and what
    /// failed once is not waited for again.
    pub(crate) async fn served(&self) -> Result<&Look> {
        let look = async || self.look_at_httpbin().await.map_err(|error| format!("{error:#}"));
        self.served.get_or_init(look).await.as_ref().map_err(|reason| anyhow!(reason.clone()))
    }

    /// The same, if a claim has made that look.
    pub(crate) fn already_served(&self) -> Option<&Look> {
        self.served.get()?.as_ref().ok()
    }

    /// What the proxies of the mesh serve and trust; looked at once.
    pub(crate) async fn proxies(&self) -> Result<&Proxies> {
        self.proxies.get_or_try_init(async || proxies::look(self.mesh).await).await
    }

    /// The workload certificates seen by that look, by pod.
    pub(crate) fn workload_certificates(&self) -> Vec<(String, Certificate)> {
        let seen = self.proxies.get().into_iter().flat_map(|proxies| &proxies.seen);
        seen.filter_map(|(proxy, secrets)| {
            Some((proxy.pod.to_string(), secrets.chain.first()?.clone()))
        })
        .collect()
    }

    async fn look_at_httpbin(&self) -> Result<Look> {
        until("httpbin serves a certificate chain", SETTLE, 1, async || {
            let look = self.handshake(None, None).await?;
            if look.served.ders().is_empty() {
                return Ok(Seen::NotYet(format!("no certificate was served: {}", look.outcome)));
            }
            Ok(Seen::Ready(look))
        })
        .await
    }

    /// One handshake with httpbin's port, from inside the client's pod.
    pub(crate) async fn handshake(
        &self,
        identity: Option<&mesh::ClientIdentity>,
        request: Option<&mesh::Request>,
    ) -> Result<Look> {
        let hello = Hello {
            server_name: &self.workloads.httpbin_host(),
            alpn: &[handshake::ALPN_ISTIO],
            identity,
            request,
            limit: Duration::from_secs(10),
        };
        let mut relay = self.relay.lock().await;
        Ok(self.started(&mut relay).await?.handshake(&hello).await?)
    }

    /// One plain request to httpbin's port, from inside the client's pod.
    pub(crate) async fn plaintext(&self, request: &mesh::Request) -> Result<mesh::PlainOutcome> {
        let mut relay = self.relay.lock().await;
        Ok(self.started(&mut relay).await?.plaintext(request).await?)
    }

    async fn started<'r>(&self, relay: &'r mut Option<Relay>) -> Result<&'r mut Relay> {
        if relay.is_none() {
            let via = self.proxy(&self.workloads.client.pod).await?;
            *relay = Some(self.mesh.relay(&via, self.workloads.httpbin_address()).await?);
        }
        relay.as_mut().context("the relay was not started")
    }

    /// Ends what a look left running.
    ///
    /// # Errors
    /// The relay did not end well.
    pub(crate) async fn close(self) -> Result<()> {
        match self.relay.into_inner() {
            Some(relay) => Ok(relay.stop().await?),
            None => Ok(()),
        }
    }

    /// The proxy of a pod.
    pub(crate) async fn proxy(&self, pod: &PodRef) -> Result<Proxy> {
        let found = self.mesh.proxy(pod).await?;
        found.with_context(|| format!("pod {pod} has no proxy"))
    }

    /// A replica of istiod that is ready.
    pub(crate) async fn istiod(&self) -> Result<Istiod> {
        let istiods = self.mesh.istiods().await?;
        match istiods.into_iter().find(|istiod| istiod.ready) {
            Some(istiod) => Ok(istiod),
            None => bail!("no replica of istiod is ready"),
        }
    }

    /// The roots that the pods of the workloads' namespace mount to verify istiod: what an agent
    /// trusts, whatever the truth is.
    pub(crate) async fn agents_roots(&self) -> Result<TrustBundle> {
        let namespace = &self.workloads.namespace;
        match self.mesh.namespace_root(namespace, &self.truth.root_pem).await? {
            RootState::Same => Ok(self.truth.hierarchy.trust_bundle().clone()),
            RootState::Differs { found } => Ok(TrustBundle::from_pem(found.as_bytes())?),
            _ => bail!("namespace `{namespace}` has no usable ConfigMap `istio-ca-root-cert`"),
        }
    }
}
