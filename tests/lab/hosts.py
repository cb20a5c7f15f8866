"""What a test has of a cluster that is up: its machines, and the administrator's seat."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab import access, keys, network
from lab.cluster import Cluster
from lab.flavors import PASSWORD
from lab.images.build import images
from lab.node import Node
from lab.traces import Traces, traces_of

Ran = subprocess.CompletedProcess[str]
PATIENCE_SECONDS = 120.0
CONTAINERS = """
for engine in docker podman; do
    ! command -v $engine >/dev/null || $engine ps -a --format '{{.Names}} {{.Image}}'
done
"""


def said(ran: Ran) -> str:
    """What a program said that had to succeed; an AssertionError with all of it when it did not."""
    assert ran.returncode == 0, f"{ran.args} ended with {ran.returncode}:\n{ran.stdout}{ran.stderr or ''}"
    return ran.stdout


class LabHost:
    """One machine."""

    def __init__(self, cluster: Cluster, name: str, address: str) -> None:
        self._cluster = cluster
        self.name = name
        self.address = address
        self.power: Node = cluster.node(name)
        """Reboots, crashes, stops, starts, cuts and heals it."""

    def ssh(self, command: str, *, user: str = "ops", stdin: str = "", seconds: float = PATIENCE_SECONDS) -> Ran:
        """Runs a shell command over ssh; exit code 255 is ssh's own."""
        argv = access.ssh(self._cluster.lab, f"{user}@{self.name}", [command])
        return subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=seconds, check=False)

    def sh(self, command: str, *, user: str = "ops", stdin: str = "") -> str:
        """What a shell command said over ssh; it has to succeed."""
        return said(self.ssh(command, user=user, stdin=stdin))

    def root(self, command: str) -> str:
        """What a shell command said as root inside, past ssh and network; it has to succeed."""
        return said(self.power.run("bash", "-c", command))

    def read(self, path: str) -> bytes | None:
        """A file's content, None when there is no such file."""
        argv = self.power.command(["cat", path])
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        return done.stdout if done.returncode == 0 else None

    def write(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Puts a file there, as root."""
        script = 'mkdir -p "$(dirname "$1")"; cat >"$1"; chmod "$2" "$1"'
        argv = self.power.command(["sh", "-euc", script, "lab", path, f"{mode:o}"])
        subprocess.run(argv, input=content, capture_output=True, check=True)

    def containers(self) -> Mapping[str, str]:
        """Every container of docker and podman by its name, with the image it was made from."""
        return dict(line.split(maxsplit=1) for line in self.root(CONTAINERS).splitlines())

    def traces(self) -> Traces:
        """Everything that differs from what is installed: compare two of them to see what happened in between."""
        return traces_of(self._cluster.lab.node(self.name))


class Lab:
    """The cluster, as its administrator has it."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.hosts = {each.name: LabHost(cluster, each.name, each.address) for each in cluster.machines}
        lab = cluster.lab
        self.ssh_config: Path = lab.run / "ssh_config"
        """Knows every machine by name; its user is ops."""
        self.known_hosts: Path = lab.run / "known_hosts"
        self.key: Path = keys.user_key(lab)
        """Opens ops, admin and plain on every machine."""
        self.password: str = PASSWORD
        """Of admin and plain; admin's sudo asks for it."""

    @property
    def master(self) -> LabHost:
        """The machine that others are watched from."""
        return self.hosts["master"]

    @property
    def nodes(self) -> Sequence[LabHost]:
        """All but the master."""
        return [host for host in self.hosts.values() if host is not self.master]

    def images(self) -> Mapping[str, str]:
        """What the registry has, with each image's digest."""
        return images(self._cluster.lab)

    def command(self, argv: Sequence[str]) -> list[str]:
        """What to start here for a program to run at the administrator's seat, for tests that watch it at work."""
        return access.command(self._cluster.lab, argv)

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: str = "",
        environment: Mapping[str, str] | None = None,
        seconds: float = 600.0,
    ) -> Ran:
        """Runs a program at the administrator's seat, with the lab's network and DNS and our files."""
        return subprocess.run(
            self.command(argv),
            input=stdin,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def cut_registry(self) -> None:
        """Takes registry, DNS and packages off the network."""
        network.plug(self._cluster.lab, "svc", is_in=False)

    def heal_registry(self) -> None:
        """Brings them back."""
        network.plug(self._cluster.lab, "svc", is_in=True)
