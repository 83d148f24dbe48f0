//! Which Secret is meant: its name is fixed, its namespace is not.

use std::fmt;

use crate::Error;

/// The Secret `cacerts` of one namespace: istiod's own, `istio-system` unless Istio was installed
/// elsewhere. Prints as `Secret istio-system/cacerts`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretRef {
    namespace: String,
}

impl SecretRef {
    /// The name under which istiod's Deployment mounts it (Istio,
    /// `manifests/charts/istio-control/istio-discovery/templates/deployment.yaml`).
    pub const NAME: &'static str = "cacerts";

    /// In the namespace that Istio is installed in by default.
    pub fn istio_system() -> Self {
        Self { namespace: "istio-system".to_owned() }
    }

    /// In another namespace. The name becomes part of a URL, so it is checked: 1 to 63 lower-case
    /// letters, digits and `-`, with a letter or digit at both ends (RFC 1123 section 2.1).
    ///
    /// # Errors
    /// [`Error::NamespaceName`].
    pub fn in_namespace(name: impl Into<String>) -> Result<Self, Error> {
        let namespace = name.into();
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let valid = (1..=63).contains(&namespace.len())
            && namespace.bytes().all(inner)
            && !namespace.starts_with('-')
            && !namespace.ends_with('-');
        if valid { Ok(Self { namespace }) } else { Err(Error::NamespaceName { found: namespace }) }
    }

    /// The namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret {}/{}", self.namespace, Self::NAME)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn a_secret_ref_prints_the_object() {
        assert_eq!(SecretRef::istio_system().to_string(), "Secret istio-system/cacerts");
        let longest = "n".repeat(63);
        assert_eq!(
            SecretRef::in_namespace(longest.as_str()).unwrap().to_string(),
            format!("Secret {longest}/cacerts")
        );
    }

    #[test]
    fn what_is_no_namespace_is_refused_before_it_is_part_of_a_url() {
        let too_long = "n".repeat(64);
        for found in ["", "a/secrets/b", "Istio", "-a", "a-", "a.b", "ä", &too_long] {
            assert_eq!(
                SecretRef::in_namespace(found).unwrap_err().to_string(),
                format!(
                    "`{found}` is not the name of a namespace: expected 1 to 63 of `a` to `z`, \
                     `0` to `9` and `-`, not starting or ending with `-`"
                )
            );
        }
    }
}
