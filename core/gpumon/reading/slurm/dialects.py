"""Which Slurm exporter speaks, told by its metrics' names, and what is made of several that speak at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from gpumon.model import Dialect, Problem, Severity
from gpumon.prometheus.wire import Sample
from gpumon.reading.silence import TargetKey, listed
from gpumon.reading.slurm import native, ours, rivosinc, sckyzo, vpenso
from gpumon.reading.slurm.reading import Read, SlurmReading
from gpumon.reading.slurm.samples import by_target, collected
from gpumon.reading.slurm.standing import Standing, read_standing


class SlurmDialect(msgspec.Struct, frozen=True):
    """One exporter's way to spell Slurm."""

    name: str
    told_by: frozenset[str]
    """Names of which any one gives it away."""
    read: Read


DIALECTS: tuple[SlurmDialect, ...] = (
    SlurmDialect(
        ours.NAME, frozenset({"gpumon_node_info", "gpumon_pending_jobs", "gpumon_exporter_info"}), ours.read
    ),
    SlurmDialect(
        "SckyzO slurm_exporter",
        frozenset({"slurm_node_status", "slurm_nodes_total", "slurm_node_gres_total", "slurm_reservation_info"}),
        sckyzo.read,
    ),
    SlurmDialect(
        "Slurm's own metrics",
        frozenset({"slurm_jobs", "slurm_jobs_pending", "slurm_nodes", "slurm_node_cpus", "slurm_partition_jobs",
                   "slurm_partition_cpus", "slurm_user_jobs_cpus_alloc"}),
        native.read,
    ),
    SlurmDialect(
        "vpenso prometheus-slurm-exporter",
        frozenset({"slurm_queue_pending", "slurm_node_cpu_total", "slurm_cpus_total"}),
        vpenso.read,
    ),
    SlurmDialect(
        "rivosinc prometheus-slurm-exporter",
        frozenset({"slurm_node_count_per_state", "slurm_user_state_total", "slurm_partition_job_state_total"}),
        rivosinc.read,
    ),
)  # fmt: skip
"""Richest first: where several speak, the first of them is believed."""

_RIVOSINC_FIRST = DIALECTS[-1]


class SlurmFound(msgspec.Struct, frozen=True):
    """What was found of Slurm."""

    reading: SlurmReading
    targets: frozenset[TargetKey]
    dialect: str
    problems: tuple[Problem, ...]
    is_simulated: bool
    standing: Standing | None = None
    """How gpumon's own exporter stands with Slurm, when it is the one that is believed."""

    @property
    def told(self) -> SlurmReading | None:
        """What may be shown: None while the exporter says that Slurm does not answer it."""
        return self.reading if self.standing is None or self.standing.is_up else None

    @property
    def is_ours(self) -> bool:
        """True for gpumon's own exporter, the only one that counts GPUs of which shards are held."""
        return self.dialect == ours.NAME

    @property
    def hides_jobs(self) -> bool:
        """True when not every job is told that holds a GPU."""
        return self.standing is not None and "jobs" in self.standing.hidden


def read_slurm(samples: Sequence[Sample[dict[str, str]]]) -> SlurmFound | None:
    """The picture of the richest exporter that speaks, and whose Slurm answers; None when none does."""
    by_dialect: dict[str, dict[TargetKey, list[Sample[dict[str, str]]]]] = {}
    is_simulated, standing = False, read_standing(samples)
    for target, told in by_target(samples).items():
        names = {sample.metric.get("__name__", "") for sample in told}
        is_simulated = is_simulated or "gpumon_demo_info" in names
        dialect = dialect_of(names)
        if dialect:
            by_dialect.setdefault(dialect.name, {})[target] = told
    speaking = [dialect for dialect in DIALECTS if dialect.name in by_dialect]
    if not speaking:
        return None
    is_mute = speaking[0].name == ours.NAME and standing is not None and not standing.is_up
    chosen = speaking[1] if is_mute and len(speaking) > 1 else speaking[0]
    samples_of = collected(by_dialect[chosen.name])
    return SlurmFound(
        chosen.read(samples_of),
        frozenset(samples_of.targets),
        chosen.name,
        _problems(chosen, by_dialect, samples_of.repeated),
        is_simulated,
        standing if chosen.name == ours.NAME else None,
    )


def dialect_of(names: set[str]) -> SlurmDialect | None:
    """The dialect that these metric names give away."""
    if names & _RIVOSINC_FIRST.told_by:
        return _RIVOSINC_FIRST  # it shares slurm_cpus_total with vpenso, but nothing else tells it from there
    return next((dialect for dialect in DIALECTS if names & dialect.told_by), None)


def _problems(
    chosen: SlurmDialect, by_dialect: Mapping[str, Mapping[TargetKey, object]], repeated: int
) -> tuple[Problem, ...]:
    found: list[Problem] = []
    others = sorted(set(by_dialect) - {chosen.name})
    if others:
        found.append(
            Problem(
                "slurm",
                f"Several Slurm exporters are scraped; {chosen.name} is shown, {' and '.join(others)} is left aside.",
                "Their names overlap with different meanings: one is enough.",
                Severity.NOTE,
            )
        )
    if repeated:
        where = listed(instance for _, instance in by_dialect[chosen.name])
        found.append(
            Problem(
                "slurm",
                f"{repeated} Slurm series are told by several targets ({where}); each counts once.",
                "Scrape one Slurm exporter per cluster.",
                Severity.NOTE,
            )
        )
    return tuple(found)


def dialect(found: SlurmFound, newest_at: float | None) -> Dialect:
    """The dialect as the snapshot names it."""
    return Dialect("slurm", found.dialect, "", len(found.targets), newest_at, found.reading.lacks)
