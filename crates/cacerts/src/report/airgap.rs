//! What went over the air gap: a request, what was signed, what was accepted.

use std::path::Path;

use pki::CaRequest;

use crate::asked::Asked;
use crate::terminal;

/// Prints a request: as lines, or as a JSON object.
pub(crate) fn request(asked: &Asked, request: &CaRequest, dir: &Path, created: bool, json: bool) {
    let (folder, path) =
        (dir.join(asked.cluster.as_str()), crate::asked::path(dir, &asked.cluster));
    let (folder, path) = (folder.display(), path.display());
    let (key, public_key) = (request.public_key_kind(), request.public_key_fingerprint());
    if json {
        let object = serde_json::json!({
            "cluster": asked.cluster.as_str(),
            "folder": folder.to_string(),
            "request": path.to_string(),
            "created": created,
            "asked": asked,
            "key": key,
            "public_key": public_key.to_string(),
        });
        return terminal::answer(&object.to_string());
    }
    let happened = if created {
        format!("made a request for {} in `{path}`; its key stays in `{folder}`", asked.cluster)
    } else {
        format!(
            "the request for {} is already there in `{path}`; nothing was changed",
            asked.cluster
        )
    };
    let lifetime = asked.lifetime;
    terminal::answer(&format!(
        "{happened}\n  {}\n  {key}, {}, for {lifetime}\n  public key {public_key}",
        request.subject(),
        asked.profile,
    ));
}
