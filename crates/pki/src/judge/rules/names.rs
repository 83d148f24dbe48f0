//! Name constraints (RFC 5280 section 4.2.1.10), as Go, BoringSSL and webpki each read them.

use super::authority::about;
use crate::Certificate;
use crate::judge::inspection::Inspection;
use crate::judge::rule::{Judge, Rule, Severity, Versions};

use Judge::{Agent, Envoy, TlsClient, Ztunnel};

/// Where istiod runs in istio-system, as the page and the Makefile's SAN have it.
pub(super) const ISTIOD_NAMES: [&str; 3] =
    ["istiod.istio-system.svc", "istiod-remote.istio-system.svc", "istio-pilot.istio-system.svc"];

pub(super) static NAME_CONSTRAINTS: Rule = Rule {
    id: "name-constraints",
    severity: Severity::Refuse,
    judges: &Judge::ALL,
    versions: Versions::ALL,
    what: "a CA's name constraints exclude a name that the mesh needs",
    why: "istiod checks the names of the CAs only and starts; Envoy then refuses every workload, or \
          the agents refuse istiod's own certificate",
    fix: "issue the CA without name constraints, or permit the trust domain as a URI host and \
          istiod's names as DNS",
    source: "Go crypto/x509 checkNameConstraints; BoringSSL nc_uri, nc_dns; RFC 5280 4.2.1.10",
    evidence: "URI constraints on cluster CA and root: Envoy ends with permitted_subtree_violation, \
               excluded_subtree_violation; another DNS domain: the agent says `is not permitted by \
               any constraint`; a root that excludes the cluster CA's DNS name: istiod does not \
               start (1.31)",
    istiod: &["a root or intermediate certificate is not authorized to sign for this name"],
    check: |inspection| {
        let mut flaws = Vec::new();
        let steps = inspection.steps();
        for (position, step) in steps.iter().enumerate() {
            let Some((permitted, excluded)) = step.certificate.name_constraints() else { continue };
            let judged = |subtree: &&String| KINDS.iter().any(|kind| subtree.starts_with(kind));
            if let Some(other) = permitted.iter().chain(excluded).find(|it| !judged(it)) {
                let found = format!("a constraint on `{other}`");
                flaws.push(about(step, found, "constraints on DNS names and URIs only"));
            }
            let violation = |name: &str| violation(name, permitted, excluded);
            let flaw = |reason: String, judges: &[Judge]| {
                about(step, reason, "constraints that permit it").judges(judges)
            };
            let workload = format!("URI:{}", inspection.workload);
            flaws.extend(violation(&workload).map(|reason| flaw(reason, &[Envoy, TlsClient])));
            let mut istiod = ISTIOD_NAMES.iter().map(|name| format!("DNS:{name}"));
            flaws.extend(istiod.find_map(|it| violation(&it)).map(|it| flaw(it, &[Agent])));
            let mut below = steps[..position].iter().flat_map(|below| names(&below.certificate));
            flaws.extend(below.find_map(|it| violation(&it)).map(|it| flaw(it, &Judge::ALL)));
        }
        flaws
    },
};

pub(super) static URI_CONSTRAINTS: Rule = Rule {
    id: "uri-constraints",
    severity: Severity::Warn,
    judges: &[Ztunnel],
    versions: Versions::ALL,
    what: "a CA has name constraints on URIs",
    why: "ztunnel refuses every certificate under such a CA, also where the constraint permits the \
          trust domain: a mesh with ztunnel does not work with it",
    fix: "issue the CA without name constraints on URIs",
    source: "rustls-webpki from 0.103.12, RUSTSEC-2026-0098",
    evidence: "cluster.local permitted: Go, OpenSSL and Envoy accept, webpki 0.103.17 ends with \
               NameConstraintViolation",
    istiod: &[],
    check: |inspection| {
        let steps = inspection.steps().iter();
        steps
            .filter(|step| has_uris(&step.certificate))
            .map(|step| about(step, "a constraint on URIs", "none"))
            .collect()
    },
};

pub(super) fn constrains_uris(inspection: &Inspection<'_>) -> bool {
    inspection.steps().iter().any(|step| has_uris(&step.certificate))
}

/// The kinds Go evaluates; any other makes it refuse a critical extension.
const KINDS: [&str; 4] = ["DNS:", "URI:", "email:", "IP:"];

fn has_uris(ca: &Certificate) -> bool {
    let Some((permitted, excluded)) = ca.name_constraints() else { return false };
    permitted.iter().chain(excluded).any(|subtree| subtree.starts_with("URI:"))
}

fn names(certificate: &Certificate) -> Vec<String> {
    let dns = certificate.dns_sans().into_iter().map(|name| format!("DNS:{name}"));
    dns.chain(certificate.uri_sans().into_iter().map(|name| format!("URI:{name}"))).collect()
}

/// Names and subtrees both have their kind in front.
fn violation(name: &str, permitted: &[String], excluded: &[String]) -> Option<String> {
    let (kind, _) = name.split_at(4);
    let of_kind = |subtrees: &[String]| -> Vec<String> {
        subtrees.iter().filter_map(|it| it.strip_prefix(kind)).map(str::to_owned).collect()
    };
    let (permitted, excluded) = (of_kind(permitted), of_kind(excluded));
    let inside = |subtree: &String| lies_in(name, subtree);
    if excluded.iter().any(inside) {
        return Some(format!("excludes `{name}`"));
    }
    let outside = !permitted.is_empty() && !permitted.iter().any(inside);
    outside.then(|| format!("permits [{}], not `{name}`", permitted.join(", ")))
}

fn lies_in(name: &str, subtree: &str) -> bool {
    let subtree = subtree.to_ascii_lowercase();
    let ends_below = |host: &str, domain: &str| host.len() > domain.len() && host.ends_with(domain);
    match name.split_once(':') {
        Some(("DNS", host)) => {
            let host = host.to_ascii_lowercase();
            let domain = format!(".{}", subtree.trim_start_matches('.'));
            subtree.is_empty() || host == subtree || ends_below(&host, &domain)
        }
        Some(("URI", uri)) => {
            let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
            let host = rest.split(['/', '?', '#']).next().unwrap_or(rest).to_ascii_lowercase();
            // A leading dot asks for a name below it, no dot for the host itself.
            if subtree.starts_with('.') { ends_below(&host, &subtree) } else { host == subtree }
        }
        _ => false,
    }
}
