"""The shape of `gpumon idle --json`."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gpumon.model import ClusterSnapshot
from gpumon.settings import Thresholds
from gpumon_cli.idle import IdleJob, gpus_of, since_unknown, wasted_seconds
from gpumon_cli.shapes import Answer, opening


class IdleGpuShape(msgspec.Struct, frozen=True):
    """One GPU that is held and not used."""

    node: str
    gpu: str
    key: str
    jobs: tuple[str, ...] | None
    idle_since: float | None
    utilization_share: float | None
    memory_used_bytes: float | None


class IdleJobShape(msgspec.Struct, frozen=True):
    """One job and its idle GPUs."""

    id: str
    display_id: str
    user: str | None
    account: str | None
    partition: str | None
    state: str | None
    name: str | None
    gpus_held: float | None
    ends_at: float | None
    idle_since: float
    wasted_gpu_seconds: float
    gpus: tuple[IdleGpuShape, ...]


class IdleAnswer(Answer, frozen=True):
    """`gpumon idle --json`."""

    min_seconds: float
    gpus_idle: int
    gpus_since_unknown: int
    wasted_gpu_seconds: float
    jobs: tuple[IdleJobShape, ...]


def idle_answer(
    rows: Sequence[IdleJob], snapshot: ClusterSnapshot, least_seconds: float, thresholds: Thresholds
) -> IdleAnswer:
    """These jobs, and how much they waste."""
    return IdleAnswer(
        *opening("idle", snapshot),
        least_seconds,
        gpus_of(rows),
        len(since_unknown(snapshot, thresholds)),
        wasted_seconds(rows),
        tuple(map(_shape, rows)),
    )


def _shape(row: IdleJob) -> IdleJobShape:
    job = row.job
    return IdleJobShape(
        id=row.id,
        display_id=row.shown_id,
        user=row.user,
        account=job.account if job else None,
        partition=job.partition if job else None,
        state=job.state if job else None,
        name=job.name if job else None,
        gpus_held=job.gpus if job else None,
        ends_at=job.ends_at if job else None,
        idle_since=row.since,
        wasted_gpu_seconds=row.wasted_seconds,
        gpus=tuple(
            IdleGpuShape(
                gpu.node,
                gpu.device.number,
                gpu.key,
                gpu.jobs,
                gpu.idle_since,
                gpu.utilization,
                gpu.memory_used_bytes,
            )
            for gpu in row.gpus
        ),
    )
