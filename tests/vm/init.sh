#!/bin/busybox sh
# The first process of the test machine, from a RAM disk with busybox only. Its root is the host's own file
# system, read-only, below a layer in memory. It runs what the host asks for on the control port:
#   run N COMMAND   in that root; output goes to /out/N.log; answered by "end N STATUS"
B=/bin/busybox
$B mkdir -p /proc /sys /dev /bin /sbin /lower /up /new
$B --install -s /bin
export PATH=/bin:/sbin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
ln -sf /proc/self/fd /dev/fd
say() { echo "machine: $*" >/dev/console; }
fail() { say "$*"; poweroff -f; }
while read -r m; do
    insmod "/mods/$m" || say "module $m cannot be loaded"
done </mods/order
ip link set lo up
share=trans=virtio,version=9p2000.L,msize=512000
mount -t 9p -o $share,ro,cache=loose root /lower || fail "no root"
mount -t tmpfs -o size=75% tmpfs /up && mkdir -p /up/u /up/w
mount -t overlay -o lowerdir=/lower,upperdir=/up/u,workdir=/up/w overlay /new || fail "no layer over the root"
for d in proc sys dev; do mount --bind /$d /new/$d; done
for d in dev/pts dev/shm; do mount --bind /$d /new/$d; done
for d in run tmp; do mkdir -p /new/$d; mount -t tmpfs -o mode=1777 tmpfs /new/$d; done
mkdir -p /new/out
mount -t 9p -o $share,cache=none out /new/out || fail "no place for results"
cp /bin/busybox /new/run/busybox
port=
for p in /sys/class/virtio-ports/*; do
    [ "$(cat "$p/name")" = control ] && port=/dev/${p##*/}
done
exec 3<>"$port" || fail "no control port"
echo "ready" >&3
while read -r verb n command <&3; do
    [ "$verb" = run ] || continue
    (
        chroot /new /run/busybox sh -c "cd /tmp; $command" </dev/null >"/new/out/$n.log" 2>&1 3>&-
        echo "end $n $?" >&3
    ) &
done
fail "the host has closed the control port"
