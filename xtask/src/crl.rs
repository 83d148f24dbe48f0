//! OpenSSL as a witness of what `cacerts crl` makes, and as a maker of what it takes.
//!
//! OpenSSL asks a list about every CA of a chain, as Envoy does. What Envoy itself says of such
//! lists is in the rules of `pki`, with where it was seen.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail, ensure};

use crate::claims::{self, Claim};
use crate::command::{Program, target_dir};
use crate::tally::Tally;

/// Each in a folder with a root and the CAs of two clusters.
const CLAIMS: &[Claim<Desk>] = &[
    ("openssl verifies each side's list with its own CA alone", verifies),
    ("openssl follows joined lists from a workload up to the root", follows),
    ("openssl refuses the CA that the root revoked, and no other", revoked_ca),
    ("openssl refuses the workload certificate that its CA revoked", revoked_leaf),
    ("openssl follows joined lists through a tier, and refuses what it and the root revoked", tier),
    ("openssl refuses every chain once a list has expired", expired),
    ("cacerts joins a list that openssl made, and goes on from it", list_of_openssl),
    ("openssl verifies lists of every key", every_key),
];

/// Proves every claim.
pub(crate) fn check() -> Result<Tally> {
    claims::build_cacerts()?;
    Ok(claims::prove(CLAIMS, Desk::new))
}

/// Where one claim is proved.
struct Desk {
    path: PathBuf,
}

impl Desk {
    fn new(index: usize) -> Result<Self> {
        let path = target_dir().join("ci/crl").join(index.to_string());
        if path.exists() {
            std::fs::remove_dir_all(&path).context("cannot remove the folder of an earlier run")?;
        }
        std::fs::create_dir_all(&path).context("cannot create a folder for the lists")?;
        let desk = Self { path };
        desk.cacerts("init ca --no-passphrase")?;
        desk.cacerts("issue c1 c2 --dir ca")?;
        Ok(desk)
    }

    fn cacerts(&self, args: &str) -> Result<String> {
        let program = Program::new(target_dir().join("debug/cacerts"));
        program.args(args.split(' ')).in_folder(&self.path).stdout()
    }

    /// Both streams.
    fn openssl(&self, args: &str) -> Result<String> {
        let openssl = Program::new("openssl").args(args.split(' ')).in_folder(&self.path);
        openssl.both().map(|(out, err)| out + &err)
    }

    /// What openssl says of a command that must fail.
    fn refused(&self, args: &str) -> Result<String> {
        match self.openssl(args) {
            Ok(said) => bail!("openssl did not refuse `{args}`: {said}"),
            Err(error) => Ok(format!("{error:#}")),
        }
    }

    /// Lists of the root and of both clusters, joined in the folder of the first.
    fn joined(&self) -> Result<()> {
        self.cacerts("crl root --dir ca")?;
        self.cacerts("crl cluster ca/c1")?;
        self.cacerts("crl cluster ca/c2")?;
        self.cacerts("crl join ca/c1 --peer ca/c2").map(drop)
    }

    /// A workload's certificate, `leaf.pem`, by the CA of the first cluster.
    fn leaf(&self) -> Result<()> {
        self.openssl(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout leaf-key.pem -subj \
             /CN=leaf -out leaf.csr",
        )?;
        self.openssl(
            "x509 -req -in leaf.csr -CA ca/c1/ca-cert.pem -CAkey ca/c1/ca-key.pem -CAcreateserial \
             -out leaf.pem",
        )
        .map(drop)
    }

    fn write(&self, name: &str, content: &str) -> Result<()> {
        let written = std::fs::write(self.path.join(name), content);
        written.with_context(|| format!("cannot write {name}"))
    }
}

const CHAIN: &str = "verify -x509_strict -crl_check_all -CAfile ca/root-cert.pem -CRLfile \
                     ca/c1/ca-crl.pem";
const LEAF: &str = "verify -crl_check_all -CAfile ca/root-cert.pem -CRLfile ca/c1/ca-crl.pem \
                    -untrusted ca/c1/ca-cert.pem";

fn ensure_says(said: &str, words: &str) -> Result<()> {
    ensure!(said.contains(words), "openssl did not say `{words}` but `{}`", said.trim());
    Ok(())
}

fn verifies(desk: &Desk) -> Result<()> {
    desk.joined()?;
    let of = |list: &str, ca: &str| format!("crl -in {list} -noout -verify -CAfile {ca}");
    let (root, c1) = ("ca/root-cert.pem", "ca/c1/ca-cert.pem");
    ensure_says(&desk.openssl(&of("ca/root-crl.pem", root))?, "verify OK")?;
    ensure_says(&desk.openssl(&of("ca/c1.crl.pem", c1))?, "verify OK")?;
    ensure_says(&desk.refused(&of("ca/c1.crl.pem", root))?, "Error getting CRL issuer")
}

fn follows(desk: &Desk) -> Result<()> {
    desk.joined()?;
    desk.leaf()?;
    ensure_says(&desk.openssl(&format!("{CHAIN} ca/c1/ca-cert.pem"))?, "ca-cert.pem: OK")?;
    ensure_says(&desk.openssl(&format!("{LEAF} leaf.pem"))?, "leaf.pem: OK")?;
    // The control: without the root's list the same chain is refused.
    let only_own = LEAF.replace("ca/c1/ca-crl.pem", "ca/c1.crl.pem");
    let said = desk.refused(&format!("{only_own} leaf.pem"))?;
    ensure_says(&said, "error 3 at 1 depth lookup: unable to get certificate CRL")
}

fn revoked_ca(desk: &Desk) -> Result<()> {
    desk.joined()?;
    desk.cacerts("crl root --dir ca --revoke ca/c2 --reason cACompromise")?;
    desk.cacerts("crl join ca/c1 --peer ca/c2")?;
    ensure_says(&desk.openssl(&format!("{CHAIN} ca/c1/ca-cert.pem"))?, "ca-cert.pem: OK")?;
    let said = desk.refused(&format!("{CHAIN} ca/c2/ca-cert.pem"))?;
    ensure_says(&said, "error 23 at 0 depth lookup: certificate revoked")?;
    let text = desk.openssl("crl -in ca/root-crl.pem -noout -crlnumber -text")?;
    ensure_says(&text, "crlNumber=0x02")?;
    ensure_says(&text, "CA Compromise")
}

fn revoked_leaf(desk: &Desk) -> Result<()> {
    desk.leaf()?;
    desk.joined()?;
    ensure_says(&desk.openssl(&format!("{LEAF} leaf.pem"))?, "leaf.pem: OK")?;
    desk.cacerts("crl cluster ca/c1 --revoke leaf.pem --reason keyCompromise")?;
    desk.cacerts("crl join ca/c1 --peer ca/c2")?;
    let said = desk.refused(&format!("{LEAF} leaf.pem"))?;
    ensure_says(&said, "error 23 at 0 depth lookup: certificate revoked")
}

fn tier(desk: &Desk) -> Result<()> {
    const CHAIN: &str = "verify -x509_strict -crl_check_all -CAfile ca/root-cert.pem -untrusted \
                         ca/prod/tier-cert.pem -CRLfile";
    const JOIN: &str = "crl join ca/prod/c3 --peer ca/prod/c4";
    let with = |list: &str, ca: &str| format!("{CHAIN} {list} ca/prod/{ca}/ca-cert.pem");
    let joined = |ca: &str| with("ca/prod/c3/ca-crl.pem", ca);
    desk.cacerts("tier prod --dir ca --no-passphrase")?;
    desk.cacerts("issue c3 c4 --dir ca/prod")?;
    for ca in ["root --dir ca", "root --dir ca/prod", "cluster ca/prod/c3", "cluster ca/prod/c4"] {
        desk.cacerts(&format!("crl {ca}"))?;
    }
    desk.cacerts(JOIN)?;
    ensure_says(&desk.openssl(&joined("c3"))?, "ca-cert.pem: OK")?;
    ensure_says(&desk.openssl(&joined("c4"))?, "ca-cert.pem: OK")?;
    // The control: without the tier's list the same chain is refused.
    let said = desk.refused(&with("ca/root-crl.pem", "c3"))?;
    ensure_says(&said, "error 3 at 0 depth lookup: unable to get certificate CRL")?;
    desk.cacerts("crl root --dir ca/prod --revoke ca/prod/c4")?;
    desk.cacerts(JOIN)?;
    ensure_says(&desk.openssl(&joined("c3"))?, "ca-cert.pem: OK")?;
    let said = desk.refused(&joined("c4"))?;
    ensure_says(&said, "error 23 at 0 depth lookup: certificate revoked")?;
    desk.cacerts("crl root --dir ca --revoke ca/prod --reason cACompromise")?;
    let both = "ca/prod/tier-crl.pem -CRLfile ca/root-crl.pem";
    let said = desk.refused(&with(both, "c3"))?;
    ensure_says(&said, "error 23 at 1 depth lookup: certificate revoked")
}

fn expired(desk: &Desk) -> Result<()> {
    desk.joined()?;
    let end = desk.openssl("crl -in ca/c1.crl.pem -noout -nextupdate -dateopt iso_8601")?;
    let end = end.trim().strip_prefix("nextUpdate=").context("openssl printed no date")?;
    let end = Program::new("date").args(["--date", end, "+%s"]).stdout()?;
    let end: i64 = end.trim().parse().context("date printed no number")?;
    let at = |moment: i64| format!("{CHAIN} -attime {moment} ca/c1/ca-cert.pem");
    ensure_says(&desk.openssl(&at(end - 60))?, "ca-cert.pem: OK")?;
    ensure_says(&desk.refused(&at(end + 60))?, "error 12 at 0 depth lookup: CRL has expired")
}

const CONFIG: &str = "[ca]\ndefault_ca = d\n[d]\ndatabase = index.txt\ncrlnumber = crlnumber\n\
                      default_md = sha256\ndefault_crl_days = 30\ncrl_extensions = x\n[x]\n\
                      authorityKeyIdentifier = keyid:always\n";

fn list_of_openssl(desk: &Desk) -> Result<()> {
    desk.write("ca.cnf", CONFIG)?;
    let entry = "R\t361124120000Z\t261124120000Z,superseded\t0A1B2C\tunknown\t/CN=gone\n";
    desk.write("index.txt", entry)?;
    desk.write("crlnumber", "10FF\n")?;
    desk.openssl(
        "ca -gencrl -config ca.cnf -keyfile ca/root-key.pem -cert ca/root-cert.pem -out \
         ca/root-crl.pem",
    )?;
    desk.cacerts("crl cluster ca/c1")?;
    let said = desk.cacerts("crl join ca/c1")?;
    ensure!(said.contains("list 4351, revokes 1 certificate"), "cacerts said {said}");
    ensure_says(&desk.openssl(&format!("{CHAIN} ca/c1/ca-cert.pem"))?, "ca-cert.pem: OK")?;
    desk.cacerts("crl root --dir ca --revoke ca/c2")?;
    let text = desk.openssl("crl -in ca/root-crl.pem -noout -crlnumber -text")?;
    for words in ["crlNumber=0x1100", "Serial Number: 0A1B2C", "Superseded"] {
        ensure_says(&text, words)?;
    }
    desk.cacerts("crl join ca/c1").map(drop)
}

fn every_key(desk: &Desk) -> Result<()> {
    for key in ["p256", "p384", "rsa2048", "rsa3072", "rsa4096"] {
        desk.cacerts(&format!("init {key} --key {key} --no-passphrase"))?;
        desk.cacerts(&format!("crl root --dir {key}"))?;
        let verify =
            format!("crl -in {key}/root-crl.pem -noout -verify -CAfile {key}/root-cert.pem");
        ensure_says(&desk.openssl(&verify)?, "verify OK")?;
    }
    Ok(())
}
