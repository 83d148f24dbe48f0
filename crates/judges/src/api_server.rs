//! An API server and its etcd on loopback, for a whole istiod: no node, no kubelet, no root.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tools::{Program, Toolbox};

use crate::command::{Running, Tool, at_once};
use crate::poll::{self, Seen};

const START: Duration = Duration::from_secs(120);
const CALL: Duration = Duration::from_secs(30);
/// istiod's own namespace, and one for a workload.
pub(crate) const NAMESPACE: &str = "istio-system";
const WORKLOADS: &str = "foo";
const SERVICE_ACCOUNT: &str = "httpbin";

/// A running API server.
pub(crate) struct ApiServer {
    // Dropped in this order.
    server: Running,
    etcd: Running,
    /// A kubeconfig of an administrator.
    pub(crate) kubeconfig: PathBuf,
    /// A token of the workload's service account, for istiod.
    pub(crate) token: String,
}

impl ApiServer {
    /// Starts both and waits until the API answers.
    pub(crate) async fn start(toolbox: &Toolbox, folder: &Path) -> Result<Self> {
        let folder = &folder.join("api-server");
        std::fs::create_dir(folder).context("cannot make the API server's folder")?;
        let genpkey = "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out accounts.key";
        at_once("openssl", genpkey.split(' '), folder)?;
        at_once("openssl", "pkey -in accounts.key -pubout -out accounts.pub".split(' '), folder)?;
        let random = at_once("openssl", ["rand", "-hex", "24"], folder)?;
        let admin = random.trim();
        write(folder, "tokens.csv", &format!("{admin},admin,admin,system:masters\n"))?;
        let [clients, peers, secure] = free_ports()?;
        let etcd = Tool::new(toolbox.program(Program::Etcd), folder)
            .args(["--data-dir", "etcd", "--unsafe-no-fsync", "--heartbeat-interval", "20"])
            .args(["--election-timeout", "100"])
            .arg(format!("--listen-client-urls=http://127.0.0.1:{clients}"))
            .arg(format!("--advertise-client-urls=http://127.0.0.1:{clients}"))
            .arg(format!("--listen-peer-urls=http://127.0.0.1:{peers}"))
            .arg(format!("--initial-advertise-peer-urls=http://127.0.0.1:{peers}"))
            .arg(format!("--initial-cluster=default=http://127.0.0.1:{peers}"))
            .start("etcd.log")?;
        let server = Tool::new(toolbox.program(Program::KubeApiserver), folder)
            .arg(format!("--etcd-servers=http://127.0.0.1:{clients}"))
            .arg(format!("--secure-port={secure}"))
            .args(["--bind-address=127.0.0.1", "--cert-dir=certificates"])
            .args(["--authorization-mode=RBAC", "--token-auth-file=tokens.csv"])
            .args(["--anonymous-auth=false", "--service-cluster-ip-range=10.96.0.0/16"])
            .arg("--service-account-issuer=https://kubernetes.default.svc.cluster.local")
            .arg("--service-account-key-file=accounts.pub")
            .arg("--service-account-signing-key-file=accounts.key")
            // No controller makes the default account's token here.
            .arg("--disable-admission-plugins=ServiceAccount")
            .start("kube-apiserver.log")?;
        let kubeconfig = folder.join("kubeconfig");
        write(folder, "kubeconfig", &config(secure, admin))?;
        let mut api = Self { server, etcd, kubeconfig, token: String::new() };
        let kubectl = Tool::new(toolbox.program(Program::Kubectl), folder);
        let kubectl = kubectl.arg("--kubeconfig").arg(&api.kubeconfig);
        api.ready(&kubectl).await?;
        for words in [
            format!("create namespace {NAMESPACE}"),
            format!("create namespace {WORKLOADS}"),
            format!("-n {WORKLOADS} create serviceaccount {SERVICE_ACCOUNT}"),
        ] {
            kubectl.clone().args(words.split(' ')).succeed(CALL).await?;
        }
        let words = format!("-n {WORKLOADS} create token {SERVICE_ACCOUNT} --audience istio-ca");
        let token = kubectl.args(words.split(' ')).succeed(CALL).await?;
        token.trim().clone_into(&mut api.token);
        Ok(api)
    }

    async fn ready(&mut self, kubectl: &Tool) -> Result<()> {
        let ask = kubectl.clone().args(["get", "--raw", "/readyz"]);
        poll::until("the API server is ready", START, async || {
            let answer = ask.output(CALL).await?;
            for program in [&mut self.server, &mut self.etcd] {
                if let Some(status) = program.ended()? {
                    bail!("{} ended ({status}); its log: {}", program.name, program.said()?);
                }
            }
            Ok(if answer.status.success() {
                Seen::Ready(())
            } else {
                Seen::NotYet(answer.last_words().to_owned())
            })
        })
        .await
    }
}

fn config(port: u16, token: &str) -> String {
    // Who listens there is known: it was started a moment ago, on loopback.
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: judges\n\
         clusters: [{{name: judges, cluster: {{server: \"https://127.0.0.1:{port}\", \
         insecure-skip-tls-verify: true}}}}]\n\
         users: [{{name: admin, user: {{token: {token}}}}}]\n\
         contexts: [{{name: judges, context: {{cluster: judges, user: admin}}}}]\n"
    )
}

/// Ports that were free a moment ago, all different.
fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut held = Vec::new();
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
        *port = listener.local_addr().context("a listener has no address")?.port();
        held.push(listener);
    }
    Ok(ports)
}

fn write(folder: &Path, name: &str, text: &str) -> Result<()> {
    std::fs::write(folder.join(name), text).with_context(|| format!("cannot write {name}"))
}
