"""Machines that are set out for before they are needed: each once, and each says for itself why it cannot be had."""

from __future__ import annotations

from threading import Barrier

import pytest

from gpumon_setup.failures import Stopped, Unreachable
from gpumon_setup.fleet import Fleet
from gpumon_setup.inventory import Machine, Role
from setup.fake_host import FakeHost

NAMES = ("gpu1", "gpu2")
PATIENCE_SECONDS = 30.0


class Ways:
    """The ways to two machines, which both have to be gone at once for either to arrive."""

    def __init__(self) -> None:
        self.gone: list[str] = []
        self.shut: set[str] = set()
        """Machines that cannot be reached."""
        self._both = Barrier(2)
        self.fleet = Fleet([Machine(name, frozenset({Role.NODE})) for name in NAMES], self._reach)

    def _reach(self, machine: Machine) -> FakeHost:
        if len(self.gone) < len(NAMES):
            self.gone.append(machine.name)
            self._both.wait(PATIENCE_SECONDS)
        if machine.name in self.shut:
            raise Unreachable(machine.name, "it is off.")
        return FakeHost(machine.name)


def test_machines_that_are_set_out_for_are_reached_at_once_and_each_but_once() -> None:
    ways = Ways()
    ways.fleet.set_out(NAMES)
    first = ways.fleet.host("gpu1")
    ways.fleet.set_out(NAMES)
    assert (first.name, ways.fleet.host("gpu2").name) == NAMES
    assert ways.fleet.host("gpu1") is first
    assert sorted(ways.gone) == [*NAMES]


def test_one_that_cannot_be_reached_says_so_when_it_is_needed_and_is_tried_once_more_then() -> None:
    ways = Ways()
    ways.shut.add("gpu2")
    ways.fleet.set_out(NAMES)
    assert ways.fleet.host("gpu1").name == "gpu1"
    with pytest.raises(Unreachable, match="it is off"):
        ways.fleet.host("gpu2")
    ways.shut.clear()
    assert ways.fleet.host("gpu2").name == "gpu2"


def test_nothing_is_set_out_for_once_the_work_was_ended() -> None:
    ways = Ways()
    ways.fleet.close()
    ways.fleet.set_out(NAMES)
    with pytest.raises(Stopped):
        ways.fleet.host("gpu1")
    assert not ways.gone
