"""Which programs Slurm runs on its nodes before and after each job, as its configuration names them."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import Literal

from gpumon_setup.components.component import Site
from gpumon_setup.components.exporter_program import FOLDER

When = Literal["prolog", "epilog"]
WHENS: tuple[When, When] = ("prolog", "epilog")
_WILD = frozenset("*?[")


def own_path(when: When) -> str:
    """Where the job map's program is for slurm.conf, or another program, to name it."""
    return f"{FOLDER}/job-map-{when}"


def path_for(when: When, known: tuple[str, ...]) -> str:
    """Where it is run already, by a pattern that slurm.conf has; else its own path."""
    name = f"90-gpumon-job-map-{when}.sh"
    for pattern in known:
        folder, _, names = pattern.rpartition("/")
        if folder and not _WILD & {*folder} and _WILD & {*names} and fnmatch(name, names):
            return f"{folder}/{name}"
    return own_path(when)


def named(site: Site, when: When) -> tuple[str, ...] | None:
    """Paths or patterns, as slurm.conf has them; None when no slurmctld tells."""
    for facts in site.facts.values():
        found = facts.slurm.prologs if when == "prolog" else facts.slurm.epilogs
        if found is not None:
            return found
    return None


def is_called_by_others(site: Site) -> bool:
    """True where programs of the site's own run the job map's."""
    return bool(site.inventory.sections.get("job_map", {}).get("called_by_others"))


def is_run(site: Site, when: When) -> bool | None:
    """Whether Slurm runs the job map's program; None when no slurmctld tells."""
    known = named(site, when)
    if is_called_by_others(site) or known is None:
        return True if is_called_by_others(site) else None
    return own_path(when) in known or path_for(when, known) != own_path(when)


def still_needed(site: Site, path: str) -> str:
    """Why a program may not go: a node where Slurm misses one is drained by its next job; "" when it may.

    What a pattern found is missed by nobody.
    """
    when: When | None = next((when for when in WHENS if path == own_path(when)), None)
    if when is None:
        return ""
    if is_called_by_others(site):
        return "by [setup.job_map] a program of yours runs it; take that out there and here"
    known = named(site, when)
    if known is None:
        return "no slurmctld tells whether slurm.conf names it, and its loss would drain nodes; let slurmctld run"
    named_so = f"slurm.conf names it as {when.capitalize()}, and its loss would drain nodes; take it out there"
    return named_so if path in known else ""
