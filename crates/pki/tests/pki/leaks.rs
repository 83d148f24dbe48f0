//! No byte of a key in Debug output, reports and errors.

use pki::{BundleFiles, KeyAlgorithm, PrivateKey, Profile, RootCa, probe};

use crate::common::{NOW, bundle, cluster_params, context, files_of, httpbin, root, root_params};

/// Every run of 16 base64 digits of the key, and of its DER in hex and in decimal list form.
struct Needles(Vec<String>);

impl Needles {
    fn of(pem: &str) -> Self {
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        // The first 60 digits are headers that every key of a kind shares.
        let digits: Vec<_> = body.as_bytes()[60..].windows(16).map(<[u8]>::to_vec).collect();
        let mut needles: Vec<_> =
            digits.into_iter().map(|it| String::from_utf8(it).unwrap()).collect();
        let der = pem::parse(pem).unwrap().into_contents();
        for window in der[45..].windows(8) {
            needles.push(window.iter().map(|byte| format!("{byte:02x}")).collect());
            needles.push(window.iter().map(|byte| format!("{byte:02X}")).collect());
            needles.push(window.iter().map(u8::to_string).collect::<Vec<_>>().join(", "));
        }
        Self(needles)
    }

    #[track_caller]
    fn absent_from(&self, label: &str, text: &str) {
        let text = text.replace(['\n', '\r'], "");
        let found = self.0.iter().find(|needle| text.contains(needle.as_str()));
        assert!(found.is_none(), "{label} shows the key");
    }
}

/// The private half only: the public one of the same PKCS#8 may be shown.
fn private_needles(key: &PrivateKey) -> Needles {
    let pem = key.to_pem().unwrap();
    let mut needles = Needles::of(&pem);
    let public: String = key.public_key_der().iter().map(|byte| format!("{byte:02x}")).collect();
    needles.0.retain(|needle| !public.contains(&needle.to_lowercase()));
    needles
}

#[test]
fn the_search_finds_a_key_where_there_is_one() {
    let key = PrivateKey::generate(KeyAlgorithm::Rsa2048).unwrap();
    let needles = private_needles(&key);
    let pem = key.to_pem().unwrap();
    let der = key.to_pkcs8_der();
    let shown = [
        pem.to_string(),
        format!("{:?}", der.as_slice()),
        der.iter().map(|byte| format!("{byte:02x}")).collect(),
    ];
    for text in shown {
        let flat = text.replace('\n', "");
        assert!(needles.0.iter().any(|needle| flat.contains(needle.as_str())), "{text:.80}");
    }
}

#[test]
fn debug_output_shows_no_key() {
    for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::Rsa2048] {
        let mut params = root_params(Profile::Hardened);
        params.key = algorithm;
        let root = RootCa::generate(&params).unwrap();
        let needles = private_needles(root.expose_private_key());
        needles.absent_from("RootCa", &format!("{root:?} {root:#?}"));
        assert_eq!(
            format!("{:?}", root.expose_private_key()),
            format!("PrivateKey({}, elided)", algorithm.kind())
        );
        let mut params = cluster_params(Profile::Hardened);
        params.key = algorithm;
        let cluster_ca = root.issue_cluster_ca(&params).unwrap();
        let shown = format!("{cluster_ca:?} {cluster_ca:#?}");
        let bundle = cluster_ca.bundle().unwrap();
        let needles = private_needles(bundle.expose_private_key());
        needles.absent_from("ClusterCa", &shown);
        needles.absent_from("Bundle", &format!("{bundle:?} {bundle:#?}"));
        let files = format!("{:?} {:#?}", bundle.files(), bundle.files());
        needles.absent_from("BundleFiles", &files);
        assert!(files.contains("\"ca-key.pem\": \""), "{files}");
        let leaf = probe::workload_leaf(&bundle, &httpbin(), NOW).unwrap();
        private_needles(&leaf.key).absent_from("ProbeLeaf", &format!("{leaf:?}"));
        let request = probe::WorkloadRequest::generate(&httpbin()).unwrap();
        private_needles(&request.key).absent_from("WorkloadRequest", &format!("{request:?}"));
    }
}

#[test]
fn reports_and_errors_show_no_key() {
    let bundle = bundle(Profile::Hardened);
    let key = bundle.expose_private_key();
    let needles = private_needles(key);
    let pem = key.to_pem().unwrap();
    let damaged: Vec<String> = vec![
        pem.to_string(),
        pem.replace("PRIVATE KEY", "EC PRIVATE KEY"),
        pem.replace("PRIVATE KEY", "CERTIFICATE"),
        pem.replace("PRIVATE KEY", "RSA PRIVATE KEY"),
        pem.replace("-----BEGIN PRIVATE KEY-----\n", "-----BEGIN PRIVATE KEY-----\nA: b\n\n"),
        pem[..pem.len() - 40].to_owned(),
        format!(" {}", *pem),
    ];
    for text in &damaged {
        for name in BundleFiles::NAMES {
            let mut files = files_of(&bundle);
            files.insert(name, text);
            let report = files.judge(&context()).unwrap();
            needles.absent_from("Report", &format!("{report} {report:?}"));
            let error = pki::Hierarchy::from_files(&files);
            needles.absent_from("Hierarchy", &format!("{error:?}"));
            let refusal = files.into_bundle(&context());
            needles.absent_from("Refusal", &format!("{refusal:?}"));
        }
        needles.absent_from("PrivateKey", &format!("{:?}", PrivateKey::from_pem(text.as_bytes())));
        let error = pki::Certificate::all_from_pem(text.as_bytes());
        needles.absent_from("Certificate", &format!("{error:?}"));
        let root = root(Profile::Hardened).certificate().to_pem();
        let error = RootCa::from_pem(root.as_bytes(), text.as_bytes(), NOW);
        needles.absent_from("RootCa", &format!("{error:?}"));
    }
}

#[test]
fn a_hierarchy_is_not_read_from_files_that_hand_out_a_key() {
    let bundle = bundle(Profile::Hardened);
    for name in [BundleFiles::CA_CERT, BundleFiles::CERT_CHAIN, BundleFiles::ROOT_CERT] {
        let mut files = files_of(&bundle);
        let key = bundle.expose_private_key().to_pem().unwrap();
        let both = [files.get(name).unwrap(), key.as_bytes()].concat();
        files.insert(name, both);
        assert_eq!(
            pki::Hierarchy::from_files(&files).unwrap_err().to_string(),
            format!(
                "`{name}` holds a private key; it is handed out, so take the key out and replace it"
            )
        );
    }
}
