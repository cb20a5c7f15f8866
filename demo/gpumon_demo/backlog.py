"""Jobs that wait beside those that are about to start: held back by limits, dependencies or simply too many others."""

from __future__ import annotations

from typing import NamedTuple

from gpumon_demo.chance import among, draw, early, whole
from gpumon_demo.clockwork import SUBMIT_UNIT_SECONDS, TICK_SECONDS
from gpumon_demo.planner import LIMITS
from gpumon_demo.rhythm import Kind

_REASONS = ("Priority",) * 12 + (
    "QOSMaxGRESPerUser", "QOSMaxGRESPerUser", "QOSMaxGRESPerUser", "Dependency", "Dependency", "AssocGrpGRES",
    "AssocGrpGRES", "ReqNodeNotAvail", "Resources", "BeginTime", "BeginTime", "JobHeldUser", "JobHeldAdmin",
    "JobArrayTaskLimit", "JobArrayTaskLimit", "Reservation", "DependencyNeverSatisfied", "QOSMaxJobsPerUserLimit",
    "Licenses",
)  # fmt: skip
_NOT_ELIGIBLE = frozenset({"Dependency", "DependencyNeverSatisfied", "JobHeldUser", "JobHeldAdmin"})
"""For these Slurm does not know from when on a job may start."""
_EITHER = frozenset({"a100", "h100"})
"""Partitions that are alike enough for a job to ask for both."""


class Waiting(NamedTuple):
    """A job that waits, and never gets so far as to run before its user takes it back."""

    stream: int
    number: int
    submit: int
    withdrawn: int
    eligible: int | None
    """From when on it may start; None when that is not known."""
    limit: int
    """Seconds that it asks for."""
    kind: Kind
    partition: str
    """Where it may start: "a100", or "a100,h100"."""
    gpus: int
    nodes: int
    reason: str
    tasks: str
    """Slurm's range of array tasks; "" for a single job."""
    task_count: int
    """How many these are; 0 for a single job."""


class Backlog:
    """So many streams of jobs; each has one job waiting most of the time."""

    def __init__(self, streams: int, partitions: tuple[tuple[str, int, int], ...], seed: int, id_base: int) -> None:
        """`partitions`: name, GPUs of a node (0 without) and number of nodes; those that are wanted most come first."""
        self.streams, self.id_base = streams, id_base
        self._partitions, self._seed = partitions, seed
        self._has_both = {name for name, _, _ in partitions} >= _EITHER
        self._rhythms = [self._rhythm(stream) for stream in range(streams)]
        self._known: dict[int, Waiting] = {}

    def jobs(self, moment: int) -> list[Waiting]:
        """Each stream's latest job, whether it waits still or was taken back."""
        found: list[Waiting] = []
        for stream, (period, shift) in enumerate(self._rhythms):
            number = (moment - shift) // period
            job = self._known.get(stream)
            if job is None or job.number != number:
                job = self._known[stream] = self._job(stream, number, period, shift)
            found.append(job)
        return found

    def _rhythm(self, stream: int) -> tuple[int, int]:
        """How often a stream submits a job, and when first."""
        period = (36 + whole(144, self._seed, stream, 51)) * SUBMIT_UNIT_SECONDS
        return period, whole(period // TICK_SECONDS, self._seed, stream, 52) * TICK_SECONDS

    def _job(self, stream: int, number: int, period: int, shift: int) -> Waiting:
        keys = (self._seed, stream, number)
        partition, per_node, most = early(self._partitions, *keys, 53)
        stay = int(period * (0.5 + 0.5 * draw(*keys, 54))) // TICK_SECONDS * TICK_SECONDS
        reason = _REASONS[whole(len(_REASONS), *keys, 55)]
        nodes = min(most, early((1, 1, 1, 2, 4, 8), *keys, 56))
        gpus = nodes * per_node if nodes > 1 else early((1, 2, 4, per_node), *keys, 57) if per_node else 0
        is_array = reason == "JobArrayTaskLimit" or draw(*keys, 58) < 0.12
        text, tasks = _tasks(*keys) if is_array else ("", 0)
        is_either = self._has_both and partition in _EITHER and draw(*keys, 63) < 0.15
        submit = shift + number * period
        begins = submit + stay + 600 if reason == "BeginTime" else submit
        return Waiting(
            stream,
            number,
            submit,
            submit + stay,
            None if reason in _NOT_ELIGIBLE else begins,
            among(LIMITS, *keys, 64),
            Kind(whole(5, *keys, 62)) if per_node else Kind.CPU,
            ",".join(sorted(_EITHER)) if is_either else partition,
            min(gpus, 1) if is_array else gpus,
            1 if is_array else nodes,
            reason,
            text,
            tasks,
        )


def _tasks(*keys: int) -> tuple[str, int]:
    """A range of array tasks, in steps now and then, and how many these are."""
    first, step = whole(40, *keys, 59), early((1, 1, 2, 5), *keys, 65)
    count = 5 + int(120 * draw(*keys, 60) ** 3)
    by = f":{step}" if step > 1 else ""
    return f"{first}-{first + (count - 1) * step}{by}%{2 + whole(7, *keys, 61)}", count
