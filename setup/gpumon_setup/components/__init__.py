"""The parts of the stack, in the order in which they are deployed."""

from gpumon_setup.components.component import CannotHave, Component, Guide, Place, Site
from gpumon_setup.components.container_engine import ContainerEngine
from gpumon_setup.components.dcgm_exporter import DcgmExporter
from gpumon_setup.components.firewall import Firewall
from gpumon_setup.components.gpu_map import GpuMap
from gpumon_setup.components.grafana import Grafana
from gpumon_setup.components.hosts import Hosts
from gpumon_setup.components.job_map import JobMap
from gpumon_setup.components.node_exporter import NodeExporter
from gpumon_setup.components.prometheus import Prometheus
from gpumon_setup.components.slurm_exporter import SlurmExporter

COMPONENTS: tuple[Component, ...] = (
    Hosts(),
    ContainerEngine(),
    NodeExporter(),
    JobMap(),
    DcgmExporter(),
    SlurmExporter(),
    GpuMap(),
    Firewall(),
    Prometheus(),
    Grafana(),
)
"""What a component needs stands before it."""

__all__ = ["COMPONENTS", "CannotHave", "Component", "Guide", "Place", "Site"]
