//! The CA that the mesh was held against, and where in it each served certificate belongs. Found by
//! comparing DER and checking signatures, never by names.

use pki::{Certificate, Hierarchy};
use serde::Serialize;

use super::certificate::Facts;

/// Where a certificate belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Place {
    /// The root that the cluster CA chains to.
    Root,
    /// Another certificate of the trust bundle.
    OtherRoot,
    /// A CA between the two.
    Tier,
    /// What istiod signs with.
    ClusterCa,
    /// No CA of the hierarchy; signed by the cluster CA.
    Workload,
    /// None of it, and not signed by it.
    Stranger,
}

impl Place {
    /// What to call it.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::OtherRoot => "another root",
            Self::Tier => "tier",
            Self::ClusterCa => "cluster CA",
            Self::Workload => "workload certificate",
            Self::Stranger => "not of this CA",
        }
    }

    /// The file of the bundle that holds it.
    fn file(self) -> Option<&'static str> {
        match self {
            Self::Root | Self::OtherRoot => Some("root-cert.pem"),
            Self::Tier => Some("cert-chain.pem"),
            Self::ClusterCa => Some("ca-cert.pem"),
            Self::Workload | Self::Stranger => None,
        }
    }
}

/// A certificate in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Placed {
    /// Where it belongs; `None` where there is no hierarchy to hold it against.
    pub(super) place: Option<Place>,
    /// The same in words.
    pub(super) label: &'static str,
    /// The file of the bundle that holds it.
    pub(super) file: Option<&'static str>,
    #[serde(flatten)]
    pub(super) facts: Facts,
}

impl Placed {
    fn new(place: Option<Place>, certificate: &Certificate) -> Self {
        Self {
            place,
            label: place.map_or("held against nothing", Place::label),
            file: place.and_then(Place::file),
            facts: Facts::from(certificate),
        }
    }
}

/// A CA of the hierarchy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Level {
    #[serde(flatten)]
    pub(super) certificate: Placed,
    /// The positions at which it was served, from 1.
    pub(super) served_as: Vec<usize>,
}

/// One of the page's two comparisons: a served certificate and a file of the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Comparison {
    /// Position in the served chain, from 1.
    pub(super) position: usize,
    /// The file it is held against.
    pub(super) file: &'static str,
    /// Whether both have the same DER.
    pub(super) same: bool,
    /// Fingerprint of the file's certificate.
    pub(super) expected: String,
    /// Fingerprint of what was served at this position, if anything was.
    pub(super) found: Option<String>,
}

/// The CAs from the root down to the cluster CA, then whatever else is trusted.
pub(super) fn levels(hierarchy: &Hierarchy, served: &[Certificate]) -> Vec<Level> {
    let (root, cluster_ca) = (hierarchy.root(), hierarchy.cluster_ca());
    // A cluster CA may be its own root, and is then drawn once.
    let above = (root != cluster_ca).then_some((Place::Root, root));
    let tiers = hierarchy.tiers().iter().rev().map(|tier| (Place::Tier, tier));
    let anchors = hierarchy.trust_bundle().certificates().iter();
    let others = anchors.filter(|anchor| ![root, cluster_ca].contains(anchor));
    let all = above
        .into_iter()
        .chain(tiers)
        .chain([(Place::ClusterCa, cluster_ca)])
        .chain(others.map(|anchor| (Place::OtherRoot, anchor)));
    all.map(|(place, certificate)| {
        let same = |(index, other): (usize, _)| (other == certificate).then_some(index + 1);
        let served_as = served.iter().enumerate().filter_map(same).collect();
        Level { certificate: Placed::new(Some(place), certificate), served_as }
    })
    .collect()
}

/// A certificate that was seen in the mesh, put into its place.
pub(super) fn place(hierarchy: Option<&Hierarchy>, certificate: &Certificate) -> Placed {
    let place = hierarchy.map(|hierarchy| {
        if certificate == hierarchy.cluster_ca() {
            Place::ClusterCa
        } else if certificate == hierarchy.root() {
            Place::Root
        } else if hierarchy.tiers().contains(certificate) {
            Place::Tier
        } else if hierarchy.trust_bundle().contains(certificate) {
            Place::OtherRoot
        } else if certificate.is_signed_by(hierarchy.cluster_ca()) && !certificate.is_ca() {
            Place::Workload
        } else {
            Place::Stranger
        }
    });
    Placed::new(place, certificate)
}

/// The page's comparisons: certificate 2 is the cluster CA, and, where no tier lies between,
/// certificate 3 is the root.
pub(super) fn comparisons(hierarchy: &Hierarchy, served: &[Certificate]) -> Vec<Comparison> {
    let root = hierarchy.tiers().is_empty().then_some((3, "root-cert.pem", hierarchy.root()));
    let pairs = [(2, "ca-cert.pem", hierarchy.cluster_ca())].into_iter().chain(root);
    pairs
        .map(|(position, file, expected)| {
            let found = served.get(position - 1);
            Comparison {
                position,
                file,
                same: found == Some(expected),
                expected: expected.fingerprint().to_string(),
                found: found.map(|found| found.fingerprint().to_string()),
            }
        })
        .collect()
}
