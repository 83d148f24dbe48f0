//! `cacerts crl root` and `cacerts crl cluster`.

use pki::{
    Certificate, Crl, CrlNumber, CrlParams, KeyAlgorithm, Profile, Reason, RootCa, RootCaParams,
    Serial, Validity,
};
use pretty_assertions::assert_eq;
use time::{Duration, OffsetDateTime};

use crate::desk::{Desk, Said, stopped};

const ROOT: [&str; 4] = ["crl", "root", "--dir", "ca"];

pub(crate) fn root(args: &[&'static str]) -> Vec<&'static str> {
    [&ROOT, args].concat()
}

/// With a root and the CAs of two clusters.
pub(crate) fn desk() -> Desk {
    let desk = Desk::with_root();
    desk.ok(&["issue", "c1", "c2", "--dir", "ca"]);
    desk
}

fn list(desk: &Desk, file: &str) -> Crl {
    Crl::all_from_pem(&desk.read(file)).unwrap().remove(0)
}

fn number(desk: &Desk) -> u64 {
    list(desk, "ca/root-crl.pem").number().unwrap().to_u64().unwrap()
}

/// A root that has been there for long, with a list from 20 days ago to so many days from now.
fn desk_with_list(days: i64) -> Desk {
    let (desk, now) = (Desk::new(), OffsetDateTime::now_utc());
    let of =
        |from, to| Validity::new(now + Duration::days(from), now + Duration::days(to)).unwrap();
    let root = RootCa::generate(&RootCaParams {
        profile: Profile::Hardened,
        common_name: "Root CA".to_owned(),
        organization: "Istio".to_owned(),
        validity: of(-100, 900),
        key: KeyAlgorithm::EcdsaP256,
    });
    let root = root.unwrap();
    ca_dir::write_root(&desk.path("ca"), &root).unwrap();
    let params = CrlParams { number: 7, period: of(-20, days), revoked: Vec::new() };
    desk.write("ca/root-crl.pem", root.issue_crl(&params).unwrap().to_pem().unwrap());
    // The record that belongs to it.
    let record = format!("ca {}\nnumber 7\n", root.certificate().fingerprint());
    desk.write("ca/root-revoked.txt", record);
    desk
}

fn refused(said: Said, start: &str) {
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{}", said.err);
    assert!(said.err.starts_with(&format!("error: {start}")), "{}", said.err);
}

#[test]
fn each_side_makes_its_list_once_and_says_until_when_it_is_good() {
    let desk = desk();
    let sides: [(Vec<&str>, &str, &str); 2] = [
        (root(&[]), "the root", "ca/root-crl.pem"),
        (vec!["crl", "cluster", "ca/c1"], "c1", "ca/c1.crl.pem"),
    ];
    for (args, whose, file) in sides {
        let made = desk.ok(&args);
        assert!(made.starts_with(&format!("made list 1 of {whose} in `{file}`\n")), "{made}");
        let list = list(&desk, file);
        let next = list.next_update().unwrap();
        assert!(next - OffsetDateTime::now_utc() > Duration::days(29), "{next}");
        assert!(list.this_update() <= OffsetDateTime::now_utc());
        let before = desk.state();
        let again = desk.ok(&args);
        let expected =
            format!("list 1 of {whose} is already there in `{file}`; nothing was changed\n");
        assert!(again.starts_with(&expected), "{again}");
        let format = &time::format_description::well_known::Rfc3339;
        let (until, due) =
            (next.format(format).unwrap(), list.due().unwrap().format(format).unwrap());
        let line = format!("  good until {until}; the next one is due on {due}\n");
        assert!(made.contains(&line) && again.contains(&line), "{made}{again}");
        assert!(again.ends_with("every new connection of the mesh is refused: a total outage\n"));
        assert_eq!(desk.state(), before);
    }
    assert_eq!(desk.names("ca/c1").len(), 4, "what goes into the Secret is as it was");
    assert_eq!(desk.mode("ca/root-crl.pem"), 0o644);
}

#[test]
fn what_is_revoked_is_on_the_next_list_and_in_the_record_below_its_comments() {
    let desk = desk();
    desk.ok(&root(&[]));
    let record = desk.text("ca/root-revoked.txt");
    desk.write("ca/root-revoked.txt", format!("# ours\n\n{record}\n# the last line\n"));
    let out = desk.ok(&root(&["--revoke", "ca/c2", "--reason", "cacompromise"]));
    assert!(out.contains("CN=Root CA,O=Istio revokes 1 certificate; "), "{out}");
    assert!(out.contains("a connection that is open is not cut: it ends "), "{out}");
    let c2 = Certificate::from_pem(&desk.read("ca/c2/ca-cert.pem")).unwrap();
    let made = list(&desk, "ca/root-crl.pem");
    let [entry] = made.revoked() else { panic!("{made:?}") };
    assert_eq!((&entry.serial, entry.reason), (&Serial::of(&c2), Some(Reason::CaCompromise)));
    assert_eq!(made.number(), Some(&CrlNumber::from(2)));
    let now = desk.text("ca/root-revoked.txt");
    let expected = format!(
        "# ours\n\n{}\n# the last line\n# L=c2,CN=Intermediate CA,O=Istio\nrevoked {} ",
        record.replace("number 1", "number 2"),
        entry.serial
    );
    assert!(now.starts_with(&expected) && now.ends_with("Z cACompromise\n"), "{now}");

    let before = desk.state();
    let said = desk.run(&root(&["--revoke", "ca/c2/ca-cert.pem"]));
    let note = format!("note: serial {} is revoked already, since ", entry.serial);
    assert!(said.err.starts_with(&note), "{}", said.err);
    assert!(said.out.starts_with("list 2 of the root is already there in "), "{}", said.out);
    assert_eq!(desk.state(), before);
}

#[test]
fn a_serial_number_is_revoked_as_it_stands_and_a_slip_is_not_taken_for_one() {
    let desk = desk();
    let said =
        desk.run(&root(&["--revoke", "00112233445566778899AABBCCDDEEFF", "--revoke", "0x1f"]));
    let note = "note: serial 112233445566778899aabbccddeeff is taken as it stands: nothing here \
                shows that `CN=Root CA,O=Istio` issued it\n";
    assert!(said.err.starts_with(note), "{}", said.err);
    let serials: Vec<_> = list(&desk, "ca/root-crl.pem")
        .revoked()
        .iter()
        .map(|entry| entry.serial.to_string())
        .collect();
    assert_eq!(serials, ["112233445566778899aabbccddeeff", "1f"]);
    let before = desk.state();
    let expected = "there is no file `c3`, and it is short for a serial number; 0xc3 says that it \
                    is one";
    assert_eq!(desk.run(&root(&["--revoke", "c3"])), stopped(1, expected));
    let expected = "`ca/c3` is neither a file nor a serial number\ncaused by: `ca/c3` is not a \
                    serial number, expected hex of 1 to 20 octets, not 0";
    assert_eq!(desk.run(&root(&["--revoke", "ca/c3"])), stopped(1, expected));
    assert_eq!(desk.state(), before);
}

#[test]
fn only_what_the_ca_signed_is_revoked_and_never_itself() {
    let (desk, other) = (desk(), desk());
    desk.write("other.pem", other.read("ca/c1/ca-cert.pem"));
    let expected = "`other.pem` is not signed by `CN=Root CA,O=Istio`, and only the CA that signed \
                    a certificate can revoke it";
    assert_eq!(desk.run(&root(&["--revoke", "other.pem"])), stopped(1, expected));
    let of_root = desk.run(&["crl", "cluster", "ca/c1", "--revoke", "ca/c2"]);
    refused(of_root, "`ca/c2/ca-cert.pem` is not signed by `L=c1,CN=Intermediate CA,O=Istio`");
    let expected =
        "`CN=Root CA,O=Istio` cannot revoke itself; take it out of the trust bundle instead";
    assert_eq!(desk.run(&root(&["--revoke", "ca/root-cert.pem"])), stopped(1, expected));
    let key = desk.run(&root(&["--revoke", "ca/c1/ca-key.pem"]));
    assert_eq!(key, stopped(1, "`ca/c1/ca-key.pem` holds a private key"));
    assert!(!desk.path("ca/root-revoked.txt").exists());
}

#[test]
fn a_ca_of_the_makefile_profile_has_no_list_and_hears_why() {
    let desk = Desk::new();
    desk.ok(&["init", "ca", "--no-passphrase", "--profile", "makefile"]);
    let expected = "`CN=Root CA,O=Istio` may sign no revocation list: its key usage lacks cRLSign, \
                    as that of Istio's Makefile does; a mesh with lists needs a root and clusters' \
                    CAs of --profile hardened";
    assert_eq!(desk.run(&root(&[])), stopped(1, expected));
    assert_eq!(desk.names("ca").len(), 4);
}

#[test]
fn a_number_comes_once_whatever_was_lost() {
    let desk = desk();
    desk.ok(&root(&["--revoke", "ca/c1"]));
    let record = desk.text("ca/root-revoked.txt");
    // Killed between the record and the list.
    desk.write("ca/root-revoked.txt", record.replace("number 1", "number 4"));
    desk.ok(&root(&[]));
    assert_eq!(number(&desk), 5);
    // An old record beside a newer list.
    desk.write("ca/root-revoked.txt", &record);
    desk.ok(&root(&[]));
    desk.ok(&root(&["--anew"]));
    assert_eq!(number(&desk), 6);
    std::fs::remove_file(desk.path("ca/root-crl.pem")).unwrap();
    desk.ok(&root(&[]));
    assert_eq!(number(&desk), 7);
    std::fs::remove_file(desk.path("ca/root-revoked.txt")).unwrap();
    let said = desk.run(&root(&[]));
    let note = "note: `ca/root-revoked.txt` was missing and is made anew of the list\n";
    assert_eq!((said.code, said.err.as_str(), number(&desk)), (Some(0), note, 8));
    let serial = record.split_once("\nrevoked ").unwrap().1;
    assert!(desk.text("ca/root-revoked.txt").ends_with(serial), "{serial}");
}

#[test]
fn a_revocation_is_not_taken_back() {
    let desk = desk();
    desk.ok(&root(&[]));
    let record = desk.text("ca/root-revoked.txt");
    desk.ok(&root(&["--revoke", "ca/c1"]));
    desk.write("ca/root-revoked.txt", record);
    let serial = list(&desk, "ca/root-crl.pem").revoked()[0].serial.clone();
    let expected = format!(
        "`ca/root-revoked.txt` lacks serial {serial}, which `ca/root-crl.pem` \
                            revokes; a revocation is not taken back: put the line back (revoked "
    );
    refused(desk.run(&root(&["--anew"])), &expected);
}

#[test]
fn a_list_in_its_last_third_is_made_anew_and_so_is_one_of_another_lifetime() {
    let desk = desk();
    desk.ok(&["crl", "root", "--dir", "ca", "--lifetime", "90d"]);
    assert_eq!(number(&desk), 1);
    desk.ok(&root(&["--lifetime", "90d"]));
    desk.ok(&root(&[]));
    assert_eq!(number(&desk), 1);
    desk.ok(&root(&["--lifetime", "30d"]));
    assert_eq!(number(&desk), 2);
    for (days, expected) in [(11, 7), (9, 8), (-1, 8)] {
        let desk = desk_with_list(days);
        desk.ok(&root(&[]));
        assert_eq!(number(&desk), expected, "{days} days to go");
    }
}

#[test]
fn a_list_ends_with_its_ca_at_the_latest_and_not_before_now() {
    let desk = Desk::new();
    desk.ok(&["init", "ca", "--no-passphrase", "--lifetime", "10d"]);
    desk.ok(&root(&["--lifetime", "1y"]));
    let end = Certificate::from_pem(&desk.read("ca/root-cert.pem")).unwrap().validity().not_after();
    assert_eq!(list(&desk, "ca/root-crl.pem").next_update(), Some(end));
    assert!(desk.ok(&root(&["--lifetime", "1y"])).contains("nothing was changed"));
    refused(
        desk.run(&root(&["--lifetime", "2020-01-01"])),
        "a list of until 2020-01-01T23:59:59Z would have ended at 2020-01-01T23:59:59Z: it is ",
    );
}

#[test]
fn nobody_is_asked_for_a_passphrase_to_hear_that_there_is_nothing_to_do() {
    let desk = Desk::new();
    let secret = [("CACERTS_PASSPHRASE", "correct horse")];
    assert_eq!(desk.run_with(&["init", "ca"], &secret).code, Some(0));
    let expected = "there is no terminal to ask for the passphrase of `ca/root-key.pem`; give \
                    --passphrase-file FILE or set CACERTS_PASSPHRASE";
    assert_eq!(desk.run(&root(&[])), stopped(2, expected));
    assert!(!desk.path("ca/root-revoked.txt").exists());
    assert_eq!(desk.run_with(&root(&[]), &secret).code, Some(0));
    assert!(desk.ok(&root(&[])).contains("nothing was changed"));
}

#[test]
fn a_slip_in_the_record_is_named_with_its_line() {
    let desk = desk();
    desk.ok(&root(&[]));
    let record = desk.text("ca/root-revoked.txt");
    let (_, ca) = record.split_once("\nca ").unwrap();
    let ca = ca.lines().next().unwrap();
    let read = |content: &str| {
        desk.write("ca/root-revoked.txt", content);
        let said = desk.run(&root(&[]));
        assert_eq!(said.code, Some(1), "{content}");
        let (_, problem) = said.err.split_once("error: `ca/root-revoked.txt`, ").unwrap();
        problem.trim_end().to_owned()
    };
    let date = "2026-11-24T12:00:00Z";
    assert_eq!(read("number 1\n"), "the line `ca FINGERPRINT` is missing");
    assert_eq!(read(&format!("ca {ca}\n")), "the line `number NUMBER` is missing");
    let lines = |line: &str| read(&format!("ca {ca}\nnumber 1\n{line}\n"));
    let expected = "expected a comment, `ca FINGERPRINT` or `number NUMBER` once, or `revoked SERIAL \
                    TIME [REASON]`, found ";
    for line in ["number 2", "revoke 1f", "revoked 1f", "revoked 1f x superseded y", "1f"] {
        assert_eq!(lines(line), format!("line 3: {expected}{line:?}"));
    }
    let off_the_calendar = "line 3: expected a time such as 2026-11-24T12:00:00Z";
    assert_eq!(lines("revoked 1f 9999-12-31T23:59:59-00:01"), off_the_calendar);
    assert_eq!(lines("revoked 1f 0000-01-01T00:00:00+00:01"), off_the_calendar);
    assert_eq!(lines("revoked 1f today"), "line 3: expected a time such as 2026-11-24T12:00:00Z");
    assert!(
        lines(&format!("revoked xy {date}")).starts_with("line 3: `xy` is not a serial number, ")
    );
    assert!(
        lines(&format!("revoked 1f {date} why")).starts_with("line 3: `why` is not a reason, ")
    );
    let twice = format!("revoked 1f {date}\nrevoked 1F {date}");
    assert_eq!(lines(&twice), "line 4: serial 1f is revoked twice");
    assert_eq!(read(&format!("ca {ca}\nnumber -1\n")), "line 2: \"-1\" is not a number");
    let other = format!("sha256:{}", "0".repeat(64));
    let expected = format!("line 1: it is the record of another CA, {other}, expected {ca}");
    assert_eq!(read(&format!("ca {other}\nnumber 1\n")), expected);
    desk.write("ca/root-revoked.txt", record);
    desk.ok(&root(&[]));
}

#[test]
fn what_is_in_the_way_of_a_list_stays() {
    let (desk, other) = (desk(), desk());
    other.ok(&root(&[]));
    desk.write("ca/root-crl.pem", other.read("ca/root-crl.pem"));
    let expected = "`ca/root-crl.pem` is there and is not one list of `CN=Root CA,O=Istio`; move it \
                    away";
    assert_eq!(desk.run(&root(&[])), stopped(1, expected));
    desk.write("ca/root-crl.pem", "text");
    let expected = "`ca/root-crl.pem` holds something else than revocation lists\ncaused by: no PEM \
                    block, expected `X509 CRL`";
    assert_eq!(desk.run(&root(&[])), stopped(1, expected));
    std::fs::remove_file(desk.path("ca/root-crl.pem")).unwrap();
    std::fs::create_dir(desk.path("ca/root-crl.pem")).unwrap();
    assert_eq!(desk.run(&root(&[])), stopped(1, "`ca/root-crl.pem` is not a file"));
    assert!(!desk.path("ca/root-revoked.txt").exists());
}
