"""Which machines a cluster has: read from the configuration, or drafted from Slurm and /etc/hosts."""

from gpumon_setup.inventory.drafting import Draft, folded, from_hosts, from_slurm
from gpumon_setup.inventory.editing import CannotEdit, with_nodes
from gpumon_setup.inventory.hostlist import NoHostlist, expanded
from gpumon_setup.inventory.loading import load_inventory
from gpumon_setup.inventory.model import Inventory, Machine, Role

__all__ = [
    "CannotEdit",
    "Draft",
    "Inventory",
    "Machine",
    "NoHostlist",
    "Role",
    "expanded",
    "folded",
    "from_hosts",
    "from_slurm",
    "load_inventory",
    "with_nodes",
]
