"""Which programs Slurm runs on its nodes before and after each job, as its configuration names them."""

from __future__ import annotations

from collections.abc import Collection
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
    for pattern in known:
        folder, _, names = pattern.rpartition("/")
        if folder and not _WILD & {*folder} and _WILD & {*names} and fnmatch(_name(when), names):
            return f"{folder}/{_name(when)}"
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


def still_needed(site: Site, path: str, shared: Collection[str]) -> str:
    """Why a program may not go, "" when it may; `shared` is what stands in its folder.

    Slurm drains a node with its next job when a program is missing there, or when a pattern finds none.
    """
    when: When | None = next(
        (when for when in WHENS if path in (own_path(when), f"{_folder(path)}/{_name(when)}")), None
    )
    if when is None:
        return ""
    known = named(site, when)
    is_own = path == own_path(when)
    if is_own and is_called_by_others(site):
        return "by [setup.job_map] a program of yours runs it; take that out there and here"
    others = [other for other in shared if _folder(other) == _folder(path) and "90-gpumon-" not in other]
    if known is None and (is_own or not others):
        return "no slurmctld tells whether slurm.conf names it, and its loss would drain nodes; let slurmctld run"
    key, mend = when.capitalize(), "would drain nodes; take it out there, scontrol reconfigure"
    if path in (known or ()):
        return f"slurm.conf names it as {key}, and its loss {mend}"
    patterns = [pattern for pattern in known or () if _finds(pattern, path)]
    alone = next((pattern for pattern in patterns if not any(_finds(pattern, other) for other in others)), None)
    return "" if alone is None else f"{key}={alone} in slurm.conf finds nothing else, and {mend}"


def _name(when: When) -> str:
    return f"90-gpumon-job-map-{when}.sh"


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _finds(pattern: str, path: str) -> bool:
    """True when a pattern of slurm.conf finds a file; neither side of the last slash reaches over it."""
    return fnmatch(_folder(path), _folder(pattern)) and fnmatch(path.rpartition("/")[2], pattern.rpartition("/")[2])
