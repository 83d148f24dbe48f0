//! From when until when each certificate is valid.

use super::{Row, row};
use crate::cast::{Cast, files};
use anyhow::Result;
use pki::BundleFiles;
use rcgen::CertificateParams;
use time::{Duration, OffsetDateTime};

fn plain(_: &mut CertificateParams) {}

/// Hours from now.
fn from_to(it: &Cast, from: i64, to: i64) -> impl FnOnce(&mut CertificateParams) + use<> {
    let now = it.now;
    move |params| {
        params.not_before = now + Duration::hours(from);
        params.not_after = now + Duration::hours(to);
    }
}

fn until(it: &Cast, end: Duration) -> impl FnOnce(&mut CertificateParams) + use<> {
    let end = it.now + end;
    move |params| params.not_after = end
}

fn until_year(it: &Cast, year: i32) -> impl FnOnce(&mut CertificateParams) + use<> {
    let now: OffsetDateTime = it.now;
    let end = now.replace_day(1).and_then(|first| first.replace_year(year)).unwrap_or(now);
    move |params| params.not_after = end
}

fn ca(it: &Cast, edit: impl FnOnce(&mut CertificateParams)) -> Result<BundleFiles> {
    let ca = it.made("ca", Some(&it.root), edit)?;
    Ok(files(&ca, &[&ca], &[&it.root]))
}

const DAY: i64 = 24;

pub(super) const ROWS: &[Row] = &[
    row("ca-expired", |it| ca(it, from_to(it, -48, -1))),
    row("ca-not-yet-valid", |it| ca(it, from_to(it, 1, 8000))),
    row("root-expired", |it| it.two(from_to(it, -48, -1), plain)),
    row("root-not-yet-valid", |it| it.two(from_to(it, 1, 8000), plain)),
    row("tier-expired", |it| it.three(plain, from_to(it, -48, -1), plain)),
    row("tier-not-yet-valid", |it| it.three(plain, from_to(it, 1, 8000), plain)),
    row("ca-ends-in-ten-minutes", |it| ca(it, until(it, Duration::minutes(10)))),
    row("ca-ends-in-an-hour", |it| ca(it, until(it, Duration::HOUR))),
    row("ca-ends-in-thirty-days", |it| ca(it, until(it, Duration::days(30)))),
    row("ca-ends-in-a-hundred-years", |it| ca(it, from_to(it, -1, 100 * 365 * DAY))),
    row("root-ends-in-ten-minutes", |it| it.two(until(it, Duration::minutes(10)), plain)),
    row("root-ends-before-the-ca", |it| it.two(until(it, Duration::days(100)), plain)),
    row("root-until-2049", |it| it.two(until_year(it, 2049), plain)),
    row("root-until-2055", |it| it.two(until_year(it, 2055), plain)),
    row("root-until-9999", |it| it.two(until_year(it, 9999), until_year(it, 9999))),
    row("root-since-1950", |it| {
        it.two(|root| root.not_before = OffsetDateTime::UNIX_EPOCH - Duration::days(7000), plain)
    }),
    row("ca-older-than-its-root", |it| it.two(from_to(it, -1, 8000), from_to(it, -9000, 8000))),
    row("ca-for-a-second", |it| ca(it, from_to(it, -1, -1))),
    row("ca-ends-before-it-starts", |it| ca(it, from_to(it, 5, -5))),
];
