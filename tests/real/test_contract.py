"""The simulated cluster has two faces; through a real Prometheus it is what `--demo` shows, number by number."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import cast

import msgspec
import pytest

from gpumon.live.source import PrometheusSource
from gpumon.model import Attribution, ClusterSnapshot, Node
from gpumon_demo.clockwork import TICK_SECONDS, tick_of
from gpumon_demo.cluster import BEGIN, Simulation
from gpumon_demo.hosts import counters
from gpumon_demo.inventory import Host
from gpumon_demo.server import ExporterServer
from gpumon_demo.source import DemoSource
from real.conftest import StartEngine
from real.daemons import Engine, simulated_jobs, until

pytestmark = pytest.mark.xdist_group("contract")  # several such clusters at once are more than two cores can play

SILENT_AT = BEGIN + 28_800
"""Just before, there are jobs of every kind."""
BEFORE_SILENCE = SILENT_AT - TICK_SECONDS

Flat = dict[str, object]
SourceOf = Callable[[Engine], PrometheusSource]


@dataclass
class Clock:
    """A clock that stands still until it is set."""

    now: float = BEFORE_SILENCE

    def __call__(self) -> float:
        return self.now


@dataclass
class RunningClock(Clock):
    """A clock that started at `now` when the real one showed `began`."""

    began: float = 0.0

    def __call__(self) -> float:
        return self.at(time.time())

    def at(self, real: float) -> float:
        """What it shows when a real clock shows `real`."""
        return self.now + real - self.began


SETTLING_SECONDS = 60.0


@dataclass
class Faces:
    """Both faces of one simulated cluster."""

    clock: Clock
    demo: DemoSource
    live: PrometheusSource

    def differences(self, name: str, but: Sequence[str]) -> dict[str, tuple[object, object]]:
        """Where a part of both snapshots differs: what the simulation says and what was read, by path."""
        return differences(keyed(name, self.demo.snapshot()), keyed(name, self.live.snapshot()), but)

    def settled(self, name: str, but: Sequence[str]) -> dict[str, tuple[object, object]]:
        """The same, once it is nothing or stays: time stands still here, but a busy machine may miss a scrape."""
        deadline = time.monotonic() + SETTLING_SECONDS
        while (found := self.differences(name, but)) and time.monotonic() < deadline:
            time.sleep(0.5)
        return found


def flat(value: object, path: str = "") -> Flat:
    """Every number and text of a structure by the way that leads to it."""
    plain: object = msgspec.to_builtins(value, enc_hook=dict)
    parts: Iterable[tuple[object, object]]
    if isinstance(plain, dict):
        parts = cast("dict[object, object]", plain).items()
    elif isinstance(plain, (list, tuple)):
        parts = enumerate(cast("Sequence[object]", plain))
    else:
        return {path: plain}
    return {below: leaf for key, part in parts for below, leaf in flat(part, f"{path}.{key}").items()}


def alike(one: object, other: object) -> bool:
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return one == other


def differences(expected: object, found: object, but: Sequence[str] = ()) -> dict[str, tuple[object, object]]:
    """Where two structures differ: (expected, found) by path; paths that end in `but` are left out."""
    wanted, got = flat(expected), flat(found)
    return {
        path: (wanted.get(path, "nothing"), got.get(path, "nothing"))
        for path in {**wanted, **got}
        if not path.endswith(tuple(but)) and not alike(wanted.get(path, "nothing"), got.get(path, "nothing"))
    }


def keyed(name: str, snapshot: ClusterSnapshot) -> object:
    """A part of a snapshot; jobs, their GPUs and exporters by name, for no order among them is promised."""
    if name == "jobs":
        return {job.id: (msgspec.structs.replace(job, held=()), sorted(job.held)) for job in snapshot.jobs or ()}
    if name == "nodes":
        rest = [msgspec.structs.replace(node, exporters=()) for node in snapshot.nodes]
        return rest, [{exporter.kind: exporter for exporter in node.exporters} for node in snapshot.nodes]
    return getattr(snapshot, name)


@pytest.fixture
def simulation() -> Simulation:
    """Large enough for all troubles (a node drained, one down, one that will fall silent) and for every dialect."""
    return Simulation(28, seed=1, begins_at=BEGIN, falls_silent_at=SILENT_AT)


@pytest.fixture
def faces(simulation: Simulation, start_engine: StartEngine, source_of: SourceOf, endings: ExitStack) -> Faces:
    clock = Clock()
    server = endings.enter_context(ExporterServer(clock=clock, simulation=simulation))
    engine = start_engine(*simulated_jobs(server.url))
    return Faces(clock, DemoSource(clock=clock, simulation=simulation), source_of(engine))


SCRAPED = ("sampled_at", "scraped_at", "newest_at", "scrape_interval_seconds", "idle_since")
"""Prometheus dates samples by its own clock, and by that clock nothing has a past here."""
RATES = ("cpu_share", *(field for field in Node.__struct_fields__ if field.endswith("_per_second")))
"""Counters stand still with the clock."""
PARTS = (
    "is_simulated", "gpus", "nodes", "jobs", "queue", "partitions", "users", "accounts", "reservations", "dialects",
    "problems",
)  # fmt: skip


def all_kinds(snapshot: ClusterSnapshot) -> None:
    """Makes sure that nothing is missing of what is to be compared."""
    jobs = snapshot.jobs or ()
    assert {job.state for job in jobs} == {"pending", "running", "suspended", "completing"}
    assert {(bool(job.het_job_id), bool(job.array_task_id), bool(job.tasks)) for job in jobs} >= {
        (True, False, False), (False, True, False), (False, True, True), (False, False, False),
    }  # fmt: skip
    assert {gpu.share for job in jobs for gpu in job.allocated} == {"whole", "mig", "shard"}
    on_nodes = [Counter(gpu.node for gpu in job.allocated).values() for job in jobs]
    assert any(len(set(counts)) > 1 for counts in on_nodes), "an uneven job"
    assert any(len(gpu.jobs or ()) > 1 for gpu in snapshot.gpus), "a shared GPU"
    assert {gpu.held_by for gpu in snapshot.gpus} == {Attribution.LABEL, Attribution.UUID, Attribution.INDEX}
    assert any(len(node.slurm.gpus_by_type) > 1 for node in snapshot.nodes if node.slurm)


def test_every_number_is_the_same(faces: Faces) -> None:
    all_kinds(faces.demo.snapshot())
    for part in PARTS:
        assert faces.settled(part, (*SCRAPED, *(RATES if part == "nodes" else ()))) == {}, part


def test_a_silent_exporter_is_the_same_on_both_faces(faces: Faces, simulation: Simulation) -> None:
    silent = simulation.troubles.silent
    faces.clock.now = SILENT_AT + 2 * TICK_SECONDS
    until(lambda: all(gpu.is_stale for gpu in faces.live.snapshot().gpus_of(silent)), f"{silent} falls silent")
    until(lambda: not faces.differences("gpus", SCRAPED), "the others are scraped again")
    for part in ("gpus", "queue"):
        assert faces.settled(part, SCRAPED) == {}
    told = [
        [problem for problem in one.snapshot().problems if silent in problem.text] for one in (faces.demo, faces.live)
    ]
    assert [len(problems) for problems in told] == [1, 1]
    assert told[0][0].part == told[1][0].part == "gpus"


LATE_SECONDS = 3.0
"""Before that VictoriaMetrics shows a scrape piece by piece."""


def scrapes(engine: Engine) -> dict[str, dict[float, float]]:
    """By instance: when it was scraped in the last minute, and what it said then: bytes read from all its disks."""
    told: dict[str, dict[float, float]] = {}
    promql = "node_disk_read_bytes_total[1m]"
    for row in engine.get("/api/v1/query", query=promql, time=str(time.time()), nocache="1")["result"]:
        of_host = told.setdefault(row["metric"]["instance"], {})
        for moment, value in row["values"]:
            of_host[moment] = of_host.get(moment, 0.0) + float(value)
    return told


def tick_when_told(simulation: Simulation, host: Host, read: float, moment: float) -> int:
    """The tick whose counters an exporter told, asked at `moment` of the simulation and answering a little later."""
    ticks = range(tick_of(moment), tick_of(moment) + 60, TICK_SECONDS)
    return next(tick for tick in ticks if counters(simulation, host, tick).read == pytest.approx(read, abs=2))


def test_rates_are_those_between_the_last_two_scrapes(
    simulation: Simulation, start_engine: StartEngine, source_of: SourceOf, endings: ExitStack
) -> None:
    clock = RunningClock(began=time.time())
    server = endings.enter_context(ExporterServer(clock=clock, simulation=simulation))
    engine = start_engine(*simulated_jobs(server.url), interval=f"{TICK_SECONDS}s")
    source = source_of(engine)
    waiting = {host.name: host for host in simulation.hosts if host.name != simulation.troubles.down}

    def all_compared() -> bool:
        began, first_look = time.time(), scrapes(engine)
        found = source.snapshot().node_by_name
        second_look = scrapes(engine)
        for host in list(waiting.values()):
            told = second_look[f"{host.name}:9100"]
            *_, first, last = sorted(told)
            if last > began - LATE_SECONDS or first_look[f"{host.name}:9100"].get(last) != told[last]:
                continue  # scraped while the snapshot was read: another one will tell
            now, before = (
                counters(simulation, host, tick_when_told(simulation, host, told[at], clock.at(at)))
                for at in (last, first)
            )
            node, seconds = found[host.name], last - first
            idle = (now.idle - before.idle) / seconds / host.machine.cpus
            assert node.cpu_share == pytest.approx(1 - idle, abs=0.01), host.name
            assert node.disk_read_bytes_per_second == pytest.approx((now.read - before.read) / seconds, rel=0.01)
            assert node.network_sent_bytes_per_second == pytest.approx((now.sent - before.sent) / seconds, rel=0.01)
            del waiting[host.name]
        return not waiting

    until(all_compared, "each node's rates are compared once")
