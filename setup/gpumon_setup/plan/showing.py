"""A plan for people and for programs: the same changes in the same order."""

from __future__ import annotations

import json
from collections.abc import Iterator

from gpumon.text import shown
from gpumon_setup.plan.change import Change, HostPlan, Plan

SCHEMA = "gpumon.setup.plan/1"


def plan_lines(plan: Plan, *, with_diffs: bool = True) -> Iterator[str]:
    """The plan as lines of text; machines with the same changes are told together."""
    told: dict[tuple[object, ...], list[HostPlan]] = {}
    for host in plan.hosts:
        if not host.is_empty:
            told.setdefault(_sight(host, with_diffs=with_diffs), []).append(host)
    for hosts in told.values():
        yield f"{', '.join(host.host for host in hosts)}:"
        yield from _host_lines(hosts[0], with_diffs=with_diffs)
    for host_name, reason in plan.failures.items():
        yield f"{host_name}: {shown(reason, 600)}"
    yield _summary(plan)


def plan_json(plan: Plan) -> str:
    """The plan as one JSON object."""
    document = {
        "schema": SCHEMA,
        "hosts": [
            {
                "host": host.host,
                "changes": list(map(_change, host.changes)),
                "held_back": list(map(_change, host.held_back)),
                "obstacles": list(host.obstacles),
                "job_steps": list(host.steps_running),
            }
            for host in plan.hosts
        ],
        "failures": dict(plan.failures),
        "has_changes": plan.has_changes,
    }
    return json.dumps(document, indent=2) + "\n"


def _change(change: Change) -> dict[str, object]:
    return {
        "component": change.component,
        "words": change.words,
        "diff": change.diff,
        "is_disruptive": change.is_disruptive,
        "waits_for": change.waits_for or None,
    }


def _sight(host: HostPlan, *, with_diffs: bool) -> tuple[object, ...]:
    """All that is seen of a machine's plan."""
    return tuple(_host_lines(host, with_diffs=with_diffs))


def _host_lines(host: HostPlan, *, with_diffs: bool) -> Iterator[str]:
    for change in host.changes:
        yield f"  {change.component}: {shown(change.words, 400)}"
        if with_diffs and change.diff:
            yield from (f"      {shown(line.expandtabs(), 400)}" for line in change.diff.splitlines())
    for change in host.held_back:
        yield f"  {change.component}: {_held_back(change)}"
    for obstacle in host.obstacles:
        yield f"  CANNOT: {shown(obstacle, 600)}"


def _held_back(change: Change) -> str:
    if change.waits_for:
        return f"NOT NOW: {shown(change.words, 400)}: {shown(change.waits_for, 400)}"
    return f"NOT NOW, jobs run here: {shown(change.words, 400)} (--allow-busy does it)"


def _summary(plan: Plan) -> str:
    changes = sum(len(host.changes) for host in plan.hosts if not host.obstacles)
    touched = sum(bool(host.changes) and not host.obstacles for host in plan.hosts)
    parts = [f"{counted(changes, 'change')} on {counted(touched, 'machine')}"] if changes else []
    parts += ["Nothing to do"] if not changes and any(host.is_empty for host in plan.hosts) else []
    held = sum(len(host.held_back) for host in plan.hosts)
    stuck = sum(bool(host.obstacles) for host in plan.hosts)
    parts += [f"{counted(held, 'change')} held back"] if held else []
    parts += [f"{counted(stuck, 'machine')} with an obstacle"] if stuck else []
    parts += [f"{counted(len(plan.failures), 'machine')} out of reach"] if plan.failures else []
    return "; ".join(parts) + "."


def counted(number: int, thing: str) -> str:
    """A number of things: "1 machine", "3 machines"."""
    return f"{number} {thing}{'' if number == 1 else 's'}"
