//! The arguments, as they are on the command line. A change here is a change of the cluster.

use std::path::Path;

use pretty_assertions::assert_eq;

use super::*;
use crate::rundir::RunId;

fn names() -> Names {
    Names::new(&RunId::random().unwrap(), Path::new("/runs/x"), 0, 7)
}

#[test]
fn etcd_keeps_to_the_loopback() {
    assert_eq!(
        etcd(),
        [
            "--name=node",
            "--data-dir=/var/lib/etcd",
            "--listen-client-urls=http://127.0.0.1:2379",
            "--advertise-client-urls=http://127.0.0.1:2379",
            "--listen-peer-urls=http://127.0.0.1:2380",
            "--initial-advertise-peer-urls=http://127.0.0.1:2380",
            "--initial-cluster=node=http://127.0.0.1:2380",
            "--heartbeat-interval=20",
            "--election-timeout=100",
            "--unsafe-no-fsync=true",
        ]
    );
}

#[test]
fn the_api_server_knows_nobody_without_a_certificate_or_a_token_of_its_own() {
    assert_eq!(
        apiserver(&names()),
        [
            "--advertise-address=10.201.7.2",
            "--service-cluster-ip-range=10.203.7.0/24",
            "--etcd-servers=http://127.0.0.1:2379",
            "--authorization-mode=Node,RBAC",
            "--anonymous-auth=false",
            "--allow-privileged=true",
            "--enable-admission-plugins=NodeRestriction",
            "--enable-aggregator-routing=true",
            "--kubelet-preferred-address-types=InternalIP",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            "--tls-cert-file=/var/lib/kubernetes/pki/apiserver.crt",
            "--tls-private-key-file=/var/lib/kubernetes/pki/apiserver.key",
            "--client-ca-file=/var/lib/kubernetes/pki/ca.crt",
            "--kubelet-certificate-authority=/var/lib/kubernetes/pki/ca.crt",
            "--kubelet-client-certificate=/var/lib/kubernetes/pki/apiserver-kubelet-client.crt",
            "--kubelet-client-key=/var/lib/kubernetes/pki/apiserver-kubelet-client.key",
            "--service-account-key-file=/var/lib/kubernetes/pki/service-accounts.pub",
            "--service-account-signing-key-file=/var/lib/kubernetes/pki/service-accounts.key",
            "--requestheader-client-ca-file=/var/lib/kubernetes/pki/front-proxy-ca.crt",
            "--proxy-client-cert-file=/var/lib/kubernetes/pki/front-proxy-client.crt",
            "--proxy-client-key-file=/var/lib/kubernetes/pki/front-proxy-client.key",
        ]
    );
}

#[test]
fn the_kubelet_is_told_its_name_and_address() {
    assert_eq!(
        kubelet("cluster1", &names()),
        [
            "--hostname-override=cluster1",
            "--node-ip=10.201.7.2",
            "--config=/var/lib/kubernetes/kubelet.json",
            "--kubeconfig=/var/lib/kubernetes/kubelet.kubeconfig",
        ]
    );
}

#[test]
fn controllers_have_identities_of_their_own() {
    assert_eq!(
        controllers(),
        [
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            "--use-service-account-credentials=true",
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
            "--flex-volume-plugin-dir=/var/lib/kubelet/volume-plugins",
            "--kubeconfig=/var/lib/kubernetes/controller-manager.kubeconfig",
            "--authentication-kubeconfig=/var/lib/kubernetes/controller-manager.kubeconfig",
            "--authorization-kubeconfig=/var/lib/kubernetes/controller-manager.kubeconfig",
            "--root-ca-file=/var/lib/kubernetes/pki/ca.crt",
            "--service-account-private-key-file=/var/lib/kubernetes/pki/service-accounts.key",
            "--cluster-signing-cert-file=/var/lib/kubernetes/pki/ca.crt",
            "--cluster-signing-key-file=/var/lib/kubernetes/pki/ca.key",
        ]
    );
}

#[test]
fn the_scheduler_is_alone() {
    assert_eq!(
        scheduler(),
        [
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            "--kubeconfig=/var/lib/kubernetes/scheduler.kubeconfig",
            "--authentication-kubeconfig=/var/lib/kubernetes/scheduler.kubeconfig",
            "--authorization-kubeconfig=/var/lib/kubernetes/scheduler.kubeconfig",
        ]
    );
}

#[test]
fn kube_proxy_leaves_the_machines_settings_alone() {
    assert_eq!(
        proxy("cluster1", &names()),
        [
            "--hostname-override=cluster1",
            "--proxy-mode=nftables",
            "--cluster-cidr=10.202.7.0/24",
            "--conntrack-max-per-core=0",
            "--oom-score-adj=0",
            "--kubeconfig=/var/lib/kubernetes/proxy.kubeconfig",
        ]
    );
}
