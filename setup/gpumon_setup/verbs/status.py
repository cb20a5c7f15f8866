"""`gpumon setup status`: how each component stands on each machine, in which version."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from gpumon.text import shown
from gpumon_setup.inventory import folded
from gpumon_setup.plan import Plan, Stand, Standing
from gpumon_setup.verbs.codes import SetupCode
from gpumon_setup.verbs.opening import opened
from gpumon_setup.verbs.options import SetupOptions
from gpumon_setup.verbs.talk import announce, put

SCHEMA = "gpumon.setup.status/1"


def run(options: SetupOptions) -> int:
    """Looks, and changes nothing."""
    with opened(options) as session:
        announce(len(session.names))
        # How things stand is known without an archive that cannot be read just now.
        session.inventory = replace(session.inventory, image_archive=None)
        session.gather()
        plan = session.plan(allow_busy=True)
        found = session.standings(plan)
    put([_json(found, plan).rstrip()] if options.json else status_lines(found, plan))
    return SetupCode.OK if plan.is_clean else SetupCode.INCOMPLETE


def status_lines(found: Sequence[Standing], plan: Plan) -> Iterator[str]:
    """A line for each component, stand and version, with its machines; what stands in the way below."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    order = {component: number for number, component in enumerate(dict.fromkeys(one.component for one in found))}
    for one in found:
        groups.setdefault((one.component, one.stand.value, one.version or "–"), []).append(one.host)
    widths = [max((len(key[column]) for key in groups), default=0) for column in range(3)]
    for key in sorted(groups, key=lambda key: (order[key[0]], key[1] != Stand.PLANNED.value)):
        cells = "  ".join(f"{shown(cell, 80):{width}}" for cell, width in zip(key, widths, strict=True))
        yield f"{cells}  {shown(','.join(folded(groups[key])), 400)}"
    for host in plan.hosts:
        yield from (f"{host.host}: {shown(obstacle, 600)}" for obstacle in host.obstacles)
    for name, reason in plan.failures.items():
        yield f"{name}: {shown(reason, 600)}"
    yield "Everything is as planned." if plan.is_clean else "What differs: gpumon setup plan. To mend it: gpumon setup."


def _json(found: Sequence[Standing], plan: Plan) -> str:
    document = {
        "schema": SCHEMA,
        "is_as_planned": plan.is_clean,
        "components": [
            {"host": one.host, "component": one.component, "stand": one.stand.value, "version": one.version or None}
            for one in found
        ],
        "obstacles": {host.host: list(host.obstacles) for host in plan.hosts if host.obstacles},
        "failures": dict(plan.failures),
    }
    return json.dumps(document, indent=2) + "\n"
