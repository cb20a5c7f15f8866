"""The files that Prometheus reads, each looked at by promtool before it takes its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import cast

from gpumon_setup.components.component import Place, Site
from gpumon_setup.components.prometheus_config import RULES, prometheus_yml, target_files
from gpumon_setup.components.prometheus_places import FOLDER, TARGETS
from gpumon_setup.components.remote_write import RemoteWrite
from gpumon_setup.inventory import Role
from gpumon_setup.resources import Directory, File

FOLDERS = Directory(FOLDER), Directory(TARGETS)
_SLURMCTLD_PORT = 6817
_FIRST_SOUND_RELEASE = (25, 11, 5)
"""Of Slurm: before, a page could crash slurmctld after a partition was removed."""


def read_files(place: Place, reached: str, promtool: Sequence[str], user: str) -> tuple[File, ...]:
    """All of them, the configuration last, since promtool follows what it names.

    `reached` is Prometheus' own address, `promtool` the words before its arguments, `user` whom secrets belong to.

    Raises:
        CannotHave: a secret is not to be had.
    """
    return tuple(_files(place, reached, promtool, user))


def digests(read: Sequence[File]) -> tuple[str, ...]:
    """Of what is read when it starts, or at a signal; targets and secrets are read whenever they change."""
    return tuple(file.digest for file in read if file.check)


@cache
def rules(name: str) -> bytes:
    """A file of rules."""
    return (files("gpumon_setup.components") / "rules" / name).read_bytes()


def _files(place: Place, reached: str, promtool: Sequence[str], user: str) -> Iterator[File]:
    receivers = cast("Sequence[RemoteWrite] | None", place.option("prometheus", "remote_write")) or ()
    for number, receiver in enumerate(receivers, 1):
        for name, secret in receiver.secrets(number):
            yield File(f"{FOLDER}/{name}", secret, 0o400, user, is_secret=True)
    slurm_port = _slurm_port(place)
    for name, content in target_files(place.site, slurm_own_port=slurm_port):
        yield File(f"{TARGETS}/{name}", content)
    for name in RULES:
        yield File(f"{FOLDER}/{name}", rules(name), check=(*promtool, "check", "rules", "{}"))
    alertmanagers = cast("Sequence[str] | None", place.option("prometheus", "alertmanagers")) or ()
    content = prometheus_yml(place.site, reached, alertmanagers, receivers, with_slurm_own=slurm_port is not None)
    yield File(f"{FOLDER}/prometheus.yml", content, check=(*promtool, "check", "config", "{}"))


def _slurm_port(place: Place) -> int | None:
    """Where slurmctld tells metrics itself; None when it is not to be asked."""
    wanted = cast("bool | None", place.option("prometheus", "slurm_metrics"))
    found = _found_port(place.site) if wanted is None else None
    if not wanted and found is None:
        return None
    return cast("int | None", place.option("prometheus", "slurm_metrics_port")) or found or _SLURMCTLD_PORT


def _found_port(site: Site) -> int | None:
    """Where a slurmctld answered whose pages do it no harm; as it was where none says anything now."""
    controllers = [machine.name for machine in site.inventory.machines if Role.CONTROLLER in machine.roles]
    told = [site.facts[name].slurm for name in controllers if name in site.facts]
    if not told or any(slurm.node_gpus is None for slurm in told):
        return site.absent.slurm_port
    return next((slurm.metrics_port for slurm in told if _release(slurm.version) >= _FIRST_SOUND_RELEASE), None)


def _release(version: str | None) -> tuple[int, ...]:
    return tuple(int(part) for part in (version or "").split(".") if part)
