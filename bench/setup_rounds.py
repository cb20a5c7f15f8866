"""Rounds of the setup and its rivals on the same machines: each does its work from nothing, and then finds it done."""

from __future__ import annotations

import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from eight_machines import MADE, SETTLED, EightMachines
from lab.hosts import LabHost
from setup_rivals import Contestant

SIZES = (3, 8)
SETTLING_SECONDS = 1.0
"""After everything was undone, for what ends in the background."""
DEPLOYED = "Everything is as planned."
"""What gpumon says before it proves by Prometheus that all works, which takes scrapes and which no other does."""


@dataclass
class Times:
    """What one contestant took for one size, a value a round, in milliseconds."""

    first: list[float] = field(default_factory=list[float])
    """From nothing."""
    proved: list[float] = field(default_factory=list[float])
    """From nothing, with all that it says afterwards."""
    again: list[float] = field(default_factory=list[float])
    """With nothing left to do."""
    first_cpu: list[float] = field(default_factory=list[float])
    """Processor time of the first run, its own and the machines': they share the cores here."""
    again_cpu: list[float] = field(default_factory=list[float])
    """The same of the second."""
    logins: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """Connections and commands of a second run, of the machine that saw most."""


Measured = dict[tuple[str, int], Times]


def typed(argv: Sequence[str]) -> tuple[float, float]:
    """Milliseconds until it said that all is deployed, and until it ended."""
    began = time.perf_counter()
    deployed = 0.0
    said: list[str] = []
    with subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as run:
        for line in run.stdout or ():
            said.append(line)
            if line.strip() == DEPLOYED:
                deployed = time.perf_counter() - began
    ended = time.perf_counter() - began
    if run.returncode:
        raise SystemExit(f"{' '.join(argv)} ended with {run.returncode}:\n{''.join(said[-40:])}")
    return (deployed or ended) * 1000, ended * 1000


def _cpu(ground: EightMachines) -> float:
    """Milliseconds that all have used so far, here and there."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime + ground.cpu_seconds) * 1000


def run_twice(ground: EightMachines, one: Contestant, hosts: Sequence[LabHost], times: Times) -> list[str]:
    """From nothing and again; says what stands on the machines, which the second run has left alone."""
    ground.be_bare()
    one.hang_up()
    time.sleep(SETTLING_SECONDS)
    argv = one.argv(hosts)
    cpu = _cpu(ground)
    deployed, ended = typed(argv)
    times.first_cpu.append(_cpu(ground) - cpu)
    times.first.append(deployed)
    times.proved.append(ended)
    settled, before, cpu = ground.root(hosts, SETTLED), ground.logins(len(hosts)), _cpu(ground)
    times.again.append(typed(argv)[1])
    times.again_cpu.append(_cpu(ground) - cpu)
    after = ground.logins(len(hosts))
    times.logins.append(max((now[0] - then[0], now[1] - then[1]) for now, then in zip(after, before, strict=True)))
    if ground.root(hosts, SETTLED) != settled:
        raise SystemExit(f"{one.name} did something though nothing was to be done.")
    return ground.root(hosts, MADE)


def measured(ground: EightMachines, contestants: Sequence[Contestant], rounds: int) -> Measured:
    """All of them in turn, each round in another order; they must all make the same."""
    found: Measured = {(one.name, size): Times() for one in contestants for size in SIZES}
    try:
        for number in range(rounds):
            in_order = [contestants[(place + number) % len(contestants)] for place in range(len(contestants))]
            for size in SIZES:
                hosts = ground.hosts(size)
                _agree({one.name: run_twice(ground, one, hosts, found[one.name, size]) for one in in_order})
    finally:
        for one in contestants:
            one.hang_up()
    return found


def _agree(made: Mapping[str, Sequence[str]]) -> None:
    """Ends the benchmark unless all made the same."""
    (first, expected), *others = made.items()
    for name, what in others:
        if what != expected:
            raise SystemExit(f"{name} made\n{''.join(what)}\nbut {first} made\n{''.join(expected)}")
