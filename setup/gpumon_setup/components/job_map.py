"""Which jobs hold which GPU, told to dcgm-exporter by a prolog and an epilog of Slurm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import ClassVar, cast

from gpumon.config.keys import Key
from gpumon.text import shown
from gpumon_setup.components.component import Place, Site
from gpumon_setup.components.exporter_program import FOLDER
from gpumon_setup.components.gpu_map import MAP
from gpumon_setup.components.scraping import has_gpus
from gpumon_setup.components.slurm_programs import (
    WHENS,
    When,
    is_called_by_others,
    is_run,
    named,
    own_path,
    path_for,
)
from gpumon_setup.host.script import quoted
from gpumon_setup.inventory import Role
from gpumon_setup.inventory.keys import yes_or_no
from gpumon_setup.resources import Directory, File, Resource, SlurmProgram

USUAL = "/run/gpumon-job-map"
"""Gone with each reboot, as the jobs are."""
_TMPFILES = "/etc/tmpfiles.d/gpumon-job-map.conf"
_HEAD = """\
#!/bin/sh
# Written by gpumon setup; changes are lost.
# Slurm runs it at the {moment} of each job: which jobs hold which GPU, in files that dcgm-exporter reads.
when={moment}
folder={folder}
map={map}
driver=/proc/driver/nvidia
"""


class JobMap:
    """Opt-in: gpumon knows from Slurm itself who holds which GPU; this is for those who want the label `hpc_job`."""

    name: ClassVar[str] = "job_map"
    purpose: ClassVar[str] = "the label hpc_job on each GPU's series, by a prolog and an epilog of Slurm"
    keys: ClassVar[tuple[Key, ...]] = (
        Key("enabled", yes_or_no, "enabled"),
        Key("called_by_others", yes_or_no, "called_by_others"),
    )

    def wanted(self, place: Place) -> Sequence[Resource]:
        """The two programs, and the folder, which each boot makes anew.

        Where slurm.conf is to name them, every node has them: it would be drained without.
        """
        if not is_wanted(place) or Role.NODE not in place.machine.roles:
            return ()
        holds_gpus = bool(has_gpus(place.site, place.machine))
        programs = [_program(place, when) for when in WHENS]
        needed = [one for one in programs if holds_gpus or one.path.startswith(f"{FOLDER}/")]
        own = (Directory(FOLDER),) if any(one.path.startswith(f"{FOLDER}/") for one in needed) else ()
        if not holds_gpus:
            return *own, *needed
        folder = map_folder(place)
        boot = f"# Written by gpumon setup; changes are lost.\nD! {folder} 0755 root root -\n"
        return File(_TMPFILES, boot.encode()), folder_of_map(place), *own, *needed

    def advice(self, place: Place) -> Sequence[str]:
        """What a person adds to slurm.conf, which is not gpumon's."""
        is_first = place.machine == place.site.inventory.master
        return tuple(_telling(place.site)) if is_first and is_wanted(place) else ()


def is_wanted(place: Place) -> bool:
    """True where the configuration asks for it."""
    return bool(place.option(JobMap.name, "enabled")) and JobMap.name not in place.site.inventory.without


def map_folder(place: Place) -> str:
    """Where the map is: as [setup.dcgm_exporter] says, else ours; "" where nobody writes one."""
    said = cast("str | None", place.option("dcgm_exporter", "job_map"))
    return said or (USUAL if is_wanted(place) else "")


def folder_of_map(place: Place) -> Directory:
    """The same for all who want it; what is in it is ours where we write it."""
    return Directory(map_folder(place), holds_data=is_wanted(place))


def _program(place: Place, when: When) -> SlurmProgram:
    """One of the two, where Slurm runs it already; else where slurm.conf is to name it."""
    return SlurmProgram(_path(place, when), script(when, map_folder(place)), 0o755, is_run=is_run(place.site, when))


@cache
def script(when: When, folder: str) -> bytes:
    """The program, for any /bin/sh."""
    head = _HEAD.format(moment="start" if when == "prolog" else "end", folder=quoted(folder), map=quoted(MAP))
    return (head + (files("gpumon_setup.components") / "job_map.sh").read_text("utf-8")).encode()


def complaint(site: Site) -> tuple[str, str]:
    """Why Slurm does not run the two, as far as it tells, and what to do about that; "" and "" when it does."""
    lines = _missing_lines(site)
    if lines:
        return (
            "its configuration does not name it",
            f"Add to slurm.conf, and then scontrol reconfigure: {' and '.join(lines)}.",
        )
    if any(is_run(site, when) is None for when in WHENS):
        return "slurmctld does not say what it runs", "systemctl status slurmctld; scontrol show config."
    return "", ""


def _missing_lines(site: Site) -> tuple[str, ...]:
    """The lines that slurm.conf lacks; none when Slurm runs both, or does not tell."""
    return tuple(f"{when.capitalize()}={own_path(when)}" for when in WHENS if is_run(site, when) is False)


def _telling(site: Site) -> Iterator[str]:
    lines = _missing_lines(site)
    if not lines:
        return
    yield "Slurm does not run the job map yet. Add to slurm.conf, and then: scontrol reconfigure"
    yield from (f"    {line}" for line in lines)
    strangers = sorted(_nodes_of_slurm(site) - {machine.name for machine in site.inventory.machines})
    if strangers:
        unknown = shown(", ".join(strangers), 200)
        yield f"A node without these files would be drained; gpumon does not know {unknown}."


def _nodes_of_slurm(site: Site) -> frozenset[str]:
    return frozenset(name for facts in site.facts.values() for name in facts.slurm.node_gpus or ())


def _path(place: Place, when: When) -> str:
    """While no slurmctld tells, it stays where it is."""
    known = named(place.site, when)
    if is_called_by_others(place.site):
        return own_path(when)
    if known is not None:
        return path_for(when, known)
    made = (key for kind, key in place.facts.state.made if kind == File.kind and f"job-map-{when}" in key)
    return next(made, own_path(when))
