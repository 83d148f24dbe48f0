//! The table of claims, and how they are tested: what looks goes side by side, what changes the
//! mesh comes last and alone.

use std::time::{Duration, Instant};

use futures::future::join_all;

use crate::claim::{Claim, Finding, Kind, Tested, block_by_controls, broken_control};
use crate::view::View;

mod control_plane;
mod foreign;
mod page;
mod proxies;
mod rotation;
mod served;
pub(crate) mod table;
mod traffic;

/// Every claim, in the order of the report.
pub(crate) static CLAIMS: &[Claim] = &[
    Claim {
        number: 1,
        id: "istiod-uses-the-plugged-in-ca",
        sentence: "istiod uses the plugged-in CA",
        proves: "Every replica of istiod took the four files of the Secret `cacerts` at its start, \
                 by its own log, and no CA of its own making.",
        kind: Kind::Looks,
        control: None,
        test: |view| Box::pin(control_plane::uses_the_plugged_in_ca(view)),
    },
    Claim {
        number: 2,
        id: "httpbin-serves-the-cluster-ca",
        sentence: "httpbin serves its leaf, the cluster CA, then only certificates of the bundle",
        proves: "What a client of httpbin gets to see is the plugged-in CA, to the byte. In the \
                 page's layout certificate 3 is the root.",
        kind: Kind::Looks,
        control: None,
        test: |view| Box::pin(served::is_the_bundle(view)),
    },
    Claim {
        number: 3,
        id: "workload-certificate-chains-to-the-root",
        sentence: "the workload certificate chains to the root, using only what was served",
        proves: "A client that trusts the plugged-in root alone accepts httpbin, with nothing but \
                 the handshake to go by.",
        kind: Kind::Looks,
        control: None,
        test: |view| Box::pin(served::chains_to_the_root(view)),
    },
    Claim {
        number: 4,
        id: "workload-certificate-is-httpbins",
        sentence: "the workload certificate is httpbin's",
        proves: "A critical SPIFFE ID and no other, the key usages of an X.509-SVID, a life within \
                 the cluster CA's, and the cluster CA's key identifier.",
        kind: Kind::Looks,
        control: None,
        test: |view| Box::pin(served::is_httpbins(view)),
    },
    Claim {
        number: 5,
        id: "openssl-agrees",
        sentence: "openssl agrees: identical, identical, OK",
        proves: "The page's own commands, run in the client's proxy and beside this program, come \
                 to the page's own results. An independent witness.",
        kind: Kind::Looks,
        control: None,
        test: |view| Box::pin(page::openssl_agrees(view)),
    },
    Claim {
        number: 6,
        id: "every-proxy-serves-and-trusts-it",
        sentence: "every proxy, gateways included, serves the cluster CA and trusts the root",
        proves: "No proxy of the mesh was left on another CA.",
        kind: Kind::Looks,
        control: None,
        test: |view| Box::pin(proxies::serve_and_trust(view)),
    },
    Claim {
        number: 7,
        id: "every-namespace-has-the-root",
        sentence: "every namespace's istio-ca-root-cert is the plugged-in root, byte for byte",
        proves: "Every pod's agent verifies istiod by the plugged-in root.",
        kind: Kind::Looks,
        control: None,
        test: |view| Box::pin(control_plane::every_namespace_has_the_root(view)),
    },
    Claim {
        number: 8,
        id: "istiod-signs-with-the-cluster-ca",
        sentence: "istiod signs a fresh request with the cluster CA",
        proves: "What istiod signs now, not what it signed when the pods came up.",
        kind: Kind::Looks,
        control: None,
        test: |view| Box::pin(control_plane::signs_with_the_cluster_ca(view)),
    },
    Claim {
        number: 9,
        id: "istiod-and-webhooks-chain-to-the-root",
        sentence: "istiod's serving certificate and the webhooks' caBundle chain to the root",
        proves: "Agents can reach istiod, and the API server can reach the injection and \
                 validation webhooks, on the plugged-in root alone.",
        kind: Kind::Looks,
        control: None,
        test: |view| Box::pin(control_plane::istiod_and_webhooks_chain_to_the_root(view)),
    },
    Claim {
        number: 10,
        id: "client-reaches-httpbin-over-mtls",
        sentence: "the client reaches httpbin over mutual TLS",
        proves: "A 200, and an X-Forwarded-Client-Cert that names both identities: httpbin's proxy \
                 saw the client's certificate.",
        kind: Kind::Looks,
        control: None,
        test: |view| Box::pin(traffic::client_reaches_httpbin(view)),
    },
    Claim {
        number: 11,
        id: "plaintext-is-refused",
        sentence: "a plaintext client is refused under STRICT",
        proves: "The same address and port that answers mutual TLS closes a plain connection \
                 without an answer.",
        kind: Kind::Looks,
        control: Some("client-reaches-httpbin-over-mtls"),
        test: |view| Box::pin(traffic::plaintext_is_refused(view)),
    },
    Claim {
        number: 12,
        id: "foreign-client-is-refused",
        sentence: "a client with a certificate of a foreign CA is refused by TLS",
        proves: "Same names, other keys: httpbin's proxy trusts the plugged-in root and not \
                 whoever calls itself that. A certificate that istiod signed is let in.",
        kind: Kind::Looks,
        control: None,
        test: |view| Box::pin(foreign::client_is_refused(view)),
    },
    Claim {
        number: 13,
        id: "a-new-intermediate-is-picked-up",
        sentence: "a new intermediate under the same root is picked up without a restart",
        proves: "The administrator can replace the cluster CA of a running mesh; a fresh request \
                 shows the new one.",
        kind: Kind::Changes,
        control: Some("istiod-signs-with-the-cluster-ca"),
        test: |view| Box::pin(rotation::new_intermediate_is_picked_up(view)),
    },
];

/// Tests the chosen claims: the looks side by side, then the changes one by one. A mesh is not
/// changed where the control of the change, among `earlier` or these, does not hold.
pub(crate) async fn test(
    view: &View<'_>,
    chosen: &[&'static Claim],
    earlier: &[Tested],
) -> Vec<Tested> {
    let of_kind = |kind| chosen.iter().copied().filter(move |claim| claim.kind == kind);
    let mut tested = join_all(of_kind(Kind::Looks).map(|claim| test_one(view, claim))).await;
    block_by_controls(&mut tested, earlier);
    for claim in of_kind(Kind::Changes) {
        let outcome = match broken_control(claim, tested.iter().chain(earlier)) {
            _ if view.renewal.is_none() => not_ours(claim),
            Some(blocked) => blocked,
            None => test_one(view, claim).await,
        };
        tested.push(outcome);
    }
    tested
}

/// A claim whose test would change a mesh that others run.
fn not_ours(claim: &'static Claim) -> Tested {
    let reason = "the mesh is not the harness's own, and nothing of it is changed".to_owned();
    Tested::new(claim, Ok(Finding::Skipped(reason)), Duration::ZERO)
}

async fn test_one(view: &View<'_>, claim: &'static Claim) -> Tested {
    let start = Instant::now();
    let found = (claim.test)(view).await;
    Tested::new(claim, found, start.elapsed())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn claims_are_numbered_from_one_and_named_once() {
        let numbers: Vec<_> = CLAIMS.iter().map(|claim| claim.number).collect();
        let ids: BTreeSet<_> = CLAIMS.iter().map(|claim| claim.id).collect();
        assert_eq!(numbers, (1..=13).collect::<Vec<_>>());
        assert_eq!(ids.len(), CLAIMS.len());
    }

    #[test]
    fn every_control_is_a_claim_that_comes_before() {
        for (index, claim) in CLAIMS.iter().enumerate() {
            let Some(control) = claim.control else { continue };
            assert!(
                CLAIMS[..index].iter().any(|earlier| earlier.id == control),
                "claim {} has the control `{control}`, which no earlier claim is",
                claim.number
            );
        }
    }

    #[test]
    fn what_changes_the_mesh_comes_last() {
        let first_change = CLAIMS.iter().position(|claim| claim.kind == Kind::Changes);
        let last_look = CLAIMS.iter().rposition(|claim| claim.kind == Kind::Looks);
        assert!(last_look < first_change);
    }
}
