"""Google's own firewall: its commands are shown, or carried out by the gcloud of whoever runs the setup."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence

from gpumon.text import shown
from gpumon_setup.components import Site
from gpumon_setup.components.gce import (
    RULE,
    TAG,
    creating,
    deleting,
    gce_lines,
    gce_machines,
    instance,
    project,
    tagging,
    updating,
)
from gpumon_setup.failures import SetupError
from gpumon_setup.verbs.talk import narrate

_SECONDS = 180


def let_through(site: Site, *, applies: bool, away: bool = False) -> None:
    """Nothing for a cluster that stands elsewhere; `away` closes what was opened.

    Raises:
        SetupError: a command failed.
    """
    lines = list(gce_lines(site, away=away))
    if not lines:
        return
    if applies:
        for argv in _needed(site, away=away):
            narrate(" ".join(argv))
            _said(argv)
        return
    narrate(
        "Before these machines stands Google's own firewall. --apply-gce takes back what was opened there, or type:"
        if away
        else "Before these machines stands Google's own firewall. --apply-gce opens it to the master alone, or type:"
    )
    for line in lines:
        narrate(f"  {line}")


def _needed(site: Site, *, away: bool) -> Iterator[tuple[str, ...]]:
    """The commands that change anything, after looking at what is there."""
    names = gce_machines(site)
    verb = "remove-tags" if away else "add-tags"
    for name, (zone, tags) in _instances(site, names).items():
        if (TAG in tags) is away:
            yield tagging(site, name, zone, verb=verb)
    known = _said(
        ("gcloud", "compute", "firewall-rules", "list", f"--filter=name={RULE}", "--format=value(name)", *project(site))
    )
    if known.strip():
        yield deleting(site) if away else updating(site, names)
    elif not away:
        yield creating(site, names)


def _instances(site: Site, names: Sequence[str]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Zone and tags of the machines, by their names there."""
    wanted = [instance(name) for name in names]
    told = _said(
        ("gcloud", "compute", "instances", "list", f"--filter=name=({' '.join(wanted)})",
         "--format=value(name,zone.basename(),tags.items.list())", *project(site))
    )  # fmt: skip
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for line in told.splitlines():
        name, zone, tags = (*line.split("\t"), "", "")[:3]
        found[name] = (zone, tuple(tags.split(",")))
    absent = [name for name in wanted if name not in found]
    if absent:
        raise SetupError(
            f"gcloud knows no instance called {shown(', '.join(absent), 200)}.",
            advice='Name the project: [setup.firewall] gce_project = "...".',
        )
    return found


def _said(argv: Sequence[str]) -> str:
    program = shutil.which(argv[0])
    if program is None:
        raise SetupError("There is no gcloud here.", advice="Leave --apply-gce away: the commands are shown then.")
    try:
        told = subprocess.run(  # noqa: S603  # the commands are ours, and no shell reads them
            (program, *argv[1:]),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SetupError(f"{' '.join(argv[:4])} did not end within {_SECONDS} s.") from None
    if told.returncode != 0:
        raise SetupError(f"{' '.join(argv[:4])} failed: {shown(' '.join(told.stderr.split()), 400)}")
    return told.stdout
