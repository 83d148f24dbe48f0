//! What a root and a tier do alike: they sign CAs, each within its own limits.

use crate::proof::prove_path_length;
use crate::tbs::{Draft, Issuer, Role};
use crate::{
    CaRequest, Certificate, ClusterCa, ClusterCaParams, DistinguishedName, Error, Hierarchy,
    PrivateKey, TierCaParams, TrustBundle, Validity,
};

/// What a root and a tier have in common: a certificate that may sign CAs, its key, and the way
/// up.
#[derive(Debug)]
pub(super) struct Authority {
    pub(super) certificate: Certificate,
    pub(super) key: PrivateKey,
    /// The tiers above, nearest first; neither this CA nor the root.
    pub(super) above: Vec<Certificate>,
    pub(super) trust_bundle: TrustBundle,
}

impl Authority {
    fn issue(&self, draft: &Draft<'_>) -> Result<Certificate, Error> {
        let ours = [&self.certificate].into_iter().chain(&self.above);
        if ours.chain(self.trust_bundle.certificates()).any(|ca| ca.subject() == draft.subject) {
            return Err(Error::SameName { subject: draft.subject.to_string() });
        }
        draft.signed_by(&Issuer {
            name: self.certificate.subject(),
            key_id: self.certificate.subject_key_id(),
            signer: &self.key,
        })
    }

    fn validity(&self, wanted: Validity, clamp: bool) -> Result<Validity, Error> {
        let issuer_end = self.certificate.validity().not_after();
        if wanted.not_before() > issuer_end {
            return Err(Error::OutlivedIssuer { start: wanted.not_before(), issuer_end });
        }
        if clamp { wanted.ending_by(issuer_end) } else { Ok(wanted) }
    }

    fn path_above(&self) -> Vec<Certificate> {
        if self.trust_bundle.contains(&self.certificate) {
            return Vec::new();
        }
        [&self.certificate].into_iter().chain(&self.above).cloned().collect()
    }

    fn certify(&self, public_key: &[u8], params: &ClusterCaParams) -> Result<Certificate, Error> {
        prove_path_length(&self.certificate, 1)?;
        let subject = params.subject()?;
        self.issue(&Draft {
            profile: params.profile,
            subject: &subject,
            public_key,
            validity: self.validity(params.validity, params.profile.clamps_to_issuer())?,
            role: Role::Ca { path_len: Some(0), dns_name: Some(&params.dns_name) },
        })
    }

    pub(super) fn issue_cluster_ca(
        &self,
        key: PrivateKey,
        params: &ClusterCaParams,
    ) -> Result<ClusterCa, Error> {
        let certificate = self.certify(key.public_key_der(), params)?;
        let hierarchy = Hierarchy::new(certificate, &self.path_above(), self.trust_bundle.clone())?;
        Ok(ClusterCa::of(hierarchy, key, params.profile.chain_ends_with_root()))
    }

    pub(super) fn certify_request(
        &self,
        request: &CaRequest,
        params: &ClusterCaParams,
    ) -> Result<Certificate, Error> {
        let (expected, found) = (params.key.kind(), request.public_key_kind());
        if expected != found {
            return Err(Error::RequestKey { expected: expected.to_owned(), found });
        }
        self.certify(request.public_key_der(), params)
    }

    pub(super) fn issue_tier_ca(
        &self,
        key: PrivateKey,
        params: &TierCaParams,
    ) -> Result<Self, Error> {
        if params.path_len == 0 {
            let subject = params.common_name.clone();
            return Err(Error::PathLength { subject, found: 0, needed: 1 });
        }
        prove_path_length(&self.certificate, params.path_len.saturating_add(1))?;
        let subject = DistinguishedName::authority(&params.organization, &params.common_name)?;
        let certificate = self.issue(&Draft {
            profile: params.profile,
            subject: &subject,
            public_key: key.public_key_der(),
            validity: self.validity(params.validity, params.profile.clamps_to_issuer())?,
            role: Role::Ca { path_len: Some(params.path_len), dns_name: None },
        })?;
        let (above, trust_bundle) = (self.path_above(), self.trust_bundle.clone());
        Ok(Self { certificate, key, above, trust_bundle })
    }
}
