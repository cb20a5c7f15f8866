"""What a reading of a real Slurm costs: us, one squeue of the same queue, and the commands of vpenso's exporter."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gpumon_exporter.clock import Clock
from gpumon_exporter.metrics.store import Choice, Store
from gpumon_exporter.slurm.child import Children
from gpumon_exporter.slurm.commands import Commands
from gpumon_exporter.slurm.cycle import Scope, SlurmReader
from real.daemons import Missing
from real_queue import RealQueue
from results import Report, Row, cpu_seconds_of
from scrapes import report_on_scrapes
from slurm_site.site import SlurmSite

ROUNDS = 15
SIZES = (100, 5_000, 20_000)
GOAL = 1.2
"""What a reading may cost slurmctld, in squeues."""
SETTLING_SECONDS = 0.1
"""After an answer slurmctld still frees it: that belongs to who asked."""
SQUEUE = (("squeue", "-a", "-h"),)
VPENSO = (
    ("squeue", "-a", "-r", "-h", "-o", "%A,%T,%r", "--states=all"),
    ("squeue", "-a", "-r", "-h", "-o", "%A|%a|%T|%C"),
    ("squeue", "-a", "-r", "-h", "-o", "%A|%u|%T|%C"),
    ("squeue", "-a", "-r", "-h", "-o", "%P", "--states=PENDING"),
    ("sinfo", "-h", "-o", "%C"),
    ("sinfo", "-h", "-N", "-O", "NodeList,AllocMem,Memory,CPUsState,StateLong"),
    ("sinfo", "-h", "-o", "%D,%T"),
    ("sinfo", "-h", "-o", "%R,%C"),
    ("sinfo", "-h", "-o", "%n %G"),
    ("sdiag",),
    ("sshare", "-n", "-P", "-o", "account,fairshare"),
)
"""All that vpenso's exporter runs at each scrape."""


@dataclass
class Cost:
    """What one side took, a value a round, in milliseconds."""

    wall: list[float] = field(default_factory=list[float])
    client: list[float] = field(default_factory=list[float])
    """CPU of whoever asks: commands, and who reads their answers."""
    own: list[float] = field(default_factory=list[float])
    """Of that, without the commands."""
    slurmctld: list[float] = field(default_factory=list[float])

    def measure(self, action: Callable[[], object], pid: int) -> None:
        """Runs it once."""
        controller, children, own, wall = cpu_seconds_of(pid), _children(), time.process_time(), time.perf_counter()
        action()
        self.wall.append((time.perf_counter() - wall) * 1000)
        self.own.append((time.process_time() - own) * 1000)
        self.client.append((_children() - children) * 1000 + self.own[-1])
        time.sleep(SETTLING_SECONDS)
        self.slurmctld.append((cpu_seconds_of(pid) - controller) * 1000)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def asked(site: SlurmSite, commands: Sequence[Sequence[str]]) -> None:
    """Runs commands; their output is read and thrown away."""
    for command in commands:
        done = subprocess.run(command, env=site.environment, capture_output=True, check=False)
        if done.returncode:
            raise SystemExit(f"{command} ended with {done.returncode}: {done.stderr.decode()}")


def reading(site: SlurmSite) -> Callable[[], None]:
    """What the exporter does at each interval: reads, and makes its pages."""
    os.environ["SLURM_CONF"] = site.environment["SLURM_CONF"]
    children, clock = Children(), Clock()
    reader = SlurmReader(Commands(None, 60.0, children.run, clock), Scope(), children.stop, clock)
    store = Store(Choice(), 60.0)

    def read() -> None:
        found = reader.read()
        if not found.is_up:
            raise SystemExit(f"Slurm did not answer: {found.commands}")
        store.publish(found, 60.0)

    return read


def report_on(queue: RealQueue, report: Report) -> None:
    """Measures one size."""
    pid, read = queue.site.slurmctld.pid, reading(queue.site)
    ours, squeue, vpenso = Cost(), Cost(), Cost()
    sides: list[tuple[Cost, Callable[[], object]]] = [
        (ours, read),
        (squeue, lambda: asked(queue.site, SQUEUE)),
        (vpenso, lambda: asked(queue.site, VPENSO)),
    ]
    for _, action in sides:
        action()  # the first reading asks for what changes rarely
    for number in range(ROUNDS):
        for place in range(len(sides)):
            cost, action = sides[(place + number) % len(sides)]
            cost.measure(action, pid)
    what = f"reading, {queue.waiting:,} jobs"
    report.add(Row(f"{what}: slurmctld CPU, against one squeue", "ms", ours.slurmctld, squeue.slurmctld, GOAL))
    report.add(Row(f"{what}: slurmctld CPU, against vpenso's", "ms", ours.slurmctld, vpenso.slurmctld, None))
    report.add(Row(f"{what}: wall, against vpenso's", "ms", ours.wall, vpenso.wall, None))
    report.add(Row(f"{what}: CPU of who asks, against vpenso's", "ms", ours.client, vpenso.client, None))
    report.add(Row(f"{what}: CPU in the exporter, against one squeue's", "ms", ours.own, squeue.client, None))


def main(sizes: Sequence[int]) -> int:
    """Measures the given sizes, or all."""
    report = Report("slurm")
    try:
        site = SlurmSite()
    except Missing as missing:
        print(f"left out: {missing}")
        return 0
    report.head()
    with site, tempfile.TemporaryDirectory() as folder:
        queue = RealQueue(site)
        queue.run_some()
        for size in sizes or SIZES:
            queue.grow(size)
            report_on(queue, report)
            report_on_scrapes(queue, Path(folder), report)
    print(f"kept in {report.save()}")
    return 0


if __name__ == "__main__":
    sys.exit(main([int(size) for size in sys.argv[1:]]))
