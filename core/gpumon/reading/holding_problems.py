"""What is worth a word about who holds which GPU: numbers that contradict dcgm-exporter, numbers that say nothing."""

from __future__ import annotations

from collections.abc import Iterable

from gpumon.model import Attribution, Gpu, Problem, Severity
from gpumon.reading.holders import Conflict, Holders
from gpumon.reading.silence import listed

_RUN = "Run gpumon-slurm-exporter gpu-map on it, best at every boot (docs/gpu-map.md)."
_RUN_AGAIN = "Run gpumon-slurm-exporter gpu-map there again: its map is older than gres.conf or the cards."


def holding_problems(held: Holders, gpus: Iterable[Gpu]) -> Iterable[Problem]:
    """The problems; of `gpus` those in doubt are named as people name them."""
    by_way: dict[Attribution, list[Conflict]] = {}
    for conflict in (one for node in sorted(held.conflicts) for one in held.conflicts[node]):
        by_way.setdefault(conflict.way, []).append(conflict)
    for way, conflicts in by_way.items():
        yield _conflict(way, conflicts, gpus)
    if held.open_nodes:
        yield Problem(
            "jobs",
            f"Which GPUs jobs hold on {listed(held.open_nodes)} is not known: Slurm's numbers do not tell it there.",
            "MIG slices have numbers of their own, and so have cards that Slurm or the driver leaves out. " + _RUN,
            Severity.NOTE,
        )


def _conflict(way: Attribution, conflicts: list[Conflict], gpus: Iterable[Gpu]) -> Problem:
    first = conflicts[0]
    number = next((gpu.device.number for gpu in gpus if gpu.key == first.key), "?")
    by_number = f"job {', '.join(first.by_number)}" if first.by_number else "nobody"
    others = sorted({conflict.node for conflict in conflicts} - {first.node})
    also = f" So it is on {listed(others)}." if others else ""
    what = (
        "its map of Slurm's numbers is wrong."
        if way is Attribution.UUID
        else "gres.conf is not in PCI order, so Slurm's numbers are not the driver's."
    )
    return Problem(
        "jobs",
        f"GPU {number} of {first.node} is held by job {first.labelled} as dcgm-exporter says, by"
        f" {by_number} as Slurm's numbers say: {what}{also}",
        _RUN_AGAIN if way is Attribution.UUID else _RUN,
    )
