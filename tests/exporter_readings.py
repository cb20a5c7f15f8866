"""A reading of Slurm with everything in it, and the metrics of a text as numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from prometheus_client.core import Metric
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families as parse_plain

from gpumon_exporter.slurm.records import (
    AccountShare,
    CommandResult,
    FinishedJob,
    GpuHold,
    JobCount,
    NodeGpus,
    Reading,
    Scheduler,
    SlurmJob,
    SlurmNode,
    SlurmPartition,
    SlurmReservation,
)

Series = Mapping[tuple[str, frozenset[tuple[str, str]]], float]
"""Values by name and labels."""

PARSERS: tuple[Callable[[str], Iterable[Metric]], ...] = (  # pyright: ignore[reportUnknownVariableType]  # half typed
    parse_plain,
    openmetrics_parser.text_string_to_metric_families,
)
"""Of the plain format, and of OpenMetrics."""

HOSTILE = 'x" 1\nslurm_up{a="b"} 7\n# EOF\n\\\x1b[31m\t\r\u2028é😀{}=,'
"""A job's name as a stranger may choose it."""

TRAINING = SlurmJob(
    job_id="101", user="alice", account="physics", partition="h100", qos="normal", name=HOSTILE, state="running",
    nodes="gpu[01-02]", submitted_at=1000.0, eligible_at=1001.0, started_at=1002.5, ends_at=4602.5,
    time_limit_seconds=3600.0, cpus=12, memory_bytes=2.0**36, gpus=3, node_count=2, priority=4294901757,
)  # fmt: skip
WAITING = SlurmJob(
    job_id="102", array_job_id="102", array_task_id="3-199:2%4", user="bob", account="ml", partition="a100,h100",
    qos="high", name="grid", state="pending", reason="Resources", submitted_at=900.0, eligible_at=900.0,
    expected_at=5000.0, cpus=4, memory_bytes=1024.0, gpus=1, node_count=1, priority=17, array_tasks=99,
)  # fmt: skip

FULL = Reading(
    taken_at=2000.0,
    is_up=True,
    commands=(
        CommandResult("squeue", is_ok=True, seconds=0.25, succeeded_at=2000.0),
        CommandResult("sdiag", is_ok=False, seconds=10.0, error="sdiag gave no answer within 10 s"),
    ),
    slurm_version="24.11.5",
    cluster="lab",
    jobs=(TRAINING, WAITING),
    holds=(
        GpuHold("101", "gpu01", 4, "h100", "whole"),
        GpuHold("101", "gpu01", 5, "h100", "whole"),
        GpuHold("101", "gpu02", 0, "h100", "whole"),
        GpuHold("103", "mig01", 7, "a100_1g.5gb", "mig"),
    ),
    queue=(
        JobCount("running", "", "alice", "physics", "h100", jobs=1, cpus=12, gpus=3, oldest=1000.0),
        JobCount("running", "", "alice", "ml", "cpu", jobs=2, cpus=8, gpus=0, oldest=800.0),
        JobCount("pending", "Resources", "bob", "ml", "a100,h100", jobs=99, cpus=396, gpus=99, oldest=900.0),
        JobCount("pending", "Dependency", "bob", "ml", "h100", jobs=1, cpus=1, gpus=0, oldest=950.0),
        JobCount("suspended", "", "carol", "ml", "h100", jobs=1, cpus=2, gpus=1, oldest=100.0),
        JobCount("completed", "", "carol", "ml", "h100", jobs=5, cpus=10, gpus=5, oldest=100.0),
    ),
    nodes=(
        SlurmNode(
            "gpu01", "mixed", ("planned",), features="h100,ib", state_since=1500.0, partitions=("debug", "h100"),
            cpus=128, cpus_allocated=34, cpus_idle=94, memory_bytes=1024.0 * 2**20, memory_allocated_bytes=2.0**29,
            gpus=(NodeGpus("h100", 8, 3),),
        ),
        SlurmNode(
            "gpu02", "mixed", ("drain",), reason="kernel\nupdate", reason_user="root", partitions=("h100",),
            cpus=128, cpus_allocated=40, cpus_other=88, gpus=(NodeGpus("h100", 8, 2),),
        ),
        SlurmNode(
            "gpu04", "mixed", ("completing",), partitions=("a100",), cpus=64, cpus_allocated=4, cpus_idle=60,
            gpus=(NodeGpus("a100", 4, 1, 1), NodeGpus("l40s", 4, 0)), shards=32, shards_allocated=5,
        ),
        SlurmNode("gpu07", "down", ("not_responding",), partitions=("h100",), cpus=128, cpus_other=128,
                  gpus=(NodeGpus("h100", 8, 0),)),
        SlurmNode("cpu01", "idle", partitions=("cpu",), cpus=16, cpus_idle=16),
    ),
    partitions=(
        SlurmPartition("h100", "up", is_default=True, qos="part", max_time_seconds=86400.0, max_nodes=2),
        SlurmPartition("a100", "drain", default_time_seconds=3600.0),
    ),
    reservations=(
        SlurmReservation("maint", "ACTIVE", nodes="gpu[01-02]", users="root", accounts="ml", partition="h100",
                         flags="MAINT,SPEC_NODES", starts_at=3000.0, ends_at=4000.0, node_count=2),
    ),
    scheduler=Scheduler(3, 0, 1, 163, 1030, 3, 6924, 8168, 31, 5, 4, 2),
    shares=(AccountShare("ml", 0.25),),
    finished=(FinishedJob("90", "carol", "ml", "h100", "failed", "1:0", 1990.0),),
    finished_counts=(("h100", "failed", 1), ("h100", "completed", 5)),
    left_out=(("pending_jobs", 12),),
    jobs_without_gpu_map=1,
    hidden=("jobs",),
)  # fmt: skip
"""Everything that there is, at least once."""

DOWN = Reading(
    taken_at=2015.0,
    is_up=False,
    commands=(CommandResult("squeue", is_ok=False, seconds=10.0, error="no answer", succeeded_at=2000.0),),
)
"""Slurm does not answer."""


def crowded(running: int, waiting: int) -> Reading:
    """A large cluster with as many jobs, each running one on eight GPUs of a node."""
    runs = tuple(replace(TRAINING, job_id=str(number), name=f"train {number}", nodes=f"gpu{number:04}")
                 for number in range(running))  # fmt: skip
    waits = tuple(replace(WAITING, job_id=str(10**6 + number)) for number in range(waiting))
    holds = tuple(GpuHold(job.job_id, job.nodes, index, "h100", "whole") for job in runs for index in range(8))
    nodes = tuple(replace(FULL.nodes[0], name=job.nodes) for job in runs)
    return replace(FULL, jobs=runs + waits, holds=holds, nodes=nodes)


def series(text: str, *, is_openmetrics: bool = False) -> Series:
    """The samples of an exposition, which must be one for prometheus_client."""
    found: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    for family in PARSERS[is_openmetrics](text):
        for sample in family.samples:
            place = sample.name, frozenset(sample.labels.items())
            assert place not in found, f"{place} stands there twice"
            found[place] = sample.value
    return found


def value(told: Series, name: str, /, **labels: str) -> float | None:
    """The value of one series; None when there is none."""
    return told.get((name, frozenset(labels.items())))


def names(told: Series) -> set[str]:
    """The names of all series."""
    return {name for name, _ in told}
