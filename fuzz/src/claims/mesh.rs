//! What a running mesh answers: Envoy, istiod, the mesh's configuration, a workload's port.

use mesh::istiod::{SigningCa, ca_lines, start_failure};
use mesh::{PodRef, ProxySecrets};

/// Each answer is read or refused, whatever it holds.
pub fn hold(data: &[u8]) {
    let pod = PodRef::new("foo", "httpbin");
    if let Ok(secrets) = ProxySecrets::from_config_dump(&pod, data) {
        assert!(!secrets.chain.is_empty() && !secrets.roots.certificates().is_empty());
        // What an agent logs before the answer changes nothing.
        let logged = [b"2026-11-24 info\tlog\n", data].concat();
        assert_eq!(ProxySecrets::from_config_dump(&pod, &logged).ok(), Some(secrets));
    }
    mesh::fuzzing::answer(data);
    let Ok(text) = std::str::from_utf8(data) else { return };
    mesh::fuzzing::config(text);
    mesh::fuzzing::counters(text);
    mesh::fuzzing::issued(text);
    let lines = ca_lines(text);
    assert!(lines.iter().all(|line| text.contains(line)));
    // What tells of the CA is among the lines about it.
    assert_eq!(SigningCa::from_log(&lines.join("\n")), SigningCa::from_log(text));
    assert!(start_failure(text).is_none_or(|reason| text.contains(reason)));
}
