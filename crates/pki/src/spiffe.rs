//! The identity in a workload certificate (the SPIFFE-ID standard, section 2).

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// `spiffe://` + trust domain + path, checked by the rules of the SPIFFE-ID standard.
///
/// A path may be absent (the identity of a trust domain); Istio's always is
/// `/ns/<namespace>/sa/<service account>`. Prints back what was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpiffeId {
    uri: String,
    trust_domain_end: usize,
}

impl SpiffeId {
    const SCHEME: &'static str = "spiffe://";
    /// SPIFFE-ID section 2.3: what an implementation must support, and what this one accepts.
    const MAX_LEN: usize = 2048;
    /// SPIFFE-ID section 2.3 again, for the trust domain.
    const MAX_TRUST_DOMAIN_LEN: usize = 255;

    /// The identity Istio gives to a service account.
    ///
    /// # Errors
    /// [`Error::SpiffeId`] if a part is empty or has a character the standard does not allow.
    pub fn workload(
        trust_domain: &str,
        namespace: &str,
        service_account: &str,
    ) -> Result<Self, Error> {
        format!("{}{trust_domain}/ns/{namespace}/sa/{service_account}", Self::SCHEME).parse()
    }

    /// The trust domain, for example `cluster.local`.
    pub fn trust_domain(&self) -> &str {
        &self.uri[Self::SCHEME.len()..self.trust_domain_end]
    }

    /// The path with its leading slash; empty if there is none.
    pub fn path(&self) -> &str {
        &self.uri[self.trust_domain_end..]
    }

    /// The whole URI.
    pub fn as_str(&self) -> &str {
        &self.uri
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.uri)
    }
}

impl FromStr for SpiffeId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refuse = |rule| Error::SpiffeId { found: text.to_owned(), rule };
        if text.len() > Self::MAX_LEN {
            return Err(refuse("it is longer than 2048 bytes"));
        }
        let rest = text
            .strip_prefix(Self::SCHEME)
            .ok_or_else(|| refuse("it does not start with `spiffe://`"))?;
        let (trust_domain, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, ""),
        };
        check_trust_domain(trust_domain).map_err(refuse)?;
        check_path(path).map_err(refuse)?;
        Ok(Self { uri: text.to_owned(), trust_domain_end: Self::SCHEME.len() + trust_domain.len() })
    }
}

/// Userinfo, port, query and fragment all fall to the character rule: `@`, `:`, `?` and `#` are
/// not among the characters allowed.
fn check_trust_domain(trust_domain: &str) -> Result<(), &'static str> {
    match trust_domain {
        "" => Err("the trust domain is empty"),
        _ if trust_domain.len() > SpiffeId::MAX_TRUST_DOMAIN_LEN => {
            Err("the trust domain is longer than 255 bytes")
        }
        _ if !trust_domain.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte)
        }) =>
        {
            Err("a trust domain has only the characters a-z, 0-9, `.`, `-` and `_`")
        }
        _ => Ok(()),
    }
}

fn check_path(path: &str) -> Result<(), &'static str> {
    for segment in path.split('/').skip(1) {
        match segment {
            "" => return Err("the path has an empty segment"),
            "." | ".." => return Err("the path has a relative segment"),
            _ if !segment
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)) =>
            {
                return Err("a path has only the characters a-z, A-Z, 0-9, `.`, `-` and `_`");
            }
            _ => {}
        }
    }
    Ok(())
}
