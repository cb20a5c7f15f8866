"""The queue in numbers, for clusters whose exporter does not tell of single jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gpumon.columns import ACCOUNT_COLUMNS, PARTITION_COLUMNS, USER_COLUMNS
from gpumon.model import ClusterSnapshot
from gpumon.settings import Settings
from gpumon.text import shown
from gpumon.units import count
from gpumon_cli.tables import Table, blocks
from gpumon_cli.terminal import Terminal


def why_no_jobs(snapshot: ClusterSnapshot) -> str:
    """Why single jobs are not known, and what would tell of them."""
    for dialect in snapshot.dialects:
        for lack in dialect.lacks:
            if dialect.part in ("jobs", "slurm") and "jobs" in lack.fields and lack.remedy:
                return f"{dialect.name} counts jobs but does not name them. {lack.remedy}"
    for problem in snapshot.problems:
        if problem.part == "jobs":
            return f"{problem.text} {problem.advice}".strip()
    names = ", ".join(dialect.name for dialect in snapshot.dialects if dialect.part == "slurm") or "the Slurm exporter"
    return f"{names} counts jobs but does not name them; an exporter of gpumon_job_info does (gpumon-slurm-exporter)."


def counted(counts: Mapping[str, float], most: int | None = None) -> str:
    """Counts by name, largest first: "12 running, 5 pending"; zeros are left out, names beyond `most` summed up."""
    some = sorted(((number, name) for name, number in counts.items() if number), key=lambda pair: (-pair[0], pair[1]))
    words = [f"{count(number)} {shown(name)}" for number, name in some[:most]]
    rest = sum(number for number, _ in some[len(words) :])
    return ", ".join([*words, f"{count(rest)} others"] if rest else words) or "none"


def queue_lines(snapshot: ClusterSnapshot, settings: Settings, screen: Terminal) -> Iterator[str]:
    """States, reasons, and tables of partitions, users and accounts."""
    queue = snapshot.queue
    if queue is not None:
        yield f"Jobs   {counted(queue.by_state)}"
        if queue.pending_reasons:
            yield f"Wait   {counted(queue.pending_reasons)}"
        if queue.nodes_by_state:
            yield f"Nodes  {counted(queue.nodes_by_state)}"
    yield from blocks(Table(PARTITION_COLUMNS, snapshot.partitions, snapshot, settings.units), screen)
    yield from blocks(Table(USER_COLUMNS, snapshot.users, snapshot, settings.units), screen)
    yield from blocks(Table(ACCOUNT_COLUMNS, snapshot.accounts, snapshot, settings.units), screen)
