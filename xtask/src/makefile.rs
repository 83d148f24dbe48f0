//! `cacerts` and the real Makefile of Istio in one folder: either goes on where the other stopped.
//!
//! make judges by the dates of files, openssl by what is in them. Keys have 2048 bits where their
//! size is not what is claimed: one of 4096, make's own, takes openssl seconds.

use std::fs::File;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail, ensure};

use crate::claims::{self, Claim};
use crate::command::Program;
use crate::fixtures::{istio_module, stable_text};
use crate::tally::Tally;
use crate::terminal;

mod folder;

use folder::Folder;

const CLAIMS: &[Claim<Folder>] = &[
    ("make finds nothing to do after cacerts", nothing_to_do),
    ("make goes on under a root of cacerts, which stays as it is", make_goes_on),
    ("cacerts goes on under a root of make, which stays as it is", cacerts_goes_on),
    (
        "make re-issues a root whose files are not dated in its order, and cacerts says so",
        another_order,
    ),
    ("cacerts takes the keys of a make that was stopped", keys_of_make),
    ("cacerts completes a cluster's folder that make began", folder_of_make),
    ("make goes on from the key of a cacerts that was stopped", key_of_cacerts),
    ("both make the same certificates of the same variables", same_certificates),
    ("openssl opens an encrypted root with its passphrase alone", openssl_opens),
    ("cacerts opens a root that openssl encrypted", openssl_encrypted),
    ("openssl verifies every hardened key and reads its request", hardened),
    ("openssl reads the request and verifies the bundle of an air gap", air_gap),
    ("cacerts accepts what openssl signed for its request", openssl_signs),
];

/// Proves every claim, and closes with the count.
pub(crate) fn run() -> Result<ExitCode> {
    let tally = check()?;
    terminal::result(&tally.to_string());
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Proves every claim.
pub(crate) fn check() -> Result<Tally> {
    claims::build_cacerts()?;
    let makefile = istio_module()?.join("tools/certs/Makefile.selfsigned.mk");
    Ok(claims::prove(CLAIMS, |index| Folder::new(index, &makefile)))
}

const ROOT: [&str; 4] = ["root-key.pem", "root-ca.conf", "root-cert.csr", "root-cert.pem"];
const INIT: [&str; 4] = ["init", "--profile", "makefile", "--no-passphrase"];

fn nothing_to_do(folder: &Folder) -> Result<()> {
    let folder = &folder.of_makes_size();
    folder.cacerts(&INIT).stdout()?;
    folder.cacerts(&["issue", "c1", "c2"]).stdout()?;
    folder.is_up_to_date(&[&ROOT[..], &["c1/cert-chain.pem", "c2/cert-chain.pem"]].concat())?;
    let bundle = ["c1/ca-key.pem", "c1/ca-cert.pem", "c1/cert-chain.pem", "c1/root-cert.pem"];
    folder.unchanged(&[&ROOT[..], &bundle].concat(), || {
        folder.made("root-ca")?;
        folder.made("c1-cacerts")
    })?;
    folder.verifies("c1")?;
    folder.verifies("c2")
}

fn make_goes_on(folder: &Folder) -> Result<()> {
    folder.cacerts(&INIT).stdout()?;
    folder.cacerts(&["issue", "c1"]).stdout()?;
    folder.unchanged(&ROOT, || folder.made("c2-cacerts"))?;
    ensure!(folder.read("c2/root-cert.pem")? == folder.read("root-cert.pem")?, "two roots");
    folder.verifies("c2")?;
    let again = folder.cacerts(&["issue", "c1", "c2"]).stdout()?;
    ensure!(again.matches("nothing was changed").count() == 2, "cacerts said {again}");
    Ok(())
}

fn cacerts_goes_on(folder: &Folder) -> Result<()> {
    folder.made("c1-cacerts")?;
    let bundle = ["c1/ca-key.pem", "c1/ca-cert.pem", "c1/cert-chain.pem", "c1/root-cert.pem"];
    folder.unchanged(&[&ROOT[..], &bundle].concat(), || {
        let said = folder.cacerts(&INIT).stdout()?;
        ensure!(said.contains("nothing was changed"), "cacerts said {said}");
        folder.cacerts(&["issue", "c1", "c2"]).stdout().map(drop)
    })?;
    folder.verifies("c2")?;
    folder.is_up_to_date(&[&ROOT[..], &["c1/cert-chain.pem", "c2/cert-chain.pem"]].concat())
}

/// The control of every claim that make has nothing to do; and each file must be in its place for
/// one reason or another, so that each is dated last once.
fn another_order(folder: &Folder) -> Result<()> {
    folder.cacerts(&INIT).stdout()?;
    let says_so = || Ok::<_, anyhow::Error>(folder.cacerts(&INIT).both()?.1.contains("re-issue"));
    for file in ROOT {
        // In the past, since make warns of files from the future.
        let mut now = SystemTime::now() - Duration::from_secs(3600);
        for file in ROOT.iter().filter(|other| **other != file).chain([&file]) {
            now += Duration::from_secs(1);
            let file = File::options().append(true).open(folder.path.join(file));
            file.and_then(|file| file.set_modified(now)).context("cannot date a file")?;
        }
        let would = folder.make(&["-q", "root-cert.pem"]).status()?.code() == Some(1);
        ensure!(would == (file != "root-cert.pem"), "{file} last: make would run: {would}");
        ensure!(says_so()? == would, "{file} last: make would run: {would}; cacerts differs");
        std::fs::rename(folder.path.join("root-cert.csr"), folder.path.join("aside"))?;
        let would = folder.make(&["-q", "root-cert.pem"]).status()?.code() == Some(1);
        ensure!(says_so()? == would, "{file} last, no request: make would run: {would}");
        std::fs::rename(folder.path.join("aside"), folder.path.join("root-cert.csr"))?;
    }
    let before = folder.read("root-cert.pem")?;
    let key = File::options().append(true).open(folder.path.join("root-key.pem"));
    let later = SystemTime::now() + Duration::from_secs(60);
    key.and_then(|key| key.set_modified(later)).context("cannot date the key")?;
    folder.made("c1-cacerts")?;
    ensure!(before != folder.read("root-cert.pem")?, "make kept the root: nothing is proved here");
    Ok(())
}

fn keys_of_make(folder: &Folder) -> Result<()> {
    folder.made("root-key.pem")?;
    folder.made("c1/ca-key.pem")?;
    folder.unchanged(&["root-key.pem", "c1/ca-key.pem"], || {
        folder.cacerts(&INIT).stdout()?;
        folder.cacerts(&["issue", "c1"]).stdout().map(drop)
    })?;
    folder.verifies("c1")?;
    folder.is_up_to_date(&[&ROOT[..], &["c1/cert-chain.pem"]].concat())
}

fn folder_of_make(folder: &Folder) -> Result<()> {
    folder.made("c1/ca-cert.pem")?;
    folder.unchanged(&["root-cert.pem", "c1/ca-key.pem", "c1/ca-cert.pem"], || {
        folder.cacerts(&["issue", "c1"]).stdout().map(drop)
    })?;
    let chain = [folder.read("c1/ca-cert.pem")?, folder.read("root-cert.pem")?].concat();
    ensure!(folder.read("c1/cert-chain.pem")? == chain, "the chain is not make's");
    folder.is_up_to_date(&["c1/cert-chain.pem"])
}

fn key_of_cacerts(folder: &Folder) -> Result<()> {
    folder.cacerts(&INIT).stdout()?;
    for file in ["root-cert.pem", "root-cert.csr", "root-ca.conf"] {
        std::fs::remove_file(folder.path.join(file)).context("cannot stop cacerts half-way")?;
    }
    folder.unchanged(&["root-key.pem"], || folder.made("c1-cacerts"))?;
    folder.verifies("c1")
}

fn same_certificates(folder: &Folder) -> Result<()> {
    let folder = &folder.of_makes_size();
    const VARIABLES: [(&str, &str); 8] = [
        ("ROOTCA_DAYS", "40"),
        ("ROOTCA_ORG", "Example AG"),
        ("ROOTCA_CN", "Wurzel"),
        ("ROOTCA_KEYSZ", "2048"),
        ("INTERMEDIATE_DAYS", "30"),
        ("INTERMEDIATE_ORG", "Example"),
        ("INTERMEDIATE_CN", "Mesh CA"),
        ("INTERMEDIATE_SAN_DNS", "istiod.mesh.svc"),
    ];
    let set = |program: Program| {
        VARIABLES.iter().fold(program, |program, (name, value)| program.env(name, value))
    };
    let other = folder.inside("make");
    std::fs::create_dir(&other.path).context("cannot create a folder for make")?;
    set(other.make(&["c1-cacerts"])).stdout()?;
    set(folder.cacerts(&INIT)).stdout()?;
    set(folder.cacerts(&["issue", "c1"])).stdout()?;
    ensure!(folder.read("root-ca.conf")? == other.read("root-ca.conf")?, "another root-ca.conf");
    for file in ["root-cert.pem", "c1/ca-cert.pem", "c1/cert-chain.pem", "c1/root-cert.pem"] {
        let (ours, makes) =
            (stable_text(&folder.path.join(file))?, stable_text(&other.path.join(file))?);
        ensure!(ours == makes, "{file}\n--- make\n{makes}\n+++ cacerts\n{ours}");
        let life = |folder: &Folder| -> Result<String> {
            folder
                .openssl(&["x509", "-noout", "-enddate", "-in", file])
                .map(|end| end[..15].to_owned())
        };
        ensure!(life(folder)? == life(&other)?, "{file} ends on another day");
    }
    let request = |folder: &Folder| -> Result<String> {
        let text =
            folder.openssl(&["req", "-noout", "-text", "-verify", "-in", "root-cert.csr"])?;
        Ok(crate::fixtures::stable_lines(&text))
    };
    let (ours, makes) = (request(folder)?, request(&other)?);
    ensure!(ours == makes, "root-cert.csr\n--- make\n{makes}\n+++ cacerts\n{ours}");
    Ok(())
}

fn openssl_opens(folder: &Folder) -> Result<()> {
    folder.cacerts(&["init"]).env("CACERTS_PASSPHRASE", "correct horse").stdout()?;
    let open = |passphrase: &str| {
        let passphrase = format!("pass:{passphrase}");
        folder.openssl(&["pkey", "-in", "root-key.pem", "-passin", &passphrase, "-pubout"])
    };
    let certified = folder.openssl(&["x509", "-in", "root-cert.pem", "-noout", "-pubkey"])?;
    ensure!(open("correct horse")? == certified, "openssl opened another key");
    let Err(error) = open("battery staple") else { bail!("openssl opened it with any passphrase") };
    let error = format!("{error:#}");
    ensure!(error.contains("bad decrypt"), "openssl says {error}");
    Ok(())
}

fn openssl_encrypted(folder: &Folder) -> Result<()> {
    folder.made("root-ca")?;
    let ciphers: [&[&str]; 3] = [
        &["-v2", "aes-256-cbc"],
        &["-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA512"],
        &["-scrypt"],
    ];
    for (index, cipher) in ciphers.iter().enumerate() {
        let encrypt = ["pkcs8", "-topk8", "-in", "root-key.pem", "-out", "encrypted.pem"];
        folder.openssl(&[&encrypt[..], &["-passout", "pass:correct horse"], cipher].concat())?;
        let rename =
            || std::fs::rename(folder.path.join("encrypted.pem"), folder.path.join("root-key.pem"));
        let plain = folder.read("root-key.pem")?;
        rename().context("cannot put the encrypted key in its place")?;
        let cluster = format!("c{index}");
        let issue = || folder.cacerts(&["issue", &cluster, "--profile", "hardened"]);
        issue().env("CACERTS_PASSPHRASE", "correct horse").stdout()?;
        folder.verifies(&cluster)?;
        std::fs::write(folder.path.join("root-key.pem"), plain)
            .context("cannot restore the key")?;
    }
    Ok(())
}

fn hardened(folder: &Folder) -> Result<()> {
    for key in ["p256", "p384", "rsa2048", "rsa3072", "rsa4096"] {
        folder.cacerts(&["init", key, "--key", key, "--no-passphrase"]).stdout()?;
        folder.cacerts(&["issue", "c1", "--dir", key, "--key", key]).stdout()?;
        let inside = folder.inside(key);
        inside.verifies("c1")?;
        inside.openssl(&["req", "-noout", "-verify", "-in", "root-cert.csr"])?;
        inside.is_up_to_date(&[&ROOT[..], &["c1/cert-chain.pem"]].concat())?;
        inside.unchanged(&ROOT, || inside.made("c2-cacerts"))?;
    }
    Ok(())
}

fn air_gap(folder: &Folder) -> Result<()> {
    folder.cacerts(&["init", "--no-passphrase"]).stdout()?;
    folder.cacerts(&["request", "c1"]).stdout()?;
    let request = folder.openssl(&["req", "-in", "c1.request.pem", "-verify", "-text"])?;
    for line in ["Subject: O = Istio, CN = Intermediate CA, L = c1", "CA:TRUE, pathlen:0"] {
        ensure!(request.contains(line), "openssl reads no {line} in {request}");
    }
    folder.unchanged(&["c1/ca-key.pem"], || {
        folder.cacerts(&["sign", "c1.request.pem", "--yes"]).stdout()?;
        folder.cacerts(&["accept", "c1.response.pem"]).stdout().map(drop)
    })?;
    let key = folder.openssl(&["pkey", "-in", "c1/ca-key.pem", "-pubout"])?;
    let certified = folder.openssl(&["x509", "-in", "c1/ca-cert.pem", "-noout", "-pubkey"])?;
    ensure!(key == certified, "another key is certified");
    folder.verifies("c1")
}

fn openssl_signs(folder: &Folder) -> Result<()> {
    folder.made("root-ca")?;
    folder.cacerts(&["request", "c1"]).stdout()?;
    let issuer = "authorityKeyIdentifier = keyid";
    std::fs::write(folder.path.join("issuer.conf"), issuer).context("cannot write for openssl")?;
    let sign = "x509 -req -in c1.request.pem -CA root-cert.pem -CAkey root-key.pem -CAcreateserial \
                -copy_extensions copyall -extfile issuer.conf -days 90 -out c1.pem";
    folder.openssl(&sign.split_whitespace().collect::<Vec<_>>())?;
    folder.cacerts(&["accept", "c1.pem", "--name", "c1"]).stdout()?;
    folder.verifies("c1")
}
