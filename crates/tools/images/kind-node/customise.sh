#!/bin/sh
# Makes a Debian, whose root is $1, the ground of a kind node: what kind's images/base/Dockerfile
# does after it has installed packages, except its own files. Run by mmdebstrap, once.
set -eu
root="$1"
cd "$root"

# Nothing starts by itself but what a node is for. Units in /etc come with the node's own files.
rm -f usr/lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service
rm -f usr/lib/systemd/system/multi-user.target.wants/* etc/systemd/system/*.wants/*
rm -f usr/lib/systemd/system/local-fs.target.wants/* usr/lib/systemd/system/basic.target.wants/*
rm -f usr/lib/systemd/system/sockets.target.wants/*udev*
rm -f usr/lib/systemd/system/sockets.target.wants/*initctl*
ln -sf /usr/lib/systemd/systemd usr/sbin/init
mkdir -p etc/systemd/journald.conf.d
# The kernel's messages are the machine's.
printf '[Journal]\nReadKMsg=no\n' >etc/systemd/journald.conf.d/kind.conf
# This one registers formats in the machine's kernel.
ln -sf /dev/null etc/systemd/system/systemd-binfmt.service

# What every container of the node is based on: kind mounts its product files into each.
mkdir -p etc/containerd
chroot "$root" ctr oci spec >spec.json
chroot "$root" jq '.hooks.createContainer += [{ "path": "/kind/bin/mount-product-files.sh" }]
    | del(.process.rlimits)' /spec.json >etc/containerd/cri-base.json
rm spec.json

# Not read in a node: shims of older protocols, plugins of other networks, headers, caches.
rm -f usr/bin/containerd-shim usr/bin/containerd-shim-runc-v1
for plugin in usr/lib/cni/*; do
    case "${plugin##*/}" in
    host-local | loopback | portmap | ptp) ;;
    *) rm -f "$plugin" ;;
    esac
done
rm -rf usr/lib/*/perl/*/CORE var/cache/* var/log/*
rm -f etc/hostname etc/machine-id
