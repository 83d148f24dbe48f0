//! The `tools` program, on machines where Go is a script.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod machine;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Output;

use machine::Machine;
use pretty_assertions::assert_eq;

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_program_is_built_once_with_a_fixed_environment_and_then_found_in_silence() {
    let machine = Machine::new();
    let first = machine.tools(&["build", "--only", "etcd"]);
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    let [environment, go] = machine.calls().try_into().unwrap();
    assert_eq!(
        environment,
        "CGO_ENABLED=0 GOFLAGS= GOTOOLCHAIN=local GOPROXY=https://proxy.example"
    );
    let (flags, output) = go.split_once(" -o ").unwrap();
    assert_eq!(flags, "go build -mod=readonly -buildvcs=false -trimpath -tags  -ldflags -s -w");
    assert!(output.ends_with("/entry/bin/etcd go.etcd.io/etcd/server/v3"), "{output}");

    let second = machine.tools(&["build", "--only", "etcd"]);
    assert_eq!(
        (second.status.code(), stderr(&second), stdout(&second)),
        (Some(0), "".into(), "".into())
    );
    assert_eq!(machine.calls().len(), 2, "go ran once");

    let path = machine.tools(&["path", "etcd"]);
    assert_eq!(std::fs::read_to_string(stdout(&path).trim()).unwrap(), "#!program\n");
}

#[test]
fn progress_goes_to_stderr_and_says_what_is_next() {
    let machine = Machine::new();
    let built = machine.tools(&["build", "--only", "etcd", "--only", "coredns", "--only", "etcd"]);
    assert_eq!(stdout(&built), "");
    let lines: Vec<_> = stderr(&built).lines().map(without_seconds).collect();
    assert_eq!(
        lines,
        [
            "tools: to make: etcd v3.7.3, coredns v1.15.0",
            "tools: [1/2] etcd v3.7.3 .. (then coredns v1.15.0)",
            "tools: [1/2] etcd v3.7.3 ok",
            "tools: [2/2] coredns v1.15.0 ..",
            "tools: [2/2] coredns v1.15.0 ok",
        ]
    );
}

fn without_seconds(line: &str) -> String {
    line.split_once(" ok (").map_or_else(|| line.to_owned(), |(step, _)| format!("{step} ok"))
}

#[test]
fn another_go_is_another_entry() {
    let machine = Machine::new();
    machine.tools(&["build", "--only", "etcd"]);
    machine.program("go", "#!/bin/sh\necho go1.27.0\n");
    let path = machine.tools(&["path", "etcd"]);
    assert_eq!(path.status.code(), Some(2));
    assert_eq!(stderr(&path), "error: `etcd` is not built yet: run `tools build --only etcd`\n");
}

#[test]
fn a_broken_build_says_what_go_said_and_leaves_nothing() {
    let machine = Machine::new();
    machine.program(
        "go",
        "#!/bin/sh\n[ $1 = build ] || { echo go1.26.8; exit; }\necho 'no space left' >&2\nexit 1\n",
    );
    let built = machine.tools(&["build", "--only", "go-httpbin"]);
    assert_eq!(built.status.code(), Some(2));
    let said = stderr(&built);
    assert!(said.contains("error: `setpriv --pdeathsig TERM -- go build -mod=readonly "), "{said}");
    assert!(said.contains("failed (exit status: 1, after "), "{said}");
    assert!(said.ends_with(":\nno space left\n"), "{said}");
    assert_eq!(machine.cached(), [""; 0]);
}

#[test]
fn of_two_runs_at_once_one_builds_and_the_other_says_that_it_waits() {
    let machine = Machine::new();
    machine.hold();
    let mut first = machine.start(&["build", "--only", "etcd"]);
    let _go = machine.wait_for_build();
    let mut second = machine.start(&["build", "--only", "etcd"]);
    let mut lines = BufReader::new(second.stderr.take().unwrap()).lines();
    let waits = lines.find(|line| line.as_ref().unwrap().contains("waiting"));
    assert_eq!(waits.unwrap().unwrap(), "tools: another run is making it: waiting");
    machine.release();

    assert_eq!(first.wait().unwrap().code(), Some(0));
    assert_eq!(second.wait().unwrap().code(), Some(0));
    assert_eq!(machine.calls().len(), 2, "go ran once");
    assert_eq!(machine.cached().len(), 1);
}

#[test]
fn go_ends_with_a_run_that_is_killed_and_the_next_sweeps_what_is_left() {
    let machine = Machine::new();
    machine.hold();
    let mut killed = machine.start(&["build", "--only", "etcd"]);
    let go = machine.wait_for_build();
    killed.kill().unwrap();
    killed.wait().unwrap();
    go.wait_for_end();
    let leftovers = machine.cached();
    assert!(leftovers[0].contains(".partial-"), "{leftovers:?}");

    machine.hold_no_more();
    let next = machine.tools(&["build", "--only", "etcd"]);
    assert_eq!(next.status.code(), Some(0), "{}", stderr(&next));
    let cached = machine.cached();
    assert_eq!(cached.len(), 1, "{cached:?}");
    assert!(cached[0].starts_with("etcd-"), "{cached:?}");
}

#[test]
fn a_go_that_is_too_old_is_refused_before_anything_is_built() {
    let machine = Machine::new();
    machine.program("go", "#!/bin/sh\necho go1.25.3\n");
    let built = machine.tools(&["build"]);
    assert_eq!(built.status.code(), Some(2));
    assert_eq!(
        stderr(&built),
        "error: go1.26.2 or newer is needed, found `go1.25.3`: install it and put it first on PATH\n"
    );
}

#[test]
fn the_list_has_every_program_and_image_and_where_it_is() {
    let machine = Machine::new();
    machine.tools(&["build", "--only", "etcd"]);
    let list = machine.tools(&["list", "--json"]);
    let list: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 40);
    let cached: Vec<_> = list.iter().filter(|item| item["cached"] == true).collect();
    assert_eq!(cached.len(), 1);
    assert_eq!((&cached[0]["name"], &cached[0]["version"]), (&"etcd".into(), &"v3.7.3".into()));
    assert!(Path::new(cached[0]["path"].as_str().unwrap()).is_file());
}

#[test]
fn what_the_pins_no_longer_name_is_pruned_and_nothing_else() {
    let machine = Machine::new();
    machine.tools(&["build", "--only", "etcd"]);
    let current = machine.cached();
    let old = machine.path("cache/go/etcd-0123456789abcdef");
    let foreign = machine.path("cache/store/containerd-0123456789abcdef");
    for folder in [&old, &foreign] {
        std::fs::create_dir_all(folder.join("bin")).unwrap();
        std::fs::write(folder.join("bin/etcd"), vec![0; 1_500_000]).unwrap();
    }
    let pruned = machine.tools(&["prune"]);
    assert_eq!(stdout(&pruned), format!("removed {} (1.5 MB)\n1 removed, 1.5 MB\n", old.display()));
    assert_eq!(machine.cached(), current);
    assert!(foreign.exists());
    assert_eq!(stdout(&machine.tools(&["prune"])), "0 removed, 0.0 MB\n");
}

#[test]
fn what_a_killed_build_left_is_pruned_and_what_is_being_built_is_not() {
    let machine = Machine::new();
    machine.hold();
    let mut building = machine.start(&["build", "--only", "coredns"]);
    let _go = machine.wait_for_build();
    let left = machine.path("cache/go/.etcd-0123456789abcdef.partial-x");
    std::fs::create_dir_all(left.join("entry")).unwrap();
    std::fs::write(left.join("entry/etcd"), vec![0; 2_500_000]).unwrap();
    let pruned = machine.tools(&["prune"]);
    assert_eq!(
        stdout(&pruned),
        format!("removed {} (2.5 MB)\n1 removed, 2.5 MB\n", left.display())
    );
    machine.release();
    assert_eq!(building.wait().unwrap().code(), Some(0));
    let cached = machine.cached();
    assert_eq!(cached.len(), 1, "{cached:?}");
    assert!(cached[0].starts_with("coredns-"), "{cached:?}");
}

#[test]
fn a_name_that_nothing_has_is_an_error_with_status_2() {
    let machine = Machine::new();
    for args in [["path", "kubectll"].as_slice(), &["build", "--only", "kubectll"]] {
        let output = machine.tools(args);
        assert_eq!(output.status.code(), Some(2));
        let said = stderr(&output);
        assert!(said.starts_with("error: no program or image is called `kubectll`; "), "{said}");
    }
    assert_eq!(machine.tools(&["nonsense"]).status.code(), Some(2));
}

#[test]
fn everything_that_a_local_node_lacks_is_listed_at_once() {
    let machine = Machine::new();
    machine.program("dpkg-query", "#!/bin/sh\necho runc installed\necho util-linux installed\n");
    machine.program("python3", "#!/bin/sh\nexit 1\n");
    let host = machine.tools(&["host"]);
    assert_eq!(host.status.code(), Some(2));
    let packages = "containerd containernetworking-plugins iproute2 iptables nftables python3-pip";
    assert_eq!(
        stderr(&host),
        format!(
            "error: this machine lacks:\n  Debian packages {packages}\n  \
             as root: apt-get install --no-install-recommends {packages}\n"
        )
    );
}

#[test]
fn a_program_of_go_is_built_where_there_is_neither_debian_nor_pip() {
    let machine = Machine::new();
    machine.program("dpkg-query", "#!/bin/sh\nexit 1\n");
    machine.program("python3", "#!/bin/sh\nexit 1\n");
    let built = machine.tools(&["build", "--only", "etcd"]);
    assert_eq!(built.status.code(), Some(0), "{}", stderr(&built));
    // The control: for an image, the machine is asked.
    let image = machine.tools(&["build", "--only", "docker-engine"]);
    assert_eq!(image.status.code(), Some(2));
    assert!(stderr(&image).starts_with("error: `dpkg-query --show "), "{}", stderr(&image));
}
