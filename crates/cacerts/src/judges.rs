//! The judges by name: in JSON, in labels, and for people.

use pki::Judge;

/// Whose verdict ztunnel's is: what its certificates are verified with here, at the version of
/// this build.
pub(crate) const ZTUNNEL_BY: &str = "rustls-webpki 0.103.17";

/// The stable name of a judge.
pub(crate) fn id(judge: Judge) -> &'static str {
    match judge {
        Judge::IstiodStart => "istiod-start",
        Judge::IstiodReload => "istiod-reload",
        Judge::Agent => "agent",
        Judge::Envoy => "envoy",
        Judge::Ztunnel => "ztunnel",
        Judge::TlsClient => "tls-client",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ztunnels_judge_is_the_one_that_is_built_in() {
        let lock = include_str!("../../../Cargo.lock");
        let (name, version) = ZTUNNEL_BY.split_once(' ').unwrap();
        let locked = format!("name = \"{name}\"\nversion = \"{version}\"\n");
        assert!(
            lock.contains(&locked),
            "write the version of {name} in Cargo.lock into ZTUNNEL_BY"
        );
    }
}
