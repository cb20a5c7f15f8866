"""Google's own firewall before machines of its Compute Engine: the commands that let the master in, and no one else."""

from __future__ import annotations

import ipaddress
import shlex
from collections.abc import Iterator, Sequence
from typing import cast

from gpumon_setup.components.component import Site
from gpumon_setup.components.firewall import sources
from gpumon_setup.components.ports import exporter_ports
from gpumon_setup.inventory import Role

RULE = "gpumon-exporters"
"""The one rule."""
TAG = "gpumon-node"
"""What the machines carry that it is for."""
_PRODUCT = "Google Compute Engine"


def gce_machines(site: Site) -> tuple[str, ...]:
    """The machines that the master asks and that stand there."""
    return tuple(
        machine.name
        for machine in site.inventory.machines
        if Role.MASTER not in machine.roles
        and (facts := site.facts.get(machine.name)) is not None
        and facts.product == _PRODUCT
    )


def creating(site: Site, names: Sequence[str]) -> tuple[str, ...]:
    """The command that makes the rule."""
    network = _option(site, "gce_network") or "default"
    return "gcloud", "compute", "firewall-rules", "create", RULE, f"--network={network}", "--direction=INGRESS", \
        "--action=allow", *_content(site, names), *project(site)  # fmt: skip


def updating(site: Site, names: Sequence[str]) -> tuple[str, ...]:
    """The command that brings the rule up to date."""
    return "gcloud", "compute", "firewall-rules", "update", RULE, *_content(site, names), *project(site)


def deleting(site: Site) -> tuple[str, ...]:
    """The command that takes the rule away."""
    return "gcloud", "compute", "firewall-rules", "delete", RULE, "--quiet", *project(site)


def tagging(site: Site, name: str, zone: str = "", *, verb: str = "add-tags") -> tuple[str, ...]:
    """The command that puts a machine under the rule, or takes it out with "remove-tags"."""
    where = (f"--zone={zone}",) if zone else ()
    return "gcloud", "compute", "instances", verb, instance(name), f"--tags={TAG}", *where, *project(site)


def gce_lines(site: Site, *, away: bool = False) -> Iterator[str]:
    """The commands for a person's shell; nothing for clusters that stand elsewhere."""
    names = gce_machines(site)
    if not names:
        return
    verb = "remove-tags" if away else "add-tags"
    yield shlex.join(deleting(site) if away else creating(site, names))
    loop = shlex.join(tagging(site, "NAME", verb=verb)).replace("NAME", '"$name"')
    yield f"for name in {shlex.join(map(instance, names))}; do {loop}; done"


def instance(name: str) -> str:
    """What Google calls a machine: its name without a domain."""
    return name.partition(".")[0]


def project(site: Site) -> tuple[str, ...]:
    """The flag for the project, where one is named."""
    named = _option(site, "gce_project")
    return (f"--project={named}",) if named else ()


def _content(site: Site, names: Sequence[str]) -> tuple[str, ...]:
    """What is let in, from where, to which machines."""
    ports: dict[int, None] = {}
    allowed: dict[str, None] = {}
    for machine in site.inventory.machines:
        if machine.name in names:
            ports.update((port, None) for _, port in exporter_ports(site, machine))
            known = sources(site, site.address(machine.name))
            allowed.update((str(ipaddress.ip_network(source)), None) for source in known)
    rules = ",".join(f"tcp:{port}" for port in sorted(ports))
    return f"--rules={rules}", f"--source-ranges={','.join(allowed)}", f"--target-tags={TAG}"


def _option(site: Site, field: str) -> str | None:
    return cast("str | None", site.inventory.sections.get("firewall", {}).get(field))
