//! What a fuzzer claims about parsers that are private to this crate; see `fuzz/`. It panics where a
//! claim is false.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use zeroize::Zeroizing;

use crate::csr::IssuedChain;
use crate::relay::counters::Counters;
use crate::{PlainOutcome, Request, plaintext};

/// A mesh's configuration says which namespaces it is for, or is refused.
pub fn config(text: &str) {
    if let Ok(config) = crate::config::parse("istio", text) {
        assert!(!config.trust_domain.is_empty());
        let labels = BTreeMap::from([("mesh".to_owned(), "on".to_owned())]);
        let everywhere = config.discovery_selectors().is_empty();
        assert!(!everywhere || config.discovers(&labels));
    }
}

/// Counters of Envoy do not run backwards.
pub fn counters(text: &str) {
    let counters = Counters::parse(text);
    assert_eq!(counters.since(&counters), Counters::default());
    assert_eq!(counters.since(&Counters::default()), counters);
    assert!(Counters::default().judge().is_err());
}

/// istiod's answer to a request, an element before each line `@@`.
pub fn issued(text: &str) {
    let elements: Vec<_> = text.split("@@\n").map(|part| Zeroizing::new(part.to_owned())).collect();
    let Ok(chain) = IssuedChain::from_elements(&elements) else { return };
    assert!(!text.lines().any(|line| line.starts_with("-----BEGIN PRIVATE KEY-----")));
    let sent = chain.as_agent_sends();
    assert_eq!(sent.len(), 1 + chain.appended().len() + chain.roots().certificates().len());
    assert_eq!(sent.first(), Some(chain.leaf()));
}

thread_local! {
    static RUNTIME: RefCell<Option<Runtime>> = const { RefCell::new(None) };
}

/// What a port answers to a plain request is an answer only where it is HTTP.
pub fn answer(data: &[u8]) {
    RUNTIME.with_borrow_mut(|runtime| {
        let runtime = runtime.get_or_insert_with(|| {
            let built = Builder::new_current_thread().enable_time().build();
            built.unwrap_or_else(|error| panic!("no runtime: {error}"))
        });
        let request = Request::get("httpbin.foo", "/headers");
        let limit = Duration::from_secs(5);
        let outcome = runtime.block_on(async {
            let mut stream = tokio::io::join(data, tokio::io::sink());
            plaintext::speak(&mut stream, "httpbin", &request, limit).await
        });
        if let Ok(PlainOutcome::Answered(_)) = outcome {
            assert!(data.starts_with(b"HTTP/1."));
        }
        if let Ok(PlainOutcome::Closed) = outcome {
            assert!(data.is_empty());
        }
    });
}
