//! `docs/judges.md`: what every judge said of every bundle, written by a whole run.

use std::fmt::Write as _;

use pki::Judge;

use crate::verdict::{Compared, Verdict};

const HEAD: &str = "\
# What the real judges say

Written by `cargo xtask judges --write docs/judges.md`. Every line is a bundle of the table in
`crates/judges/src/table`, and what each real judge made of it: **istiod** 1.31 at its start (both
stages, against a real API server) and when its files change under it; the **agent**, which is Go's
verifier on the certificate that this istiod shows; **Envoy** 1.40 as server and client of itself
with what this istiod issued; rustls-**webpki**, which verifies for ztunnel; and **OpenSSL** on a leaf
of the same CA. `pki`'s rules say the same of each, or the run has failed.

`+` accepts, `-` refuses, a blank was not asked: istiod does not start with the bundle, or reads other
files than the four; OpenSSL signs no leaf with it, for webpki and itself; or, on reload, no other
bundle with the same root-cert.pem is there to start from.
P-224 is the one thing the rules do not prove; they refuse every bundle with it as not proved.

## Surprises

- istiod starts, and reloads with its success message, where no agent can reach it any more: an
  empty or foreign cert-chain.pem, a cluster CA without keyCertSign, a root of path length 0.
- istiod counts a root's path length as if the cluster CA were the leaf. Envoy and webpki do not
  count a root's at all. The agent and OpenSSL count right.
- Envoy and OpenSSL take the first root whose name and key id fit. If its key did not make the
  signature they do not try the next; Go and webpki do.
- A cluster CA named like its root stops Envoy and OpenSSL only where it names no issuer's key id.
- Of two lists of one CA Envoy asks the newer, and of equally new ones the first. A root on its own
  list is revoked.
- Go reads a key only in the form that the block's label names; OpenSSL and most libraries guess.
- Headers inside a PEM block: Go's pools of roots leave the certificate out without a word, its
  readers of one certificate take it, and Envoy refuses it.
- The label `X509 CERTIFICATE` is one to Envoy and OpenSSL, and none to Go and webpki.
- An RSA key of 512 bits passes istiod's first stage and stops the second; 1024 bits pass all but
  webpki.
- Critical certificate policies pass all but webpki. webpki follows six CAs below a root, and nobody
  else stops there.
- Name constraints on URIs work with Envoy, and webpki refuses every one of them.

## Every bundle

| bundle | istiod at start | on reload | agent | Envoy | webpki | OpenSSL |
|---|---|---|---|---|---|---|
";

/// The page, in the order of the table.
pub(crate) fn page(judged: &[(&'static str, Vec<Compared>)]) -> String {
    let mut page = HEAD.to_owned();
    for (name, compared) in judged {
        let cell = |judge: Judge| {
            let found = compared.iter().find(|it| it.judge == judge);
            match found.map(|it| &it.real) {
                Some(Verdict::Accepts) => "+",
                Some(Verdict::Refuses(_)) => "-",
                Some(Verdict::Unasked(_)) | None => "",
            }
        };
        let cells = Judge::ALL.map(cell).join(" | ");
        // Writing to a String cannot fail.
        writeln!(page, "| {name} | {cells} |").ok();
    }
    page
}
