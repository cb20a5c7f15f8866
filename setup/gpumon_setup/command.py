"""`gpumon setup`: its command line, and the file that carries out each of its verbs."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from gpumon_setup.verbs.options import SetupOptions


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing that `gpumon setup` can be told to do; it is carried out by `gpumon_setup.verbs.NAME`."""

    name: str
    purpose: str
    flags: tuple[str, ...]
    """Of FLAGS."""


FLAGS: Mapping[str, Mapping[str, Any]] = {
    "--limit": {"dest": "limit_to", "metavar": "HOSTS", "action": "append", "help": "these machines: gpu[01-04]"},
    "--only": {"metavar": "COMPONENT", "action": "append", "help": "these components: node_exporter,hosts"},
    "--yes": {"action": "store_true", "help": "asks nobody"},
    "--json": {"action": "store_true", "help": "one JSON object"},
    "--check": {"action": "store_true", "help": "does nothing; exit code 2 when something would be done"},
    "--no-diff": {"action": "store_true", "help": "no diffs"},
    "--allow-busy": {"action": "store_true", "help": "also what jobs on a machine may suffer from"},
    "--apply-gce": {"action": "store_true", "help": "also Google's own firewall, by this machine's gcloud"},
    "--image-archive": {
        "metavar": "FILE",
        "help": "images come out of this archive, or folder of them; none is pulled",
    },
    "--keep-data": {"action": "store_true", "help": "history and dashboards' own data stay"},
    "--address": {"metavar": "ADDRESS", "help": "where the one node is found; else by its name"},
    "--force": {"action": "store_true", "help": "also nodes that cannot be reached any more"},
    "nodes": {"metavar": "NODE", "nargs": "+", "help": "hostlists: gpu[17-18]"},
    "--on": {"metavar": "HOST", "help": "by the engine of this machine of the cluster; else by the one here"},
    "file": {"metavar": "FILE", "help": "the archive to write"},
    "--from": {"dest": "source", "metavar": "SOURCE", "choices": ("auto", "slurm", "hosts"), "help": "slurm or hosts"},
    "--master": {"metavar": "HOST", "help": "the machine that gathers all; else this one"},
}
"""Every flag of every verb, and what some take without one."""

_ABOUT = ("--limit", "--only")
_CHANGING = ("--yes", "--json", "--no-diff", "--allow-busy", "--image-archive")
_DOING = (*_CHANGING, "--check")
VERBS: tuple[Verb, ...] = (
    Verb(
        "apply",
        "looks, shows, asks, does it and looks again; what `gpumon setup` alone does",
        (*_ABOUT, *_DOING, "--apply-gce"),
    ),
    Verb("plan", "shows what would be done", (*_ABOUT, *_DOING[1:])),
    Verb("verify", "looks whether all that was set up works", (*_ABOUT[:1], "--json")),
    Verb("status", "how every component stands on every machine", (*_ABOUT, "--json")),
    Verb("upgrade", "brings new versions, one machine first, and goes back where they fail", (*_ABOUT, *_CHANGING)),
    Verb("add-node", "brings nodes in that came later", ("nodes", "--address", *_CHANGING, "--apply-gce")),
    Verb(
        "remove-node", "takes nodes out, and all that was made there", ("nodes", "--force", *_CHANGING, "--apply-gce")
    ),
    Verb(
        "save-images",
        "writes all images that the cluster needs to an archive, for machines that reach no registry",
        ("file", "--on", *_ABOUT, "--yes"),
    ),
    Verb("init", "writes a first [setup] from what Slurm or /etc/hosts knows", ("--from", "--master", "--yes")),
    Verb("trust", "shows the machines' SSH keys and records them after a yes", ("--limit", "--yes")),
    Verb(
        "uninstall",
        "takes away what gpumon made, and nothing else",
        (*_ABOUT, "--yes", "--json", "--no-diff", "--allow-busy", "--keep-data", "--apply-gce"),
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds verbs and flags to the parser of `gpumon setup`; loads nothing of what carries them out."""
    _add_flags(parser, VERBS[0].flags)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", title="verbs", parser_class=type(parser))
    for verb in VERBS:
        single = verbs.add_parser(verb.name, help=verb.purpose, description=verb.purpose[0].upper() + verb.purpose[1:])
        single.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="the configuration")
        _add_flags(single, verb.flags)


def run(options: object) -> int:
    """Does what was typed; `options` is what argparse filled.

    Raises:
        GpumonError: it cannot be done at all.
    """
    known = SetupOptions.of(options)
    module = importlib.import_module(f"gpumon_setup.verbs.{known.verb.replace('-', '_')}")
    return cast("Callable[[SetupOptions], int]", module.run)(known)


def _add_flags(parser: argparse.ArgumentParser, flags: tuple[str, ...]) -> None:
    for flag in flags:
        parser.add_argument(flag, default=argparse.SUPPRESS, **FLAGS[flag])
