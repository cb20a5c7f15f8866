"""Reads a counters file as dcgm-exporter does, and knows the names of DCGM's fields."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FIELDS = frozenset((Path(__file__).parent / "dcgm_fields.txt").read_text().split())
"""Every field of DCGM 4.5.3."""
EXPORTER_FIELDS = (
    *("DCGM_EXP_CLOCK_EVENTS_COUNT", "DCGM_EXP_XID_ERRORS_COUNT"),
    *("DCGM_EXP_GPU_HEALTH_STATUS", "DCGM_EXP_P2P_STATUS"),
)
"""What the exporter works out itself; they have rows only after something happened."""
PROFILING = "DCGM_FI_PROF_"
KINDS = ("gauge", "counter", "histogram", "summary", "label")


class BadCounters(Exception):
    """What the real program would refuse."""


@dataclass(frozen=True)
class Counter:
    """One line of a counters file."""

    name: str
    kind: str
    help: str

    @property
    def is_label(self) -> bool:
        """Whether it is a label of the other metrics."""
        return self.kind == "label"


def read(path: Path, *, may_profile: bool) -> Sequence[Counter]:
    """The counters that will be exported; those for profiling only for whoever may.

    Raises:
        BadCounters: the file cannot be read, or a line of it is wrong.
    """
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as failed:
        raise BadCounters(f"Could not read metrics file '{path}'; err: {failed}") from failed
    counters: list[Counter] = []
    for number, record in enumerate(csv.reader(line for line in lines if line and not line.startswith("#"))):
        words = [word.strip(" ") for word in record]
        if len(words) != 3:
            raise BadCounters(
                f"malformed CSV record; err: failed to parse line {number} (`{words}`), expected 3 fields"
            )
        counter = Counter(*words)
        if counter.name not in FIELDS and counter.name not in EXPORTER_FIELDS:
            raise BadCounters(f"could not find DCGM field; err: unknown ExporterCounter field '{counter.name}'")
        if counter.kind not in KINDS:
            raise BadCounters(f"could not find Prometheus metric type '{counter.kind}'")
        if may_profile or not counter.name.startswith(PROFILING):
            counters.append(counter)
    if not counters:
        raise BadCounters(f"The metrics file '{path}' names no field.")
    return counters
