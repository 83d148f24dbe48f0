//! One container with an API server, and clients of several kinds for it.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, Secret};
use k8s_secret::SecretRef;
use kube::api::PostParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde_json::json;
use testcontainers::core::{ExecCommand, IntoContainerPort as _, WaitFor};
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{ContainerAsync, GenericImage, ImageExt as _};

/// The variable with the image, `NAME:TAG`. The engine must have it already.
pub(crate) const IMAGE: &str = "CACERTS_APISERVER_IMAGE";

const PORT: u16 = 6443;
const KUBECONFIG: &str = "/tmp/apiserver/admin.kubeconfig";

pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

pub(crate) struct Server {
    container: ContainerAsync<GenericImage>,
    kubeconfig: Kubeconfig,
    admin: Client,
}

impl Server {
    pub(crate) async fn start() -> Result<Self> {
        let image = std::env::var(IMAGE).map_err(|error| format!("{IMAGE}: {error}"))?;
        let (name, tag) =
            image.rsplit_once(':').ok_or_else(|| format!("{IMAGE}: no tag in `{image}`"))?;
        let container = GenericImage::new(name, tag)
            .with_exposed_port(PORT.tcp())
            .with_wait_for(WaitFor::message_on_stderr("Serving securely on"))
            .with_startup_timeout(Duration::from_secs(120))
            .with_cap_drop("ALL")
            .start()
            .await?;
        let mut cat = container.exec(ExecCommand::new(["cat", KUBECONFIG])).await?;
        let mut kubeconfig =
            Kubeconfig::from_yaml(std::str::from_utf8(&cat.stdout_to_vec().await?)?)?;
        let port = container.get_host_port_ipv4(PORT).await?;
        for cluster in kubeconfig.clusters.iter_mut().filter_map(|named| named.cluster.as_mut()) {
            cluster.server = Some(format!("https://{}:{port}", container.get_host().await?));
        }
        let admin = Client::try_from(config(&kubeconfig).await?)?;
        Ok(Self { container, kubeconfig, admin })
    }

    /// Removes the container; dropping it would do so too, but without telling whether it worked.
    pub(crate) async fn stop(self) -> Result<()> {
        Ok(self.container.rm().await?)
    }

    pub(crate) fn admin(&self) -> &Client {
        &self.admin
    }

    /// A client whose configuration was changed.
    pub(crate) async fn client(&self, change: impl FnOnce(&mut Config)) -> Result<Client> {
        let mut config = config(&self.kubeconfig).await?;
        change(&mut config);
        Ok(Client::try_from(config)?)
    }

    /// A client of a user who has no rights yet. The administrator may act for anybody.
    pub(crate) async fn client_of(&self, user: &str) -> Result<Client> {
        self.client(|config| config.auth_info.impersonate = Some(user.to_owned())).await
    }

    /// A namespace for one claim.
    pub(crate) async fn namespace(&self, name: &str) -> Result<SecretRef> {
        let namespace: Namespace = serde_json::from_value(json!({ "metadata": { "name": name } }))?;
        Api::all(self.admin.clone()).create(&PostParams::default(), &namespace).await?;
        Ok(SecretRef::in_namespace(name)?)
    }

    /// The Secrets of a claim's namespace, by Kubernetes' own client: the second opinion.
    pub(crate) fn secrets(&self, at: &SecretRef) -> Api<Secret> {
        Api::namespaced(self.admin.clone(), at.namespace())
    }
}

async fn config(kubeconfig: &Kubeconfig) -> Result<Config> {
    Ok(Config::from_custom_kubeconfig(kubeconfig.clone(), &KubeConfigOptions::default()).await?)
}

/// Asks until the answer is yes: the one place where this test waits. An authorizer learns of new
/// roles by watching, a moment after they were written.
pub(crate) async fn until(what: &str, mut ask: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let asking = async {
        while !ask().await? {
            ticks.tick().await;
        }
        Ok(())
    };
    match tokio::time::timeout(Duration::from_secs(30), asking).await {
        Ok(result) => result,
        Err(_elapsed) => Err(format!("not within 30 s: {what}").into()),
    }
}
