#!/bin/sh
# The pod network of a kind node: a point-to-point link a pod, and a route to each other node's
# pods. Runs in the node's network, once a node; writes the network's configuration when pods can
# really work, which is what makes the node ready. IPv4 alone.
#
# Reads NODE_NAME, POD_SUBNET, CONTROL_PLANE_ENDPOINT (host:port) and the pod's service account;
# wants the node's kubectl at /usr/bin/kubectl and its /etc/cni/net.d.
set -eu

service="https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT"
# kubectl takes the API server from these. The Service address works only after kube-proxy does.
export KUBERNETES_SERVICE_HOST="${CONTROL_PLANE_ENDPOINT%:*}"
export KUBERNETES_SERVICE_PORT="${CONTROL_PLANE_ENDPOINT##*:}"

kubectl wait "node/$NODE_NAME" --for=jsonpath='{.spec.podCIDR}' --timeout=120s
cidr="$(kubectl get node "$NODE_NAME" --output jsonpath='{.spec.podCIDR}')"

# What leaves the cluster has the node's address.
masquerade() {
    iptables --wait --table nat "$1" POSTROUTING --source "$cidr" ! --destination "$POD_SUBNET" \
        --match addrtype ! --dst-type LOCAL --jump MASQUERADE
}
masquerade --check 2>/dev/null || masquerade --append

# A pod that starts before kube-proxy's rules are there hangs in its first call of a Service.
curl --silent --show-error --output /dev/null --cacert \
    /var/run/secrets/kubernetes.io/serviceaccount/ca.crt --connect-timeout 1 \
    --retry 120 --retry-delay 1 --retry-max-time 120 --retry-all-errors "$service/readyz"

cat >/etc/cni/net.d/.kind.partial <<END
{
  "cniVersion": "0.4.0",
  "name": "kind",
  "plugins": [
    {
      "type": "ptp",
      "ipMasq": false,
      "ipam": {
        "type": "host-local",
        "dataDir": "/run/cni-ipam-state",
        "ranges": [[{ "subnet": "$cidr" }]],
        "routes": [{ "dst": "0.0.0.0/0" }]
      }
    },
    { "type": "portmap", "capabilities": { "portMappings": true } }
  ]
}
END
mv /etc/cni/net.d/.kind.partial /etc/cni/net.d/10-kind.conflist

# Every node as it comes. The API server ends a watch now and then; a broken one ends the pod, and
# the kubelet starts it again.
while nodes="$(kubectl get nodes --output name)"; do
    echo "watching: $(echo "$nodes" | tr '\n' ' ')"
    kubectl get nodes --watch --output jsonpath='{.metadata.name} {.spec.podCIDR} {.status.addresses[?(@.type=="InternalIP")].address}{"\n"}' |
        while read -r name pods address _; do
            [ "$name" != "$NODE_NAME" ] && [ -n "$address" ] || continue
            ip route replace "$pods" via "$address"
        done
done
exit 1
