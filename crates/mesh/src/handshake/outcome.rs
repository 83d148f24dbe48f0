//! What a server did to a client, exactly: a claim compares this, so nothing is lumped together.

use std::fmt;
use std::time::Duration;

use rustls::AlertDescription;

use crate::Answer;

/// What came of a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The server let the client in and answered its request. Whether the answer is a 200 is in it.
    Answered(Answer),
    /// The server let the client in; no request was to be sent.
    LetIn,
    /// The server refused with a TLS alert.
    Alert {
        /// Which.
        alert: Alert,
        /// When.
        phase: Phase,
    },
    /// The server ended the connection without an alert and without an answer.
    Closed {
        /// When.
        phase: Phase,
    },
    /// The handshake was completed, no request was to be sent, and the server neither refused nor
    /// confirmed within this time.
    Silent {
        /// How long the client listened.
        waited: Duration,
    },
    /// What came is no TLS: the port speaks plain text.
    NotTls,
    /// The server let the client in, and what it answered is no HTTP/1.
    NotHttp,
    /// The server let the client in, and its answer broke off.
    CutShort,
}

impl Outcome {
    /// The alert, if that is what came.
    pub fn alert(&self) -> Option<Alert> {
        match self {
            Self::Alert { alert, .. } => Some(*alert),
            _ => None,
        }
    }

    /// The answer, if that is what came.
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Answered(answer) => Some(answer),
            _ => None,
        }
    }
}

/// When a connection broke, as the client sees it. A TLS 1.3 server judges the client's certificate
/// after the client is done, so a refusal of it comes in the second phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Before the client had finished.
    Handshake,
    /// After that.
    AfterHandshake,
}

/// A TLS alert by its number (RFC 8446, section 6).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Alert(u8);

impl Alert {
    /// The server could make nothing of the client's offer.
    pub const HANDSHAKE_FAILURE: Self = Self(40);
    /// The client's certificate is corrupt or its signature does not verify.
    pub const BAD_CERTIFICATE: Self = Self(42);
    /// The client's certificate is past its dates.
    pub const CERTIFICATE_EXPIRED: Self = Self(45);
    /// The client's certificate is not acceptable for another reason, as a SAN that does not match.
    pub const CERTIFICATE_UNKNOWN: Self = Self(46);
    /// The client's certificate chains to no CA that the server trusts.
    pub const UNKNOWN_CA: Self = Self(48);
    /// The client presented no certificate and the server insists on one.
    pub const CERTIFICATE_REQUIRED: Self = Self(116);

    /// The number on the wire.
    pub fn code(self) -> u8 {
        self.0
    }

    /// The name in RFC 8446, where this crate has met it.
    fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::HANDSHAKE_FAILURE => "handshake_failure",
            Self::BAD_CERTIFICATE => "bad_certificate",
            Self::CERTIFICATE_EXPIRED => "certificate_expired",
            Self::CERTIFICATE_UNKNOWN => "certificate_unknown",
            Self::UNKNOWN_CA => "unknown_ca",
            Self::CERTIFICATE_REQUIRED => "certificate_required",
            _ => return None,
        })
    }
}

impl From<AlertDescription> for Alert {
    fn from(alert: AlertDescription) -> Self {
        Self(u8::from(alert))
    }
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "alert {}", self.0),
        }
    }
}

impl fmt::Debug for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Handshake => "during the handshake",
            Self::AfterHandshake => "after the client's part of the handshake",
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(answer) => write!(f, "answered {}", answer.status),
            Self::LetIn => f.write_str("let in"),
            Self::Alert { alert, phase } => write!(f, "refused by TLS alert {alert} {phase}"),
            Self::Closed { phase } => write!(f, "connection closed without an alert {phase}"),
            Self::Silent { waited } => write!(f, "neither refused nor confirmed in {waited:?}"),
            Self::NotTls => f.write_str("the port does not speak TLS"),
            Self::CutShort => f.write_str("let in, but the answer broke off"),
            Self::NotHttp => f.write_str("let in, but the answer is not HTTP/1"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn alerts_are_named_as_in_the_rfc_and_the_unmet_ones_by_number() {
        assert_eq!(Alert::from(AlertDescription::UnknownCA).to_string(), "unknown_ca (48)");
        assert_eq!(Alert::from(AlertDescription::CertificateRequired), Alert::CERTIFICATE_REQUIRED);
        assert_eq!(Alert::from(AlertDescription::InternalError).to_string(), "alert 80");
    }

    #[test]
    fn an_outcome_reads_as_a_sentence() {
        let refused = Outcome::Alert { alert: Alert::UNKNOWN_CA, phase: Phase::AfterHandshake };
        assert_eq!(
            refused.to_string(),
            "refused by TLS alert unknown_ca (48) after the client's part of the handshake"
        );
    }
}
