//! The whole istiod, against a real API server: both stages of its start, then a workload
//! certificate as an agent asks for one, and the agents' own look at istiod's certificate.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use prost::Message as _;
use tools::{Program, Toolbox};

use super::istiod::failure;
use crate::api_server::{ApiServer, NAMESPACE};
use crate::case::Case;
use crate::command::{Running, Tool};
use crate::verdict::Verdict;

const START: Duration = Duration::from_secs(120);
const CALL: Duration = Duration::from_secs(60);
const READY: &str = "starting secure gRPC discovery service at ";
const SERVER_NAME: &str = "istiod.istio-system.svc";
const METHOD: &str = "istio.v1.auth.IstioCertificateService/CreateCertificate";

/// What is needed to start one istiod after the other.
pub(crate) struct Whole {
    pilot_discovery: PathBuf,
    kubectl: PathBuf,
    pub(crate) api: ApiServer,
}

/// An istiod that listens.
pub(crate) struct Istiod {
    pub(crate) running: Running,
    address: String,
}

/// The request for a workload certificate (istio/api, security/v1alpha1/ca.proto).
#[derive(Clone, PartialEq, prost::Message)]
struct Request {
    #[prost(string, tag = "1")]
    csr: String,
}

/// Its answer: the leaf, the chain, and root-cert.pem as a whole.
#[derive(Clone, PartialEq, prost::Message)]
struct Answer {
    #[prost(string, repeated, tag = "1")]
    elements: Vec<String>,
}

impl Whole {
    pub(crate) async fn new(toolbox: &Toolbox, folder: &Path) -> Result<Self> {
        Ok(Self {
            pilot_discovery: toolbox.program(Program::PilotDiscovery).to_owned(),
            kubectl: toolbox.program(Program::Kubectl).to_owned(),
            api: ApiServer::start(toolbox, folder).await?,
        })
    }

    /// Starts istiod in `folder` with the CA in `bundle`; what it ends with where it does.
    pub(crate) async fn start(
        &self,
        folder: &Path,
        bundle: &Path,
    ) -> Result<Result<Istiod, String>> {
        let mesh = folder.join("mesh.yaml");
        std::fs::write(&mesh, "{}\n").context("cannot write a mesh configuration")?;
        let mut running = Tool::new(&self.pilot_discovery, folder)
            .args(["discovery", "--httpsAddr=", "--grpcAddr=", "--namespace", NAMESPACE])
            .arg("--kubeconfig")
            .arg(&self.api.kubeconfig)
            .arg(format!("--meshConfig={}", mesh.display()))
            .arg("--networksConfig=/dev/null")
            .args(["--httpAddr=127.0.0.1:0", "--secureGRPCAddr=127.0.0.1:0"])
            .args(["--monitoringAddr=127.0.0.1:0", "--ctrlz_port=0"])
            .env("ROOT_CA_DIR", bundle)
            .env("POD_NAMESPACE", NAMESPACE)
            .env("POD_NAME", "judged")
            .env("REVISION", "judged")
            .start("log")?;
        let address = |said: &str| {
            let (_, rest) = said.split_once(READY)?;
            Some(rest.split_once('\n')?.0.trim().to_owned())
        };
        match running.until("listens", START, address).await? {
            Some(address) => Ok(Ok(Istiod { running, address })),
            None => {
                let said = running.said()?;
                let words = failure(&said).with_context(|| format!("istiod ended: {said}"))?;
                Ok(Err(words))
            }
        }
    }

    /// Go's verifier on istiod's own certificate, with root-cert.pem as an agent has it.
    pub(crate) async fn agent(&self, istiod: &Istiod, case: &Case) -> Result<Verdict> {
        let look = Tool::new(&self.kubectl, &case.folder)
            .args(["--kubeconfig", "/dev/null", "--token", "none"])
            .args(["--tls-server-name", SERVER_NAME, "--certificate-authority", "roots.pem"])
            .arg("--server")
            .arg(format!("https://{}", istiod.address))
            .args(["get", "--raw", "/"]);
        let output = look.output(CALL).await?;
        let said = output.stderr.trim();
        // istiod's answer to a request that is none of gRPC: the handshake is behind it.
        if said.contains("Error from server") || said.contains("the server responded with") {
            return Ok(Verdict::Accepts);
        }
        let why = ["x509: ", "unable to load root certificates"];
        if let Some(at) = why.iter().filter_map(|words| said.find(words)).min() {
            return Ok(Verdict::Refuses(said[at..].to_owned()));
        }
        bail!("kubectl said nothing of a certificate: {said}")
    }

    /// Has a workload certificate signed, without a look at whose certificate istiod shows.
    pub(crate) async fn certificate(
        &self,
        istiod: &Istiod,
        case: &Case,
        csr: &str,
    ) -> Result<Result<Vec<String>, String>> {
        let message = Request { csr: csr.to_owned() }.encode_to_vec();
        let length = u32::try_from(message.len()).context("a request of gigabytes")?;
        let frame = [&[0][..], &length.to_be_bytes(), &message].concat();
        case.write("request", frame)?;
        case.write("headers", format!("authorization: Bearer {}\n", self.api.token))?;
        let (_, port) = istiod.address.rsplit_once(':').context("istiod's address has no port")?;
        let call = Tool::new("curl", &case.folder)
            .args([
                "--silent",
                "--show-error",
                "--insecure",
                "--http2",
                "--data-binary",
                "@request",
            ])
            .args(["--header", "content-type: application/grpc", "--header", "te: trailers"])
            .args(["--header", "clusterid: Kubernetes", "--header", "@headers"])
            .args(["--output", "answer", "--dump-header", "answer-headers"])
            .arg("--connect-to")
            .arg(format!("{SERVER_NAME}:{port}:{}", istiod.address))
            .arg(format!("https://{SERVER_NAME}:{port}/{METHOD}"));
        call.succeed(CALL).await?;
        let headers = std::fs::read_to_string(case.folder.join("answer-headers"));
        let headers = headers.context("curl wrote no headers")?;
        let header =
            |name: &str| headers.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        if header("grpc-status:") != Some("0") {
            return Ok(Err(header("grpc-message:").unwrap_or("no status").to_owned()));
        }
        let answer = std::fs::read(case.folder.join("answer")).context("curl wrote no answer")?;
        let message = answer.get(5..).context("istiod's answer is no frame")?;
        let elements = Answer::decode(message).context("istiod's answer cannot be read")?.elements;
        ensure!(elements.len() > 1, "istiod's answer has {} elements", elements.len());
        Ok(Ok(elements))
    }
}
