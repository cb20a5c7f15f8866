"""Eight machines that boot, with all images: who types there, what is undone before a run, what stands after it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from lab import cgroups
from lab.cluster import Cluster
from lab.hosts import Lab, LabHost
from lab.places import places
from lab.plan import Plan

MACHINES = 8
BEACON = b"[Service]\nExecStart=/usr/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
"""A unit that does nothing, for those who are to have it run."""
PREPARED = "systemctl daemon-reload; systemctl reload ssh"
BARE = r"""
systemctl disable -q --now beacon
docker ps -aq --filter name=gpumon- | xargs -r docker rm -f -v >/dev/null
rm -rf /etc/beacon.conf /etc/gpumon /var/lib/gpumon
"""
SETTLED = r"""
# What is seen of a run that did its work, and then of one that found it done.
stat -c '%n %a %U %i' /etc/beacon.conf 2>/dev/null
systemctl show -p ActiveState,UnitFileState,ActiveEnterTimestampMonotonic beacon
find /etc/gpumon -type f -printf '%p %m %i\n' 2>/dev/null | sort
docker ps --no-trunc --format '{{.Names}} {{.ID}}' | sort
"""
MADE = r"""
# The same, without what differs from run to run.
cat /etc/beacon.conf 2>/dev/null
systemctl is-active beacon; systemctl is-enabled beacon
find /etc/gpumon -type f -exec sha256sum {} + 2>/dev/null | sort -k 2
docker ps -q --filter name=gpumon- | xargs -r docker inspect -f '{{.Name}} {{.Config.Image}} {{.Config.User}}
{{.Args}}{{range .HostConfig.Binds}}{{println}}{{.}}{{end}}
{{with .HostConfig}}{{.CapAdd}} {{.CapDrop}} {{.ReadonlyRootfs}} {{.PidMode}} {{.NetworkMode}}
{{.SecurityOpt}} {{.RestartPolicy}} {{.LogConfig}} {{.DeviceRequests}}{{end}}' | sort
"""
LOGINS = "journalctl -b -q -o cat -t sshd -t sshd-session"


class EightMachines:
    """The lab, and an administrator whose home is a folder of this run."""

    def __init__(self, lab: Lab, group: Path, folder: Path) -> None:
        self.lab = lab
        self._group = group
        self.folder = folder
        """For whatever who types there needs."""
        self.home = folder / "home"
        """Holds ~/.ssh/config, which knows every machine."""
        (self.home / ".ssh").mkdir(parents=True, mode=0o700)
        (self.home / ".ssh" / "config").write_text(f"Include {lab.ssh_config}\n")
        for host in lab.hosts.values():
            host.write("/etc/systemd/system/beacon.service", BEACON)
            host.write("/etc/ssh/sshd_config.d/bench.conf", b"LogLevel VERBOSE\n")
        self.root(self.hosts(MACHINES), PREPARED)

    def hosts(self, count: int) -> Sequence[LabHost]:
        """The master and the first nodes."""
        return list(self.lab.hosts.values())[:count]

    def root(self, hosts: Sequence[LabHost], command: str) -> list[str]:
        """What a shell says on each, past ssh and network."""

        def said(host: LabHost) -> str:
            return host.root(command)

        with ThreadPoolExecutor(len(hosts)) as hands:
            return list(hands.map(said, hosts))

    def be_bare(self) -> None:
        """As before any run."""
        self.root(self.hosts(MACHINES), BARE)

    def argv(self, *words: str) -> list[str]:
        """What to start here for it to be typed there."""
        return self.lab.command(["env", "--unset=SSH_AUTH_SOCK", f"HOME={self.home}", *words])

    @property
    def cpu_seconds(self) -> float:
        """All that the machines have used so far, which here share the cores with whoever works on them."""
        told = dict(line.split() for line in (self._group / "cpu.stat").read_text().splitlines())
        return int(told["usage_usec"]) / 1e6

    def logins(self, count: int) -> list[tuple[int, int]]:
        """Connections and commands that sshd has heard of since boot, on each."""
        told = self.root(self.hosts(count), LOGINS)
        return [(_count("Accepted publickey ", text), _count("Starting session: ", text)) for text in told]


def _count(beginning: str, text: str) -> int:
    return sum(line.startswith(beginning) for line in text.splitlines())


@contextmanager
def eight_machines(gpus: int) -> Generator[EightMachines]:
    """They are up until the end of this, with so many GPUs on each node; raises LabFailed."""
    here = places()
    cluster = Cluster(here)
    cluster.up(Plan(machines=MACHINES, gpus=gpus, is_preloaded=True))
    try:
        with TemporaryDirectory() as folder:
            yield EightMachines(Lab(cluster), cgroups.group(here), Path(folder))
    finally:
        cluster.down()
