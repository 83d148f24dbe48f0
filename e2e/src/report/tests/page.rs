//! The page for a browser.

use pretty_assertions::assert_eq;

use super::samples::{self, FOUR, bare, bundle, tested};
use crate::claim::{Evidence, Outcome};
use crate::report::{Failure, html};

#[test]
fn the_page_needs_nothing_but_itself() {
    let page = html(&samples::proven()).unwrap();
    for outside in ["<script", "<link", "<img", "src=", "url(", "@import", "http:", "https:"] {
        assert_eq!(page.matches(outside).count(), 0, "{outside}");
    }
    let policy = r#"content="default-src 'none'; style-src 'unsafe-inline'""#;
    assert_eq!(page.matches(policy).count(), 1);
}

#[test]
fn whatever_comes_from_the_run_is_escaped() {
    const EVIL: &str = "<b onclick='x()'>&\"";
    let mut report = bare(&bundle());
    let outcome = Outcome::Blocked { by: EVIL.to_owned(), why: EVIL.to_owned() };
    report.tested = vec![tested(&FOUR[0], outcome, Evidence::default().with(EVIL, EVIL))];
    report.versions = vec![(EVIL.to_owned(), EVIL.to_owned())];
    report.workloads[0].0 = EVIL.to_owned();
    report.steps[0].title = EVIL.to_owned();
    report.failure = Some(Failure { reason: EVIL.to_owned(), diagnosis: EVIL.to_owned() });
    for place in [&mut report.run, &mut report.provider, &mut report.profile, &mut report.reproduce]
    {
        EVIL.clone_into(place);
    }
    let page = html(&report).unwrap();
    assert_eq!(page.matches("<b onclick").count(), 0);
    // Twice in the claim, twice in its evidence, and in a version; once in all else. The run's id
    // is in the title too.
    assert_eq!(page.matches("&lt;b onclick=").count(), 15);
}

#[test]
fn served_certificates_link_to_the_ones_they_equal() {
    let report = samples::proven();
    let hierarchy = report.hierarchy.clone().unwrap();
    let page = html(&report).unwrap();
    let id =
        |certificate: &pki::Certificate| certificate.fingerprint().to_string()[7..23].to_owned();
    let (root, ca) = (id(hierarchy.root()), id(hierarchy.cluster_ca()));
    assert_eq!(page.matches(&format!(r##"href="#ca-{ca}">= cluster CA"##)).count(), 1);
    assert_eq!(page.matches(&format!(r##"href="#ca-{root}">= root"##)).count(), 2);
    assert_eq!(page.matches(&format!(r#"id="ca-{root}""#)).count(), 1);
    assert_eq!(page.matches("workload certificate, signed by the cluster CA").count(), 1);
    assert_eq!(page.matches("not signed by this cluster CA").count(), 0);
}

#[test]
fn a_stranger_hangs_under_no_ca() {
    let page = html(&samples::false_and_blocked()).unwrap();
    assert_eq!(page.matches("signed by the cluster CA").count(), 0);
    assert_eq!(page.matches("not signed by this cluster CA").count(), 1);
    assert_eq!(page.matches("</svg>istiod signs").count(), 0);
    assert_eq!(page.matches(r#"class="tag yes""#).count(), 0);
}

#[test]
fn what_does_not_hold_stands_open() {
    let page = html(&samples::false_and_blocked()).unwrap();
    assert_eq!(page.matches("<details class=\"card claim false\"").count(), 6);
    assert_eq!(page.matches(r#"" open>"#).count(), 8);
}
