"""What gpumon's own Slurm exporter says of itself: whether Slurm answers it, and what it does not tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import msgspec

from gpumon.model import Problem, Severity
from gpumon.prometheus.wire import Sample, finite
from gpumon.reading.silence import TargetKey
from gpumon.reading.slurm.samples import ITS_OWN, by_target, is_its_own
from gpumon.units import age, count

_SLOW_SECONDS = 120.0
"""So old an answer of Slurm is worth a word, however rarely the exporter was told to ask."""


class Standing(msgspec.Struct, frozen=True):
    """How one exporter stands with Slurm."""

    target: TargetKey
    is_up: bool | None = None
    """Whether what it tells is Slurm's last answer; None before Slurm was read at all."""
    age_seconds: float | None = None
    """How old that answer was when the exporter was scraped; None when there never was one."""
    failing: tuple[str, ...] = ()
    """Slurm's commands that last failed."""
    left_out: Mapping[str, float] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    """How many of what are not told one by one: "pending_jobs", "users", "accounts"."""
    hidden: tuple[str, ...] = ()
    """What PrivateData keeps from it: "jobs", "nodes", ..."""
    jobs_without_map: float = 0.0
    """Running jobs with GPUs of which Slurm did not tell which ones."""


def read_standing(samples: Iterable[Sample[dict[str, str]]]) -> Standing | None:
    """How gpumon's exporter stands, of several the one that Slurm answers; None when there is none."""
    own = [sample for sample in samples if is_its_own(sample.metric.get("__name__", ""))]
    found = [
        _standing(target, told)
        for target, told in sorted(by_target(own).items())
        if any(sample.metric.get("__name__") == f"{ITS_OWN}info" for sample in told)
    ]
    return max(found, key=lambda one: (one.is_up is True, one.is_up is not None), default=None)


def _standing(target: TargetKey, samples: Iterable[Sample[dict[str, str]]]) -> Standing:
    told: dict[str, list[tuple[Mapping[str, str], float]]] = {}
    for sample in samples:
        value = finite(sample.value[1])
        if value is not None:
            told.setdefault(sample.metric.get("__name__", ""), []).append((sample.metric, value))

    def one(name: str) -> float | None:
        return next((value for _, value in told.get(name, ())), None)

    def labelled(name: str, label: str) -> dict[str, float]:
        return {labels.get(label, ""): value for labels, value in told.get(f"{ITS_OWN}{name}", ())}

    up = one("slurm_up")
    return Standing(
        target=target,
        is_up=None if up is None else up > 0,
        age_seconds=one(f"{ITS_OWN}reading_age_seconds"),
        failing=tuple(sorted(name for name, is_ok in labelled("command_up", "command").items() if not is_ok)),
        left_out={what: number for what, number in labelled("left_out", "what").items() if number},
        hidden=tuple(sorted(what for what, is_so in labelled("hidden", "what").items() if is_so)),
        jobs_without_map=one(f"{ITS_OWN}jobs_without_gpu_map") or 0.0,
    )


def problems(standing: Standing, seconds_since_scrape: float) -> Iterable[Problem]:
    """What is worth a word about it."""
    where = f"the Slurm exporter at {standing.target[1]}"
    old = None if standing.age_seconds is None else standing.age_seconds + seconds_since_scrape
    if standing.is_up is None:
        yield Problem("slurm", f"{where[0].upper()}{where[1:]} has not read Slurm yet.", "", Severity.ERROR)
        return
    if not standing.is_up:
        last = "it never answered" if old is None else f"its last answer is {age(old)} old"
        broken = f" ({', '.join(standing.failing)} failed)" if standing.failing else ""
        yield Problem(
            "slurm",
            f"Slurm itself does not answer {where}{broken}: {last}, and nothing of it is shown.",
            "On the exporter's machine: scontrol ping. Is slurmctld running, and munge?",
            Severity.ERROR,
        )
        return
    if old is not None and old > _SLOW_SECONDS:
        yield Problem(
            "slurm",
            f"What is told of Slurm is {age(old)} old.",
            f"{where[0].upper()}{where[1:]} reads it so rarely, or Slurm is slow; see its --interval.",
        )
    yield from _gaps(standing, where)


def _gaps(standing: Standing, where: str) -> Iterable[Problem]:
    if standing.hidden:
        yield Problem(
            "slurm",
            f"Slurm hides {', '.join(standing.hidden)} of others from {where} (PrivateData): what is shown is not all.",
            "Let its user see them: sacctmgr add user NAME account=root adminlevel=operator",
        )
    if standing.failing:
        yield Problem(
            "slurm",
            f"Commands of Slurm fail at {where}: {', '.join(standing.failing)}.",
            "What they tell is missing; the exporter's log says why.",
        )
    if standing.jobs_without_map:
        yield Problem(
            "jobs",
            f"Of {count(standing.jobs_without_map)} running jobs Slurm did not tell which GPUs they hold.",
            "Right after a start that is normal; if it lasts, the exporter's log says why.",
            Severity.NOTE,
        )
    for what, number in sorted(standing.left_out.items()):
        yield Problem(
            "slurm",
            f"{count(number)} {what.replace('_', ' ')} count in totals only: {where} does not tell them one by one.",
            "Its --max-pending says how many waiting jobs it tells." if what == "pending_jobs" else "",
            Severity.NOTE,
        )
