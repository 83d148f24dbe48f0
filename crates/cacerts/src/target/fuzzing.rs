//! What a fuzzer claims about manifests.

use pki::BundleFiles;

use super::manifest;

/// The longest piece of a manifest that may stand in an error: less than a line of a key.
const SHORT: usize = 63;

/// The files of every Secret; `None` where it is no manifest, of which the error quotes nothing.
pub fn manifest(text: &str) -> Option<Vec<BundleFiles>> {
    match manifest::read(text) {
        Ok(secrets) => {
            assert!(!secrets.is_empty());
            for secret in &secrets {
                assert!(!secret.label().chars().any(char::is_control));
            }
            Some(secrets.into_iter().map(|secret| secret.files).collect())
        }
        Err(error) => {
            // A line of a key is one word. Names of files are shown, and may be long.
            let words = error
                .split([' ', '`'])
                .filter(|word| !word.starts_with("data.") && !word.starts_with("stringData."));
            for word in words {
                let quoted = word.len() > SHORT && text.contains(word);
                assert!(!quoted, "an error quotes the manifest: {error}");
            }
            None
        }
    }
}
