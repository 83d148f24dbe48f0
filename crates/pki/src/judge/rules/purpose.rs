//! What a CA is limited to by an extended key usage (RFC 5280 section 4.2.1.12).

use Judge::{Agent, Envoy, IstiodReload, IstiodStart, TlsClient, Ztunnel};

use super::authority::about;
use crate::judge::rule::{Flaw, Judge, Rule, Severity, Versions};
use crate::{BundleFiles, ExtendedKeyUsage};

pub(super) static EXT_KEY_USAGE: Rule = Rule {
    id: "extended-key-usage-on-ca",
    severity: Severity::Refuse,
    judges: &Judge::ALL,
    versions: Versions::ALL,
    what: "a CA is limited to purposes that a mesh goes beyond",
    why: "a workload is server and client with one certificate; istiod looks for serverAuth only, \
          Envoy wants both, and neither Envoy nor webpki takes anyExtendedKeyUsage for them",
    fix: "issue the CA without extended key usage, or with serverAuth and clientAuth",
    source: "Go crypto/x509 Verify, default KeyUsages; BoringSSL; rustls-webpki",
    evidence: "serverAuth only and any: Envoy ends with unsupported_certificate_purpose; clientAuth \
               only and codeSigning: istiod does not start (1.31)",
    istiod: &["certificate specifies an incompatible key usage"],
    check: |inspection| {
        let mut flaws = Vec::new();
        for step in inspection.steps() {
            let Some(usage) = step.certificate.ext_key_usage() else { continue };
            let is_root = step.file == BundleFiles::ROOT_CERT;
            let judges: &[Judge] = match (serves_go(&usage), serves_both(&usage)) {
                (_, true) => continue,
                // Below, since the mesh itself works.
                (true, false) if is_root => continue,
                (false, _) if is_root => &[IstiodStart, IstiodReload, Agent, TlsClient],
                (true, false) => &[Envoy, Ztunnel, TlsClient],
                (false, false) => &Judge::ALL,
            };
            let found = format!("limited to {usage}");
            flaws.push(about(step, found, NO_LIMIT).judges(judges));
        }
        flaws
    },
};

pub(super) static EXT_KEY_USAGE_ON_ROOT: Rule = Rule {
    id: "extended-key-usage-on-root",
    severity: Severity::Warn,
    judges: &[TlsClient],
    versions: Versions::ALL,
    what: "a root is limited to purposes that a mesh goes beyond",
    why: "Go asks a root for serverAuth only, Envoy and webpki for nothing; OpenSSL refuses the \
          workloads that come as clients",
    fix: "issue the root without extended key usage",
    source: "OpenSSL X509_check_purpose",
    evidence: "a root with serverAuth only: 200 between workloads (1.31); `openssl verify -purpose \
               sslclient` ends with `unsuitable certificate purpose`",
    istiod: &[],
    check: |inspection| {
        let roots = inspection.steps().iter().filter(|step| step.file == BundleFiles::ROOT_CERT);
        let limited = roots.filter_map(|step| {
            let usage = step.certificate.ext_key_usage()?;
            let limits = serves_go(&usage) && !serves_both(&usage);
            limits.then(|| about(step, format!("limited to {usage}"), NO_LIMIT))
        });
        limited.collect::<Vec<Flaw>>()
    },
};

const NO_LIMIT: &str = "no limit, or serverAuth and clientAuth";

fn serves_go(usage: &ExtendedKeyUsage) -> bool {
    usage.has("serverAuth") || usage.has("anyExtendedKeyUsage")
}

fn serves_both(usage: &ExtendedKeyUsage) -> bool {
    usage.has("serverAuth") && usage.has("clientAuth")
}
