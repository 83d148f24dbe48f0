//! root-ca.conf: what Istio's Makefile tells openssl about its root.
//!
//! make needs the file to see that nothing is to be done, and `openssl x509 -extfile` reads it.

use pki::{Profile, RootCaParams};

/// The file for a root of these parameters. Under the makefile profile it is make's own to the
/// byte; `default_bits` stands in it as make writes it and has no effect there either.
///
/// The names may hold no control characters: a line of the file holds one of them.
pub fn root_conf(params: &RootCaParams, default_bits: &str) -> String {
    let key_usage = match params.profile {
        Profile::Makefile => "digitalSignature, nonRepudiation, keyEncipherment, keyCertSign",
        Profile::Hardened => "keyCertSign, cRLSign",
    };
    let (organization, common_name) = (escaped(&params.organization), escaped(&params.common_name));
    format!(
        "[ req ]\n\
         encrypt_key = no\n\
         prompt = no\n\
         utf8 = yes\n\
         default_md = sha256\n\
         default_bits = {default_bits}\n\
         req_extensions = req_ext\n\
         x509_extensions = req_ext\n\
         distinguished_name = req_dn\n\
         [ req_ext ]\n\
         subjectKeyIdentifier = hash\n\
         basicConstraints = critical, CA:true\n\
         keyUsage = critical, {key_usage}\n\
         [ req_dn ]\n\
         O = {organization}\n\
         CN = {common_name}\n"
    )
}

/// openssl's config(5): a backslash takes the meaning from what follows it.
fn escaped(value: &str) -> String {
    let mut escaped = String::new();
    for character in value.chars() {
        if r#"\$#"'`"#.contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
