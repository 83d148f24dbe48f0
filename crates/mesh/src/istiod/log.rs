//! What istiod's log tells about its CA. The texts are those of `pilot/pkg/bootstrap/istio_ca.go`
//! and `certcontroller.go` (Istio 1.31), the same in plain and in JSON logs.

/// The CA that an istiod took at its start, by its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SigningCa {
    /// The files of the `cacerts` Secret.
    PluggedIn,
    /// A CA of its own making, kept in `istio-ca-secret`.
    SelfSigned,
    /// A CA of its own making, kept in `cacerts` with the key `istio-generated`.
    IstioGenerated,
    /// The log has none of the lines that tell: another kind of CA (a registration authority), or a
    /// log whose start was rotated away.
    Untold,
}

const PLUGGED_IN: &str = "Use local CA certificate";
const GENERATED: &str = "secret found, use it as the CA certificate";
const SELF_SIGNED: &str = "Use self-signed certificate as the CA certificate";

/// Parts of the lines that tell what became of the CA at the start and at each reload.
const ABOUT_THE_CA: [&str; 13] = [
    PLUGGED_IN,
    GENERATED,
    SELF_SIGNED,
    "for signing ca files",
    "cacerts files watcher",
    "Update Istiod cacerts",
    "Plug-in CA certs",
    "plugged-in istiod key cert",
    "ROOT-CA",
    "newly added intermediate CA",
    "CRL",
    "Istiod certificates are reloaded",
    "failed to create CA",
];

impl SigningCa {
    /// Reads the log of one run of istiod.
    pub fn from_log(log: &str) -> Self {
        let says = |text: &str| log.lines().any(|line| line.contains(text));
        // A generated CA logs the line of a self-signed one as well.
        if says(GENERATED) {
            Self::IstioGenerated
        } else if says(SELF_SIGNED) {
            Self::SelfSigned
        } else if says(PLUGGED_IN) {
            Self::PluggedIn
        } else {
            Self::Untold
        }
    }
}

/// The lines about the CA, in order: the evidence for a report.
pub fn ca_lines(log: &str) -> Vec<&str> {
    log.lines().filter(|line| ABOUT_THE_CA.iter().any(|part| line.contains(part))).collect()
}

/// Why an istiod did not start, in its own words without the prefix that every reason has.
pub fn start_failure(log: &str) -> Option<&str> {
    let reason = log.lines().find_map(|line| line.strip_prefix("Error: "))?;
    Some(reason.strip_prefix("failed to create discovery service: ").unwrap_or(reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    const PLUGGED: &str = include_str!("../../../../fixtures/istiod/plugged-in.log");
    const PLUGGED_JSON: &str = include_str!("../../../../fixtures/istiod/plugged-in.json.log");
    const OWN: &str = include_str!("../../../../fixtures/istiod/self-signed.log");
    const REFUSED: &str = include_str!("../../../../fixtures/istiod/refused-reload.log");
    const INCOMPLETE: &str = include_str!("../../../../fixtures/istiod/incomplete.log");

    fn messages(log: &str) -> Vec<&str> {
        ca_lines(log).into_iter().filter_map(|line| line.split('\t').nth(2)).collect()
    }

    #[test]
    fn a_plugged_in_ca_is_told_from_a_self_signed_one() {
        assert_eq!(SigningCa::from_log(PLUGGED), SigningCa::PluggedIn);
        assert_eq!(SigningCa::from_log(PLUGGED_JSON), SigningCa::PluggedIn);
        assert_eq!(SigningCa::from_log(OWN), SigningCa::SelfSigned);
    }

    #[test]
    fn a_log_without_its_start_tells_nothing() {
        assert_eq!(SigningCa::from_log(INCOMPLETE), SigningCa::Untold);
        assert_eq!(SigningCa::from_log(""), SigningCa::Untold);
    }

    #[test]
    fn a_generated_ca_in_cacerts_is_not_plugged_in() {
        let log = "info\tIstioGenerated cacerts secret found, use it as the CA certificate\n\
                   info\tUse self-signed certificate as the CA certificate\n";
        assert_eq!(SigningCa::from_log(log), SigningCa::IstioGenerated);
    }

    #[test]
    fn the_lines_about_the_ca_are_the_evidence() {
        let start = ["Using istiod file format for signing ca files", PLUGGED_IN];
        assert_eq!(messages(PLUGGED)[..2], start);
        assert_eq!(messages(PLUGGED).last(), Some(&"Istiod certificates are reloaded"));
        assert_eq!(
            messages(REFUSED)[3..],
            [
                "Update Istiod cacerts",
                "Using istiod file format for signing ca files",
                "Failed to update new Plug-in CA certs: the cert does not match the key: tls: \
                 private key does not match public key",
                "Update Istiod cacerts",
                "Using istiod file format for signing ca files",
                "Multi root is disabled, updating new ROOT-CA not supported",
            ]
        );
    }

    #[test]
    fn a_start_that_failed_says_why() {
        assert_eq!(
            start_failure(INCOMPLETE),
            Some(
                "failed to create CA: failed to create an istiod CA: incomplete signing CA \
                 bundle detected"
            )
        );
        assert_eq!(start_failure(PLUGGED), None);
    }
}
