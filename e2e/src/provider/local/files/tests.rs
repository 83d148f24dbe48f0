//! What the components are told, read back as what they read: JSON, and TOML as text.

use std::os::unix::fs::PermissionsExt as _;

use pretty_assertions::assert_eq;
use time::macros::datetime;

use super::super::certificates;
use super::*;
use crate::rundir::RunId;

fn names(folder: &Path) -> Names {
    Names::new(&RunId::random().unwrap(), folder, 0, 7)
}

#[test]
fn every_path_that_a_component_is_given_exists() {
    let dir = tempfile::tempdir().unwrap();
    let names = names(dir.path());
    let config = dir.path().join("kubernetes");
    let now = datetime!(2026-11-25 0:00 UTC);
    certificates::write_all(&config.join("pki"), "node", &names, now).unwrap();
    write_all(&config, "node", &names).unwrap();
    let mut looked_at = 0;
    for file in ["kubelet.json", "containerd.toml", "scheduler.kubeconfig", "proxy.kubeconfig"] {
        let text = fs::read_to_string(config.join(file)).unwrap();
        for quoted in text.split('"').filter_map(|part| part.strip_prefix(CONFIG)) {
            let path = config.join(quoted.trim_start_matches('/'));
            assert!(path.exists(), "{file}: {}", path.display());
            looked_at += 1;
        }
    }
    assert_eq!(looked_at, 4 + 1 + 3 + 3);
}

#[test]
fn the_kubelet_lets_nobody_in_by_default_and_touches_only_its_own_cgroup() {
    let names = names(Path::new("/runs/x"));
    let config = kubelet(&names);
    assert_eq!(config["authentication"]["anonymous"]["enabled"], json!(false));
    assert_eq!(config["authorization"]["mode"], json!("Webhook"));
    assert_eq!(config["cgroupRoot"], json!(format!("/{}", names.cgroup)));
    assert_eq!(config["clusterDNS"], json!(["10.203.7.10"]));
}

#[test]
fn pods_get_addresses_of_the_nodes_own_range() {
    let config = cni(&names(Path::new("/runs/x")));
    let ipam = &config["plugins"][0]["ipam"];
    assert_eq!(ipam["ranges"], json!([[{ "subnet": "10.202.7.0/24" }]]));
    assert_eq!(config["plugins"][0]["ipMasq"], json!(false));
}

#[test]
fn containerd_runs_without_cap_sys_resource() {
    let config = containerd("/root", "/state", "/socket");
    for line in ["oom_score = 0", "restrict_oom_score_adj = true", "SystemdCgroup = false"] {
        assert!(config.lines().any(|found| found == line), "{line} is not in\n{config}");
    }
}

#[test]
fn the_administrators_kubeconfig_is_complete_in_itself() {
    let dir = tempfile::tempdir().unwrap();
    let names = names(dir.path());
    let now = datetime!(2026-11-25 0:00 UTC);
    certificates::write_all(&dir.path().join("pki"), "node", &names, now).unwrap();
    let text = admin_kubeconfig("cluster1", &names, &dir.path().join("pki")).unwrap();
    let config: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(config["clusters"][0]["cluster"]["server"], json!("https://10.201.7.2:6443"));
    let user = &config["users"][0]["user"];
    let key = BASE64_STANDARD.decode(user["client-key-data"].as_str().unwrap()).unwrap();
    assert_eq!(key, fs::read(dir.path().join("pki/admin.key")).unwrap());
}

#[test]
fn stand_ins_for_kernel_settings_are_as_the_kubelet_wants_them() {
    let dir = tempfile::tempdir().unwrap();
    write_all(dir.path(), "node", &names(dir.path())).unwrap();
    let path = kernel_setting(dir.path(), "vm/overcommit_memory");
    assert_eq!(fs::read_to_string(&path).unwrap(), "1\n");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
}
