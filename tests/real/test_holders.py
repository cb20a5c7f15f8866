"""Real engines rename labels and mark what is gone: jobs and GPUs meet all the same, and nothing stays that is gone."""

from __future__ import annotations

from collections.abc import Callable

from gpumon.live.source import PrometheusSource
from gpumon.model import Attribution, ClusterSnapshot, Severity
from holding import UP, card, holds, job, mapped, owners, slurm_node
from real.conftest import StartEngine
from real.daemons import Engine, ScrapeJob, until
from real.exporters import TextExporter

Serve = Callable[[str], TextExporter]
SourceOf = Callable[[Engine], PrometheusSource]

CARDS = "".join(card(node, index, 0) for node in ("a", "b") for index in range(2))
SLURM = (
    UP
    + "slurm_queue_running 2\n"
    + slurm_node("a", 2, 1)
    + slurm_node("b", 2, 1)
    + job(7, "a", gpus=1)
    + job(8, "b", gpus=1)
    + holds(7, "a", (0,))
    + holds(8, "b", (0,))
)
HELD = {
    "GPU-a-0": ((), Attribution.UUID),
    "GPU-a-1": (("7",), Attribution.UUID),
    "GPU-b-0": (("8",), Attribution.INDEX),
    "GPU-b-1": ((), Attribution.INDEX),
}


def test_jobs_find_their_gpus_though_prometheus_kept_labels_of_its_own(
    start_engine: StartEngine, serve: Serve, source_of: SourceOf
) -> None:
    engine = start_engine(
        ScrapeJob("dcgm", {"a:9400": serve(CARDS).address}),
        ScrapeJob("slurm", {"head:8080": serve(SLURM).address}, {"node": "head", "partition": "none"}),
        ScrapeJob("node", {"a:9100": serve(mapped("a", {0: "GPU-a-1", 1: "GPU-a-0"})).address}, {"node": "a"}),
    )
    source = source_of(engine)
    until(lambda: owners(source.snapshot()) == HELD, "every GPU has its holder")
    snapshot = source.snapshot()
    assert {one.id: one.held for one in snapshot.jobs or ()} == {"7": ("GPU-a-1",), "8": ("GPU-b-0",)}
    assert all(gpu.idle_since is not None for gpu in snapshot.gpus if gpu.jobs)


def test_when_slurm_stops_answering_no_number_of_it_stays(
    start_engine: StartEngine, serve: Serve, source_of: SourceOf
) -> None:
    exporter = serve(SLURM)
    engine = start_engine(
        ScrapeJob("dcgm", {"a:9400": serve(CARDS).address}), ScrapeJob("slurm", {"head:8080": exporter.address})
    )
    source = source_of(engine)
    until(lambda: source.snapshot().jobs is not None, "jobs are told")
    exporter.text = UP.replace("slurm_up 1", "slurm_up 0")

    def nothing_of_slurm(snapshot: ClusterSnapshot) -> bool:
        shown = (snapshot.queue, snapshot.jobs, *{gpu.jobs for gpu in snapshot.gpus})
        return not any(part is not None for part in shown) and not any(node.slurm for node in snapshot.nodes)

    until(lambda: nothing_of_slurm(source.snapshot()), "what Slurm said is gone")
    snapshot = source.snapshot()
    assert nothing_of_slurm(snapshot)
    assert [
        problem.text for problem in snapshot.problems if problem.severity is Severity.ERROR and problem.part == "slurm"
    ]
    exporter.text = SLURM
    until(lambda: len(source.snapshot().jobs or ()) == 2, "Slurm is back")
