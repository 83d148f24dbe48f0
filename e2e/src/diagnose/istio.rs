//! What istiod says of itself, and what every proxy serves and trusts: certificates, never keys.

use anyhow::{Context as _, Result};
use futures::future::join_all;
use mesh::{Istiod, Proxy, ProxySecrets, ProxyState, SigningCa};
use pki::Certificate;
use serde::Serialize;

use super::{Scene, one_line};
use crate::report::certificate::Facts;
use crate::report::without_keys;

/// One proxy in the file.
#[derive(Debug, Serialize)]
struct ProxyFacts {
    pod: String,
    kind: String,
    state: String,
    /// What it serves, leaf first.
    chain: Vec<Facts>,
    /// What it trusts.
    roots: Vec<Facts>,
    /// Why nothing could be seen of it.
    error: Option<String>,
}

impl Scene<'_> {
    pub(super) async fn write_istiods(&self) -> Result<Vec<String>> {
        let istiods = self.mesh.istiods().await?;
        let looks = istiods.iter().map(|istiod| async move {
            let log = self.mesh.istiod_log(istiod).await;
            (istiod, log.map(|log| SigningCa::from_log(&log)).map_err(|error| error.to_string()))
        });
        let mut text = String::new();
        let mut told = Vec::new();
        for (istiod, ca) in join_all(looks).await {
            text += &describe(istiod, &ca);
            match ca {
                Ok(SigningCa::PluggedIn) | Err(_) => {}
                // It has not come that far; its pod tells why.
                Ok(SigningCa::Untold) if !istiod.ready => {}
                Ok(ca) => told.push(format!("istiod {} {}", istiod.pod, words(&ca))),
            }
        }
        if istiods.is_empty() {
            "there is no pod of istiod\n".clone_into(&mut text);
        }
        let self_signed = match self.mesh.has_self_signed_secret().await {
            Ok(true) => "exists".to_owned(),
            Ok(false) => "does not exist".to_owned(),
            Err(error) => error.to_string(),
        };
        text += &format!("Secret istio-ca-secret: {self_signed}\n");
        self.folder.write("istiod.txt", &text)?;
        Ok(told)
    }

    pub(super) async fn write_proxies(&self) -> Result<Vec<String>> {
        let proxies = self.mesh.proxies().await?;
        let looks = proxies
            .iter()
            .map(|proxy| async move { facts(proxy, self.mesh.proxy_secrets(proxy).await) });
        let found = join_all(looks).await;
        let text = serde_json::to_string_pretty(&found).context("write JSON")?;
        self.folder.write("proxies.json", &(text + "\n"))?;
        let told = found.iter().zip(&proxies).filter(|(_, proxy)| proxy.state == ProxyState::Ready);
        Ok(told.filter_map(|(found, _)| told_of(found)).collect())
    }
}

/// A proxy that is ready and yet shows no certificates; what is not ready tells so as a pod.
fn told_of(found: &ProxyFacts) -> Option<String> {
    found.error.as_ref().map(|error| format!("proxy {}: {error}", found.pod))
}

fn facts(proxy: &Proxy, secrets: Result<ProxySecrets, mesh::Error>) -> ProxyFacts {
    let all = |certificates: &[Certificate]| certificates.iter().map(Facts::from).collect();
    let (chain, roots, error) = match secrets {
        Ok(secrets) => (all(&secrets.chain), all(secrets.roots.certificates()), None),
        Err(error) => (Vec::new(), Vec::new(), Some(one_line(&error.to_string()))),
    };
    let state = match &proxy.state {
        ProxyState::Ready => "ready".to_owned(),
        ProxyState::NotReady => format!("not ready: {}", proxy.state),
        ProxyState::NotRunning { reason } => format!("not ready: {}", without_keys(reason)),
        ProxyState::Finished { reason } => format!("finished: {}", without_keys(reason)),
    };
    let kind = format!("{:?}", proxy.kind);
    ProxyFacts { pod: proxy.pod.to_string(), kind, state, chain, roots, error }
}

fn describe(istiod: &Istiod, ca: &Result<SigningCa, String>) -> String {
    let Istiod { pod, revision, ready, restarts, cluster_id, image } = istiod;
    let ready = if *ready { "ready" } else { "not ready" };
    let revision = revision.as_deref().unwrap_or("none");
    let mut text = format!("{pod}: {ready}, {restarts} restarts\n");
    for (name, value) in [("image", &**image), ("revision", revision), ("cluster", cluster_id)] {
        text += &format!("  {name}: {value}\n");
    }
    match ca {
        Ok(ca) => text + &format!("  it {}\n", words(ca)),
        Err(error) => text + &format!("  its log cannot be read: {error}\n"),
    }
}

fn words(ca: &SigningCa) -> &'static str {
    match ca {
        SigningCa::PluggedIn => "says that it took the plugged-in CA",
        SigningCa::SelfSigned => "says that it took a self-signed CA of its own (istio-ca-secret)",
        SigningCa::IstioGenerated => "says that it took a self-signed CA of its own (cacerts)",
        _ => "does not say which CA it took",
    }
}

#[cfg(test)]
mod tests {
    use mesh::PodRef;
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn an_istiod_is_described_with_the_ca_it_took() {
        let istiod = Istiod {
            pod: PodRef::new("istio-system", "istiod-1"),
            revision: None,
            ready: true,
            restarts: 2,
            cluster_id: "Kubernetes".to_owned(),
            image: "example/pilot:1.31.0".to_owned(),
        };
        let head = "istio-system/istiod-1: ready, 2 restarts\n  image: example/pilot:1.31.0\n  \
                    revision: none\n  cluster: Kubernetes\n  ";
        let rows = [
            (Ok(SigningCa::PluggedIn), "it says that it took the plugged-in CA\n"),
            (Ok(SigningCa::Untold), "it does not say which CA it took\n"),
            (Err("no route".to_owned()), "its log cannot be read: no route\n"),
        ];
        for (ca, expected) in rows {
            assert_eq!(describe(&istiod, &ca), format!("{head}{expected}"));
        }
    }
}
