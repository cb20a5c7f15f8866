"""Rows of a benchmark: printed as a table, kept as JSON beside the facts of the machine."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

from simulated_site import prometheus_version

FOLDER = Path(__file__).parent / "results"
_CPU_CLOCK = 2
"""What makes a process id the number of a clock (clock_getcpuclockid); /proc counts in steps of 10 ms."""


@dataclass(frozen=True)
class Row:
    """One measured thing against its floor, and how near it must be."""

    what: str
    unit: str
    ours: Sequence[float]
    """One value a round."""
    floor: Sequence[float]
    """Of the same rounds."""
    goal: float | None
    """The largest ratio that is good; None where only the number is of interest."""
    limit: float | None = None
    """The largest value of ours that is good, in `unit`."""
    remark: str = ""

    @property
    def ratio(self) -> float:
        """The median of the rounds' own ratios, so that a busy moment weighs on both sides."""
        pairs = [ours / floor for ours, floor in zip(self.ours, self.floor, strict=True) if floor > 0]
        return statistics.median(pairs) if pairs else float("nan")

    @property
    def is_met(self) -> bool:
        """True when ratio and limit hold."""
        is_near = self.goal is None or self.ratio <= self.goal
        return is_near and (self.limit is None or statistics.median(self.ours) <= self.limit)


@dataclass
class Report:
    """One benchmark's rows."""

    name: str
    rows: list[Row] = field(default_factory=list[Row])

    def add(self, row: Row) -> None:
        """Prints a row at once: a benchmark takes minutes."""
        self.rows.append(row)
        ours, floor = statistics.median(row.ours), statistics.median(row.floor)
        goals = [f"<= {row.goal:g}x"] if row.goal is not None else []
        goals += [f"<= {row.limit:g} {row.unit}"] if row.limit is not None else []
        verdict = "" if not goals else "met" if row.is_met else "NOT MET"
        numbers = f"{ours:8.1f} {floor:8.1f} {row.unit:<3} {row.ratio:6.2f}x"
        print(f"{row.what:<58} {numbers}  {', '.join(goals):<16} {verdict:<8}{row.remark}", flush=True)

    def head(self) -> None:
        """Prints what the columns are."""
        print(f"{'':<58} {'ours':>8} {'floor':>8} {'':<3} {'ratio':>7}  {'goal':<16}")

    def save(self) -> Path:
        """Keeps everything."""
        FOLDER.mkdir(exist_ok=True)
        path = FOLDER / f"{self.name}-{time.strftime('%Y%m%d-%H%M%S')}.json"
        rows = [{**asdict(row), "ratio": row.ratio, "is_met": row.is_met} for row in self.rows]
        path.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1))
        return path


def machine() -> dict[str, object]:
    """What ran the benchmark."""
    cpu = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "cores": os.cpu_count(),
        "cpu": cpu[0].partition(":")[2].strip() if cpu else platform.machine(),
        "load": os.getloadavg(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "prometheus": prometheus_version(),
        "packages": {name: version(name) for name in ("httpx", "msgspec", "textual")},
    }


def cpu_seconds_of(pid: int) -> float:
    """CPU time that a process used so far, its threads included, also those that ended; by the kernel's own clock."""
    return time.clock_gettime((~pid << 3) | _CPU_CLOCK)
