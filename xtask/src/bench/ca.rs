//! What making and checking a CA takes, beside Istio's Makefile and openssl in the same run:
//! docs/performance/ca.md.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};

use super::{machine, median, write_page};
use crate::command::{Program, target_dir};
use crate::fixtures::istio_module;
use crate::terminal;

const PAGE: &str = "docs/performance/ca.md";
/// Commands of milliseconds are run so often as one measurement.
const SHORT: usize = 20;

/// One of the two that are compared: it works in an empty folder that `prepare` has filled.
type Work = fn(&Bench, &Path) -> Result<()>;

/// Work of ours and the same work of a peer.
struct Row {
    what: &'static str,
    /// How often the work is done in one measurement, each time in a folder of its own.
    times: usize,
    prepare: Work,
    ours: Work,
    peer: Option<(&'static str, Work)>,
}

const ROWS: &[Row] = &[
    Row {
        what: "a root and one cluster CA, RSA 4096",
        times: 1,
        prepare: nothing,
        ours: |bench, dir| bench.makefile_profile(dir, &["c1"]),
        peer: Some(("make", |bench, dir| bench.make(dir, &["c1"]))),
    },
    Row {
        what: "a root and five cluster CAs, RSA 4096",
        times: 1,
        prepare: nothing,
        ours: |bench, dir| bench.makefile_profile(dir, &["c1", "c2", "c3", "c4", "c5"]),
        peer: Some(("make", |bench, dir| bench.make(dir, &["c1", "c2", "c3", "c4", "c5"]))),
    },
    Row {
        what: "a cluster CA under a root that is there, its RSA 4096 key too",
        times: 5,
        prepare: keys,
        ours: |bench, dir| bench.cacerts(dir, &["issue", "c1"]),
        peer: Some(("make", |bench, dir| bench.make(dir, &["c1"]))),
    },
    Row {
        what: "a root, P-256, no passphrase",
        times: SHORT,
        prepare: nothing,
        ours: |bench, dir| bench.cacerts(dir, &["init", "--no-passphrase"]),
        peer: Some(("openssl req", openssl_root)),
    },
    Row {
        what: "a cluster CA, P-256, under a root without a passphrase",
        times: SHORT,
        prepare: root,
        ours: |bench, dir| bench.cacerts(dir, &["issue", "c1"]),
        peer: None,
    },
    Row { what: "100 cluster CAs, P-256", times: 1, prepare: root, ours: hundred, peer: None },
    Row { what: "1,000 cluster CAs, P-256", times: 1, prepare: root, ours: thousand, peer: None },
    Row {
        what: "checking 1,000 bundles, P-256",
        times: 1,
        prepare: thousand_there,
        ours: |bench, dir| bench.cacerts(dir, &each(1000, &["check"])),
        peer: Some(("openssl, four calls a bundle", openssl_checks)),
    },
    Row {
        what: "`cacerts issue` where nothing is to be done",
        times: SHORT,
        prepare: cluster,
        ours: |bench, dir| bench.cacerts(dir, &["issue", "c1"]),
        peer: None,
    },
    Row {
        what: "`cacerts --version`",
        times: SHORT,
        prepare: nothing,
        ours: |bench, dir| bench.cacerts(dir, &["--version"]),
        peer: Some(("openssl version", |_, dir| openssl(dir, &["version"]))),
    },
];

/// The programs that are compared, and where.
struct Bench {
    cacerts: PathBuf,
    makefile: PathBuf,
    folder: PathBuf,
}

/// Seconds: on the clock, and of processors.
#[derive(Clone, Copy)]
struct Cost {
    wall: f64,
    cpu: f64,
}

/// Measures every row and writes the page.
pub(super) fn write(runs: usize) -> Result<()> {
    let build = ["build", "--release", "--quiet", "--locked", "-p", "cacerts"];
    ensure!(Program::cargo().args(build).status()?.success(), "cacerts does not compile");
    let bench = Bench {
        cacerts: target_dir().join("release/cacerts"),
        makefile: istio_module()?.join("tools/certs/Makefile.selfsigned.mk"),
        folder: target_dir().join("bench-ca"),
    };
    let mut page = format!(
        "# What making a CA takes\n\n\
         Written by `cargo xtask bench` on one machine in one go: medians of {runs} runs, ours and \
         the peer's in turn, every file synced to the disk by ours. CPU is of all processes \
         together.\n\n{}\n\n\
         | | cacerts | CPU | peer | | CPU | wall, cacerts : peer | CPU |\n\
         |---|---|---|---|---|---|---|---|\n",
        machine()?
    );
    for row in ROWS {
        terminal::say(&format!("{} ..", row.what));
        page.push_str(&bench.row(row, runs)?);
    }
    let size = fs::metadata(&bench.cacerts).context("cannot look at cacerts")?.len();
    writeln!(page, "\nThe program has {:.1} MiB.", mib(size)).context("cannot write to memory")?;
    write_page(PAGE, &page)
}

impl Bench {
    /// Ours and the peer's in turn, so that what disturbs one disturbs the other.
    fn row(&self, row: &Row, runs: usize) -> Result<String> {
        let (mut ours, mut peers) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            ours.push(self.measure(row, row.ours)?);
            if let Some((_, work)) = row.peer {
                peers.push(self.measure(row, work)?);
            }
        }
        let ours = middle(&ours);
        let Some((peer, _)) = row.peer else {
            return Ok(format!("| {} | {} | | | | | | |\n", row.what, shown(ours)));
        };
        let peers = middle(&peers);
        Ok(format!(
            "| {} | {} | {peer} | {} | {:.2} | {:.2} |\n",
            row.what,
            shown(ours),
            shown(peers),
            ours.wall / peers.wall,
            ours.cpu / peers.cpu
        ))
    }

    /// The cost of doing it once.
    fn measure(&self, row: &Row, work: Work) -> Result<Cost> {
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).context("cannot remove the last folders")?;
        }
        let folders: Vec<_> =
            (0..row.times).map(|time| self.folder.join(time.to_string())).collect();
        for folder in &folders {
            fs::create_dir_all(folder).context("cannot create a folder")?;
            (row.prepare)(self, folder)?;
        }
        let (start, cpu) = (Instant::now(), cpu_of_children()?);
        for folder in &folders {
            work(self, folder)?;
        }
        let times = row.times as f64;
        let wall = start.elapsed().as_secs_f64() / times;
        Ok(Cost { wall, cpu: (cpu_of_children()? - cpu) / times })
    }

    fn cacerts<S: AsRef<OsStr>>(&self, dir: &Path, args: &[S]) -> Result<()> {
        Program::new(&self.cacerts).args(args).in_folder(dir).stdout().map(drop)
    }

    fn makefile_profile(&self, dir: &Path, clusters: &[&str]) -> Result<()> {
        self.cacerts(dir, &["init", "--profile", "makefile", "--no-passphrase"])?;
        self.cacerts(dir, &[&["issue"], clusters].concat())
    }

    fn make(&self, dir: &Path, clusters: &[&str]) -> Result<()> {
        let targets = clusters.iter().map(|cluster| format!("{cluster}-cacerts"));
        let make = Program::new("make").arg("-f").arg(&self.makefile);
        make.arg("root-ca").args(targets).in_folder(dir).stdout().map(drop)
    }
}

fn nothing(_bench: &Bench, _dir: &Path) -> Result<()> {
    Ok(())
}

/// A root of the makefile profile, and a key for a cluster.
fn keys(bench: &Bench, dir: &Path) -> Result<()> {
    bench.makefile_profile(dir, &["c1"])?;
    for file in ["ca-cert.pem", "cert-chain.pem", "root-cert.pem"] {
        fs::remove_file(dir.join("c1").join(file)).context("cannot remove a certificate")?;
    }
    Ok(())
}

fn root(bench: &Bench, dir: &Path) -> Result<()> {
    bench.cacerts(dir, &["init", "--no-passphrase"])
}

fn cluster(bench: &Bench, dir: &Path) -> Result<()> {
    root(bench, dir)?;
    bench.cacerts(dir, &["issue", "c1"])
}

fn hundred(bench: &Bench, dir: &Path) -> Result<()> {
    many(bench, dir, 100)
}

fn thousand(bench: &Bench, dir: &Path) -> Result<()> {
    many(bench, dir, 1000)
}

fn thousand_there(bench: &Bench, dir: &Path) -> Result<()> {
    root(bench, dir)?;
    thousand(bench, dir)
}

fn many(bench: &Bench, dir: &Path, count: usize) -> Result<()> {
    bench.cacerts(dir, &each(count, &["issue"]))
}

/// A command about so many clusters.
fn each(count: usize, command: &[&str]) -> Vec<String> {
    let names = (0..count).map(|number| format!("c{number}"));
    command.iter().map(|word| (*word).to_owned()).chain(names).collect()
}

/// The least that a script asks: the signatures, the dates, and whether the key is the certificate's.
fn openssl_checks(_bench: &Bench, dir: &Path) -> Result<()> {
    let script = r#"
        for ca in c*/; do
            openssl verify -CAfile "$ca/root-cert.pem" -untrusted "$ca/cert-chain.pem" \
                "$ca/ca-cert.pem" >verified
            openssl x509 -in "$ca/ca-cert.pem" -checkend 5184000 -noout >lasting
            openssl x509 -in "$ca/ca-cert.pem" -noout -pubkey >certified
            openssl pkey -in "$ca/ca-key.pem" -pubout >held
            cmp certified held
        done"#;
    Program::new("sh").args(["-euc", script]).in_folder(dir).stdout().map(drop)
}

fn openssl(dir: &Path, args: &[&str]) -> Result<()> {
    Program::new("openssl").args(args).in_folder(dir).stdout().map(drop)
}

/// One call makes key and certificate; the request and the configuration are not made.
fn openssl_root(_bench: &Bench, dir: &Path) -> Result<()> {
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let files = ["-keyout", "root-key.pem", "-out", "root-cert.pem"];
    let names = ["-subj", "/O=Istio/CN=Root CA", "-days", "3650"];
    openssl(dir, &[&["req", "-x509"], &key[..], &files, &names].concat())
}

/// Seconds of processors that the programs which have ended took, to a hundredth (proc(5), cutime
/// and cstime, in the 100 ticks a second that Linux shows to programs).
fn cpu_of_children() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat").context("cannot read the CPU time")?;
    // The program's name, the second field, may hold anything.
    let Some((_, fields)) = stat.rsplit_once(") ") else { bail!("/proc/self/stat has no name") };
    let mut ticks = 0.0;
    for field in fields.split(' ').skip(13).take(2) {
        ticks += field.parse::<f64>().context("the CPU time is no number")?;
    }
    Ok(ticks / 100.0)
}

fn middle(costs: &[Cost]) -> Cost {
    let of = |part: fn(&Cost) -> f64| median(costs.iter().map(part).collect());
    Cost { wall: of(|cost| cost.wall), cpu: of(|cost| cost.cpu) }
}

fn shown(cost: Cost) -> String {
    format!("{} | {}", time(cost.wall), time(cost.cpu))
}

fn time(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.1} ms", seconds * 1000.0) } else { format!("{seconds:.2} s") }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn the_processors_of_a_program_that_ended_are_counted() {
        let before = cpu_of_children().unwrap();
        let work = Program::new("openssl").args(["genrsa", "-out", "/dev/null", "3072"]);
        work.stdout().unwrap();
        assert!(cpu_of_children().unwrap() > before, "a key of 3072 bits takes ten milliseconds");
    }

    #[test]
    fn times_are_shown_in_the_unit_that_reads_best() {
        assert_eq!((time(0.0123).as_str(), time(1.234).as_str()), ("12.3 ms", "1.23 s"));
    }
}
