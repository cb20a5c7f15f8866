# What kind of machine this is, and the state of all that gpumon made there, in one go and without changing anything.
# Set before: T, a text that nobody can know; NAMES, names to resolve; FILES, CONTENTS, UNITS, PACKAGES: what to look at.
made=/var/lib/gpumon/setup/made
have() { command -v "$1" >/dev/null 2>&1; }
processes="
$(ps -eo comm= 2>/dev/null | sort -u)
"
runs() { case $processes in *"
$1
"*) true ;; *) false ;; esac }

work=$(mktemp -d /tmp/gpumon.XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP INT TERM PIPE

section clock; date +%s.%N

# What may take a while runs beside all else.
if have nvidia-smi; then
    { timeout 30 nvidia-smi --query-gpu=index,uuid,name,driver_version,mig.mode.current --format=csv,noheader >"$work/gpus" 2>&1
      echo $? >"$work/gpus.code"
      timeout 30 nvidia-smi -L >"$work/mig" 2>/dev/null; } &
fi
if have docker; then
    { timeout 20 docker info --format '{{json .}}' >"$work/docker" 2>"$work/docker.err" &&
      timeout 20 docker ps -a --no-trunc --format \
        '{{.Names}}\t{{.State}}\t{{.Image}}\t{{.Label "io.gpumon.spec"}}\t{{.Label "io.gpumon.managed"}}' >"$work/docker.ps" &&
      timeout 20 docker images --no-trunc --format '{{.Repository}}:{{.Tag}}\t{{.ID}}' >"$work/docker.images"; } 2>/dev/null &
fi
if have podman; then
    { podman --version >"$work/podman" &&
      timeout 20 podman ps -a --no-trunc --format json >"$work/podman.ps" &&
      timeout 20 podman images --no-trunc --format '{{.Repository}}:{{.Tag}}\t{{.ID}}' >"$work/podman.images"; } 2>/dev/null &
fi
if have scontrol && runs slurmctld; then
    { timeout 20 scontrol -o show nodes >"$work/slurm.nodes"
      timeout 20 squeue -a -h -t R,CF,CG,S -o '%A|%N' >"$work/slurm.jobs"; } 2>/dev/null &
fi
if have firewall-cmd && runs firewalld; then
    { timeout 20 firewall-cmd --state >/dev/null && timeout 20 firewall-cmd --list-all-zones >"$work/firewalld"; } 2>/dev/null &
fi

section machine
uname -n; uname -m; uname -r
section os; cat /etc/os-release 2>/dev/null
section python; python3 -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null
section memory; cat /proc/meminfo 2>/dev/null | head -n 1; nproc 2>/dev/null
section addresses; ip -o addr show scope global 2>/dev/null
section ports; ss -Hltnp 2>/dev/null
section disks; df -Pk / /etc /var/lib /var/lib/docker /var/lib/containers /var/lib/gpumon 2>/dev/null
section commands
for name in docker podman nvidia-ctk nvidia-smi scontrol sinfo ufw nft iptables firewall-cmd apt-get dnf zypper promtool gcloud; do
    where=$(command -v "$name" 2>/dev/null) && echo "$name $where"
done
section systemd; [ -d /run/systemd/system ] && systemctl --version 2>/dev/null | head -n 1

section pci
for device in /sys/bus/pci/devices/*; do
    read -r vendor <"$device/vendor" && [ "$vendor" = 0x10de ] && read -r class <"$device/class" &&
        case $class in 0x03*) echo "${device##*/}" ;; esac
done 2>/dev/null
section driver; head -n 1 /proc/driver/nvidia/version 2>/dev/null
section toolkit; have nvidia-ctk && nvidia-ctk --version 2>/dev/null | head -n 1
section cdi; grep -l nvidia.com/gpu /etc/cdi/* /var/run/cdi/* 2>/dev/null

section slurm
for name in slurmctld slurmdbd slurmd; do runs "$name" && echo "$name"; done
section slurm-version; { scontrol --version || slurmd -V; } 2>/dev/null
section steps; runs slurmstepd && pgrep -a slurmstepd 2>/dev/null
section hostengine; runs nv-hostengine && echo yes

section ufw; cat /etc/ufw/ufw.conf 2>/dev/null; cat /etc/ufw/user.rules /etc/ufw/user6.rules 2>/dev/null | grep '^### tuple'
section nftables; have nft && timeout 10 nft list ruleset 2>/dev/null | head -c 400000

section names
for name in $NAMES; do
    printf '%s %s\n' "$name" "$(getent ahosts "$name" 2>/dev/null | awk '$2 == "STREAM" { print $1 }' | tr '\n' ' ')"
done

section made
for record in "$made"/*.json; do [ -e "$record" ] && cat "$record"; done

# Where a record says so, its file and its unit are looked at too: a second run then needs no second question.
old=$(sed -n 's/^{"kind":"file","key":"\([^"\\]*\)".*/\1/p' "$made"/*.json 2>/dev/null)
old_contents=$(sed -n 's/^{"kind":"block","key":"\([^"\\# ]*\).*/\1/p' "$made"/*.json 2>/dev/null)
old_directories=$(sed -n 's/^{"kind":"directory","key":"\([^"\\]*\)".*/\1/p' "$made"/*.json 2>/dev/null)
old_units=$(sed -n 's/^{"kind":"unit","key":"\([^"\\]*\)".*/\1/p' "$made"/*.json 2>/dev/null)
old_packages=$(sed -n 's/^{"kind":"package","key":"\([^"\\]*\)".*/\1/p' "$made"/*.json 2>/dev/null)
FILES="$FILES $old $old_directories"
CONTENTS="$CONTENTS $old_contents"
UNITS="$UNITS $old_units"
PACKAGES="$PACKAGES $old_packages"
