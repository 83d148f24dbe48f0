//! Revocation lists: what a CA signs, what it refuses to sign, and which of them do for a mesh.

use pki::{
    BundleFiles, Certificate, Crl, CrlNumber, CrlParams, CrlSet, Profile, Reason, Revocation,
    RootCa, Serial, TierCaParams, Validity,
};
use pretty_assertions::assert_eq;
use time::{Duration, OffsetDateTime};

use crate::common::{NOW, bundle, cluster_params, context, days, files_of, made, root};
use crate::openssl::openssl;

fn params(number: u64, revoked: &[&Certificate]) -> CrlParams {
    let entry = |certificate: &&Certificate| Revocation {
        serial: Serial::of(certificate),
        date: NOW,
        reason: Some(Reason::CaCompromise),
    };
    CrlParams { number, period: days(0, 30), revoked: revoked.iter().map(entry).collect() }
}

fn text(error: pki::Error) -> String {
    error.to_string()
}

#[test]
fn a_list_says_what_it_was_told_to() {
    let root = root(Profile::Hardened);
    let revoked = [
        Revocation { serial: "8f01".parse().unwrap(), date: NOW, reason: None },
        Revocation {
            serial: "0a".parse().unwrap(),
            date: NOW - Duration::DAY,
            reason: Some(Reason::Superseded),
        },
    ];
    let wanted = CrlParams { number: 300, period: days(0, 30), revoked: revoked.to_vec() };
    let list = root.issue_crl(&wanted).unwrap();
    assert_eq!(list.issuer(), root.certificate().subject());
    assert_eq!(list.revoked(), revoked);
    assert_eq!(list.number(), Some(&CrlNumber::from(300)));
    assert_eq!((list.this_update(), list.next_update()), (NOW, Some(NOW + Duration::days(30))));
    assert_eq!(list.due(), Some(NOW + Duration::days(20)));
    assert!(list.is_of(root.certificate()));
    assert!(!list.is_of(crate::common::root(Profile::Hardened).certificate()));
    assert_eq!(Crl::all_from_pem(list.to_pem().unwrap().as_bytes()).unwrap(), [list]);
}

#[test]
fn root_tier_and_cluster_ca_sign_lists_and_openssl_follows_them() {
    let root = root(Profile::Hardened);
    let tier = root
        .issue_tier_ca(&TierCaParams {
            profile: Profile::Hardened,
            common_name: "Tier".to_owned(),
            organization: "Istio".to_owned(),
            path_len: 1,
            validity: days(-1, 900),
            key: pki::KeyAlgorithm::EcdsaP384,
        })
        .unwrap();
    let cluster_ca = tier.issue_cluster_ca(&cluster_params(Profile::Hardened)).unwrap();
    let certificate = cluster_ca.certificate().clone();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: String| {
        std::fs::write(folder.path().join(name), content).unwrap();
    };
    write("root.pem", root.certificate().to_pem());
    write("tier.pem", tier.certificate().to_pem());
    write("ca.pem", certificate.to_pem());
    let pem = |list: Crl| list.to_pem().unwrap();
    write("root.crl", pem(root.issue_crl(&params(1, &[])).unwrap()));
    write("cluster.crl", pem(cluster_ca.issue_crl(&params(1, &[])).unwrap()));
    let verify = |tier_list: Crl| {
        write("tier.crl", pem(tier_list));
        let lists = ["root.crl", "tier.crl", "cluster.crl"]
            .map(|name| std::fs::read_to_string(folder.path().join(name)).unwrap());
        write("all.crl", lists.concat());
        let at = NOW.unix_timestamp();
        let command = format!(
            "verify -attime {at} -x509_strict -crl_check_all -CAfile root.pem -untrusted tier.pem \
             -CRLfile all.crl ca.pem"
        );
        openssl(folder.path(), &command)
    };
    assert_eq!(verify(tier.issue_crl(&params(1, &[])).unwrap()), Ok("ca.pem: OK\n".to_owned()));
    let said = verify(tier.issue_crl(&params(2, &[&certificate])).unwrap()).unwrap_err();
    assert!(said.contains("error 23 at 0 depth lookup: certificate revoked"), "{said}");
    let shown = openssl(folder.path(), "crl -in tier.crl -noout -text -CAfile tier.pem").unwrap();
    for line in ["X509v3 CRL Number: \n                2", "CA Compromise", "Version 2 (0x1)"] {
        assert!(shown.contains(line), "{line} is not in\n{shown}");
    }
}

#[test]
fn a_ca_without_crl_sign_signs_none() {
    let root = root(Profile::Makefile);
    let expected = "`CN=Root CA,O=Istio` may sign no revocation list: key usage has \
                    digitalSignature, nonRepudiation, keyEncipherment, keyCertSign, expected \
                    cRLSign";
    assert_eq!(text(root.issue_crl(&params(1, &[])).unwrap_err()), expected);
}

#[test]
fn a_list_outside_its_cas_life_is_refused() {
    let root = root(Profile::Hardened);
    let life = root.certificate().validity();
    let second = Duration::SECOND;
    let issue = |from: OffsetDateTime, to: OffsetDateTime| {
        let period = Validity::new(from, to).unwrap();
        root.issue_crl(&CrlParams { period, ..params(1, &[]) }).map_err(text)
    };
    assert!(issue(life.not_before(), life.not_after()).is_ok());
    for (from, to) in [(life.not_before() - second, NOW), (NOW, life.not_after() + second)] {
        let wanted = Validity::new(from, to).unwrap();
        let expected = format!(
            "a list valid {wanted} does not lie within the life of `CN=Root CA,O=Istio`, {life}"
        );
        assert_eq!(issue(from, to).unwrap_err(), expected);
    }
}

#[test]
fn a_root_does_not_revoke_itself_nor_anything_twice_and_numbers_start_at_1() {
    let root = root(Profile::Hardened);
    let issue = |params: CrlParams| text(root.issue_crl(&params).unwrap_err());
    let itself = params(1, &[root.certificate()]);
    let expected = "`CN=Root CA,O=Istio` cannot revoke itself; take it out of the trust bundle \
                    instead";
    assert_eq!(issue(itself), expected);
    let c1 = root.issue_cluster_ca(&cluster_params(Profile::Hardened)).unwrap();
    let serial = c1.certificate().serial_hex();
    let twice = issue(params(1, &[c1.certificate(), c1.certificate()]));
    assert_eq!(twice, format!("serial {serial} would be on the list twice"));
    assert_eq!(issue(params(0, &[])), "a list cannot have the number 0, expected at least 1");
}

/// A root, a cluster's CA under it, and a list of each.
fn mesh() -> (RootCa, Vec<Certificate>, Vec<Crl>) {
    let root = root(Profile::Hardened);
    let cluster_ca = root.issue_cluster_ca(&cluster_params(Profile::Hardened)).unwrap();
    let lists = vec![
        root.issue_crl(&params(5, &[])).unwrap(),
        cluster_ca.issue_crl(&params(1, &[])).unwrap(),
    ];
    let cas = vec![cluster_ca.certificate().clone(), root.certificate().clone()];
    (root, cas, lists)
}

#[test]
fn a_set_has_one_list_of_each_ca_in_their_order_and_its_rules_accept_it() {
    let root = root(Profile::Hardened);
    let cluster_ca = root.issue_cluster_ca(&cluster_params(Profile::Hardened)).unwrap();
    let own = cluster_ca.issue_crl(&params(1, &[])).unwrap();
    let bundle = cluster_ca.bundle().unwrap();
    let cas =
        [bundle.certificate().clone(), root.certificate().clone(), bundle.certificate().clone()];
    let roots = root.issue_crl(&params(5, &[])).unwrap();
    let set = CrlSet::new(&cas, vec![roots.clone(), own.clone(), roots.clone()], NOW).unwrap();
    assert_eq!(set.lists(), [own, roots]);
    let mut files = files_of(&bundle);
    files.insert("ca-crl.pem", set.to_pem().unwrap());
    assert_eq!(files.judge(&context()).unwrap().rule_ids(), Vec::<&str>::new());
    let (next, due) = (NOW + Duration::days(30), NOW + Duration::days(20));
    assert_eq!((set.next_update(), set.due()), (Some(next), Some(due)));
}

#[test]
fn a_set_that_lacks_a_list_or_has_a_wrong_one_is_refused_with_the_ca() {
    let (root, cas, lists) = mesh();
    let refused = |cas: &[Certificate], lists: &[&Crl], now| {
        let lists = lists.iter().map(|list| (*list).clone()).collect();
        text(CrlSet::new(cas, lists, now).unwrap_err())
    };
    let cluster = "L=cluster1,CN=Intermediate CA,O=Istio";
    let found = refused(&cas, &[&lists[0]], NOW);
    assert_eq!(found, format!("no list of `{cluster}`: there is none"));
    let (_, _, others) = mesh();
    let found = refused(&cas, &[&lists[0], &others[1]], NOW);
    assert_eq!(found, format!("no list of `{cluster}`: one of its name has another signature"));
    let newer = root.issue_crl(&params(6, &[])).unwrap();
    let found = refused(&cas, &[&lists[0], &newer, &lists[1]], NOW);
    assert_eq!(found, "two lists of `CN=Root CA,O=Istio`, number 5 and number 6, expected one");
    let found = refused(&cas, &[&lists[0], &lists[1], &others[0]], NOW);
    assert_eq!(found, "a list of `CN=Root CA,O=Istio`, which is none of the CAs that need one");
    let late = NOW + Duration::days(30) + Duration::SECOND;
    assert!(CrlSet::new(&cas, lists.clone(), late - Duration::SECOND).is_ok());
    let found = refused(&cas, &[&lists[0], &lists[1]], late);
    let expected = format!(
        "the list of `{cluster}` is valid 2026-11-24T12:00:00Z/2026-12-24T12:00:00Z, not at \
         2026-12-24T12:00:01Z"
    );
    assert_eq!(found, expected);
    let makefile = bundle(Profile::Makefile).certificate().clone();
    let found = refused(&[makefile], &[], NOW);
    assert!(found.starts_with(&format!("`{cluster}` may sign no revocation list: ")), "{found}");
}

#[test]
fn a_set_takes_the_place_of_none_that_is_newer_or_has_more() {
    let (root, cas, lists) = mesh();
    let set = CrlSet::new(&cas, lists.clone(), NOW).unwrap();
    set.prove_newer(&lists).unwrap();
    set.prove_newer(&[root.issue_crl(&params(4, &[])).unwrap()]).unwrap();
    let newer = root.issue_crl(&params(6, &[])).unwrap();
    let expected = "the new list of `CN=Root CA,O=Istio` is older than the present one: number 5 \
                    of 2026-11-24T12:00:00Z, present 6 of 2026-11-24T12:00:00Z";
    assert_eq!(text(set.prove_newer(&[newer]).unwrap_err()), expected);
    let mut twin = params(5, &[]);
    twin.period = Validity::new(NOW + Duration::SECOND, NOW + Duration::DAY).unwrap();
    let twin = root.issue_crl(&twin).unwrap();
    assert!(text(set.prove_newer(&[twin]).unwrap_err()).starts_with("the new list of "));
    let other = made("Other", None, |_| ());
    let other = RootCa::from_pem(other.pem.as_bytes(), other.key_pem().as_bytes(), NOW).unwrap();
    let peer = other.issue_crl(&params(1, &[])).unwrap();
    let expected = "the new lists have none of `CN=Other`, the present ones do";
    assert_eq!(text(set.prove_newer(&[peer]).unwrap_err()), expected);
}

#[test]
fn a_partial_list_does_for_no_mesh() {
    let ca = made("Root CA", None, |_| ());
    let distribution_point =
        rcgen::CrlDistributionPoint { uris: vec!["http://crl.example.com/".to_owned()] };
    let partial = rcgen::CertificateRevocationListParams {
        this_update: NOW,
        next_update: NOW + Duration::DAY,
        crl_number: 1.into(),
        issuing_distribution_point: Some(rcgen::CrlIssuingDistributionPoint {
            distribution_point,
            scope: Some(rcgen::CrlScope::UserCertsOnly),
        }),
        revoked_certs: Vec::new(),
        key_identifier_method: rcgen::KeyIdMethod::Sha256,
    };
    let partial = partial.signed_by(&rcgen::Issuer::from_params(&ca.params, &ca.key)).unwrap();
    let partial = Crl::from_der(partial.der()).unwrap();
    let error = CrlSet::new(&[ca.certificate()], vec![partial], NOW).unwrap_err();
    let expected = "the list of `CN=Root CA` is a partial one: it has the extension 2.5.29.28";
    assert_eq!(text(error), expected);
}

#[test]
fn what_is_no_list_is_named_with_its_line() {
    let read = |pem: &[u8]| text(Crl::all_from_pem(pem).unwrap_err());
    assert_eq!(read(b""), "no PEM block, expected `X509 CRL`");
    let bundle = bundle(Profile::Hardened);
    let root = bundle.files().get(BundleFiles::ROOT_CERT).unwrap();
    assert_eq!(read(root), "line 1 starts a `CERTIFICATE`, expected a `X509 CRL`");
    let der = bundle.certificate().der();
    assert!(text(Crl::from_der(der).unwrap_err()).starts_with("not a revocation list: "));
}
