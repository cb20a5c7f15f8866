"""What kind of machine one works on and what stands there, read in one round trip."""

from gpumon_setup.facts.model import Disk, Engine, Facts, Firewall, Gpu, Gpus, Port, Slurm
from gpumon_setup.facts.reading import USUAL, facts_script, read_facts, read_state
from gpumon_setup.facts.state import (
    BEFORE,
    MADE,
    ContainerState,
    FileState,
    Look,
    Record,
    State,
    UnitState,
)

__all__ = [
    "BEFORE",
    "MADE",
    "USUAL",
    "ContainerState",
    "Disk",
    "Engine",
    "Facts",
    "FileState",
    "Firewall",
    "Gpu",
    "Gpus",
    "Look",
    "Port",
    "Record",
    "Slurm",
    "State",
    "UnitState",
    "facts_script",
    "read_facts",
    "read_state",
]
