#!/usr/bin/env bash
# PID 1 of a machine made of namespaces: lays what was installed over this system's own files, and
# becomes systemd. Everything it writes lies in memory and is gone with it.
#
#   boot.sh LAYER INSTALLED    an empty folder; what `make install DESTDIR=` made
set -euo pipefail

layer=$1 installed=$2
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$layer"
mkdir "$layer/root"
mount -t tmpfs -o mode=755 tmpfs "$layer/root" # pivot_root wants a mount
for part in usr etc var; do
    mkdir "$layer/root/$part" "$layer/$part.up" "$layer/$part.work"
    lower=/$part
    [ ! -d "$installed/$part" ] || lower=$installed/$part:$lower
    mount -t overlay overlay -o "lowerdir=$lower,upperdir=$layer/$part.up,workdir=$layer/$part.work" \
        "$layer/root/$part"
done
cd "$layer/root"
mkdir proc sys dev run tmp root home .old
for link in bin sbin lib lib64; do ln -s "usr/$link" $link; done
mount -t proc proc proc
mount --rbind /dev dev
mount --rbind /sys sys
mount -t tmpfs tmpfs sys/fs/cgroup
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mkdir run/lock
pivot_root . .old
umount -l /.old
mount --make-rshared / # as systemd itself does it where it is no guest; credentials need it
ip link set lo up

# Of this system's own services the journal alone: a test is about ours.
cd /usr/lib/systemd/system
rm -rf {sysinit,sockets,timers,multi-user,local-fs,graphical}.target.wants
find /etc/systemd/system -mindepth 2 ! -path '*llmagentos*' -delete
mkdir sysinit.target.wants sockets.target.wants
ln -s ../systemd-journald.service sysinit.target.wants
ln -s ../systemd-journald.socket ../systemd-journald-dev-log.socket sockets.target.wants
systemd-sysusers
systemd-tmpfiles --create /usr/lib/tmpfiles.d/llmagentos.conf

export container=test
exec /lib/systemd/systemd --unit=multi-user.target --show-status=no --log-target=console
