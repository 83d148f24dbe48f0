//! Has istiod sign a fresh workload certificate, as a proxy's agent would: the surest look at what
//! istiod signs with now, without any workload.
//!
//! `istio.v1.auth.IstioCertificateService/CreateCertificate` (istio/api, security/v1alpha1/ca.proto)
//! on port 15012, by port-forward to one replica of istiod. The service account's token is
//! requested for audience `istio-ca` and only sent to a server whose certificate chains to the
//! given trust bundle.

use std::fmt;
use std::time::Duration;

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;
use kube::api::PostParams;
use pki::probe::WorkloadRequest;
use pki::{Certificate, PrivateKey, SpiffeId, TrustBundle};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::deadline::within;
use crate::forward::{Forward, Port};
use crate::{ClientIdentity, Error, Istiod, Mesh, ServedChain};

mod answer;
mod call;
mod wire;

pub use answer::IssuedChain;
use call::{Call, create_certificate, secure};

/// The port of istiod's secure gRPC server.
const PORT: u16 = 15012;
/// The audience that istiod asks the API server about (`TOKEN_AUDIENCES`).
const AUDIENCE: &str = "istio-ca";
/// The shortest life that the API server grants a token.
const TOKEN_SECONDS: i64 = 600;

/// What to have signed, and whom to trust with the token.
#[derive(Clone, Copy, Debug)]
pub struct SigningRequest<'a> {
    /// The namespace of the service account.
    pub namespace: &'a str,
    /// The service account whose identity the certificate will carry.
    pub service_account: &'a str,
    /// The trust domain, for the SPIFFE ID in the request (istiod takes its own).
    pub trust_domain: &'a str,
    /// The roots that istiod's serving certificate must chain to.
    pub roots: &'a TrustBundle,
    /// The validity to ask for; zero leaves it to istiod (24 h).
    pub validity: Duration,
    /// The time at which certificates are judged.
    pub now: OffsetDateTime,
}

/// A certificate that istiod signed for this request, with its key.
pub struct FreshCertificate {
    /// The identity that was asked for.
    pub requested: SpiffeId,
    /// istiod's answer.
    pub issued: IssuedChain,
    /// The chain of istiod's own serving certificate, as it sent it in this very connection. It
    /// was verified against the trust bundle for the name `istiod.NAMESPACE.svc`.
    pub istiod_served: ServedChain,
    key: PrivateKey,
}

impl FreshCertificate {
    /// The workload certificate itself.
    pub fn leaf(&self) -> &Certificate {
        self.issued.leaf()
    }

    /// The certificate as a client identity, with the chain that an agent would send.
    ///
    /// # Errors
    /// [`Error::Identity`] when the certificate is not for the key that was asked for.
    pub fn identity(&self) -> Result<ClientIdentity, Error> {
        ClientIdentity::new(&self.issued.as_agent_sends(), &self.key)
    }
}

impl fmt::Debug for FreshCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FreshCertificate")
            .field("requested", &self.requested.to_string())
            .field("issued", &self.issued)
            .field("istiod_served", &self.istiod_served)
            .finish_non_exhaustive()
    }
}

impl Mesh {
    /// Asks one replica of istiod for a workload certificate.
    ///
    /// # Errors
    /// [`Error::IstiodNotTrusted`] (with the chain it served) when its certificate does not chain
    /// to the roots; [`Error::Refused`] with istiod's words; [`Error::PrivateKeyServed`]; those of
    /// a port-forward.
    pub async fn fresh_certificate(
        &self,
        istiod: &Istiod,
        request: &SigningRequest<'_>,
    ) -> Result<FreshCertificate, Error> {
        let SigningRequest { namespace, service_account, trust_domain, .. } = *request;
        let identity = SpiffeId::workload(trust_domain, namespace, service_account);
        let unmade = |source| {
            let identity = format!("spiffe://{trust_domain}/ns/{namespace}/sa/{service_account}");
            Error::Request { identity, source: Box::new(source) }
        };
        let requested = identity.map_err(unmade)?;
        let made = WorkloadRequest::generate(&requested).map_err(unmade)?;
        let token = self.token(namespace, service_account).await?;
        let server_name = format!("istiod.{}.svc", self.system_namespace);
        let call = Call {
            server_name: &server_name,
            roots: request.roots,
            token: &token,
            cluster_id: &istiod.cluster_id,
            csr_pem: &made.csr_pem,
            validity: request.validity,
            now: request.now,
        };
        let purpose = "istiod's secure gRPC server";
        let port = Port { pod: istiod.pod.clone(), port: PORT, purpose };
        let stream = self.forward(port).await?;
        let calling = async {
            let secured = secure(stream, &call).await;
            let secured = secured.map_err(|mut failed| {
                failed.stream.as_mut().and_then(Forward::refusal).unwrap_or(failed.error)
            })?;
            create_certificate(secured, &call).await
        };
        let what = || format!("the certificate request to {}", istiod.pod);
        let (issued, istiod_served) = within(self.limit, what, Box::pin(calling)).await?;
        Ok(FreshCertificate { requested, issued, istiod_served, key: made.key })
    }

    async fn token(&self, namespace: &str, account: &str) -> Result<Token, Error> {
        let doing = || format!("request a token for service account {namespace}/{account}");
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client.clone(), namespace);
        let spec = TokenRequestSpec {
            audiences: Some(vec![AUDIENCE.to_owned()]),
            expiration_seconds: Some(TOKEN_SECONDS),
            ..TokenRequestSpec::default()
        };
        let request = TokenRequest { spec: Some(spec), ..TokenRequest::default() };
        let asking = async {
            let params = PostParams::default();
            let answer = accounts.create_token_request(account, &params, &request);
            answer.await.map_err(|e| Error::api(doing(), e))
        };
        let answer = within(self.limit, doing, asking).await?;
        let token = answer.status.and_then(|status| status.token);
        let token =
            token.ok_or_else(|| Error::ApiAnswer { doing: doing(), missing: "the token" })?;
        Ok(Token(Zeroizing::new(token)))
    }
}

/// A service account's token. It has no `Debug` and no `Display`.
struct Token(Zeroizing<String>);

#[cfg(test)]
mod tests;
