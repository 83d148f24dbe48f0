//! What a fuzzer claims about the parsers of this program; see `fuzz/`. Each claim stands beside the
//! parser it is about, and panics where it is false.

use std::path::{Component, Path};

pub use crate::asked::fuzzing::request;
pub use crate::check::fuzzing::reports;
pub use crate::crl::fuzzing::record;
pub use crate::response::fuzzing::response;
pub use crate::target::fuzzing::manifest;

use crate::lifetime::Lifetime;
use crate::name::ClusterName;
use crate::variables::{Level, Variables};

/// Lifetimes, spans, moments, names of clusters, the Makefile's variables: read, and read again of
/// what is printed.
pub fn words(text: &str) {
    if let Ok(lifetime) = text.parse::<Lifetime>() {
        assert_eq!(lifetime.short().parse(), Ok(lifetime));
        assert!(!lifetime.to_string().is_empty());
    }
    crate::check::fuzzing::words(text);
    if let Ok(name) = ClusterName::read(text) {
        assert_eq!(name.to_string(), text);
        let parts: Vec<_> = Path::new(name.as_str()).components().collect();
        assert!(matches!(parts[..], [Component::Normal(part)] if part == text));
    }
    for level in [Level::Root, Level::Tier("prod"), Level::Cluster] {
        let set = |name: &str| {
            Ok(text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')))
        };
        if let Ok(variables) =
            Variables::read(level, |name| set(name).map(|it| it.map(str::to_owned)))
        {
            crate::wish::fuzzing::wish(level, &variables);
        }
    }
}
