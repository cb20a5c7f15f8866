"""A cluster of machines in memory, and `gpumon setup` run on it as if it had been typed."""

from __future__ import annotations

import argparse
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gpumon_setup import command
from gpumon_setup.fleet import Fleet
from gpumon_setup.host import Passwords
from gpumon_setup.inventory import Inventory, Machine
from gpumon_setup.verbs import opening
from gpumon_setup.verify import Check, Verifier
from setup.fake_host import FakeHost
from setup.fake_prometheus import FakePrometheus

CONFIG = '[setup]\nmaster = "head"\nnodes = ["gpu[1-2]"]\n'


@dataclass
class Cluster:
    """A master and its nodes, with a configuration."""

    file: Path
    hosts: dict[str, FakeHost] = field(default_factory=dict[str, FakeHost])
    unreachable: dict[str, Exception] = field(default_factory=dict[str, Exception])
    """What happens when one dials these."""
    dialled: list[str] = field(default_factory=list[str])
    """Whom the last run dialled, each time anew."""
    ssh_addresses: dict[str, str] = field(default_factory=dict[str, str])
    """Where SSH looks for machines, of those for whom that is an address."""

    def __post_init__(self) -> None:
        self.prometheus = FakePrometheus(self.hosts)
        self.prometheus.attach()

    def __getitem__(self, name: str) -> FakeHost:
        return self.hosts[name]

    def configure(self, text: str) -> None:
        """Writes the configuration."""
        self.file.write_text(text)

    def run(self, *typed: str) -> int:
        """`gpumon setup`, as it was typed; each run dials anew."""
        for host in self.hosts.values():
            host.asked = 0
        self.dialled.clear()
        parser = argparse.ArgumentParser(argument_default=argparse.SUPPRESS)
        command.add_arguments(parser)
        options = parser.parse_args(typed)
        options.config = str(self.file)
        return command.run(options)

    def reach(self, machine: Machine) -> FakeHost:
        """The way to a machine."""
        self.dialled.append(machine.name)
        if machine.name in self.unreachable:
            raise self.unreachable[machine.name]
        self.hosts[machine.name].is_closed = False
        return self.hosts[machine.name]


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """A fresh master and two nodes with GPUs."""
    names = {"head": "10.77.0.2", "gpu1": "10.77.0.3", "gpu2": "10.77.0.4"}
    machines = {name: FakeHost(name, address, gpus=0 if name == "head" else 4) for name, address in names.items()}
    made = Cluster(tmp_path / "config.toml", machines)
    made.configure(CONFIG)

    @contextmanager
    def reached(inventory: Inventory, passwords: Passwords) -> Generator[Fleet]:
        del passwords
        fleet = Fleet(inventory.machines, made.reach, dialled=lambda machine: made.ssh_addresses.get(machine.name, ""))
        yield fleet
        fleet.close()

    monkeypatch.setattr(opening, "reached", reached)

    def looked(verifier: Verifier, _: float) -> tuple[Check, ...]:
        return tuple(verifier.look())  # what is not well in memory will not be so later

    monkeypatch.setattr(Verifier, "until_well", looked)
    return made
