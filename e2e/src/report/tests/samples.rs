//! Runs that never were: what reports of each kind are made of. The certificates are real, and so
//! are the keys that must not be in any report.

use std::time::Duration;

use pki::{
    Bundle, Certificate, ClusterCaParams, KeyAlgorithm, Profile, RootCa, RootCaParams, SpiffeId,
    Validity, probe,
};
use time::OffsetDateTime;
use time::macros::datetime;

use crate::claim::{Claim, Evidence, Finding, Kind, Outcome, Tested, Verdict};
use crate::claims::CLAIMS;
use crate::report::{Failure, Report, Sabotaged};
use crate::sabotage::named;
use crate::step::StepTime;

pub(super) const NOW: OffsetDateTime = datetime!(2026-11-24 12:00 UTC);

/// Four claims of the tests' own, so that a text can be compared as a whole.
pub(super) static FOUR: [Claim; 4] = [
    claim(1, "istiod-uses-it", "istiod uses the plugged-in CA"),
    claim(
        2,
        "httpbin-serves-it",
        "httpbin serves its leaf, then the cluster CA, then only certificates of the bundle, as it should",
    ),
    claim(5, "openssl-agrees", "openssl agrees"),
    claim(11, "plaintext-is-refused", "a plaintext client is refused"),
];

const fn claim(number: u8, id: &'static str, sentence: &'static str) -> Claim {
    Claim {
        number,
        id,
        sentence,
        proves: "What it proves.",
        kind: Kind::Looks,
        control: None,
        test: |_| Box::pin(async { Ok(Finding::Holds(Evidence::default())) }),
    }
}

pub(super) fn tested(claim: &'static Claim, outcome: Outcome, evidence: Evidence) -> Tested {
    Tested { claim, outcome, evidence, took: Duration::from_millis(1_234) }
}

/// An administrator's bundle: a root, and the CA of `cluster1` under it.
pub(super) fn bundle() -> Bundle {
    let (profile, key) = (Profile::Hardened, KeyAlgorithm::EcdsaP256);
    let organization = "Istio".to_owned();
    let life = |days| Validity::new(NOW, NOW + time::Duration::days(days)).unwrap();
    let root = RootCa::generate(&RootCaParams {
        profile,
        common_name: "Root CA".to_owned(),
        organization: organization.clone(),
        validity: life(3650),
        key,
    });
    let params = ClusterCaParams {
        profile,
        common_name: "Intermediate CA".to_owned(),
        organization,
        cluster: "cluster1".to_owned(),
        dns_name: "istiod.istio-system.svc".to_owned(),
        validity: life(730),
        key,
    };
    root.unwrap().issue_cluster_ca(&params).unwrap().bundle().unwrap()
}

/// What a workload serves in the page's layout: the root comes twice.
pub(super) fn served(bundle: &Bundle) -> Vec<Certificate> {
    let hierarchy = bundle.hierarchy();
    let authorities = [hierarchy.cluster_ca(), hierarchy.root(), hierarchy.root()];
    [leaf(bundle, "foo", "httpbin")]
        .into_iter()
        .chain(authorities.map(Certificate::clone))
        .collect()
}

fn leaf(bundle: &Bundle, namespace: &str, account: &str) -> Certificate {
    let id = SpiffeId::workload("cluster.local", namespace, account).unwrap();
    probe::workload_leaf(bundle, &id, NOW).unwrap().certificate
}

/// A run on `bundle` in which nothing was tested yet.
pub(super) fn bare(bundle: &Bundle) -> Report {
    let pods = [
        ("foo", "httpbin", "7d4f9c-x2x9k"),
        ("foo", "sleep", "5b8c7-9qkqz"),
        ("istio-system", "istio-egressgateway", "6c8d5-kq2vw"),
        ("istio-system", "istio-ingressgateway", "84f7b-mm7xr"),
    ];
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Report {
        run: "bcdfgh".to_owned(),
        started: NOW,
        elapsed: Duration::from_millis(24_800),
        provider: "local".to_owned(),
        profile: "hardened".to_owned(),
        versions: vec![
            pair("Kubernetes", "1.36.3"),
            pair("Istio", "1.31.0"),
            pair("Envoy", "1.40.0"),
            pair("containerd", "1.6.20"),
            pair("harness", "0.1.0"),
        ],
        reproduce: "cargo xtask e2e --provider local --profile hardened".to_owned(),
        steps: steps(),
        tested: Vec::new(),
        hierarchy: Some(bundle.hierarchy().clone()),
        served: Some(served(bundle)),
        workloads: pods
            .into_iter()
            .map(|(namespace, account, hash)| {
                (format!("{namespace}/{account}-{hash}"), leaf(bundle, namespace, account))
            })
            .collect(),
        failure: None,
        sabotage: None,
        verdict: Verdict::Unproven,
    }
}

fn steps() -> Vec<StepTime> {
    let step = |number, title: &str, began, took| StepTime {
        number,
        title: title.to_owned(),
        began: Duration::from_millis(began),
        took: Duration::from_millis(took),
        ok: true,
    };
    vec![
        step(None, "the CA", 10, 900),
        step(None, "the node is Ready", 300, 5_200),
        step(Some(1), "A cluster", 0, 5_600),
        step(Some(2), "Plug in certificates and key into the cluster", 5_600, 400),
        step(Some(3), "Deploy Istio", 6_000, 9_100),
        step(Some(4), "Deploying example services", 15_100, 3_000),
        step(Some(5), "Verifying the certificates", 18_100, 4_200),
        step(Some(6), "Cleanup", 22_300, 2_500),
    ]
}

/// Every claim of the table holds.
pub(super) fn proven() -> Report {
    let bundle = bundle();
    let served = served(&bundle);
    let mut report = bare(&bundle);
    report.tested = CLAIMS
        .iter()
        .map(|claim| tested(claim, Outcome::Holds, evidence(claim.id, &served)))
        .collect();
    report.verdict = Verdict::Proven;
    report
}

fn evidence(id: &str, served: &[Certificate]) -> Evidence {
    match id {
        "openssl-agrees" => page_evidence(),
        "httpbin-serves-the-cluster-ca" => {
            served.iter().enumerate().fold(Evidence::default(), |evidence, (index, found)| {
                let value = format!("{} ({})", found.fingerprint(), found.subject());
                evidence.with(format!("certificate {}", index + 1), value)
            })
        }
        _ => Evidence::default().with("status", 200).with("issued by", served[1].subject()),
    }
}

pub(super) fn page_evidence() -> Evidence {
    Evidence::default()
        .with("root-cert.pem and proxy-cert-3.pem", "identical")
        .with("ca-cert.pem and proxy-cert-2.pem", "identical")
        .with("openssl verify", "./proxy-cert-1.pem: OK")
}

/// The mesh runs on a stranger's CA: some claims are false, some blocked, one is skipped.
pub(super) fn false_and_blocked() -> Report {
    let ours = bundle();
    let stranger = probe::foreign_bundle(ours.hierarchy(), NOW).unwrap();
    let mut report = Report { hierarchy: Some(ours.hierarchy().clone()), ..bare(&stranger) };
    let served = served(&stranger);
    let expected = ours.hierarchy().cluster_ca().fingerprint();
    let found = served[1].fingerprint();
    let outcome = |number: u8| match number {
        2 | 3 | 6..=9 => Outcome::False(format!(
            "certificate 2: expected {expected} (L=cluster1,CN=Intermediate CA,O=Istio), found \
             {found} (L=cluster1,CN=Intermediate CA,O=Istio); certificate 2 is not of the bundle"
        )),
        5 => Outcome::Skipped("the client's proxy has no openssl (a distroless image)".to_owned()),
        12 => Outcome::Blocked {
            by: "a client with a certificate that istiod signed is let in".to_owned(),
            why: "the connection was closed <before> an answer & nobody knows why".to_owned(),
        },
        13 => Outcome::Blocked { by: "claim 8".to_owned(), why: "as there".to_owned() },
        _ => Outcome::Holds,
    };
    let test = |claim: &'static Claim| {
        let outcome = outcome(claim.number);
        let seen = match outcome {
            Outcome::Blocked { .. } | Outcome::Skipped(_) => Evidence::default(),
            _ => evidence(claim.id, &served),
        };
        tested(claim, outcome, seen)
    };
    report.tested = CLAIMS.iter().map(test).collect();
    report.verdict = Verdict::Disproven;
    report
}

/// istiod refused its CA: the third step failed, and no claim was tested.
pub(super) fn failed_at_a_step() -> Report {
    let mut report = bare(&bundle());
    report.served = None;
    report.workloads.clear();
    report.steps.truncate(5);
    report.steps[4].ok = false;
    report.failure = Some(Failure {
        reason:
            "Deploy Istio: istiod does not start: failed to create discovery service: failed to \
                 create CA: incomplete signing CA bundle detected"
                .to_owned(),
        diagnosis: "pod istio-system/istiod-6d8f7-zk2m4: discovery waits: CrashLoopBackOff: \
                    back-off 20s restarting failed container\n\
                    event istio-system/Pod/istiod-6d8f7-zk2m4: BackOff: Back-off restarting failed \
                    container (5 times)\nmore in diagnosis/\n"
            .to_owned(),
    });
    report
}

/// PERMISSIVE where STRICT should be, and whatever claims turned out `wrong`.
pub(super) fn sabotaged(wrong: &[u8]) -> Report {
    let mut report = proven();
    for tested in &mut report.tested {
        if wrong.contains(&tested.claim.number) {
            tested.outcome = Outcome::False("expected a refusal, found an answer".to_owned());
        }
    }
    let sabotage = named("permissive").unwrap();
    report.sabotage = Some(Sabotaged { sabotage, stopped: None });
    report.verdict = Verdict::over(&report.tested, false);
    report
}

/// Puts names in the place of what is random in a text: fingerprints and serials.
pub(super) fn without_chance(text: &str, certificates: &[(&str, &Certificate)]) -> String {
    certificates.iter().fold(text.to_owned(), |text, (name, certificate)| {
        text.replace(&certificate.fingerprint().to_string(), &format!("<print of {name}>"))
            .replace(&certificate.serial_hex(), &format!("<serial of {name}>"))
    })
}
