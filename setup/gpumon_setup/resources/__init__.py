"""What a machine can have: each kind says what is missing, brings it about, and knows how to take it away again."""

from gpumon_setup.resources.block import Block
from gpumon_setup.resources.container import Container
from gpumon_setup.resources.directory import Directory
from gpumon_setup.resources.engine import in_engine
from gpumon_setup.resources.file import File
from gpumon_setup.resources.firewall import FirewallRule, zones
from gpumon_setup.resources.image import Image
from gpumon_setup.resources.image_archive import ArchivedImage, archived_images, whole_name
from gpumon_setup.resources.kept_rules import KeptRules
from gpumon_setup.resources.nftables import closed_chains
from gpumon_setup.resources.package import Package
from gpumon_setup.resources.removal import rank, removal, without_data
from gpumon_setup.resources.resource import ROOM, Missing, Resource
from gpumon_setup.resources.secret import Secret
from gpumon_setup.resources.slurm_program import SlurmProgram, leaving_nothing
from gpumon_setup.resources.unit import Unit

__all__ = [
    "ROOM",
    "ArchivedImage",
    "Block",
    "Container",
    "Directory",
    "File",
    "FirewallRule",
    "Image",
    "KeptRules",
    "Missing",
    "Package",
    "Resource",
    "Secret",
    "SlurmProgram",
    "Unit",
    "archived_images",
    "closed_chains",
    "in_engine",
    "leaving_nothing",
    "rank",
    "removal",
    "whole_name",
    "without_data",
    "zones",
]
