# What kind of machine this is, and the state of all that gpumon made there, in one go and without changing anything.
# Set before: T, a text that nobody can know; NAMES, names to resolve; FILES, CONTENTS, UNITS, PACKAGES: what to look at;
# WORK, which is locked while somebody works here.
# Each program that is started costs more than what it is asked, so few are.
made=/var/lib/gpumon/setup/made
have() { command -v "$1" >/dev/null 2>&1; }
processes="
$(cat /proc/[0-9]*/comm 2>/dev/null)
"
runs() { case $processes in *"
$1
"*) true ;; *) false ;; esac }

work=$(mktemp -d /tmp/gpumon.XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP INT TERM PIPE

# What may take a while runs beside all else.
if have nvidia-smi; then
    { timeout 30 nvidia-smi --query-gpu=index,uuid,name,driver_version,mig.mode.current --format=csv,noheader >"$work/gpus" 2>&1
      echo $? >"$work/gpus.code"
      while read -r line; do case $line in *", Enabled") timeout 30 nvidia-smi -L >"$work/mig" 2>/dev/null; break ;; esac
      done <"$work/gpus"; } &
fi
if have docker; then
    if [ -S /var/run/docker.sock ] && have curl; then
        curl -s -m 20 --unix-socket /var/run/docker.sock -w "\n$T part\n" http://docker/info \
            'http://docker/containers/json?all=1' http://docker/images/json >"$work/docker" 2>/dev/null
        [ -s "$work/docker" ] || docker info >/dev/null 2>"$work/docker.err"
    else
        { timeout 20 docker info --format '{{json .}}' >"$work/docker.info" 2>"$work/docker.err" &&
          timeout 20 docker ps -a --no-trunc --format \
            '{{.Names}}\t{{.State}}\t{{.Image}}\t{{.Label "io.gpumon.spec"}}\t{{.Label "io.gpumon.managed"}}' >"$work/docker.ps" &&
          timeout 20 docker images --no-trunc --format '{{.Repository}}:{{.Tag}}\t{{.ID}}' >"$work/docker.images"; } 2>/dev/null
    fi &
fi
if have podman; then
    { podman --version >"$work/podman" &&
      timeout 20 podman ps -a --no-trunc --format json >"$work/podman.ps" &&
      timeout 20 podman images --no-trunc --format '{{.Repository}}:{{.Tag}}\t{{.ID}}' >"$work/podman.images"; } 2>/dev/null &
fi
if have scontrol && runs slurmctld; then
    { timeout 20 scontrol -o show nodes >"$work/slurm.nodes"
      timeout 20 squeue -a -h -t R,CF,CG,S -o '%A|%N' >"$work/slurm.jobs"
      timeout 20 scontrol show config >"$work/slurm.conf"
      # Since 25.11 it may tell metrics itself; an older one would only complain of being asked.
      while read -r key _ value; do
          case $key in SlurmctldPort) port=${value%%-*} ;; MetricsType) kind=$value ;; esac
      done <"$work/slurm.conf"
      case ${kind:-} in metrics/*)
          page=http://127.0.0.1:$port/metrics/scheduler
          curl -s --noproxy '*' -m 5 -o /dev/null -w "$port %{http_code}" "$page" >"$work/slurm.metrics" ;;
      esac; } 2>/dev/null &
fi
if have firewall-cmd && runs firewalld; then
    timeout 20 firewall-cmd --list-all-zones >"$work/firewalld" 2>/dev/null &
fi
# A name server that is gone makes each name take ten seconds.
timeout 10 sh -c 'for name; do echo "name $name"; getent ahosts "$name"; done' sh $NAMES >"$work/names" 2>/dev/null &

section work; [ ! -e "$WORK" ] || ! have flock || flock -n -s "$WORK" true || head -c 300 "$WORK"
section machine; uname -nrm
section product; { read -r line </sys/class/dmi/id/product_name; } 2>/dev/null && echo "$line"
section os; cat /etc/os-release 2>/dev/null
section python; python3 -V 2>/dev/null
section addresses; ip -o addr show scope global 2>/dev/null
section ports; ss -Hltnp 2>/dev/null
section disks; df -Pk / /etc /var/lib /var/lib/docker /var/lib/containers /var/lib/gpumon /var/tmp 2>/dev/null
section commands
for name in docker podman nvidia-ctk nvidia-smi scontrol sinfo ufw nft iptables firewall-cmd apt-get dnf zypper promtool gcloud; do
    have "$name" && { printf '%s ' "$name"; command -v "$name"; }
done
section systemd; [ -d /run/systemd/system ] && echo yes

section pci
for device in /sys/bus/pci/devices/*; do
    read -r vendor <"$device/vendor" && [ "$vendor" = 0x10de ] && read -r class <"$device/class" &&
        case $class in 0x03*) echo "${device##*/}" ;; esac
done 2>/dev/null
section driver; [ -r /proc/driver/nvidia/version ] && cat /proc/driver/nvidia/version
section toolkit; have nvidia-ctk && echo yes
section cdi; grep -l nvidia.com/gpu /etc/cdi/* /var/run/cdi/* 2>/dev/null

section slurm
for name in slurmctld slurmdbd slurmd; do runs "$name" && echo "$name"; done
section slurm-version
if have scontrol; then scontrol --version 2>/dev/null; elif have slurmd; then slurmd -V 2>/dev/null; fi
section steps; runs slurmstepd && pgrep -a slurmstepd 2>/dev/null
section hostengine; runs nv-hostengine && echo yes

section ufw; [ -r /etc/ufw/ufw.conf ] && cat /etc/ufw/ufw.conf && grep -h '^### tuple' /etc/ufw/user.rules /etc/ufw/user6.rules 2>/dev/null
if have nft; then
    rules=$(timeout 10 nft list ruleset 2>/dev/null | head -c 400000)
    section nftables; printf '%s\n' "$rules"
    case $rules in *'hook input'*)
        section nftables.unit; systemctl show -p UnitFileState,ExecStart nftables.service 2>/dev/null ;;
    esac
fi

section made
if [ -d "$made" ]; then
    cat "$made"/*.json 2>/dev/null
    # Where a record says so, its file and its unit are looked at too: a second run then needs no second question.
    kinds=$(sed -n 's/^{"kind":"\([a-z]*\)","key":"\([^"\\# ]*\).*/\1 \2/p' "$made"/*.json 2>/dev/null)
    while read -r kind key; do
        case $kind:$key in file:*/90-gpumon-*) shared="$shared ${key%/*}" ;; esac
        case $kind in
            file | directory | secret) FILES="$FILES $key" ;;
            block) CONTENTS="$CONTENTS $key" ;;
            unit) UNITS="$UNITS $key" ;;
            package) PACKAGES="$PACKAGES $key" ;;
        esac
    done <<END
$kinds
END
    # Others have programs there, too.
    section shared; for folder in $shared; do printf '%s\n' "$folder"/*; done
fi
