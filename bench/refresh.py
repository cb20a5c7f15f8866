"""How long a refresh takes, query to snapshot, against raw sockets and a typed decode of the very same requests."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from floor import Recorder, Request, floor
from gpumon import garbage
from gpumon.live.source import PrometheusSource
from gpumon.prometheus.client import PrometheusClient
from gpumon.settings import PrometheusSettings, Settings
from results import Report, Row, cpu_seconds_of
from simulated_site import Site, site

ROUNDS = 15
WARM_UP = 3
"""The first refreshes read what changes rarely."""
SETTLING_SECONDS = 0.2
"""After an answer the server still collects garbage: that belongs to who asked."""

WALL_GOALS = {"smallest": 2.0, "256": 2.0, "2,048": 1.3, "10,000": 1.3}
CPU_GOAL, CPU_LIMIT, SERVER_GOAL = 1.6, 220.0, 1.1


@dataclass
class Cost:
    """What one side took, a value a round, in milliseconds."""

    wall: list[float] = field(default_factory=list[float])
    client: list[float] = field(default_factory=list[float])
    server: list[float] = field(default_factory=list[float])

    def measure(self, action: Callable[[], object], pid: int) -> None:
        """Runs it once."""
        server, client, wall = cpu_seconds_of(pid), time.process_time(), time.perf_counter()
        action()
        self.wall.append((time.perf_counter() - wall) * 1000)
        self.client.append((time.process_time() - client) * 1000)
        time.sleep(SETTLING_SECONDS)
        self.server.append((cpu_seconds_of(pid) - server) * 1000)


def measured(place: Site) -> tuple[Cost, Cost, int]:
    """Ours and the floor's cost in alternation, and how many requests a refresh takes."""
    recorder = Recorder()
    settings = PrometheusSettings(url=place.url)
    source = PrometheusSource(Settings(prometheus=settings), PrometheusClient(settings, transport=recorder))
    pid, port = place.engine.daemon.pid, place.engine.daemon.port
    ours, bare, requests = Cost(), Cost(), list[Request]()
    garbage.collect_rarely()
    for _ in range(WARM_UP):
        source.snapshot()
        floor("127.0.0.1", port, recorder.taken())
    garbage.settle()  # as the dashboard does after its first picture
    for number in range(ROUNDS):
        if number % 2:  # or else every second garbage collection of the server would always meet the same side
            floor("127.0.0.1", port, requests)
            time.sleep(SETTLING_SECONDS)
        ours.measure(source.snapshot, pid)
        requests = recorder.taken()
        bare.measure(partial(floor, "127.0.0.1", port, requests), pid)
    source.close()
    return ours, bare, len(requests)


def report_on(place: Site, report: Report) -> None:
    """Measures one size."""
    ours, bare, requests = measured(place)
    is_largest, remark = place.name == "10,000", f"{requests} requests"
    wall = Row(f"refresh, {place.title}: wall", "ms", ours.wall, bare.wall, WALL_GOALS[place.name], remark=remark)
    report.add(wall)
    goal, limit = (CPU_GOAL, CPU_LIMIT) if is_largest else (None, None)
    report.add(Row(f"refresh, {place.title}: client CPU", "ms", ours.client, bare.client, goal, limit))
    total = [sum(ours.server)], [sum(bare.server)]
    report.add(Row(f"refresh, {place.title}: server CPU of {ROUNDS} rounds", "ms", *total, SERVER_GOAL))


def main(names: Sequence[str]) -> int:
    """Measures the named sizes, or all."""
    report = Report("refresh")
    report.head()
    for name in names or WALL_GOALS:
        with site(name) as place:
            report_on(place, report)
    print(f"kept in {report.save()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
