//! The certificates, each under the one that signed it.

use pki::{BundleFiles, Certificate, Validity};
use serde::Serialize;
use time::OffsetDateTime;

use crate::lifetime::rfc3339;
use crate::statement::visible;

/// All certificates. In JSON, times are RFC 3339 in UTC.
#[derive(Serialize)]
pub(super) struct Tree {
    now: String,
    /// What nobody here signed: the roots, and what has lost its issuer.
    certificates: Vec<Node>,
    #[serde(skip)]
    span: Option<Span>,
}

/// From the first start to the last end.
#[derive(Clone, Copy)]
pub(super) struct Span {
    start: OffsetDateTime,
    end: OffsetDateTime,
    now: OffsetDateTime,
}

/// One certificate, and those it signed.
#[derive(Serialize)]
pub(super) struct Node {
    pub(super) role: Role,
    pub(super) subject: String,
    pub(super) issuer: String,
    pub(super) key: String,
    pub(super) serial: String,
    pub(super) fingerprint: String,
    not_before: String,
    not_after: String,
    pub(super) state: State,
    /// Whole days from now to its end; negative when it is over.
    pub(super) days_left: i64,
    /// The files that have it, relative to the folder.
    pub(super) files: Vec<String>,
    pub(super) signed: Vec<Self>,
    #[serde(skip)]
    pub(super) validity: Validity,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Role {
    /// Self-signed.
    Root,
    /// Signs CAs, or another root's twin.
    Tier,
    /// What istiod signs with: the ca-cert.pem of a folder.
    ClusterCa,
    /// No CA.
    Leaf,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    NotYetValid,
    Valid,
    Expired,
}

impl Tree {
    pub(super) fn of(found: &[(String, Certificate)], now: OffsetDateTime) -> Self {
        let mut certificates: Vec<(Certificate, Vec<String>)> = Vec::new();
        for (file, certificate) in found {
            match certificates.iter_mut().find(|(known, _)| known == certificate) {
                Some((_, files)) if files.contains(file) => {}
                Some((_, files)) => files.push(file.clone()),
                None => certificates.push((certificate.clone(), vec![file.clone()])),
            }
        }
        let issuers = issuers(&certificates);
        let validities = || certificates.iter().map(|(certificate, _)| certificate.validity());
        let start = validities().map(|validity| validity.not_before()).min();
        let end = validities().map(|validity| validity.not_after()).max();
        let tops = (0..certificates.len()).filter(|&at| issuers[at].is_none());
        Self {
            now: rfc3339(now.truncate_to_second()),
            certificates: tops.map(|at| node(at, &certificates, &issuers, now)).collect(),
            span: start.zip(end).map(|(start, end)| Span { start, end, now }),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.certificates.is_empty()
    }

    pub(super) fn tops(&self) -> &[Node] {
        &self.certificates
    }

    /// Where a moment is between the first start and the last end, from 0 to 1.
    pub(super) fn place(&self, moment: OffsetDateTime) -> f64 {
        let Some(Span { start, end, .. }) = self.span else { return 0.0 };
        let whole = (end - start).as_seconds_f64().max(1.0);
        ((moment - start).as_seconds_f64() / whole).clamp(0.0, 1.0)
    }

    /// The place of now; `None` where all of it is over or to come.
    pub(super) fn now(&self) -> Option<f64> {
        let span = self.span.filter(|span| span.start <= span.now && span.now <= span.end)?;
        Some(self.place(span.now))
    }

    /// Every certificate with its depth, in the order of the tree.
    pub(super) fn rows(&self) -> Vec<(usize, &Node)> {
        fn add<'a>(depth: usize, nodes: &'a [Node], rows: &mut Vec<(usize, &'a Node)>) {
            for node in nodes {
                rows.push((depth, node));
                add(depth + 1, &node.signed, rows);
            }
        }
        let mut rows = Vec::new();
        add(0, &self.certificates, &mut rows);
        rows
    }
}

impl Node {
    /// Its role in words, and its key.
    pub(super) fn kind(&self) -> String {
        let role = match self.role {
            Role::Root => "root",
            Role::Tier => "tier",
            Role::ClusterCa => "cluster CA",
            Role::Leaf => "no CA",
        };
        format!("{role}, {}", self.key)
    }

    /// From day to day, and how much of it is left.
    pub(super) fn life(&self) -> String {
        let (from, to) = (self.validity.not_before().date(), self.validity.not_after().date());
        let left = match self.state {
            State::NotYetValid => "not yet valid".to_owned(),
            State::Expired => "expired".to_owned(),
            State::Valid => match self.days_left {
                0 => "less than a day left".to_owned(),
                1 => "1 day left".to_owned(),
                more => format!("{more} days left"),
            },
        };
        format!("{from} to {to}, {left}")
    }

    /// The start of the fingerprint: enough to tell two apart by eye.
    pub(super) fn short(&self) -> &str {
        self.fingerprint.get(..23).unwrap_or(&self.fingerprint)
    }

    /// The issuer where it is not in the folder.
    pub(super) fn lost(&self, depth: usize) -> Option<&str> {
        (depth == 0 && self.role != Role::Root).then_some(self.issuer.as_str())
    }
}

/// Who signed each; nobody for the self-signed. Two that signed each other make no ring.
fn issuers(certificates: &[(Certificate, Vec<String>)]) -> Vec<Option<usize>> {
    let mut issuers: Vec<Option<usize>> = vec![None; certificates.len()];
    for at in 0..certificates.len() {
        let (child, _) = &certificates[at];
        if child.is_signed_by(child) {
            continue;
        }
        let leads_back = |from: usize| {
            let mut way = std::iter::successors(Some(from), |&step| issuers[step]);
            way.any(|step| step == at)
        };
        let all = certificates.iter().enumerate();
        let mut signers =
            all.filter(|(other, (ca, _))| child.is_signed_by(ca) && !leads_back(*other));
        issuers[at] = signers.next().map(|(other, _)| other);
    }
    issuers
}

fn node(
    at: usize,
    certificates: &[(Certificate, Vec<String>)],
    issuers: &[Option<usize>],
    now: OffsetDateTime,
) -> Node {
    let (certificate, files) = &certificates[at];
    let validity = certificate.validity();
    let signed = (0..certificates.len()).filter(|&other| issuers[other] == Some(at));
    let is_cluster_ca = |file: &String| file.rsplit('/').next() == Some(BundleFiles::CA_CERT);
    let role = match () {
        () if !certificate.is_ca() => Role::Leaf,
        () if certificate.is_signed_by(certificate) => Role::Root,
        () if files.iter().any(is_cluster_ca) => Role::ClusterCa,
        () => Role::Tier,
    };
    let state = match () {
        () if now < validity.not_before() => State::NotYetValid,
        () if now > validity.not_after() => State::Expired,
        () => State::Valid,
    };
    Node {
        role,
        subject: visible(&certificate.subject().to_string()),
        issuer: visible(&certificate.issuer().to_string()),
        key: certificate.public_key_kind(),
        serial: certificate.serial_hex(),
        fingerprint: certificate.fingerprint().to_string(),
        not_before: rfc3339(validity.not_before()),
        not_after: rfc3339(validity.not_after()),
        state,
        days_left: (validity.not_after() - now).whole_days(),
        files: files.iter().map(|file| visible(file)).collect(),
        signed: signed.map(|other| node(other, certificates, issuers, now)).collect(),
        validity,
    }
}
