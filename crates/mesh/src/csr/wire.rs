//! The two messages of `istio.v1.auth.IstioCertificateService`, by field number
//! (istio/api, security/v1alpha1/ca.proto). Derived by hand, so that no protoc is needed.

/// The path of the one call.
pub(super) const PATH: &str = "/istio.v1.auth.IstioCertificateService/CreateCertificate";

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct IstioCertificateRequest {
    /// PEM. istiod takes the public key from it and nothing else.
    #[prost(string, tag = "1")]
    pub(super) csr: String,
    /// Seconds; istiod takes its default for zero.
    #[prost(int64, tag = "3")]
    pub(super) validity_duration: i64,
    /// `CertSigner` and `ImpersonatedIdentity`; neither is used here.
    #[prost(message, optional, tag = "4")]
    pub(super) metadata: Option<prost_types::Struct>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct IstioCertificateResponse {
    /// The leaf, then the chain, and the whole trust bundle as the last element.
    #[prost(string, repeated, tag = "1")]
    pub(super) cert_chain: Vec<String>,
}
