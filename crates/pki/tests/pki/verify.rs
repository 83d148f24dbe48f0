//! Served chains: what is proved, and every way in which one proves nothing.

use pki::probe::{self, ProbeLeaf};
use pki::{Certificate, Hierarchy, Profile, SpiffeId, TrustBundle, VerifiedChain, VerifyError};
use pretty_assertions::assert_eq;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, SanType};
use time::Duration;

use crate::common::{Made, NOW, bundle, cluster_params, days, httpbin, made, made_with, root};

fn leaf(bundle: &pki::Bundle) -> ProbeLeaf {
    probe::workload_leaf(bundle, &httpbin(), NOW).unwrap()
}

/// A workload certificate by rcgen, good unless `edit` makes it odd.
pub(crate) fn workload(issuer: &Made, edit: impl FnOnce(&mut CertificateParams)) -> Made {
    made("workload", Some(issuer), |params| {
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages =
            vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.subject_alt_names = vec![uri(httpbin().as_str())];
        edit(params);
    })
}

pub(crate) fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().unwrap())
}

/// The CAs from the cluster CA up to the trusted root.
pub(crate) fn hierarchy(above: &[&Made]) -> Hierarchy {
    let certificates: Vec<_> = above.iter().map(|ca| ca.certificate()).collect();
    let trust_bundle = TrustBundle::new(vec![certificates.last().unwrap().clone()]).unwrap();
    Hierarchy::new(certificates[0].clone(), &certificates, trust_bundle).unwrap()
}

/// Verifies a leaf served with everything above it.
pub(crate) fn verify(leaf: &Made, above: &[&Made]) -> Result<VerifiedChain, VerifyError> {
    let served: Vec<_> = [leaf].iter().chain(above).map(|made| made.certificate()).collect();
    let served: Vec<_> = served.iter().map(Certificate::der).collect();
    hierarchy(above).verify(&served, &httpbin(), NOW)
}

#[track_caller]
pub(crate) fn refusal(leaf: &Made, above: &[&Made]) -> String {
    verify(leaf, above).unwrap_err().to_string()
}

pub(crate) fn named(ca: &Made) -> String {
    let certificate = ca.certificate();
    format!("`{}` ({})", certificate.subject(), certificate.fingerprint())
}

#[test]
fn a_chain_of_either_profile_is_proved_whatever_roots_trail() {
    for (profile, served) in [(Profile::Makefile, 4), (Profile::Hardened, 3)] {
        let bundle = bundle(profile);
        let leaf = leaf(&bundle);
        let chain = bundle.hierarchy().verify(&leaf.served(), &httpbin(), NOW).unwrap();
        assert_eq!(chain.served().len(), served, "{profile}");
        assert_eq!(chain.leaf(), &leaf.certificate);
        assert_eq!(chain.intermediates(), [bundle.certificate().clone()]);
        assert_eq!(chain.root(), bundle.hierarchy().root());
        assert_eq!(chain.strangers(), [0usize; 0]);
        // Without the root in the chain it is the same proof.
        let short = &leaf.served()[..2];
        assert_eq!(bundle.hierarchy().verify(short, &httpbin(), NOW).unwrap().root(), chain.root());
    }
}

#[test]
fn tiers_are_proved_and_listed_upwards() {
    let root = root(Profile::Hardened);
    let tier = root
        .issue_tier_ca(&pki::TierCaParams {
            profile: Profile::Hardened,
            common_name: "Tier CA".to_owned(),
            organization: "Istio".to_owned(),
            path_len: 1,
            validity: days(-1, 1000),
            key: pki::KeyAlgorithm::EcdsaP384,
        })
        .unwrap();
    let bundle =
        tier.issue_cluster_ca(&cluster_params(Profile::Hardened)).unwrap().bundle().unwrap();
    let leaf = leaf(&bundle);
    let chain = bundle.hierarchy().verify(&leaf.served(), &httpbin(), NOW).unwrap();
    assert_eq!(chain.intermediates(), [bundle.certificate().clone(), tier.certificate().clone()]);
    assert_eq!(bundle.hierarchy().tiers(), [tier.certificate().clone()]);
}

#[test]
fn a_certificate_of_no_hierarchy_is_said() {
    let (ours, theirs) = (bundle(Profile::Hardened), bundle(Profile::Hardened));
    let mut served = leaf(&ours).served();
    served.insert(2, theirs.certificate().der().to_vec());
    let chain = ours.hierarchy().verify(&served, &httpbin(), NOW).unwrap();
    assert_eq!(chain.strangers(), [2]);
}

#[test]
fn nothing_and_rubbish_prove_nothing() {
    let bundle = bundle(Profile::Hardened);
    let none: [&[u8]; 0] = [];
    let error = bundle.hierarchy().verify(&none, &httpbin(), NOW).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no certificate was served, expected a workload certificate and its chain"
    );
    let mut served = leaf(&bundle).served();
    served[1] = b"rubbish".to_vec();
    let error = bundle.hierarchy().verify(&served, &httpbin(), NOW).unwrap_err();
    assert_eq!(error.to_string(), "certificate 2 of the served chain cannot be read");
}

#[test]
fn a_foreign_ca_with_the_same_names_proves_nothing() {
    for profile in [Profile::Makefile, Profile::Hardened] {
        let ours = bundle(profile);
        let theirs = probe::foreign_bundle(ours.hierarchy(), NOW).unwrap();
        assert_eq!(theirs.certificate().subject(), ours.certificate().subject());
        assert_eq!(theirs.hierarchy().root().subject(), ours.hierarchy().root().subject());
        let served = leaf(&theirs).served();
        let error = ours.hierarchy().verify(&served, &httpbin(), NOW).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "a signature of the served chain was not made by the CA it names; the leaf \
                 names `L=cluster1,CN=Intermediate CA,O=Istio`, expected the keys of \
                 `L=cluster1,CN=Intermediate CA,O=Istio` ({})",
                ours.certificate().fingerprint()
            )
        );
        // The control: they prove themselves.
        theirs.hierarchy().verify(&served, &httpbin(), NOW).unwrap();
    }
}

#[test]
fn another_cluster_ca_of_the_same_root_is_another_issuer() {
    let root = root(Profile::Hardened);
    let ours = root.issue_cluster_ca(&cluster_params(Profile::Hardened)).unwrap();
    let mut params = cluster_params(Profile::Hardened);
    params.cluster = "cluster2".to_owned();
    let theirs = root.issue_cluster_ca(&params).unwrap().bundle().unwrap();
    let served = leaf(&theirs).served();
    let error = ours.hierarchy().verify(&served, &httpbin(), NOW).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "the served leaf was issued by `L=cluster2,CN=Intermediate CA,O=Istio` ({}), \
             expected `L=cluster1,CN=Intermediate CA,O=Istio` ({})",
            theirs.certificate().fingerprint(),
            ours.certificate().fingerprint()
        )
    );
}

#[test]
fn what_was_not_served_is_not_filled_in() {
    let bundle = bundle(Profile::Hardened);
    let served = leaf(&bundle).served();
    let leaf_and_root = [&served[0], &served[2]];
    let error = bundle.hierarchy().verify(&leaf_and_root, &httpbin(), NOW).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "the served leaf was issued by `L=cluster1,CN=Intermediate CA,O=Istio`, and \
             what was served does not lead from there to a root of the trust bundle (`CN=Root \
             CA,O=Istio` ({}))",
            bundle.hierarchy().root().fingerprint()
        )
    );
}

#[test]
fn another_identity_proves_nothing() {
    let bundle = bundle(Profile::Hardened);
    let sleep = SpiffeId::workload("cluster.local", "foo", "sleep").unwrap();
    let error = bundle.hierarchy().verify(&leaf(&bundle).served(), &sleep, NOW).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the workload certificate names [spiffe://cluster.local/ns/foo/sa/httpbin], expected \
         exactly `spiffe://cluster.local/ns/foo/sa/sleep`"
    );
}

#[test]
fn a_chain_is_proved_only_while_all_of_it_is_valid() {
    let root = made("root", None, |_| {});
    let ca = made("ca", Some(&root), |_| {});
    assert_eq!(verify(&workload(&ca, |_| {}), &[&ca, &root]).unwrap().strangers(), [0usize; 0]);

    let leaf = workload(&ca, |params| params.not_after = NOW - Duration::HOUR);
    assert_eq!(
        refusal(&leaf, &[&ca, &root]),
        "the served leaf is valid 2026-11-23T12:00:00Z/2026-11-24T11:00:00Z, not at \
         2026-11-24T12:00:00Z"
    );
    let expired_ca = made("ca", Some(&root), |params| params.not_after = NOW - Duration::HOUR);
    assert_eq!(
        refusal(&workload(&expired_ca, |_| {}), &[&expired_ca, &root]),
        format!(
            "{} is valid 2026-11-23T12:00:00Z/2026-11-24T11:00:00Z, not at 2026-11-24T12:00:00Z",
            named(&expired_ca)
        )
    );
    // webpki does not look at a root's dates.
    let expired_root = made("root", None, |params| params.not_after = NOW - Duration::HOUR);
    let ca = made("ca", Some(&expired_root), |_| {});
    assert_eq!(
        refusal(&workload(&ca, |_| {}), &[&ca, &expired_root]),
        format!(
            "{} is valid 2026-11-23T12:00:00Z/2026-11-24T11:00:00Z, not at 2026-11-24T12:00:00Z",
            named(&expired_root)
        )
    );
    let early = made("root", None, |params| params.not_before = NOW + Duration::HOUR);
    let ca = made("ca", Some(&early), |_| {});
    assert_eq!(
        refusal(&workload(&ca, |_| {}), &[&ca, &early]),
        format!(
            "{} is valid 2026-11-24T13:00:00Z/2027-11-24T12:00:00Z, not at 2026-11-24T12:00:00Z",
            named(&early)
        )
    );
}

#[test]
fn a_renewed_root_proves_what_its_expired_twin_does_not() {
    let old = made("root", None, |params| params.not_after = NOW - Duration::HOUR);
    let key = rcgen::KeyPair::from_pem(&old.key_pem()).unwrap();
    let new = made_with("root", None, key, |_| {});
    let ca = made("ca", Some(&new), |_| {});
    let leaf = workload(&ca, |_| {});
    let both = TrustBundle::new(vec![old.certificate(), new.certificate()]).unwrap();
    let hierarchy = Hierarchy::new(ca.certificate(), &[], both).unwrap();
    let served = [leaf.certificate().der().to_vec(), ca.certificate().der().to_vec()];
    let chain = hierarchy.verify(&served, &httpbin(), NOW).unwrap();
    assert_eq!(chain.root(), &new.certificate());
}

#[test]
fn a_cluster_ca_that_is_a_root_itself_is_the_whole_path() {
    let ca = made("ca", None, |_| {});
    let chain = verify(&workload(&ca, |_| {}), &[&ca]).unwrap();
    assert_eq!(chain.intermediates(), []);
    assert_eq!(chain.root(), &ca.certificate());
}
