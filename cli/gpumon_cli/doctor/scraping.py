"""Steps about what the server scrapes: its own make and clock, its targets, and how often it looks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from gpumon.settings import Settings
from gpumon.text import shown
from gpumon_cli.doctor.server import Server, ServerSilent
from gpumon_cli.doctor.steps import Mark, Step
from gpumon_cli.doctor.targets import TargetFacts

_SHOWN = 5
"""Of many alike, so many are named."""


def engine_step(server: Server) -> Step:
    """What program answers."""
    try:
        engine = server.engine()
    except ServerSilent as silent:
        return Step("engine", Mark.NOTE, str(silent))
    return Step("engine", Mark.FINE, f"{engine.name} {engine.version}".strip())


def clock_step(server: Server, settings: Settings) -> Step:
    """How far the two clocks are apart."""
    ahead = server.clock_ahead
    if ahead is None:
        return Step("clock", Mark.NOTE, "the server does not send its time, so the clocks cannot be compared")
    if abs(ahead) <= settings.thresholds.clock_skew_seconds:
        return Step("clock", Mark.FINE, f"the server's clock and this one agree (within {max(1.0, abs(ahead)):.0f} s)")
    side = "ahead of" if ahead > 0 else "behind"
    return Step(
        "clock",
        Mark.DOUBT,
        f"the server's clock is {abs(ahead):.0f} s {side} this machine's",
        ("Ages and charts are off by that much; set both by NTP (timedatectl set-ntp true).",),
    )


def target_steps(targets: Sequence[TargetFacts]) -> Iterator[Step]:
    """One step for each scrape job, with the last errors of those that are down."""
    if not targets:
        yield Step(
            "targets",
            Mark.BROKEN,
            "the server scrapes nothing",
            ("Add scrape_configs for node_exporter, dcgm-exporter and a Slurm exporter to prometheus.yml.",),
        )
    jobs: dict[str, list[TargetFacts]] = defaultdict(list)
    for target in targets:
        jobs[target.job].append(target)
    for job, members in sorted(jobs.items()):
        down = [target for target in members if target.health != "up"]
        if not down:
            yield Step("targets", Mark.FINE, f"job {job}: {len(members)} of {len(members)} up")
            continue
        errors = [f"{target.instance}: {target.last_error or target.health}" for target in down[:_SHOWN]]
        more = [f"and {len(down) - _SHOWN} more"] if len(down) > _SHOWN else []
        yield Step(
            "targets",
            Mark.DOUBT if len(down) < len(members) else Mark.BROKEN,
            f"job {job}: {len(members) - len(down)} of {len(members)} up",
            (*errors, *more),
        )


def interval_step(targets: Sequence[TargetFacts], settings: Settings) -> Step | None:
    """How often the server looks, and whether gpumon is told to look more often; None when it does not say."""
    intervals = sorted({target.scrape_interval for target in targets if target.scrape_interval})
    if not intervals:
        return None
    text = f"the server scrapes every {', '.join(shown(interval, 20) for interval in intervals[:_SHOWN])}"
    if settings.interval_seconds is None:
        return Step("interval", Mark.FINE, f"{text}; gpumon refreshes at that pace")
    return Step("interval", Mark.NOTE, f"{text}; gpumon is told to refresh every {settings.interval_seconds:g} s")
