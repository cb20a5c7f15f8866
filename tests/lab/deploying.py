"""`gpumon setup` on the lab: who types it, and what the cluster says of it afterwards."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lab.hosts import Lab, LabHost, Ran

GPUMON = Path(sys.executable).with_name("gpumon")
"""This clone's, for who sits at the administrator's seat."""


class OnMaster:
    """`ops` on the master, which no SSH leads to; nobody there knows the nodes' names."""

    def __init__(self, lab: Lab) -> None:
        self._master = lab.master
        addresses = [f'[setup.machines.{node.name}]\naddress = "{node.address}"\n' for node in lab.nodes]
        text = f"{section(lab)}local = true\n{''.join(addresses)}"
        self._master.sh("mkdir -p .config/gpumon; cat >.config/gpumon/config.toml", stdin=text)
        self._master.sh("umask 077; cat >.ssh/id_ed25519", stdin=lab.key.read_text())

    def setup(self, *words: str) -> Ran:
        """Runs `gpumon setup`."""
        return self._master.ssh(shlex.join(("gpumon", "setup", *words)), seconds=300)


class AtSeat:
    """The administrator at a computer of the network, whose ~/.ssh/config knows every machine."""

    def __init__(self, lab: Lab, home: Path) -> None:
        self._lab = lab
        self.home = home
        """Holds all that the administrator has: ~/.ssh and config.toml."""
        (home / ".ssh").mkdir(mode=0o700)
        self.configure_ssh("")
        self.configure("")

    def configure(self, more: str, nodes: str = "") -> None:
        """Writes the configuration with more lines, of some nodes or of all."""
        (self.home / "config.toml").write_text(f"{section(self._lab, nodes)}{more}\n")

    def configure_ssh(self, before: str) -> None:
        """Writes ~/.ssh/config; what comes first holds."""
        (self.home / ".ssh" / "config").write_text(f"{before}Host *\nInclude {self._lab.ssh_config}\n")

    def argv(self, *words: str) -> list[str]:
        """What is typed, for tests that watch it at work."""
        environment = ("env", "--unset=SSH_AUTH_SOCK", f"HOME={self.home}")
        return self._lab.command(
            [*environment, str(GPUMON), "setup", *words, "--config", str(self.home / "config.toml")]
        )

    def setup(self, *words: str) -> Ran:
        """Runs `gpumon setup`; there is nobody who could be asked."""
        return self._lab.run(self.argv(*words), seconds=300)


def section(lab: Lab, nodes: str = "") -> str:
    """The beginning of [setup]."""
    return f'[setup]\nmaster = "master"\nnodes = ["{nodes or f"node[1-{len(lab.nodes)}]"}"]\n'


def told(ran: Ran, code: int = 0) -> str:
    """All that a run said; an AssertionError with it when it ended otherwise."""
    assert ran.returncode == code, f"{ran.args} ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}"
    return f"{ran.stdout}{ran.stderr}"


def containers(host: LabHost) -> list[str]:
    """The names of all containers of a machine."""
    return sorted(host.containers())


def of_prometheus(master: LabHost, path: str) -> Any:
    """What the master's Prometheus says under /api/v1; None while it says nothing."""
    ran = master.ssh(f"curl -sfgm 5 'http://localhost:9090/api/v1/{path}'")
    return json.loads(ran.stdout)["data"] if ran.returncode == 0 else None


def by_node(master: LabHost, query: str) -> Mapping[str, float]:
    """A query's values by node; none while Prometheus does not answer."""
    found: Mapping[str, Any] = of_prometheus(master, f"query?query={quote(query)}") or {"result": []}
    return {one["metric"].get("node", ""): float(one["value"][1]) for one in found["result"]}


def targets(master: LabHost) -> Sequence[tuple[str, str, str]]:
    """Job, node and health of everybody whom Prometheus scrapes."""
    found: Mapping[str, Any] = of_prometheus(master, "targets?state=active") or {"activeTargets": []}
    labelled = [(one["labels"], str(one["health"])) for one in found["activeTargets"]]
    return sorted((labels["job"], labels.get("node", ""), health) for labels, health in labelled)


def of_gpumon(master: LabHost, *words: str) -> Any:
    """What a gpumon command on the master says as JSON; None when it fails."""
    ran = master.ssh(shlex.join(("gpumon", *words, "--json")))
    return json.loads(ran.stdout) if ran.returncode == 0 else None
