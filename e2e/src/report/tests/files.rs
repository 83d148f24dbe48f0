//! The three files of a run. The samples stay under `target/report-samples`, to be looked at in a
//! browser.

use std::fs;
use std::path::{Path, PathBuf};

use pretty_assertions::assert_eq;

use super::samples::{self, bundle};
use crate::claim::{Evidence, Outcome};
use crate::report::{Report, html, json, junit, terminal, write};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/report-samples").join(name)
}

#[test]
fn every_kind_of_run_leaves_three_whole_files() {
    let samples: [(&str, Report); 5] = [
        ("proven", samples::proven()),
        ("false-and-blocked", samples::false_and_blocked()),
        ("failed-at-a-step", samples::failed_at_a_step()),
        ("sabotage-caught", samples::sabotaged(&[5, 11])),
        ("sabotage-missed", samples::sabotaged(&[5])),
    ];
    for (name, report) in samples {
        let folder = folder(name);
        fs::create_dir_all(&folder).unwrap();
        write(&folder, &report).unwrap();
        let read = |file| fs::read_to_string(folder.join(file)).unwrap();
        assert_eq!(read("report.json"), json(&report).unwrap());
        assert_eq!(read("junit.xml"), junit(&report).unwrap());
        assert_eq!(read("report.html"), html(&report).unwrap());
        let mut names: Vec<_> =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["junit.xml", "report.html", "report.json"]);
    }
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = folder("proven").join("no-such-folder");
    let error = write(&folder, &samples::proven()).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot write {}/report.part", folder.display()));
}

#[test]
fn no_rendering_shows_a_key_that_got_into_a_text() {
    let bundle = bundle();
    let key = String::from_utf8(bundle.files().get("ca-key.pem").unwrap().to_vec()).unwrap();
    let secret = key.lines().nth(1).unwrap();
    let mut report = samples::failed_at_a_step();
    report.failure.as_mut().unwrap().diagnosis = key.clone();
    report.failure.as_mut().unwrap().reason = key.clone();
    report.versions = vec![("key".to_owned(), key.clone())];
    report.reproduce = key.clone();
    report.tested = vec![samples::tested(
        &samples::FOUR[0],
        Outcome::False(key.clone()),
        Evidence::default().with(&key, &key),
    )];
    let renderings = [
        json(&report).unwrap(),
        junit(&report).unwrap(),
        html(&report).unwrap(),
        terminal(&report, Path::new("run"), false),
    ];
    for text in renderings {
        assert_eq!(text.matches(secret).count(), 0);
        assert_ne!(text.matches("[private key removed]").count(), 0);
    }
}
