#!/bin/sh
# An etcd and a kube-apiserver for tests of a client, as any user, in one container. All state and
# all keys are made at the start and end with the container.
# Reads nothing; serves https on port 6443; the administrator's kubeconfig (server 127.0.0.1:6443)
# is /tmp/apiserver/admin.kubeconfig.
set -eu
umask 077
mkdir /tmp/apiserver
cd /tmp/apiserver

key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
openssl req -x509 $key -days 2 -subj /CN=apiserver-test-ca -keyout ca.key -out ca.crt 2>/dev/null
# issue NAME SUBJECT EXTENSION: NAME.crt and NAME.key, signed by the CA.
issue() {
    openssl req -new $key -subj "$2" -keyout "$1.key" -out "$1.csr" 2>/dev/null
    echo "$3" >"$1.ext"
    openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 \
        -extfile "$1.ext" -out "$1.crt" 2>/dev/null
}
issue server /CN=kube-apiserver subjectAltName=DNS:localhost,DNS:kubernetes.default,IP:127.0.0.1
issue admin /O=system:masters/CN=admin extendedKeyUsage=clientAuth
openssl ecparam -name prime256v1 -genkey -noout -out sa.key
openssl ec -in sa.key -pubout -out sa.pub 2>/dev/null

data() { openssl base64 -A -in "$1"; }
cat >admin.kubeconfig <<END
apiVersion: v1
kind: Config
current-context: admin
clusters:
- name: test
  cluster:
    server: https://127.0.0.1:6443
    tls-server-name: kubernetes.default
    certificate-authority-data: $(data ca.crt)
users:
- name: admin
  user:
    client-certificate-data: $(data admin.crt)
    client-key-data: $(data admin.key)
contexts:
- name: admin
  context:
    cluster: test
    user: admin
END

# The advertised address is one for documentation: nothing in the container is reached through it,
# and without one the API server wants a default route.
etcd --name=test --data-dir=etcd --unsafe-no-fsync --log-level=warn \
    --listen-client-urls=http://127.0.0.1:2379 --advertise-client-urls=http://127.0.0.1:2379 \
    --listen-peer-urls=http://127.0.0.1:2380 &
exec kube-apiserver --etcd-servers=http://127.0.0.1:2379 --secure-port=6443 \
    --advertise-address=192.0.2.1 --endpoint-reconciler-type=none \
    --tls-cert-file=server.crt --tls-private-key-file=server.key --client-ca-file=ca.crt \
    --authorization-mode=RBAC --anonymous-auth=false --disable-admission-plugins=ServiceAccount \
    --service-account-issuer=https://kubernetes.default.svc --service-account-key-file=sa.pub \
    --service-account-signing-key-file=sa.key --service-cluster-ip-range=10.96.0.0/24
