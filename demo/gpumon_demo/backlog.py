"""Jobs that wait beside those that are about to start: held back by limits, dependencies or simply too many others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from gpumon_demo.chance import draw, early, whole
from gpumon_demo.clockwork import SUBMIT_UNIT_SECONDS
from gpumon_demo.rhythm import Kind

_REASONS = ("Priority",) * 11 + (
    "QOSMaxGRESPerUser", "QOSMaxGRESPerUser", "QOSMaxGRESPerUser", "Dependency", "Dependency", "AssocGrpGRES",
    "ReqNodeNotAvail", "BeginTime", "JobHeldUser", "JobArrayTaskLimit",
)  # fmt: skip


class Waiting(NamedTuple):
    """A job that waits, and never gets so far as to run before its user takes it back."""

    stream: int
    number: int
    submit: int
    withdrawn: int
    kind: Kind
    partition: str
    gpus: int
    nodes: int
    reason: str
    tasks: str
    """Slurm's range of array tasks; "" for a single job."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """So many streams of jobs; each has one job waiting most of the time."""

    streams: int
    partitions: tuple[tuple[str, int], ...]
    """Partitions with GPUs a node, 0 for CPU nodes; the ones that are wanted most first."""
    seed: int
    id_base: int

    def waiting(self, moment: int) -> list[Waiting]:
        """The jobs that wait."""
        return [job for job in map(self._job, range(self.streams), [moment] * self.streams) if moment < job.withdrawn]

    def withdrawn(self, moment: int, seconds: int) -> int:
        """How many were taken back within the last `seconds`."""
        jobs = map(self._job, range(self.streams), [moment] * self.streams)
        return sum(moment - seconds < job.withdrawn <= moment for job in jobs)

    def place(self, stream: int, moment: int) -> tuple[int, int, int]:
        """Number of a stream's latest job, when it was submitted, and how long until the next one is."""
        period = (36 + whole(144, self.seed, stream, 51)) * SUBMIT_UNIT_SECONDS
        shift = whole(period // 5, self.seed, stream, 52) * 5
        number = (moment - shift) // period
        return number, shift + number * period, period

    def _job(self, stream: int, moment: int) -> Waiting:
        seed = self.seed
        number, submit, period = self.place(stream, moment)
        keys = (seed, stream, number)
        partition, per_node = early(self.partitions, *keys, 53)
        stay = int(period * (0.5 + 0.5 * draw(*keys, 54)) // 5 * 5)
        reason = _REASONS[whole(len(_REASONS), *keys, 55)]
        nodes = early((1, 1, 1, 2, 4, 8), *keys, 56)
        gpus = nodes * per_node if nodes > 1 else early((1, 2, 4, per_node), *keys, 57) if per_node else 0
        is_array = reason == "JobArrayTaskLimit" or draw(*keys, 58) < 0.12
        first = whole(40, *keys, 59)
        tasks = f"{first}-{first + 9 + whole(190, *keys, 60)}%{2 + whole(7, *keys, 61)}" if is_array else ""
        kind = Kind.CPU if not per_node else Kind(whole(5, *keys, 62))
        return Waiting(
            stream, number, submit, submit + stay, kind, partition, 1 if is_array and gpus else gpus,
            1 if is_array else nodes, reason, tasks,
        )  # fmt: skip
