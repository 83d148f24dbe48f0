//! The roles that grant what a run needs and nothing else, as YAML for `kubectl apply -f -`.

use super::rights::{Right, Scope};

/// The name of both roles.
const NAME: &str = "cacerts-e2e";

/// A ClusterRole and a Role in istiod's namespace, with the commands that bind them.
pub(super) fn yaml(rights: &[Right], system_namespace: &str) -> String {
    let of = |scopes: &[Scope]| rights_of(rights, scopes);
    format!(
        "\
# What `cargo xtask e2e --provider existing` needs. Bind both to whoever runs it:
#   kubectl create clusterrolebinding {NAME} --clusterrole={NAME} --user=USER
#   kubectl create rolebinding {NAME} -n {system_namespace} --role={NAME} --user=USER
# The run's namespace has a random name: rights in it can only be granted in all of them.
# Who may start pods everywhere can act as everybody: take the bindings away after the run.
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {NAME}
rules:
{cluster}{everywhere}# In the run's namespace
{own}---
# In istiod's namespace
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {NAME}
  namespace: {system_namespace}
rules:
{system}",
        cluster = of(&[Scope::Cluster]),
        everywhere = of(&[Scope::Everywhere]),
        own = of(&[Scope::Own]),
        system = of(&[Scope::System]),
    )
}

fn rights_of(rights: &[Right], scopes: &[Scope]) -> String {
    rights.iter().filter(|right| scopes.contains(&right.scope)).map(rule).collect()
}

fn rule(right: &Right) -> String {
    let Right { group, resource, name, verbs, why, .. } = right;
    let names = name.map_or_else(String::new, |name| format!("  resourceNames: [{name}]\n"));
    format!(
        "- apiGroups: [\"{group}\"] # {why}\n  resources: [{resource}]\n{names}  verbs: [{}]\n",
        verbs.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::super::rights::needed;
    use super::*;

    #[test]
    fn the_roles_grant_exactly_what_is_needed() {
        let rights = needed(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13], true);
        let text = yaml(&rights, "istio-b");
        let rules = text.lines().filter(|line| line.starts_with("- apiGroups")).count();
        assert_eq!(rules, rights.len());
        let (cluster, system) = text.split_once("---\n").unwrap();
        assert!(cluster.contains("kind: ClusterRole") && !cluster.contains("secrets"), "{cluster}");
        assert!(
            system.contains(
                "  namespace: istio-b\nrules:\n- apiGroups: [\"\"] # the replicas of istiod\n  \
                 resources: [pods]\n  verbs: [list]\n"
            ),
            "{system}"
        );
        assert!(
            system
                .ends_with("  resources: [secrets]\n  resourceNames: [cacerts]\n  verbs: [get]\n"),
            "{system}"
        );
    }
}
