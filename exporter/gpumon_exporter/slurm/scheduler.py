"""What sdiag says of slurmctld's work."""

from __future__ import annotations

from gpumon_exporter.failures import NoAnswer
from gpumon_exporter.slurm.records import Scheduler
from gpumon_exporter.slurm.spelling import count

COMMAND = ("sdiag",)
_MAIN = "Main schedule statistics"
_BACKFILL = "Backfilling stats"


def scheduler(text: str) -> Scheduler:
    """The numbers that vpenso's exporter knows.

    Raises:
        NoAnswer: there is none of them.
    """
    told = _sections(text)
    found = Scheduler(
        threads=told.get(("", "Server thread count")),
        queue_size=told.get(("", "Agent queue size")),
        dbd_queue_size=told.get(("", "DBD Agent queue size")),
        last_cycle=told.get((_MAIN, "Last cycle")),
        mean_cycle=told.get((_MAIN, "Mean cycle")),
        cycle_per_minute=told.get((_MAIN, "Cycles per minute")),
        backfill_last_cycle=told.get((_BACKFILL, "Last cycle")),
        backfill_mean_cycle=told.get((_BACKFILL, "Mean cycle")),
        backfill_depth_mean=told.get((_BACKFILL, "Depth Mean")),
        backfilled_jobs_since_start=told.get((_BACKFILL, "Total backfilled jobs (since last slurm start)")),
        backfilled_jobs_since_cycle=told.get((_BACKFILL, "Total backfilled jobs (since last stats cycle start)")),
        backfilled_heterogeneous=told.get((_BACKFILL, "Total backfilled heterogeneous job components")),
    )
    if found == Scheduler():
        raise NoAnswer("sdiag says nothing of what it usually says")
    return found


def _sections(text: str) -> dict[tuple[str, str], float]:
    """Numbers by section and name; what comes first counts."""
    found: dict[tuple[str, str], float] = {}
    section = ""
    for line in text.splitlines():
        name, _, value = line.partition(":")
        number = count(value.strip())
        if number is not None:
            found.setdefault((section, name.strip()), number)
        elif line[:1] not in ("", " ", "\t", "*"):
            section = next((known for known in (_MAIN, _BACKFILL) if line.startswith(known)), line)
    return found
