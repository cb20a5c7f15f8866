"""Which GPUs a job holds on which node, from scontrol's text of that job alone or from squeue's JSON of many.

Slurm's rule: one entry for each allocated node, in the order of the job's hostlist; the text merges equal neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder
from typing import cast

from gpumon_exporter.failures import NoAnswer
from gpumon_exporter.slurm import gres
from gpumon_exporter.slurm.hostlist import expand
from gpumon_exporter.slurm.records import GpuHold, SlurmJob
from gpumon_exporter.slurm.spelling import num

MANY = ("squeue", "-a", "--local", "-t", "R,S,CF", "--json")
"""JSON of all jobs that hold something; before 24.05.1 squeue prints every job, whatever is asked."""
MANY_BYTES = 512 * 2**20

_BEFORE, _BEHIND = " Socks/Node=", " MinCPUsNode="
_NODES = re.compile(r" Nodes=(\S+) CPU_IDs=\S* Mem=\S* GRES=(\S*)")
_JOBS = re.compile(r'"jobs"\s*:\s*\[')
_BETWEEN = re.compile(r"[\s,]*")


@dataclass(frozen=True)
class Held:
    """What one job holds."""

    gpus: tuple[GpuHold, ...] = ()
    """Empty when Slurm does not say which ones."""
    shards: tuple[tuple[str, int], ...] = ()
    """Nodes, and how many shards there."""


@dataclass(frozen=True)
class Allocation:
    """What one start of a job holds, which does not change but when the job is resized."""

    job_id: str
    started_at: float | None
    nodes: str

    @staticmethod
    def of(job: SlurmJob) -> Allocation:
        """The one that a job has now."""
        return Allocation(job.job_id, job.started_at, job.nodes)


def one(job: SlurmJob) -> list[str]:
    """The command that tells of this job alone; by its number an array or a heterogeneous job would be all of it."""
    number = job.job_id
    if job.array_task_id and job.array_job_id == number:
        number = f"{number}_{job.array_task_id}"
    elif job.het_job_id == number:
        number = f"{number}+0"
    return ["scontrol", "-a", "-o", "-d", "show", "job", number]


def from_text(job: SlurmJob, text: str) -> Held | None:
    """What scontrol's text says of `job`; None when it cannot be trusted, or is of something else.

    Names, comments and paths of users stand before and behind the part that Slurm writes by itself. Its two ends must
    be there once only, so whoever puts one of them into a name, even between two commands, is not believed.
    """
    if not text.strip():
        return Held()  # it ended meanwhile
    line = text.replace("\n", " ")
    if line.count(_BEFORE) != 1 or line.count(_BEHIND) != 1:
        return None
    part = line.partition(_BEFORE)[2].partition(_BEHIND)[0]
    entries = [(node, told) for nodes, told in _NODES.findall(part) for node in _names(nodes)]
    if entries and sorted(node for node, _ in entries) != sorted(_names(job.nodes)):
        return None
    return held(job.job_id, entries)


def held(job_id: str, entries: Iterable[tuple[str, str]]) -> Held:
    """What a job holds, by its entries for each node."""
    gpus: list[GpuHold] = []
    shards: list[tuple[str, int]] = []
    for node, told in entries:
        for part in gres.parse(told):
            share = gres.share(part)
            gpus.extend(GpuHold(job_id, node, index, part.type, share) for index in part.indices or ())
            if share == "shard":
                shards.append((node, part.count))
    return Held(tuple(gpus), tuple(shards))


class Jobs:
    """Takes squeue's JSON apart job by job, so that a large queue needs no memory."""

    def __init__(self, take: Callable[[Allocation, Held], None]) -> None:
        """Hands each job's allocation to `take`."""
        self._take = take
        self._decode = JSONDecoder(strict=False).raw_decode
        self._text = ""
        self._enough = 0
        """Letters with which it is worth a try again."""
        self._is_inside = False
        self._is_over = False

    def feed(self, text: str) -> None:
        """Takes the next piece."""
        if self._is_over:
            return
        self._text += text
        if not self._is_inside:
            begin = _JOBS.search(self._text)
            if begin is None:
                return
            self._is_inside = True
            self._text = self._text[begin.end() :]
        if len(self._text) >= self._enough:
            self._text = self._text[self._taken() :]
            self._enough = 2 * len(self._text)

    def done(self) -> None:
        """Nothing, when it came to an end."""
        self._enough = 0
        self.feed("")
        if not self._is_over:
            raise NoAnswer("squeue's JSON ends in the middle")

    def _taken(self) -> int:
        """Takes all jobs that are whole; gives where the rest begins."""
        position = 0
        while True:
            between = _BETWEEN.match(self._text, position)
            position = between.end() if between else position
            if self._text.startswith("]", position):
                self._is_over = True
                return len(self._text)
            try:
                job, position = self._decode(self._text, position)
            except JSONDecodeError:
                return position
            _hand_over(job, self._take)


def _hand_over(job: object, take: Callable[[Allocation, Held], None]) -> None:
    """Gives on what a job of the JSON holds; one without nodes holds nothing."""
    if not isinstance(job, dict):
        return
    told = cast("dict[str, object]", job)
    number, nodes, detail = num(told.get("job_id")), told.get("nodes"), told.get("gres_detail")
    if number is None or not isinstance(nodes, str) or not nodes or not isinstance(detail, list):
        return
    names, entries = _names(nodes), [str(entry) for entry in cast("list[object]", detail)]
    # When they are not as many as the nodes, nobody knows whose they are.
    found = held(f"{number:.0f}", zip(names, entries) if len(names) == len(entries) else ())
    take(Allocation(f"{number:.0f}", num(told.get("start_time")), nodes), found)


def _names(nodes: str) -> tuple[str, ...]:
    """The nodes of a hostlist; none when it is none."""
    try:
        return expand(nodes)
    except ValueError:
        return ()
