"""What Prometheus should know of a cluster, from what was asked for and the machines' facts."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from gpumon_setup.components import Site
from gpumon_setup.components.ports import exporter_ports

JOBS = {"node_exporter": "node", "dcgm_exporter": "dcgm", "slurm_exporter": "slurm"}
"""The jobs of prometheus.yml, by component."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One exporter of one machine."""

    host: str
    component: str
    port: int

    @property
    def instance(self) -> str:
        """As its series are labelled."""
        return f"{self.host}:{self.port}"


def expected(site: Site, names: Collection[str]) -> Iterator[Expected]:
    """The exporters of these machines."""
    for machine in site.inventory.machines:
        if machine.name in names:
            for component, port in exporter_ports(site, machine):
                yield Expected(machine.name, component, port)


def gpus_by_slurm(site: Site, host: str) -> int | None:
    """How many GPUs Slurm counts on a node, cards where they are divided; None when it does not say."""
    for facts in site.facts.values():
        if facts.slurm.node_gpus is not None and host in facts.slurm.node_gpus:
            own = site.facts.get(host)
            sliced = sum(gpu.mig_devices for gpu in own.gpus.found) if own is not None else 0
            if own is not None and sliced:
                return len(own.gpus.found)
            return facts.slurm.node_gpus[host]
    return None
