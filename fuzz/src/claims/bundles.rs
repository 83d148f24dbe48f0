//! A whole bundle, judged, made a bundle and a Secret of, and shown.

use k8s_secret::{CacertsSecret, SecretRef, from_secret};
use pki::{
    Bundle, BundleFiles, Certificate, Context, Error, Hierarchy, Judge, Refusal, Report, SpiffeId,
    probe,
};

use crate::quote;
use crate::set::Set;

/// A verdict is kept to, depends on the files alone, and shows no key.
pub fn hold(data: &[u8]) {
    let set = Set::read(data);
    let (files, context) = (set.files(), set.context());
    let keys = quote::key_lines(data);
    let report = judged(&files, &context);
    quote::assert_no_key(data, &keys, &report.to_string());
    stray_file(&set, &context, &report);
    let shown = cacerts::fuzzing::reports(set.files(), &context);
    quote::assert_no_key(data, &keys, &shown);
    match (report.refused(), set.files().into_bundle(&context)) {
        (true, Err(Refusal::Refused(again))) => {
            assert_eq!(again.to_string(), report.to_string(), "judged twice");
        }
        (true, _) => panic!("it is refused, and not said so:\n{report}"),
        (false, Ok(bundle)) => accepted(&bundle, &files, &context, &report, &set),
        (false, Err(Refusal::NotJudged(Error::OtherLayout { name, .. }))) => {
            assert!(files.get(name).is_some_and(|content| !content.is_empty()));
        }
        (false, Err(refusal)) => panic!("nothing refuses it, and it is no bundle: {refusal:?}"),
    }
}

fn judged(files: &BundleFiles, context: &Context) -> Report {
    files.judge(context).unwrap_or_else(|error| panic!("the context cannot be used: {error}"))
}

/// A file that nobody reads changes no verdict.
fn stray_file(set: &Set<'_>, context: &Context, report: &Report) {
    let mut files = set.files();
    let is_some_bundle = BundleFiles::NAMES.iter().any(|name| files.get(name).is_some());
    if !is_some_bundle || files.get("zz.txt").is_some() {
        return;
    }
    files.insert("zz.txt", b"a note");
    let with = judged(&files, context);
    assert_eq!(with.refused(), report.refused());
    for judge in Judge::ALL {
        assert_eq!(with.verdict(judge).accepts(), report.verdict(judge).accepts(), "{judge}");
    }
}

fn accepted(
    bundle: &Bundle,
    files: &BundleFiles,
    context: &Context,
    report: &Report,
    set: &Set<'_>,
) {
    assert!(bundle.files().names().eq({
        let mut names = BundleFiles::NAMES;
        names.sort_unstable();
        names
    }));
    for name in BundleFiles::NAMES {
        assert_eq!(bundle.files().get(name), files.get(name));
    }
    let hierarchy = bundle.hierarchy();
    assert_eq!(Hierarchy::from_files(bundle.files()).ok().as_ref(), Some(hierarchy));
    let secret = CacertsSecret::new(bundle, SecretRef::istio_system());
    let manifest = secret.manifest();
    let read = from_secret(manifest.expose_secret());
    assert!(BundleFiles::NAMES.iter().all(|name| read.get(name) == files.get(name)));
    assert!(secret.difference(manifest.expose_secret()).is_empty());
    if report.findings.is_empty() {
        serves(bundle, context, set.part("served"));
    }
}

/// What a workload would serve proves its identity, and no other; what is served besides does not
/// change that.
fn serves(bundle: &Bundle, context: &Context, besides: Option<&[u8]>) {
    let ids = ["a", "b"].map(|account| SpiffeId::workload(&context.trust_domain, "foo", account));
    let [Ok(id), Ok(other)] = ids else { panic!("these are identities") };
    let leaf = probe::workload_leaf(bundle, &id, context.now);
    let leaf = leaf.unwrap_or_else(|error| panic!("no leaf: {error}"));
    let mut served = leaf.served();
    let verify = |served: &[Vec<u8>], id| bundle.hierarchy().verify(served, id, context.now);
    let chain = verify(&served, &id).unwrap_or_else(|error| panic!("it does not verify: {error}"));
    assert_eq!(chain.root(), bundle.hierarchy().root());
    assert!(chain.strangers().is_empty());
    assert!(verify(&served, &other).is_err(), "it proves another identity");
    assert!(verify(&served[1..], &id).is_err(), "it verifies without its leaf");
    let besides = besides.and_then(|pem| Certificate::all_from_pem(pem).ok()).unwrap_or_default();
    served.extend(besides.iter().take(3).map(|certificate| certificate.der().to_vec()));
    let with = verify(&served, &id);
    assert!(with.is_ok(), "certificates besides change the outcome: {with:?}");
}
