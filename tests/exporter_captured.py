"""Slurm's commands as one captured version of Slurm answers them, without any Slurm."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gpumon_exporter.clock import Clock
from gpumon_exporter.slurm.child import Bounds, Ended
from gpumon_exporter.slurm.commands import Commands
from gpumon_exporter.slurm.cycle import Scope, SlurmReader

DATA = Path(__file__).parent / "data" / "slurm"
VERSIONS = ("22.05", "23.11", "24.11", "26.05")
HOSTILE = "hostile-names"
"""Slurm 22.05 with names that forge whatever a name can forge."""

CONFIG = """Configuration data as of 1795443000
AccountingStorageType   = accounting_storage/slurmdbd
ClusterName             = lab
MinJobAge               = 900 sec
PrivateData             = {private}
SlurmUser               = slurm(64030)
SLURM_VERSION           = {version}.8

Slurmctld(primary) at head is UP
"""
WRONG_ID = "slurm_load_jobs error: Invalid job id specified"

Rows = list[list[str]]


def rows(version: str, name: str) -> tuple[list[str], Rows]:
    """A captured table: its columns, and its rows."""
    columns, *found = map(json.loads, (DATA / version / f"{name}.jsonl").read_text(encoding="utf-8").splitlines())
    return columns, found


def told_at(version: str) -> float:
    """When a version was captured."""
    found = re.search(r"sdiag output at .*\((\d+)\)", (DATA / version / "sdiag.txt").read_text(encoding="utf-8"))
    assert found
    return float(found[1])


@dataclass
class Captured:
    """Answers as a captured version did, unless it is told otherwise."""

    version: str = "24.11"
    private: str = "none"
    answers: dict[str, str | Ended | Exception] = field(default_factory=dict[str, "str | Ended | Exception"])
    """What a command answers instead, by the beginning of it; the longest one counts."""
    cells: dict[str, str] = field(default_factory=dict[str, str])
    """Cells of tables, and what stands there instead."""
    asked: list[str] = field(default_factory=list[str])
    """The commands so far."""
    passed: float = 0.0
    """Seconds on the clock."""
    takes: float = 0.0
    """Seconds that each command takes."""

    @property
    def clock(self) -> Clock:
        """The time of the capture, and what has passed since."""
        start = told_at(self.version if self.version in VERSIONS else "22.05")
        return Clock(now=lambda: start + self.passed, passed=lambda: self.passed)

    def commands(self) -> Commands:
        """Commands that are answered by this."""
        return Commands(None, 10.0, self.run, self.clock)

    def reader(self, scope: Scope | None = None, stop: Callable[[], None] = lambda: None) -> SlurmReader:
        """A reader whose commands are answered by this."""
        return SlurmReader(self.commands(), scope or Scope(), stop, self.clock)

    def run(
        self, command: Sequence[str], environment: Mapping[str, str], bounds: Bounds, feed: Callable[[bytes], None], /
    ) -> Ended:
        """Prints what the capture holds, in pieces."""
        line = " ".join(command)
        self.asked.append(line)
        self.passed += self.takes
        begin = max((begin for begin in self.answers if line.startswith(begin)), key=len, default="")
        answer = self.answers.get(begin)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Ended):
            return answer
        text = self._text(list(command)) if answer is None else answer
        if text is None:
            return Ended(1, WRONG_ID)
        for start in range(0, len(text), 4096):
            feed(text[start : start + 4096].encode())
        return Ended(0, "")

    def _text(self, command: list[str]) -> str | None:
        if command[0] in ("squeue", "sinfo") and "-O" in command:
            return self._table(command[0], command[-1].split(","))
        if command[0] == "sacct":
            token = next(word for word in command if word.startswith("--delimiter=")).partition("=")[2]
            return self._table("sacct", [f"{name}:{token}" for name in command[-1].split(",")])
        if command[:3] == ["scontrol", "show", "config"]:
            version = self.version if self.version in VERSIONS else "22.05"
            return CONFIG.format(version=version, private=self.private)
        if command[0] == "scontrol" and "job" in command:
            return self._job(command[-1])
        names = {"--json": "squeue.json", "sdiag": "sdiag.txt", "sshare": "sshare.txt"}
        name = names.get(command[-1]) or names.get(command[0]) or f"scontrol-show-{command[-1]}.txt"
        path = DATA / self.version / name
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def _table(self, name: str, wanted: list[str]) -> str:
        """The columns that are wanted, each with the word behind it that is wanted, too."""
        if not (DATA / self.version / f"{name}.jsonl").exists():
            return ""
        columns, found = rows(self.version, name)
        places = [(columns.index(column), end) for column, _, end in (one.partition(":") for one in wanted)]
        changed = ([self.cells.get(cell, cell) for cell in row] for row in found)
        return "".join("".join(row[place] + end for place, end in places) + "\n" for row in changed)

    def _job(self, number: str) -> str | None:
        """scontrol's text of one job: of an array's task, or a part of a heterogeneous job, by their own names, too."""
        text = (DATA / self.version / "scontrol-show-job.txt").read_text(encoding="utf-8")
        array, _, task = number.partition("_")
        begin = f"JobId=[0-9]+ ArrayJobId={array} ArrayTaskId={task}" if task else f"JobId={number.partition('+')[0]}"
        records = re.split(r"^(?=JobId=[0-9]+ (?:Array|Het|JobName=))", text, flags=re.MULTILINE)
        return next((record for record in records if re.match(rf"{begin} ", record)), None)
