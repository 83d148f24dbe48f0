//! Claims about the chain that httpbin serves in a TLS handshake.

use anyhow::Result;
use pki::{Certificate, Hierarchy, KeyUsageBit, SpiffeId};
use time::OffsetDateTime;

use super::control_plane::{describe, finding};
use crate::claim::{Evidence, Finding};
use crate::view::{Truth, View};

/// Claim 2.
pub(super) async fn is_the_bundle(view: &View<'_>) -> Result<Finding> {
    let served = view.served().await?.served.certificates()?;
    Ok(judge_layout(&served, view.truth))
}

/// Position 2 is the cluster CA, and nothing served after the leaf is from elsewhere. How many
/// copies of the root follow is istiod's affair: with the page's layout it is two.
fn judge_layout(served: &[Certificate], truth: &Truth) -> Finding {
    let hierarchy = &truth.hierarchy;
    let mut wrong = Vec::new();
    let mut evidence = Evidence::default();
    for (index, certificate) in served.iter().enumerate() {
        evidence = evidence.with(format!("certificate {}", index + 1), describe(certificate));
    }
    let mut compare = |position: usize, name: &str, expected: &Certificate| {
        let found = served.get(position - 1);
        let same = found == Some(expected);
        evidence.0.push((
            format!("certificate {position} against {name}"),
            if same { "the same DER" } else { "another DER" }.to_owned(),
        ));
        if !same {
            let found = found.map_or_else(|| "nothing".to_owned(), describe);
            let expected = describe(expected);
            wrong.push(format!("certificate {position}: expected {expected}, found {found}"));
        }
    };
    compare(2, "ca-cert.pem", hierarchy.cluster_ca());
    // The page reads the root off position 3, which only its own layout guarantees.
    if hierarchy.cluster_ca() != hierarchy.root()
        && (truth.chain.get(1) == Some(hierarchy.root()) || hierarchy.tiers().is_empty())
    {
        compare(3, "root-cert.pem", hierarchy.root());
    }
    for (index, certificate) in served.iter().enumerate().skip(1) {
        if !hierarchy.contains(certificate) {
            let position = index + 1;
            let found = describe(certificate);
            wrong.push(format!("certificate {position} is not of the bundle: {found}"));
        }
    }
    finding(wrong, evidence)
}

/// Claim 3.
pub(super) async fn chains_to_the_root(view: &View<'_>) -> Result<Finding> {
    let served = &view.served().await?.served;
    let certificates = served.certificates()?;
    // Whose identity it is, is claim 4: here the leaf's own counts, so that only the chain is judged.
    let own = certificates.first().map(Certificate::uri_sans).unwrap_or_default();
    let [own] = own[..] else {
        return Ok(Finding::is_false(format!("expected one SPIFFE ID, found {own:?}")));
    };
    let own: SpiffeId = match own.parse() {
        Ok(id) => id,
        Err(error) => return Ok(Finding::is_false(format!("`{own}` is no SPIFFE ID: {error}"))),
    };
    Ok(match view.truth.hierarchy.verify(served.ders(), &own, view.now()) {
        Ok(chain) => {
            let mut evidence = Evidence::default().with("leaf", describe(chain.leaf()));
            for issuer in chain.intermediates() {
                evidence = evidence.with("signed by", describe(issuer));
            }
            Finding::Holds(evidence.with("root", describe(chain.root())))
        }
        Err(error) => Finding::is_false(error.to_string()),
    })
}

/// Claim 4.
pub(super) async fn is_httpbins(view: &View<'_>) -> Result<Finding> {
    let served = view.served().await?.served.certificates()?;
    let Some(leaf) = served.first() else {
        return Ok(Finding::is_false("no certificate was served"));
    };
    Ok(judge_leaf(leaf, &view.httpbin_id()?, &view.truth.hierarchy, view.now()))
}

/// security/pkg/pki/util/generate_cert.go is what makes such a leaf; the SPIFFE X509-SVID document
/// says what it has to be.
fn judge_leaf(
    leaf: &Certificate,
    id: &SpiffeId,
    truth: &Hierarchy,
    now: OffsetDateTime,
) -> Finding {
    let ca = truth.cluster_ca();
    let (life, ca_life) = (leaf.validity(), ca.validity());
    let uris = leaf.uri_sans();
    let evidence = Evidence::default()
        .with("SPIFFE ID", uris.join(", "))
        .with("valid", life)
        .with("cluster CA valid", ca_life)
        .with("serial", leaf.serial_hex());
    let mut wrong = Vec::new();
    let mut expect = |holds: bool, what: String| {
        if !holds {
            wrong.push(what);
        }
    };
    expect(uris == [id.as_str()], format!("expected the SPIFFE ID `{id}` alone, found {uris:?}"));
    expect(leaf.san_is_critical(), "the subject alternative name is not critical".to_owned());
    expect(!leaf.is_ca(), "the workload certificate is a CA".to_owned());
    let usage = leaf.key_usage();
    let signs = usage.as_ref().is_some_and(|usage| {
        let has = |bit| usage.has(bit);
        has(KeyUsageBit::DigitalSignature)
            && has(KeyUsageBit::KeyEncipherment)
            && !has(KeyUsageBit::KeyCertSign)
            && !has(KeyUsageBit::CrlSign)
    });
    expect(
        signs,
        format!("expected digitalSignature and keyEncipherment, found {}", or_none(usage)),
    );
    let purposes = leaf.ext_key_usage();
    let both = purposes.as_ref().is_some_and(|p| p.has("serverAuth") && p.has("clientAuth"));
    expect(both, format!("expected serverAuth and clientAuth, found {}", or_none(purposes)));
    expect(life.contains(now), format!("it is valid {life}, which is not now"));
    expect(
        life.not_after() <= ca_life.not_after(),
        format!("it is valid {life} and outlives the cluster CA ({ca_life})"),
    );
    let (issuer_key, ca_key) = (leaf.authority_key_id(), ca.subject_key_id());
    expect(
        issuer_key.is_some() && issuer_key == ca_key,
        "its authority key identifier is not the cluster CA's subject key identifier".to_owned(),
    );
    finding(wrong, evidence)
}

fn or_none(found: Option<impl std::fmt::Display>) -> String {
    found.map_or_else(|| "none".to_owned(), |found| found.to_string())
}

#[cfg(test)]
mod tests;
