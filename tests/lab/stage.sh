# PID 1 of a node starts as this script, in fresh namespaces of every kind but user and still on the machine's files. It
# joins the node's control group, plugs itself into the switch, puts the node's files together, leaves the machine's tree
# by pivot_root and becomes systemd. All mounts are in the node's own namespace: when its last process ends, none is left.
set -e
. "$1"
if [ "$2" != inside ]; then
    # /proc is still the machine's, so this is the number by which others find the node.
    read -r pid _ </proc/self/stat
    echo "$pid" >"$HERE/pid"
    for group in $GROUPS_TO_JOIN; do echo 0 >"$group/cgroup.procs"; done
    exec unshare --cgroup sh "$0" "$1" inside
fi
mount --make-rprivate /
hostname "$NAME"
ip link set lo up
# Left over from the last boot, if it ended just now.
ip -n "$SWITCH" link del "$PORT" 2>/dev/null || true
# The same hardware address at each boot: neighbours' ARP caches stay right over a reboot.
ip link add eth0 address "02:00:00:00:00:$(printf %02x "${ADDRESS##*.}")" type veth peer name "$PORT" netns "$SWITCH"
ip -n "$SWITCH" link set "$PORT" master lab0
[ -e "$HERE/cut" ] || ip -n "$SWITCH" link set "$PORT" up
ip addr add "$ADDRESS/24" dev eth0
ip link set eth0 up

root=$HERE/root
if [ -n "$DISK" ]; then
    mount -o loop "$DISK" "$root"
else
    # volatile: nothing waits for the disk, since a lab is thrown away.
    rm -rf "$HERE/work/"*
    mount -t overlay "$OVERLAY" -o "lowerdir=$LAYERS,upperdir=$HERE/upper,workdir=$HERE/work,volatile" "$root"
fi
for folder in $DATA; do
    # An overlay cannot hold the upper directory of another one, and container engines need one there.
    mkdir -p "$HERE/data$folder" "$root$folder"
    mount --bind "$HERE/data$folder" "$root$folder"
done
if [ -d "$HERE/seed" ]; then
    cp -a "$HERE/seed/." "$root/"
    rm -rf "$HERE/seed"
fi

options=nosuid,nodev,noexec
# Of the kernel's settings only the network's are the node's own.
mount -t proc proc "$root/proc" -o $options
mount --bind "$root/proc/sys" "$root/proc/sys"
mount --bind "$root/proc/sys/net" "$root/proc/sys/net"
mount -o remount,bind,ro,$options "$root/proc/sys"
mount -o remount,bind,rw,$options "$root/proc/sys/net"
[ ! -e "$root/proc/sysrq-trigger" ] || mount --bind /dev/null "$root/proc/sysrq-trigger"
[ ! -d "$HERE/driver" ] || mount --bind "$HERE/driver" "$root/proc/driver"
mount -t sysfs sysfs "$root/sys" -o ro,$options
if [ "$CGROUPS" = v2 ]; then
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup" -o $options
else
    mount -t tmpfs tmpfs "$root/sys/fs/cgroup" -o mode=755
    for controller in cpu cpuacct cpuset memory devices freezer blkio pids; do
        mkdir "$root/sys/fs/cgroup/$controller"
        mount -t cgroup cgroup "$root/sys/fs/cgroup/$controller" -o $controller
    done
    mkdir "$root/sys/fs/cgroup/systemd" "$root/sys/fs/cgroup/unified"
    mount -t cgroup cgroup "$root/sys/fs/cgroup/systemd" -o none,name=systemd
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup/unified"
fi

mount -t tmpfs tmpfs "$root/dev" -o mode=755,nosuid
cd "$root/dev"
mkdir net pts shm mqueue
while read -r device major minor; do mknod -m 666 "$device" c "$major" "$minor"; done <<DEVICES
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
fuse 10 229
net/tun 10 200
DEVICES
# A card has the number that the driver gives it, by which Slurm's and the driver's GPUs are told to be the same. The
# others are stand-ins that can be opened, and that a container may open without being allowed to.
for device in $GPU_DEVICES; do
    case $device in
        nvidia[0-9]*) mknod -m 666 "$device" c 195 "${device#nvidia}" ;;
        *) mknod -m 666 "$device" c 1 3 ;;
    esac
done
mount -t devpts devpts pts -o newinstance,ptmxmode=0666,mode=620,gid=5
ln -s pts/ptmx ptmx
ln -s /proc/self/fd fd
ln -s fd/0 stdin
ln -s fd/1 stdout
ln -s fd/2 stderr
mount -t tmpfs tmpfs shm -o mode=1777
mount -t tmpfs tmpfs "$root/run" -o mode=755
mount -t tmpfs tmpfs "$root/tmp" -o mode=1777

cd "$root"
pivot_root . mnt
umount -l /mnt
# As on a real machine; without it `-v /:/host:ro,rslave` is refused.
mount --make-rshared /
ulimit -Hn 524288 2>/dev/null || true
ulimit -Sn 1024
# Clock and modules are the machine's, not the node's.
lost=-sys_time,-sys_module,-sys_rawio
exec setpriv --bounding-set $lost --inh-caps $lost \
    env -i container=lab PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd </dev/null
