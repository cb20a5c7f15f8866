"""What the simulated exporter says is what the real one would say of the same Slurm, series by series."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from gpumon.model import Attribution, Job, NodeSlurm
from gpumon_demo.cluster import BEGIN, Cluster, Simulation
from gpumon_demo.finished import finished_counts, finished_jobs
from gpumon_demo.inventory import Host, minor
from gpumon_demo.node_text import node as node_page
from gpumon_demo.reservations import partition as reserved_partition
from gpumon_demo.slurm import DEFAULT_PARTITION, REMEMBERED_SECONDS, WINDOW_SECONDS, limits
from gpumon_demo.slurm_node_text import features
from gpumon_demo.slurm_text import jobs as jobs_page
from gpumon_demo.slurm_text import slurm as slurm_page
from gpumon_exporter.gpu_map import textfile
from gpumon_exporter.gpu_map.driver import Card
from gpumon_exporter.gpu_map.joined import MappedGpu
from gpumon_exporter.metrics.exposition import block
from gpumon_exporter.metrics.health import Standing, health, text
from gpumon_exporter.metrics.jobs import job_families
from gpumon_exporter.metrics.nodes import node_families
from gpumon_exporter.metrics.partitions import partition_families, reservation_families
from gpumon_exporter.metrics.queue import finished_families, queue_families
from gpumon_exporter.metrics.vpenso import vpenso_families
from gpumon_exporter.slurm.jobs import reason_word
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

Series = tuple[str, frozenset[tuple[str, str]]]
Page = dict[Series, float]
Parse = Callable[[str], Page]
NO_LABELS: frozenset[tuple[str, str]] = frozenset()
SIZES = (4, 12, pytest.param(33, marks=pytest.mark.thorough))


def _reading(cluster: Cluster, told: Page) -> Reading:
    """The simulated Slurm as the real exporter reads it; what sdiag says, which means nothing here, is taken over."""
    return Reading(
        taken_at=float(cluster.moment),
        is_up=True,
        jobs=tuple(map(_job, cluster.jobs)),
        holds=tuple(hold for host in cluster.simulation.hosts for hold in _holds(cluster, host)),
        queue=tuple(_counts(cluster)),
        nodes=tuple(_node(cluster, host, cluster.slurm_nodes[host.name]) for host in cluster.by_name),
        partitions=tuple(
            SlurmPartition(
                one.name,
                one.state,
                one.name == DEFAULT_PARTITION,
                limits(one.name).qos,
                one.max_time_seconds,
                limits(one.name).default_time_seconds,
                limits(one.name).max_nodes,
            )
            for one in cluster.partitions
        ),
        reservations=tuple(
            SlurmReservation(
                one.name, one.state.upper(), one.nodes, one.users, "", reserved_partition(one), one.flags,
                one.starts_at, one.ends_at, one.node_count,
            )
            for one in cluster.reservations
        ),
        scheduler=_scheduler(told),
        shares=tuple(AccountShare(one.name, one.fairshare or 0.0) for one in cluster.accounts),
        finished=tuple(
            FinishedJob(
                one.job.id, one.job.user, one.job.account, one.job.partition, one.state, one.exit_code, one.ended_at
            )
            for one in finished_jobs(cluster)
        ),
        finished_counts=tuple((*place, number) for place, number in finished_counts(cluster).items()),
        finished_window_seconds=WINDOW_SECONDS,
        left_out=(("pending_jobs", 0),),
    )  # fmt: skip


def _job(job: Job) -> SlurmJob:
    return SlurmJob(
        job.id, job.array_job_id, job.array_task_id, job.het_job_id, job.user, job.account, job.partition, job.qos,
        job.name, job.state, job.reason, job.nodes, job.submitted_at, job.eligible_at, job.started_at, job.ends_at,
        job.expected_at, job.time_limit_seconds, job.cpus, job.memory_bytes, job.gpus, job.node_count, job.priority,
        None if job.tasks is None else int(job.tasks),
    )  # fmt: skip


def _holds(cluster: Cluster, host: Host) -> Iterator[GpuHold]:
    """What the GPUs of the model say of their jobs; they say it under the driver's numbers."""
    number_of = {host.units[places[0]].device.key: host.units[places[0]] for places in host.gpus}
    for gpu in cluster.gpus_of(host):
        unit = number_of[gpu.key]
        for job in gpu.jobs or ():
            share = "mig" if gpu.device.mig else "whole" if cluster.job_by_id[job].gpus else "shard"
            yield GpuHold(job, host.name, unit.number, unit.type, share)


def _counts(cluster: Cluster) -> Iterator[JobCount]:
    for job in cluster.jobs:
        tasks = int(job.tasks or 1)
        yield JobCount(
            job.state, reason_word(job.reason), job.user, job.account, job.partition, tasks, tasks * (job.cpus or 0.0),
            tasks * (job.gpus or 0.0), job.submitted_at,
        )  # fmt: skip
    for one in finished_jobs(cluster):
        if one.ended_at > cluster.moment - REMEMBERED_SECONDS:
            yield JobCount(one.state, "", one.job.user, one.job.account, one.job.partition, 1, 0.0, 0.0)


def _node(cluster: Cluster, host: Host, node: NodeSlurm) -> SlurmNode:
    total, used = int(node.cpus_total or 0), int(node.cpus_allocated or 0)
    idle = 0 if node.is_out_of_use else total - used
    held = cluster.held_on(host)
    return SlurmNode(
        host.name,
        node.state or "",
        node.flags,
        node.reason or "",
        node.reason_user or "",
        features(host),
        node.since,
        node.partitions,
        total,
        used,
        idle,
        total - used - idle,
        node.memory_total_bytes,
        node.memory_allocated_bytes,
        tuple(NodeGpus(one.type, int(one.total), int(one.allocated), int(one.shared)) for one in node.gpus_by_type),
        host.machine.shards,
        sum(held[place] is not None for place in host.gpus[-1]) if host.machine.shards else None,
    )


def _scheduler(told: Page) -> Scheduler:
    names = {field: field for field in Scheduler.__dataclass_fields__}
    names |= {field: f"{field}_total" for field in names if field.startswith("backfilled")}
    return Scheduler(**{field: told[f"slurm_scheduler_{name}", NO_LABELS] for field, name in names.items()})


@pytest.fixture(name="cluster", scope="module", params=SIZES)
def _cluster(request: pytest.FixtureRequest) -> Cluster:
    return Simulation(request.param, 1).at(BEGIN + 90_000.0)


def test_every_series_is_the_real_exporters(cluster: Cluster, parse: Parse) -> None:
    told = parse(slurm_page(cluster))
    reading = _reading(cluster, told)
    theirs: Page = {}
    for families in (
        job_families, node_families, partition_families, reservation_families, queue_families, finished_families,
        vpenso_families,
    ):  # fmt: skip
        theirs |= parse(b"".join(block(families(reading)).plain).decode())
    ours = {series: value for series, value in told.items() if not _is_about_the_exporter(series)}
    assert ours.keys() == theirs.keys()
    assert {series: (value, theirs[series]) for series, value in ours.items() if value != theirs[series]} == {}


def _is_about_the_exporter(series: Series) -> bool:
    return series[0] in {"slurm_up", "gpumon_demo_info"} or series[0].startswith("gpumon_exporter_")


def test_the_page_of_jobs_is_a_part_of_the_page_of_everything(cluster: Cluster, parse: Parse) -> None:
    everything = parse(slurm_page(cluster))
    jobs = {series: value for series, value in everything.items() if series[0].startswith("gpumon_job_")}
    assert parse(jobs_page(cluster)) == jobs


def test_it_speaks_of_itself_as_the_real_exporter_does(cluster: Cluster, parse: Parse) -> None:
    told = {series: value for series, value in parse(slurm_page(cluster)).items() if _is_about_the_exporter(series)}
    results = tuple(
        CommandResult(dict(labels)["command"], is_ok=True, seconds=0.1, succeeded_at=1.0)
        for name, labels in told
        if name == "gpumon_exporter_command_up"
    )
    reading = Reading(cluster.moment, is_up=True, commands=results, left_out=(("pending_jobs", 0),))
    real = text(health(Standing(reading, is_up=True, last_up=1.0, age=2.0)), is_openmetrics=False).decode()
    theirs = {series: value for series, value in parse(real).items() if _is_about_the_exporter(series)}
    assert _shapes(told) - {("gpumon_demo_info", frozenset({"seed", "nodes"}))} == _shapes(theirs)


def _shapes(page: Page) -> set[tuple[str, frozenset[str]]]:
    """The names, each with the names of its labels."""
    return {(name, frozenset(label for label, _ in labels)) for name, labels in page}


def test_the_map_of_a_node_is_the_one_that_gpu_map_would_write(cluster: Cluster, parse: Parse) -> None:
    for host in cluster.simulation.hosts:
        if host.machine.told_by is not Attribution.UUID or not host.units:
            continue
        units = [host.units[places[0]] for places in host.gpus]
        mapped = [
            MappedGpu(
                unit.number,
                unit.type,
                Card(minor(host.machine, unit.card), unit.device.uuid, unit.device.pci_bus_id or ""),
                int(unit.slice.id) if unit.slice else None,
            )
            for unit in units
        ]
        page = parse(node_page(cluster, host))
        ours = {series: value for series, value in page.items() if series[0] == textfile.NAME}
        assert ours == parse(textfile.text(host.name, mapped).decode())
