"""Steps about the exporters: which were found in which dialect, what each lacks, and the line that adds it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gpumon.model import ClusterSnapshot, Dialect, Severity
from gpumon_cli.doctor.steps import Mark, Step

_WANTED = {
    "gpus": ("GPU exporter", "Run dcgm-exporter on every GPU node and scrape its port 9400."),
    "nodes": ("node_exporter", "Run node_exporter on every node and scrape its port 9100."),
    "slurm": ("Slurm exporter", "Run gpumon-slurm-exporter, or one of the known ones, on the Slurm master."),
}
"""What should be found for each part, and what to do without it."""

_METRIC = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")


def exporter_steps(snapshot: ClusterSnapshot, metrics: frozenset[str] | None) -> Iterator[Step]:
    """Exporters and their gaps; `metrics` are the names of which some target told, None when the server hides them."""
    for part, (name, advice) in _WANTED.items():
        found = [dialect for dialect in snapshot.dialects if dialect.part == part]
        if not found:
            yield Step("exporters", Mark.DOUBT, f"no {name} was found", (advice,))
        for dialect in found:
            yield _found(dialect)
    if any(dialect.part == "jobs" for dialect in snapshot.dialects):
        yield from (_found(dialect) for dialect in snapshot.dialects if dialect.part == "jobs")
    for dialect in snapshot.dialects:
        yield from _gaps(dialect, metrics)


def problem_steps(snapshot: ClusterSnapshot) -> Iterator[Step]:
    """What the reading itself complained about."""
    marks = {Severity.NOTE: Mark.NOTE, Severity.WARNING: Mark.DOUBT, Severity.ERROR: Mark.BROKEN}
    for problem in snapshot.problems:
        advice = (problem.advice,) if problem.advice else ()
        yield Step(problem.part, marks[problem.severity], problem.text, advice)


def _found(dialect: Dialect) -> Step:
    variant = f" ({dialect.variant})" if dialect.variant else ""
    targets = "" if dialect.targets is None else f", {dialect.targets} target{'' if dialect.targets == 1 else 's'}"
    return Step("exporters", Mark.FINE, f"{dialect.part}: {dialect.name}{variant}{targets}")


def _gaps(dialect: Dialect, metrics: frozenset[str] | None) -> Iterator[Step]:
    for lack in dialect.lacks:
        names = _METRIC.findall(lack.metric)
        is_dropped = metrics is not None and bool(names) and names[0] in metrics
        advice = [lack.remedy] if lack.remedy else []
        if is_dropped:
            advice.insert(0, f"Some target does export {names[0]}: does a metric_relabel_configs rule drop it?")
        yield Step("gaps", Mark.DOUBT, f"{dialect.name} lacks {lack.metric}: {lack.disables}", tuple(advice))
