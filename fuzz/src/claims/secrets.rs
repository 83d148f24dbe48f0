//! The Secret `cacerts`, as the API server answers it and as a manifest.

use k8s_openapi::api::core::v1::Secret;
use k8s_secret::{Difference, Redacted, from_secret};
use pki::{BundleFiles, Certificate};

/// The two readers of a Secret see the same, and nothing that it holds is shown.
pub fn hold(data: &[u8]) {
    let manifest = std::str::from_utf8(data).ok().and_then(cacerts::fuzzing::manifest);
    let Ok(secret) = serde_json::from_slice::<Secret>(data) else { return };
    let files = from_secret(&secret);
    redacted(&secret, &files);
    assert!(Difference::between(&files, &files).is_empty());
    let from_none = Difference::between(&BundleFiles::new(), &files);
    assert!(!from_none.to_string().is_empty());
    let json = serde_json::to_vec(&secret).unwrap_or_default();
    let again = serde_json::from_slice(&json).map(|again| from_secret(&again));
    assert!(again.is_ok_and(|again| is_same(&again, &files)));
    if let Some([other]) = manifest.as_deref() {
        assert!(is_same(other, &files), "a manifest has other files than the API's object");
    }
}

fn is_same(one: &BundleFiles, other: &BundleFiles) -> bool {
    one.names().eq(other.names()) && one.names().all(|name| one.get(name) == other.get(name))
}

/// No run of a value's characters that is not a certificate.
fn redacted(secret: &Secret, files: &BundleFiles) {
    let text = Redacted(secret).to_string();
    let around = serde_json::to_string(&(&secret.metadata, &secret.type_)).unwrap_or_default();
    for name in files.names() {
        let bytes = files.get(name).unwrap_or_default();
        if Certificate::all_from_pem(bytes).is_ok() {
            continue;
        }
        let Ok(value) = std::str::from_utf8(bytes) else { continue };
        let names: String = files.names().collect();
        for line in value.lines().filter(|line| line.len() >= 20 && line.is_ascii()) {
            let is_known = around.contains(line) || names.contains(line);
            assert!(is_known || !text.contains(line), "a value is shown:\n{text}");
        }
    }
}
