//! The page over all cells, made of their conformance reports and of nothing else.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::cell::{Cell, all};
use crate::report::Conformance;

/// What the page says before its table.
const HEAD: &str = "\
# Conformance

A mesh of Istio's whose CA is plugged in serves that CA: [the claims](../claims.md), tested on real
meshes of several Kubernetes versions, with CAs of both profiles and of every kind of key. A row is
a run; its report has each claim's result with what was seen.

| report | Kubernetes | Istio | profile | key | passed | failed | skipped | result |
|---|---|---|---|---|---|---|---|---|
";

/// What it says after it.
const FOOT: &str = "
Written by `cargo xtask e2e matrix --out docs/conformance`, with images that are built from pinned
sources: Istio's proxy among them is an upstream Envoy. Claims that a mesh skips count as not
proven.

## Reproduce

Each report ends its head with the command line that does it again (`reproduce`), on a machine as
the [README](../../README.md) has it. For a single cell with its report:

```
cargo xtask e2e matrix --list
cargo xtask e2e matrix --only local-v1.36.3-makefile-rsa4096 --out conformance
```

The report of a mesh of your own, to be published where you like:

```
cargo xtask e2e --provider kind --istio-dir istio-VERSION --conformance report.yaml
```
";

/// Reads the reports of a folder, each under the name of its cell.
///
/// # Errors
/// A file cannot be read, or is no report.
pub(super) fn reports(folder: &Path) -> Result<BTreeMap<String, Conformance>> {
    let mut reports = BTreeMap::new();
    for cell in all() {
        let path = report_file(folder, &cell);
        if path.exists() {
            let text = std::fs::read_to_string(&path);
            let text = text.with_context(|| format!("cannot read {}", path.display()))?;
            let report = Conformance::parse(&text).with_context(|| path.display().to_string())?;
            reports.insert(cell.name(), report);
        }
    }
    Ok(reports)
}

/// Where the report of a cell is.
pub(super) fn report_file(folder: &Path, cell: &Cell) -> std::path::PathBuf {
    folder.join(format!("{}.yaml", cell.name()))
}

/// The page. Cells without a report are rows too: with the reason in `missing`, or as not run.
pub(super) fn render(
    reports: &BTreeMap<String, Conformance>,
    missing: &BTreeMap<String, String>,
) -> String {
    let row = |cell: &Cell| {
        let name = cell.name();
        match reports.get(&name) {
            Some(report) => tested(&name, report),
            None => untested(cell, missing.get(&name).map_or("not run", String::as_str)),
        }
    };
    let rows: String = all().iter().map(row).collect();
    format!("{HEAD}{rows}{FOOT}")
}

fn tested(name: &str, report: &Conformance) -> String {
    let Conformance { implementation, profile, result, statistics, .. } = report;
    let kubernetes = report.version("Kubernetes").unwrap_or("unknown");
    let key = report.key.as_deref().unwrap_or("unknown");
    let provider = &report.provider;
    format!(
        "| [{provider}]({name}.yaml) | {kubernetes} | {} | {profile} | {key} | {} | {} | {} | \
         {result} |\n",
        implementation.version, statistics.passed, statistics.failed, statistics.skipped
    )
}

fn untested(cell: &Cell, why: &str) -> String {
    let Cell { place, profile, key } = cell;
    // A bar would end the column.
    let why = why.replace('|', "/").replace(['\r', '\n'], " ");
    format!(
        "| {} | {} | | {profile} | {} | | | | {why} |\n",
        place.provider(),
        place.kubernetes(),
        key.kind()
    )
}

#[cfg(test)]
mod tests;
