//! CAs for the tests: good ones by the crate itself, odd ones by rcgen, which refuses less.

use pki::{
    Bundle, BundleFiles, Certificate, ClusterCaParams, Context, IstioVersion, KeyAlgorithm,
    Profile, RootCa, RootCaParams, SpiffeId, Validity,
};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

pub(crate) const NOW: OffsetDateTime = datetime!(2026-11-24 12:00 UTC);

pub(crate) fn days(from: i64, to: i64) -> Validity {
    Validity::new(NOW + Duration::days(from), NOW + Duration::days(to)).unwrap()
}

pub(crate) fn root_params(profile: Profile) -> RootCaParams {
    RootCaParams {
        profile,
        common_name: "Root CA".to_owned(),
        organization: "Istio".to_owned(),
        validity: days(-1, 3650),
        key: KeyAlgorithm::EcdsaP256,
    }
}

pub(crate) fn cluster_params(profile: Profile) -> ClusterCaParams {
    ClusterCaParams {
        profile,
        common_name: "Intermediate CA".to_owned(),
        organization: "Istio".to_owned(),
        cluster: "cluster1".to_owned(),
        dns_name: "istiod.istio-system.svc".to_owned(),
        validity: days(-1, 730),
        key: KeyAlgorithm::EcdsaP256,
    }
}

pub(crate) fn root(profile: Profile) -> RootCa {
    RootCa::generate(&root_params(profile)).unwrap()
}

pub(crate) fn bundle(profile: Profile) -> Bundle {
    root(profile).issue_cluster_ca(&cluster_params(profile)).unwrap().bundle().unwrap()
}

pub(crate) fn httpbin() -> SpiffeId {
    SpiffeId::workload("cluster.local", "foo", "httpbin").unwrap()
}

pub(crate) fn context() -> Context {
    Context {
        fail_within: Duration::days(14),
        warn_within: Duration::days(60),
        ..Context::new(NOW, IstioVersion::new(1, 31, 0), "cluster.local")
    }
}

/// A copy of a bundle's files, to break.
pub(crate) fn files_of(bundle: &Bundle) -> BundleFiles {
    let mut copy = BundleFiles::new();
    for name in bundle.files().names() {
        copy.insert(name, bundle.files().get(name).unwrap());
    }
    copy
}

/// A certificate made by rcgen, with what is needed to sign below it.
pub(crate) struct Made {
    pub(crate) params: CertificateParams,
    pub(crate) key: KeyPair,
    pub(crate) pem: String,
}

impl Made {
    pub(crate) fn certificate(&self) -> Certificate {
        Certificate::from_pem(self.pem.as_bytes()).unwrap()
    }

    pub(crate) fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }
}

/// A CA named `name`, good unless `edit` makes it odd; self-signed without `issuer`.
pub(crate) fn made(
    name: &str,
    issuer: Option<&Made>,
    edit: impl FnOnce(&mut CertificateParams),
) -> Made {
    made_with(name, issuer, KeyPair::generate().unwrap(), edit)
}

pub(crate) fn made_with(
    name: &str,
    issuer: Option<&Made>,
    key: KeyPair,
    edit: impl FnOnce(&mut CertificateParams),
) -> Made {
    let mut params = CertificateParams::default();
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = NOW - Duration::days(1);
    params.not_after = NOW + Duration::days(365);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = issuer.is_some();
    edit(&mut params);
    let certificate = match issuer {
        Some(issuer) => {
            params.signed_by(&key, &Issuer::from_params(&issuer.params, &issuer.key)).unwrap()
        }
        None => params.self_signed(&key).unwrap(),
    };
    Made { pem: certificate.pem(), params, key }
}

/// The four files, as an administrator would put them together.
pub(crate) fn files(ca: &Made, chain: &[&Made], roots: &[&Made]) -> BundleFiles {
    let pem = |made: &[&Made]| made.iter().map(|one| one.pem.as_str()).collect::<String>();
    let mut files = BundleFiles::new();
    files.insert(BundleFiles::CA_CERT, &ca.pem);
    files.insert(BundleFiles::CA_KEY, ca.key_pem());
    files.insert(BundleFiles::CERT_CHAIN, pem(chain));
    files.insert(BundleFiles::ROOT_CERT, pem(roots));
    files
}
