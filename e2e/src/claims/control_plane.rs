//! Claims about istiod: which CA it took, what it signs with, and what it publishes.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use mesh::istiod::start_failure;
use mesh::{CaBundle, Error, NamespaceRoot, RootState, SigningCa, SigningRequest};
use pki::{Certificate, TrustBundle};

use crate::claim::{Evidence, Finding};
use crate::poll::{Seen, until};
use crate::view::{SETTLE, View};

/// Claim 1.
pub(super) async fn uses_the_plugged_in_ca(view: &View<'_>) -> Result<Finding> {
    let istiods = view.mesh.istiods().await?;
    let mut evidence = Evidence::default();
    let mut wrong = Vec::new();
    if istiods.is_empty() {
        return Ok(Finding::is_false("expected a running istiod, found none"));
    }
    let (mut untold, mut took) = (Vec::new(), 0);
    for istiod in &istiods {
        let log = match view.mesh.istiod_log(istiod).await {
            // Its container is being created: it signs nothing.
            Err(error) if !istiod.ready => {
                evidence = evidence.with(format!("{} is not ready", istiod.pod), error);
                continue;
            }
            log => log?,
        };
        let ca = SigningCa::from_log(&log);
        evidence = evidence.with(format!("{} says", istiod.pod), format!("{ca:?}"));
        if istiod.ready {
            let version = view.mesh.istiod_version(istiod).await?;
            evidence = evidence.with(format!("{} version", istiod.pod), version);
        }
        match (ca, start_failure(&log)) {
            (SigningCa::PluggedIn, None) => took += 1,
            (_, Some(words)) => wrong.push(format!("{} does not start: {words}", istiod.pod)),
            (SigningCa::Untold, None) if istiod.ready => untold.push(istiod.pod.to_string()),
            (SigningCa::Untold, None) => {}
            _ => wrong.push(format!("{} says that it took another CA: {ca:?}", istiod.pod)),
        }
    }
    if took == 0 && untold.is_empty() && wrong.is_empty() {
        wrong.push("expected a running istiod, found none that is ready".to_owned());
    }
    evidence = evidence.with("Secret istio-ca-secret", self_signed_secret(view).await?);
    if wrong.is_empty() && !untold.is_empty() {
        return Ok(Finding::Skipped(format!(
            "the log of {} has lost its start, where istiod says which CA it took; what istiod \
             signs with is claim 8",
            untold.join(", ")
        )));
    }
    Ok(finding(wrong, evidence))
}

/// A Secret that an earlier CA of istiod's own making has left is not in use, and not to be read by
/// everyone.
async fn self_signed_secret(view: &View<'_>) -> Result<&'static str> {
    match view.mesh.has_self_signed_secret().await {
        Ok(true) => Ok("exists"),
        Ok(false) => Ok("none"),
        Err(Error::Api { source, .. }) if source.status() == Some(403) => Ok("may not be seen"),
        Err(error) => Err(error.into()),
    }
}

/// Claim 7.
pub(super) async fn every_namespace_has_the_root(view: &View<'_>) -> Result<Finding> {
    let roots = every_namespace(view).await?;
    let mut evidence = Evidence::default();
    let (mut others, mut judged) = (Others::new(), 0);
    for NamespaceRoot { namespace, labels, state } in &roots {
        if view.config.is_some_and(|config| !config.discovers(labels)) {
            let why = "outside of the mesh's discoverySelectors";
            evidence = evidence.with(format!("namespace {namespace}"), why);
            continue;
        }
        judged += 1;
        let said = match state {
            RootState::Same => "same bytes".to_owned(),
            RootState::Differs { found } => differing(found, view.truth.hierarchy.trust_bundle()),
            RootState::NoKey => "no key `root-cert.pem`".to_owned(),
            RootState::NoConfigMap => "no ConfigMap".to_owned(),
        };
        if *state != RootState::Same {
            others.entry(said.clone()).or_default().push(namespace.clone());
        }
        evidence = evidence.with(format!("namespace {namespace}"), said);
    }
    let mut wrong = in_words("namespaces", &others);
    if judged == 0 {
        wrong.push("expected a ConfigMap in every namespace, found no namespace".to_owned());
    }
    Ok(finding(wrong, evidence))
}

/// The roots of every namespace. istiod needs a moment to write into one that was just made, as
/// others do in a living cluster; what has not settled by then is judged as it is. A list of all
/// namespaces costs the API server of a large cluster much: those that lack the ConfigMap are asked
/// one by one, and listed once more.
async fn every_namespace(view: &View<'_>) -> Result<Vec<NamespaceRoot>> {
    let expected = &view.truth.root_pem;
    let roots = view.mesh.namespace_roots(expected).await?;
    let lacks = |root: &&NamespaceRoot| {
        root.state == RootState::NoConfigMap
            && view.config.is_none_or(|config| config.discovers(&root.labels))
    };
    let lacking: Vec<_> = roots.iter().filter(lacks).map(|root| root.namespace.clone()).collect();
    if lacking.is_empty() {
        return Ok(roots);
    }
    let written = Cell::new(0);
    let settled = until("every namespace has a ConfigMap", SETTLE, 1, async || {
        while let Some(namespace) = lacking.get(written.get()) {
            match view.mesh.namespace_root(namespace, expected).await? {
                RootState::NoConfigMap => return Ok(Seen::NotYet(namespace.clone())),
                _ => written.set(written.get() + 1),
            }
        }
        Ok(Seen::Ready(()))
    });
    if let Err(error) = settled.await {
        tracing::debug!("{error:#}");
    }
    Ok(view.mesh.namespace_roots(expected).await?)
}

/// What a namespace has in place of the expected bytes. istiod compares bytes too.
fn differing(found: &str, expected: &TrustBundle) -> String {
    match TrustBundle::from_pem(found.as_bytes()) {
        Ok(roots) if same_set(&roots, expected) => {
            "the same certificates in other bytes".to_owned()
        }
        _ => format!("other bytes: {}", describe_pem(found)),
    }
}

/// What was found instead of the plugged-in root, and where: in a wrong mesh it is the same
/// everywhere, and one sentence says so.
type Others = BTreeMap<String, Vec<String>>;

fn in_words(what: &str, others: &Others) -> Vec<String> {
    let sentence = |(found, places): (&String, &Vec<String>)| {
        format!("{what} {}: expected the plugged-in root, found {found}", listed(places, ", "))
    };
    others.iter().map(sentence).collect()
}

/// The first few, and how many more: a mesh has thousands of proxies, and the evidence names all.
pub(super) fn listed(all: &[String], between: &str) -> String {
    const SHOWN: usize = 10;
    let shown = all.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(between);
    match all.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown}{between}and {more} more"),
    }
}

/// Claim 8.
pub(super) async fn signs_with_the_cluster_ca(view: &View<'_>) -> Result<Finding> {
    // An agent's view of istiod: whatever roots its pod has mounted. Whether those are the right
    // ones is claim 7, and whether istiod's own certificate is, claim 9.
    let roots = view.agents_roots().await?;
    let mut evidence = Evidence::default();
    let mut wrong = Vec::new();
    let istiods = view.mesh.istiods().await?;
    for istiod in istiods.iter().filter(|istiod| istiod.ready) {
        let fresh = match view.mesh.fresh_certificate(istiod, &request(view, &roots)).await {
            Ok(fresh) => fresh,
            Err(error @ (Error::Refused { .. } | Error::PrivateKeyServed { .. })) => {
                wrong.push(format!("{}: {error}", istiod.pod));
                continue;
            }
            Err(error @ Error::IstiodNotTrusted { .. }) => return Ok(agents_distrust(&error)),
            Err(error) => return Err(error.into()),
        };
        let chain: Vec<_> =
            fresh.issued.as_agent_sends().iter().map(|c| c.der().to_vec()).collect();
        evidence = evidence
            .with(format!("{} signed", istiod.pod), fresh.leaf().fingerprint())
            .with("issued by", fresh.leaf().issuer())
            .with("cluster CA", view.truth.hierarchy.cluster_ca().fingerprint());
        if let Err(error) = view.truth.hierarchy.verify(&chain, &fresh.requested, view.now()) {
            wrong.push(format!("{}: {error}", istiod.pod));
        }
    }
    if evidence.0.is_empty() && wrong.is_empty() {
        wrong.push("expected a ready replica of istiod, found none".to_owned());
    }
    Ok(finding(wrong, evidence))
}

/// Claim 9.
pub(super) async fn istiod_and_webhooks_chain_to_the_root(view: &View<'_>) -> Result<Finding> {
    let expected = view.truth.hierarchy.trust_bundle();
    let mut evidence = Evidence::default();
    let mut wrong = Vec::new();
    let istiod = view.istiod().await?;
    // Here the plugged-in root alone is trusted: istiod has to prove itself by it.
    match view.mesh.fresh_certificate(&istiod, &request(view, expected)).await {
        Ok(fresh) => {
            for (index, certificate) in fresh.istiod_served.certificates()?.iter().enumerate() {
                let name = format!("istiod serves {}", index + 1);
                evidence = evidence.with(name, describe(certificate));
            }
        }
        // Two verifiers have to agree; pki's says more.
        Err(Error::IstiodNotTrusted { server_name, served, source }) => {
            let hierarchy = &view.truth.hierarchy;
            let judged = hierarchy.verify_server(served.ders(), &server_name, view.now());
            let reason = judged.err().map_or_else(|| source.to_string(), |error| error.to_string());
            wrong.push(format!("istiod's serving certificate: {reason}"));
        }
        Err(error) => return Err(error.into()),
    }
    let webhooks = view.mesh.webhooks().await?;
    if webhooks.is_empty() {
        wrong.push("expected istiod's webhooks, found none".to_owned());
    }
    let mut others = Others::new();
    for webhook in &webhooks {
        let name = format!("{} {}", webhook.configuration, webhook.name);
        let said = match &webhook.ca_bundle {
            CaBundle::Roots { roots, .. } if same_set(roots, expected) => "the root".to_owned(),
            CaBundle::Roots { roots, .. } => {
                roots.certificates().iter().map(describe).collect::<Vec<_>>().join("; ")
            }
            CaBundle::Empty => "an empty caBundle".to_owned(),
            CaBundle::Unreadable { reason } => format!("an unreadable caBundle: {reason}"),
        };
        if said != "the root" {
            others.entry(said.clone()).or_default().push(name.clone());
        }
        evidence = evidence.with(format!("webhook {name}"), said);
    }
    wrong.extend(in_words("webhooks", &others));
    Ok(finding(wrong, evidence))
}

/// Nobody learns what an istiod signs that its own agents hang up on.
pub(super) fn agents_distrust(error: &Error) -> Finding {
    let control = "agents trust istiod's serving certificate (claim 9)".to_owned();
    Finding::ControlFailed { control, reason: error.to_string() }
}

/// What is asked of istiod: a certificate for the client, as its agent asks for one.
pub(super) fn request<'a>(view: &'a View<'_>, roots: &'a TrustBundle) -> SigningRequest<'a> {
    SigningRequest {
        namespace: &view.workloads.namespace,
        service_account: &view.workloads.client.service_account,
        trust_domain: &view.workloads.trust_domain,
        roots,
        validity: Duration::ZERO,
        now: view.now(),
    }
}

/// Whether two bundles hold the same certificates, in whatever order.
pub(super) fn same_set(a: &TrustBundle, b: &TrustBundle) -> bool {
    a.certificates().iter().all(|c| b.contains(c)) && b.certificates().iter().all(|c| a.contains(c))
}

/// A certificate in one line: its fingerprint tells it apart, its subject does not.
pub(super) fn describe(certificate: &Certificate) -> String {
    format!("{} ({})", certificate.fingerprint(), certificate.subject())
}

fn describe_pem(pem: &str) -> String {
    match Certificate::all_from_pem(pem.as_bytes()) {
        Ok(found) => found.iter().map(describe).collect::<Vec<_>>().join("; "),
        Err(error) => error.to_string(),
    }
}

/// False where anything is wrong, with all of it.
pub(super) fn finding(wrong: Vec<String>, evidence: Evidence) -> Finding {
    if wrong.is_empty() {
        Finding::Holds(evidence)
    } else {
        Finding::False { reason: wrong.join("; "), evidence }
    }
}

#[cfg(test)]
mod tests {
    use pki::{Profile, TrustBundle};
    use pretty_assertions::assert_eq;
    use time::macros::datetime;

    use super::{Others, differing, in_words, listed};
    use crate::steps::ca::{self, CaArgs};

    #[test]
    fn what_is_wrong_everywhere_is_said_once() {
        let others = Others::from([
            ("no ConfigMap".to_owned(), vec!["c".to_owned()]),
            ("other bytes".to_owned(), vec!["a".to_owned(), "b".to_owned()]),
        ]);
        let expected = [
            "namespaces c: expected the plugged-in root, found no ConfigMap",
            "namespaces a, b: expected the plugged-in root, found other bytes",
        ];
        assert_eq!(in_words("namespaces", &others), expected);
        assert_eq!(in_words("namespaces", &Others::new()), Vec::<String>::new());
    }

    #[test]
    fn of_many_places_the_first_few_are_named() {
        let names = |count: u32| (1..=count).map(|n| n.to_string()).collect::<Vec<_>>();
        assert_eq!(listed(&names(10), ", "), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10");
        assert_eq!(listed(&names(12), ", "), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, and 2 more");
    }

    #[test]
    fn other_bytes_of_the_same_root_are_told_from_another_root() {
        let folder = tempfile::tempdir().unwrap();
        let made = |name: &str| {
            let args = CaArgs { profile: Profile::Hardened, key: None };
            let now = datetime!(2026-11-24 12:00 UTC);
            let made = ca::make(&folder.path().join(name), "cluster1", args, now).unwrap();
            String::from_utf8(made.truth.root_pem).unwrap()
        };
        let (one, other) = (made("one"), made("other"));
        let expected = TrustBundle::from_pem(one.as_bytes()).unwrap();
        assert_eq!(
            differing(&format!("{one}\n"), &expected),
            "the same certificates in other bytes"
        );
        let said = differing(&other, &expected);
        assert!(said.starts_with("other bytes: sha256:"), "{said}");
    }
}
