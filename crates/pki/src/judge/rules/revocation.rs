//! `ca-crl.pem`: what istiod loads, and Envoy asks at every handshake.

use Judge::{Envoy, IstiodReload, IstiodStart};

use super::authority::about;
use crate::Certificate;
use crate::crl::{Crl, may_sign};
use crate::judge::inspection::{CRL, Inspection};
use crate::judge::rule::{Flaw, Judge, Rule, Severity, Versions};
use crate::validity::rfc3339;

const SINCE: Versions = Versions::since(1, 27);
const FIX: &str = "put one valid list of the root and of every CA below it into ca-crl.pem";

pub(super) static CRL_MISSING: Rule = Rule {
    id: "crl-missing",
    severity: Severity::Refuse,
    judges: &[IstiodStart, IstiodReload, Envoy],
    versions: SINCE,
    what: "a CA has no list in ca-crl.pem that it made and may make",
    why: "istiod does not start if one of cert-chain.pem has none, and drops every reload, that of \
          the key too; Envoy refuses every connection if one of the chain up to the root has none",
    fix: FIX,
    source: "Istio security/pkg/pki/util/keycertbundle.go Verify; istio/istio issue 61075",
    evidence: "garbage, only the root's, only the intermediate's, a bad signature, CAs without \
               cRLSign; with the intermediate alone in chain and lists Envoy ends with \
               unable_to_get_certificate_CRL (1.31)",
    istiod: &["missing CRL signed by certificates"],
    check: |inspection| {
        let Some(lists) = lists(inspection) else { return Vec::new() };
        let mut cas: Vec<&Certificate> = Vec::new();
        let steps = || inspection.steps().iter().map(|step| &step.certificate);
        for ca in steps().chain(&inspection.chain) {
            if !cas.contains(&ca) {
                cas.push(ca);
            }
        }
        let lacking = cas.into_iter().filter(|ca| !lists.iter().any(|list| list.is_of(ca)));
        lacking
            .map(|ca| {
                let mut judges = Vec::new();
                if inspection.chain.contains(ca) {
                    judges.extend([IstiodStart, IstiodReload]);
                }
                if steps().any(|step| step == ca) {
                    judges.push(Envoy);
                }
                let found = match lists.iter().any(|list| list.names(ca)) {
                    _ if !may_sign(ca) => "it may sign none: its key usage lacks cRLSign",
                    true => "a list of that name with another signature",
                    false => "none",
                };
                Flaw::new(format!("`{}`: {found}", ca.subject()), "a list signed by it")
                    .file(CRL)
                    .judges(&judges)
            })
            .collect()
    },
};

pub(super) static CRL_OUTSIDE_VALIDITY: Rule = Rule {
    id: "crl-outside-validity",
    severity: Severity::Refuse,
    judges: &[Envoy],
    versions: SINCE,
    what: "a CA's list has expired or is not valid yet",
    why: "istiod looks at no date and hands it out; Envoy then refuses every new connection of the \
          mesh, while those that are open go on",
    fix: "make the list anew, with time enough until its next update",
    source: "BoringSSL X509_verify_cert with CRL checks; RFC 5280 5.1.2.5",
    evidence: "expired, not yet valid: CRL_has_expired, CRL_is_not_yet_valid in Envoy (1.31)",
    istiod: &[],
    check: |inspection| {
        let now = inspection.context.now;
        current(
            inspection,
            |list| !list.is_valid(now),
            &format!("a list valid at {}", rfc3339(now)),
        )
    },
};

pub(super) static CRL_PARTIAL: Rule = Rule {
    id: "crl-partial",
    severity: Severity::Refuse,
    judges: &[Envoy],
    versions: SINCE,
    what: "a CA's list is not the whole of what it has revoked, or may not be",
    why: "istiod does not look at it and hands it out; Envoy takes no list with a critical extension, \
          as delta lists have, nor one of a distribution point, and refuses every new connection",
    fix: "put the CA's base list in its place, without an issuing distribution point",
    source: "BoringSSL X509_verify_cert with CRL checks; RFC 5280 5.2.4 and 5.2.5; of entries with \
             critical extensions by source",
    evidence: "a delta list and an unknown critical extension: unhandled_critical_CRL_extension; an \
               issuing distribution point, critical or not: Different_CRL_scope (1.31)",
    istiod: &[],
    check: |inspection| {
        let lists = lists(inspection).unwrap_or_default();
        let steps = inspection.steps().iter();
        let partial = steps.filter_map(|step| {
            let own = lists.iter().filter(|list| list.is_of(&step.certificate));
            let extensions: Vec<_> = own.map(|list| list.partial.as_deref()).collect();
            // Envoy takes a whole one before any other.
            let extension = extensions.iter().all(Option::is_some).then(|| *extensions.first()?);
            Some((step, extension.flatten()?))
        });
        partial
            .map(|(step, extension)| {
                let subject = step.certificate.subject();
                let found = format!("`{subject}`: a list with the extension {extension}");
                Flaw::new(found, "a list without critical extensions and distribution point")
                    .file(CRL)
            })
            .collect()
    },
};

pub(super) static CRL_REVOKES: Rule = Rule {
    id: "crl-revokes",
    severity: Severity::Refuse,
    judges: &[Envoy],
    versions: SINCE,
    what: "a CA of the chain is revoked by its issuer's list",
    why: "istiod signs with it all the same, and Envoy refuses every new connection",
    fix: "plug in a CA that is not revoked",
    source: "RFC 5280 6.3.3; BoringSSL X509_verify_cert with CRL checks",
    evidence: "an intermediate on the root's list: certificate_revoked at depth 1; the root on its \
               own list: at depth 2; of two lists of the root the newer counts, else the \
               first (1.31)",
    istiod: &[],
    check: |inspection| {
        let lists = lists(inspection).unwrap_or_default();
        let (now, steps) = (inspection.context.now, inspection.steps());
        // The uppermost may stand on its own list.
        let issuers = steps.iter().skip(1).chain(steps.last());
        let mut flaws = Vec::new();
        for (child, issuer) in steps.iter().zip(issuers) {
            let own: Vec<&Crl> =
                lists.iter().copied().filter(|list| list.is_of(&issuer.certificate)).collect();
            let revokes = |list: &Crl| list.revokes(&child.certificate);
            if !own.iter().any(|list| revokes(list)) {
                continue;
            }
            let found = format!("serial {} is revoked", child.certificate.serial_hex());
            let flaw = about(child, found, "not revoked");
            // Of several lists Envoy asks the newest, and of equally new ones the first.
            let newest = |list: &&&Crl| (list.is_valid(now), list.this_update);
            let is_asked = own.iter().rev().max_by_key(newest).is_some_and(|list| revokes(list));
            flaws.push(if is_asked { flaw } else { flaw.judges(&[]) });
        }
        flaws
    },
};

pub(super) static CRL_UNREADABLE: Rule = Rule {
    id: "crl-unreadable",
    severity: Severity::Refuse,
    judges: &[IstiodStart, IstiodReload],
    versions: SINCE,
    what: "ca-crl.pem holds something that is no revocation list",
    why: "Go skips what is not PEM, and a list is missing that seems to be there; a block that is \
          PEM and no list stops istiod",
    fix: "write the file anew from its lists: each block on lines of its own",
    source: "Go encoding/pem Decode",
    evidence: "garbage alone, and a damaged list or a certificate behind the lists, stop istiod; \
               text around them does not (1.31)",
    istiod: &["failed to parse CRL PEM"],
    check: |inspection| {
        if inspection.tls_layout {
            return Vec::new();
        }
        let Some(file) = &inspection.crl_file else { return Vec::new() };
        let skipped = file.skipped.iter().map(|skipped| {
            Flaw::new(format!("unreadable at line {}: {}", skipped.line, skipped.reason), "lists")
                .judges(&[])
        });
        let blocks = file.blocks.iter().enumerate().filter_map(|(position, block)| {
            let error = block.as_ref().err()?;
            Some(Flaw::new(error.to_string(), "lists").block(position + 1))
        });
        skipped.chain(blocks).map(|flaw| flaw.file(CRL)).collect()
    },
};

pub(super) static CRL_DUE: Rule = Rule {
    id: "crl-due",
    severity: Severity::Warn,
    judges: &[],
    versions: SINCE,
    what: "a CA's list is in the last third of its time",
    why: "once it has expired, every new connection of the mesh fails",
    fix: "make the list anew now",
    source: "RFC 5280 5.1.2.5",
    evidence: "an expired list: CRL_has_expired in Envoy (1.31)",
    istiod: &[],
    check: |inspection| {
        let now = inspection.context.now;
        let due = |list: &Crl| list.is_valid(now) && list.due().is_some_and(|due| due < now);
        current(inspection, due, "at least a third of its time left")
    },
};

pub(super) static CRL_IGNORED: Rule = Rule {
    id: "crl-ignored",
    severity: Severity::Warn,
    judges: &[],
    versions: SINCE,
    what: "there is a ca-crl.pem beside a tls.crt",
    why: "istiod reads no list in this layout: nothing is revoked",
    fix: "move the content of the tls files into the four files, and keep ca-crl.pem",
    source: "Istio pilot/pkg/bootstrap/istio_ca.go detectSigningCABundleAndCRL",
    evidence: "lists beside tls.crt, tls.key and ca.crt: ignored (1.31)",
    istiod: &[],
    check: |inspection| {
        let ignored = inspection.tls_layout && inspection.crl_file.is_some();
        ignored.then(|| Flaw::new("a revocation list", "none").file(CRL)).into_iter().collect()
    },
};

/// The readable lists where they count: an empty file is none to istiod.
fn lists<'a>(inspection: &'a Inspection<'_>) -> Option<Vec<&'a Crl>> {
    let file = inspection.crl_file.as_ref()?;
    let counts = !file.is_empty && !inspection.tls_layout;
    counts.then(|| file.blocks.iter().flatten().collect())
}

/// Each CA of the path whose best list has the flaw: one that is valid, else the newest.
fn current(
    inspection: &Inspection<'_>,
    is_flawed: impl Fn(&Crl) -> bool,
    expected: &str,
) -> Vec<Flaw> {
    let now = inspection.context.now;
    let lists = lists(inspection).unwrap_or_default();
    let of = |ca: &Certificate| -> Option<&Crl> {
        let own = lists.iter().copied().filter(|list| list.is_of(ca));
        own.max_by_key(|list| (list.is_valid(now), list.next_update.is_none(), list.next_update))
    };
    let steps = inspection.steps().iter();
    steps
        .filter_map(|step| Some((step, of(&step.certificate).filter(|list| is_flawed(list))?)))
        .map(|(step, list)| {
            let next = list.next_update.map_or_else(|| "without end".to_owned(), rfc3339);
            let found = format!(
                "`{}`: a list of {}, next update {next}",
                step.certificate.subject(),
                rfc3339(list.this_update)
            );
            Flaw::new(found, expected).file(CRL)
        })
        .collect()
}
