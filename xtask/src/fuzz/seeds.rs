//! The seeds with a key in them, and what belongs to one: made anew for every run, so that no key is
//! kept in the repository.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::desk::Desk;

/// Makes them; the folder has one for each target.
pub(super) fn made() -> Result<PathBuf> {
    let desk = Desk::new()?;
    keys(&desk)?;
    authorities(&desk)?;
    bundles(&desk)?;
    secrets(&desk)?;
    lists(&desk)?;
    over_the_air_gap(&desk)?;
    certificates(&desk)?;
    mesh(&desk)?;
    Ok(desk.seeds)
}

/// Every kind and form of key that openssl writes; `fuzz` is the passphrase.
fn keys(desk: &Desk) -> Result<()> {
    let ec = "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:";
    let pkcs8 = "pkcs8 -topk8 -passout pass:fuzz -in";
    for (name, args) in [
        ("p256.pem", format!("{ec}P-256 -out p256.pem")),
        ("p384.pem", format!("{ec}P-384 -out p384.pem")),
        ("p521.pem", format!("{ec}P-521 -out p521.pem")),
        ("secp256k1.pem", format!("{ec}secp256k1 -out secp256k1.pem")),
        ("ed25519.pem", "genpkey -algorithm ed25519 -out ed25519.pem".to_owned()),
        ("rsa.pem", "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem".to_owned()),
        ("rsa1024.pem", "genrsa -out rsa1024.pem 1024".to_owned()),
        ("sec1.pem", "ec -in p256.pem -out sec1.pem".to_owned()),
        ("pkcs1.pem", "rsa -traditional -in rsa.pem -out pkcs1.pem".to_owned()),
        ("params.pem", "ecparam -name prime256v1 -genkey -out params.pem".to_owned()),
        ("explicit.pem", "ec -in p256.pem -param_enc explicit -out explicit.pem".to_owned()),
        ("rfc1421.pem", "ec -in p256.pem -aes256 -passout pass:fuzz -out rfc1421.pem".to_owned()),
        ("pbkdf2.pem", format!("{pkcs8} p256.pem -v2 aes-256-cbc -out pbkdf2.pem")),
        (
            "pbkdf2-512.pem",
            format!("{pkcs8} p384.pem -v2 aes-128-cbc -v2prf hmacWithSHA512 -out pbkdf2-512.pem"),
        ),
        ("scrypt.pem", format!("{pkcs8} p256.pem -scrypt -scrypt_N 64 -out scrypt.pem")),
        ("des3.pem", format!("{pkcs8} p256.pem -v2 des3 -out des3.pem")),
        ("pbes1.pem", format!("{pkcs8} p256.pem -v1 PBE-SHA1-3DES -out pbes1.pem")),
    ] {
        desk.openssl(&args)?;
        desk.seed("keys", name, &desk.read(name)?)?;
    }
    Ok(())
}

/// Roots and the CAs of clusters, of both profiles, with lists and in cert-manager's layout.
fn authorities(desk: &Desk) -> Result<()> {
    for args in [
        "init ca --no-passphrase",
        "issue c1 c2 --dir ca",
        "tier prod --dir ca --no-passphrase",
        "issue c3 --dir ca/prod",
        "init other --no-passphrase --key p384",
        "issue c1 --dir other",
        "init made --no-passphrase --profile makefile",
        "issue c1 --dir made",
        "convert ca/c2 tls",
        "crl root --dir ca --revoke ca/c2",
        "crl cluster ca/c1",
        "crl join ca/c1",
    ] {
        desk.cacerts(args)?;
    }
    Ok(())
}

/// Files behind the words that say what they are judged for.
fn joined(words: &str, files: &[(String, String)]) -> String {
    let parts = files.iter().map(|(name, content)| format!("@@ {name}\n{content}"));
    format!("{words}\n{}", parts.collect::<String>())
}

fn bundles(desk: &Desk) -> Result<()> {
    let start = desk.openssl("x509 -in ca/c1/ca-cert.pem -noout -startdate -dateopt iso_8601")?;
    let start = start.trim().trim_start_matches("notBefore=").replace(' ', "T");
    let now = format!("now={start}");
    let bundle = |folder: &str| desk.files(folder);
    let without = |files: Vec<(String, String)>, name: &str| -> Vec<(String, String)> {
        files.into_iter().filter(|(found, _)| found != name).collect()
    };
    let with = |mut files: Vec<(String, String)>, name: &str, content: String| {
        files.retain(|(found, _)| found != name);
        files.push((name.to_owned(), content));
        files
    };
    let (root, other) = (desk.read("ca/root-cert.pem")?, desk.read("other/root-cert.pem")?);
    let plain = without(bundle("ca/c1")?, "ca-crl.pem");
    let key = desk.read("ca/c2/ca-key.pem")?;
    let seeds = [
        ("lists", now.clone(), bundle("ca/c1")?),
        ("plain", format!("{now} istio=1.31.0"), plain.clone()),
        ("tls", now.clone(), bundle("tls")?),
        ("makefile", now.clone(), bundle("made/c1")?),
        ("p384", format!("{now} ambient"), bundle("other/c1")?),
        ("tier", now.clone(), bundle("ca/prod/c3")?),
        ("soon", format!("{now} warn=9999 fail=700 istio=1.27.0"), plain.clone()),
        ("late", "now=2096-01-01T00:00:00Z".to_owned(), plain.clone()),
        ("other-key", now.clone(), with(plain.clone(), "ca-key.pem", key.clone())),
        ("key-in-chain", now.clone(), with(plain.clone(), "cert-chain.pem", key)),
        ("no-root", now.clone(), without(plain.clone(), "root-cert.pem")),
        ("reload", now.clone(), with(plain.clone(), "current", other.clone())),
        (
            "roots",
            format!("{now} multi-root ambient"),
            with(with(plain.clone(), "root-cert.pem", root.clone() + &other), "current", root),
        ),
        ("served", now, with(plain, "served", other)),
    ];
    for (name, words, files) in seeds {
        desk.seed("bundles", name, &joined(&words, &files))?;
    }
    Ok(())
}

fn secrets(desk: &Desk) -> Result<()> {
    for folder in ["ca/c1", "tls"] {
        let mut data = Map::new();
        let mut yaml =
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: cacerts\nstringData:\n".to_owned();
        for (name, content) in desk.files(folder)? {
            let encoded = desk.openssl(&format!("base64 -A -in {folder}/{name}"))?;
            data.insert(name.clone(), Value::String(encoded.trim().to_owned()));
            yaml.push_str(&format!("  {name}: |\n"));
            content.lines().for_each(|line| yaml.push_str(&format!("    {line}\n")));
        }
        let metadata = json!({"name": "cacerts", "namespace": "istio-system"});
        let secret =
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data});
        let name = folder.replace('/', "-");
        desk.seed("secrets", &format!("{name}.json"), &secret.to_string())?;
        desk.seed("secrets", &format!("{name}.yaml"), &yaml)?;
        let list = json!({"apiVersion": "v1", "kind": "List", "items": [secret]});
        desk.seed("secrets", &format!("{name}-list.json"), &list.to_string())?;
    }
    Ok(())
}

fn lists(desk: &Desk) -> Result<()> {
    let start = desk.openssl("x509 -in ca/c1/ca-cert.pem -noout -startdate -dateopt iso_8601")?;
    let start = start.trim().trim_start_matches("notBefore=").replace(' ', "T");
    let (lists, root) = (desk.read("ca/c1/ca-crl.pem")?, desk.read("ca/c1/root-cert.pem")?);
    let cas = desk.read("ca/c1/ca-cert.pem")? + &root;
    desk.seed("lists", "joined", &lists)?;
    let parts = [("cas".to_owned(), cas), ("lists".to_owned(), lists)];
    desk.seed("lists", "set", &joined(&format!("now={start}"), &parts))?;
    let parts = [("cas".to_owned(), root), ("lists".to_owned(), desk.read("ca/root-crl.pem")?)];
    desk.seed("lists", "root", &joined(&format!("now={start}"), &parts))
}

fn over_the_air_gap(desk: &Desk) -> Result<()> {
    for args in [
        "request r1 --dir side",
        "request r2 --dir side --key rsa2048 --organization Käse --dns-name a.b",
        "sign side/r1.request.pem --dir ca --out side --yes",
        "sign side/r2.request.pem --dir ca/prod --out side --yes",
    ] {
        desk.cacerts(args)?;
    }
    for name in ["r1", "r2"] {
        desk.seed("requests", name, &desk.read(format!("side/{name}.request.pem"))?)?;
        desk.seed("responses", name, &desk.read(format!("side/{name}.response.pem"))?)?;
    }
    Ok(())
}

/// What openssl puts into certificates when it is asked to.
fn certificates(desk: &Desk) -> Result<()> {
    for (name, extension) in [
        ("names", "nameConstraints=critical,permitted;DNS:.a.b,excluded;URI:.c,permitted;email:.d"),
        ("sans", "subjectAltName=URI:spiffe://td/ns/a/sa/b,DNS:c.d,IP:10.0.0.1,email:e@f"),
        ("usage", "extendedKeyUsage=critical,serverAuth,clientAuth,1.2.3.4"),
        ("path", "basicConstraints=critical,CA:true,pathlen:3"),
        ("policy", "certificatePolicies=1.2.3.4,1.5.6.7.8"),
        ("key-usage", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature,decipherOnly"),
        ("points", "crlDistributionPoints=URI:http://a.b/c.crl"),
        ("access", "authorityInfoAccess=OCSP;URI:http://a.b/ocsp"),
    ] {
        let args =
            "req -x509 -key p256.pem -subj /O=Istio/CN=a/L=b/emailAddress=c@d -days 9 -addext";
        desk.seed("certificates", name, &desk.openssl(&format!("{args} {extension}"))?)?;
    }
    for name in ["ca/c1/ca-cert.pem", "other/c1/cert-chain.pem", "ca/root-cert.pem"] {
        desk.seed("certificates", &name.replace('/', "-"), &desk.read(name)?)?;
    }
    for name in ["p384", "p521", "ed25519", "secp256k1", "rsa1024"] {
        let args = format!("req -x509 -key {name}.pem -subj /CN={name} -days 36500");
        desk.seed("certificates", name, &desk.openssl(&args)?)?;
    }
    Ok(())
}

fn mesh(desk: &Desk) -> Result<()> {
    let [leaf, ca, root] = ["ca-cert.pem", "cert-chain.pem", "root-cert.pem"]
        .map(|name| desk.read(format!("ca/c1/{name}")));
    desk.seed("mesh", "issued", &[leaf?, ca?, root?].join("@@\n"))
}
