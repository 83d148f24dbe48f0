//! Where the time and the memory of a run on a mesh go: docs/performance/mesh.md.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{machine, median, write_page};
use crate::command::target_dir;
use crate::{e2e, terminal};

/// How often the memory of a run is looked at.
const SAMPLE: Duration = Duration::from_millis(500);
/// Where the memory controller lists the processes of a run, under a name of its own.
const MEMORY_GROUPS: &str = "/sys/fs/cgroup/memory";
/// How the harness names the cgroup of a node.
const GROUP_PREFIX: &str = "cacerts-";
const PAGE: &str = "docs/performance/mesh.md";

/// One run's report and the largest memory that was seen.
struct Run {
    report: Value,
    peak_mib: u64,
}

/// Runs both profiles and writes the page.
pub(super) fn write(count: usize) -> Result<()> {
    ensure!(e2e::build()?, "the harness does not build");
    let mut page = "# The time and the memory of a run\n\n\
        Written by `cargo xtask bench` on one machine in one go: medians, in seconds, of runs with \
        everything built and all images in the store, start to all torn down.\n"
        .to_owned();
    writeln!(page, "\n{}", machine()?).context("cannot write to memory")?;
    for profile in ["makefile", "hardened"] {
        let mut runs = Vec::new();
        for number in 1..=count {
            let run = measure(profile)?;
            let seconds = run.report["seconds"].as_f64().unwrap_or_default();
            terminal::say(&format!(
                "{profile} {number}/{count}: {seconds:.1} s, {} MiB",
                run.peak_mib
            ));
            runs.push(run);
        }
        page.push_str(&section(profile, &runs));
    }
    write_page(PAGE, &page)
}

/// Runs the harness once and watches the memory of everything in its node's cgroup.
fn measure(profile: &str) -> Result<Run> {
    let report = target_dir().join("bench.json");
    let harness =
        e2e::harness().args(["run", "--provider", "local", "--require", "--profile", profile]);
    let (ended, watch) = channel::<()>();
    let sampler = std::thread::spawn(move || {
        let mut peaks = BTreeMap::new();
        while watch.recv_timeout(SAMPLE) == Err(RecvTimeoutError::Timeout) {
            for (group, kib) in nodes(Path::new(MEMORY_GROUPS)) {
                let peak = peaks.entry(group).or_insert(0);
                *peak = kib.max(*peak);
            }
        }
        peaks
    });
    let status = harness.arg("--report").arg(&report).status();
    drop(ended);
    let peaks = sampler.join().map_err(|_panic| anyhow::anyhow!("the sampler panicked"))?;
    ensure!(status?.success(), "the run did not prove its claims; nothing is measured");
    let report = fs::read_to_string(&report).context("the run wrote no report")?;
    let report: Value = serde_json::from_str(&report).context("the report is no JSON")?;
    // Other runs may go on beside this one.
    let own = format!("{GROUP_PREFIX}{}-", report["run"].as_str().unwrap_or_default());
    let own = peaks.iter().filter(|(group, _)| group.starts_with(&own)).map(|(_, kib)| kib);
    let peak_mib = own.sum::<u64>() / 1024;
    ensure!(peak_mib > 0, "the run's cgroup was not found below {MEMORY_GROUPS}");
    Ok(Run { report, peak_mib })
}

/// Each local node with the sum of the PSS of all its processes, in KiB. Processes and groups come
/// and go while this looks: what is gone counts nothing.
fn nodes(groups: &Path) -> Vec<(String, u64)> {
    let pss = |process: &String| {
        let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
    };
    let mut nodes = Vec::new();
    for entry in fs::read_dir(groups).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(GROUP_PREFIX) {
            let mut processes = BTreeSet::new();
            collect(&entry.path(), &mut processes);
            nodes.push((name, processes.iter().filter_map(pss).sum()));
        }
    }
    nodes
}

fn collect(group: &Path, processes: &mut BTreeSet<String>) {
    let listed = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    processes.extend(listed.lines().map(str::to_owned));
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            collect(&entry.path(), processes);
        }
    }
}

/// The medians of one profile as a table.
fn section(profile: &str, runs: &[Run]) -> String {
    let total = median(runs.iter().filter_map(|run| run.report["seconds"].as_f64()).collect());
    let peak = runs.iter().map(|run| run.peak_mib).max().unwrap_or_default();
    let mut text = format!(
        "\n## Profile {profile}\n\n{} runs: {total:.1} s in all, at most {peak} MiB of memory (sum \
         of PSS of everything in the node).\n\n| | starts at | takes |\n|---|---|---|\n",
        runs.len()
    );
    let steps = runs.first().and_then(|run| run.report["steps"].as_array());
    for step in steps.into_iter().flatten() {
        let Some(title) = step["title"].as_str() else { continue };
        let of_step = |field: &str| {
            let seconds = runs.iter().filter_map(|run| {
                let steps = run.report["steps"].as_array()?;
                steps.iter().find(|other| other["title"] == step["title"])?[field].as_f64()
            });
            median(seconds.collect())
        };
        let name = match step["number"].as_u64() {
            Some(number) => format!("{number}. {title}"),
            None => format!("– {title}"),
        };
        text.push_str(&format!(
            "| {name} | {:.1} | {:.1} |\n",
            of_step("began"),
            of_step("seconds")
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_section_has_the_medians_of_its_steps_and_the_largest_memory() {
        let run = |seconds: f64, peak_mib| Run {
            report: json!({"seconds": seconds, "steps": [
                {"number": 1, "title": "Create a cluster", "began": 0.0, "seconds": seconds / 2.0},
            ]}),
            peak_mib,
        };
        let text = section("makefile", &[run(30.0, 1200), run(20.0, 1300), run(90.0, 1100)]);
        let expected = "\n## Profile makefile\n\n3 runs: 30.0 s in all, at most 1300 MiB of memory \
                        (sum of PSS of everything in the node).\n\n| | starts at | takes |\n\
                        |---|---|---|\n| 1. Create a cluster | 0.0 | 15.0 |\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn only_the_groups_of_nodes_are_looked_at() {
        let groups = std::env::temp_dir().join(format!("bench-groups-{}", std::process::id()));
        for name in ["cacerts-abc-0/pod", "other"] {
            fs::create_dir_all(groups.join(name)).unwrap();
        }
        // This very process, as a member of the pod's group.
        let processes = std::process::id().to_string();
        fs::write(groups.join("cacerts-abc-0/pod/cgroup.procs"), &processes).unwrap();
        fs::write(groups.join("other/cgroup.procs"), &processes).unwrap();
        let found = nodes(&groups);
        fs::remove_dir_all(&groups).unwrap();
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["cacerts-abc-0"]);
        assert!(found[0].1 > 0, "a running process has memory");
    }
}
