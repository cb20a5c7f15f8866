"""The shape of `gpumon status --json`."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gpumon.findings import Finding
from gpumon.model import ClusterSnapshot
from gpumon.totals import ClusterTotals
from gpumon_cli.check import Judged, verdict
from gpumon_cli.holders import Holder, TypeUse
from gpumon_cli.idle import Idleness
from gpumon_cli.job_shapes import QueueShape, queue_shape
from gpumon_cli.shapes import Answer, opening


class FindingShape(msgspec.Struct, frozen=True):
    """Something that needs a look."""

    severity: str
    kind: str
    subject: str
    part: str
    text: str
    advice: str
    node: str | None
    gpu: str | None


class CheckShape(msgspec.Struct, frozen=True):
    """The judgement for a monitoring system."""

    state: str
    """"OK", "WARNING", "CRITICAL" or "UNKNOWN"."""
    conditions: tuple[Judged, ...]


class StatusAnswer(Answer, frozen=True):
    """`gpumon status --json`."""

    totals: ClusterTotals
    gpu_types: tuple[TypeUse, ...]
    holders: tuple[Holder, ...] | None
    idle: Idleness | None
    queue: QueueShape | None
    findings: tuple[FindingShape, ...]
    check: CheckShape | None
    """None without --warn and --crit."""


def status_answer(
    snapshot: ClusterSnapshot,
    totals: ClusterTotals,
    types: tuple[TypeUse, ...],
    holders: tuple[Holder, ...] | None,
    idle: Idleness | None,
    found: Sequence[Finding],
    judged: tuple[Judged, ...] | None,
) -> StatusAnswer:
    """Everything that status knows, as it goes out."""
    return StatusAnswer(
        *opening("status", snapshot),
        totals,
        types,
        holders,
        idle,
        queue_shape(snapshot.queue),
        tuple(map(_finding, found)),
        None if judged is None else CheckShape(verdict(judged).name, judged),
    )


def _finding(found: Finding) -> FindingShape:
    return FindingShape(
        found.severity.value,
        found.kind,
        found.subject,
        found.part,
        found.text,
        found.advice,
        found.node,
        found.gpu,
    )
