//! What a fuzzer claims about what is granted, and shown before it is.

use std::path::Path;
use std::sync::LazyLock;

use clap::Parser as _;
use pki::Certificate;
use time::macros::datetime;

use super::policy::PolicyArgs;
use super::review;
use crate::asked::RequestFile;
use crate::issuer::IssuerFolder;
use crate::name::ClusterName;
use crate::statement::visible;
use crate::variables::Variables;

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    policy: PolicyArgs,
}

static AS_ASKED: LazyLock<Line> = LazyLock::new(|| Line::parse_from(["sign", "--as-asked"]));
static HARDENED: LazyLock<Line> =
    LazyLock::new(|| Line::parse_from(["sign", "--profile", "hardened"]));
static ROOT: LazyLock<IssuerFolder> = LazyLock::new(|| {
    let pem = include_bytes!("../../../../fixtures/makefile/root-cert.pem");
    let root = Certificate::from_pem(pem);
    let root = root.unwrap_or_else(|error| panic!("the fixture is broken: {error}"));
    let Some(folder) = IssuerFolder::unwritten(&[root]) else { panic!("it has a root") };
    folder
});

/// What is granted ends with the root at the latest, and all that is asked for is shown as it is.
pub(crate) fn review(file: &RequestFile) {
    let now = datetime!(2026-12-01 12:00 UTC);
    let Ok(cluster) = ClusterName::read("c1") else { panic!("c1 is a name") };
    for line in [&AS_ASKED, &HARDENED] {
        let (policy, _) = line.policy.of(file, ROOT.certificate(), &Variables::default());
        let Ok(granted) = policy.grant(&cluster, file, &ROOT, now) else { continue };
        assert!(granted.validity.not_after() <= ROOT.end());
        assert_eq!(granted.key.kind(), file.request.public_key_kind());
        let table = review::table(Path::new("c1.request.pem"), file, &granted);
        assert!(table.lines().all(|line| visible(line) == line), "{table:?}");
        let others = if file.asked.is_some() { 0 } else { 1 + file.request.extensions().len() };
        assert_eq!(table.lines().count(), 11 + others, "{table}");
    }
}
