"""The `gpu-map` command: reads, joins and writes, once per boot."""

from __future__ import annotations

import argparse
import socket
import sys
from pathlib import Path

from gpumon_exporter.failures import Failure
from gpumon_exporter.gpu_map.driver import cards, gpu_instances, minor_of
from gpumon_exporter.gpu_map.gres import gpus, told_by_slurmd
from gpumon_exporter.gpu_map.joined import MappedGpu, joined
from gpumon_exporter.gpu_map.textfile import remove, replace, text

USUAL = "/var/lib/prometheus/node-exporter/gpumon_gpu_map.prom"
"""Debian's folder of node_exporter's textfile collector."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What may be typed behind `gpu-map`."""
    parser.description = (
        "Tells Prometheus which GPU each of Slurm's numbers means on this node: run it once per boot, as root, and let "
        "node_exporter's textfile collector read what it writes."
    )
    add = parser.add_argument
    add("--output", metavar="FILE", default=USUAL, help="where the map goes, - for the terminal (%(default)s)")
    add("--node", metavar="NAME", default="", help="Slurm's name of this node (the host's short name)")
    add("--partial", action="store_true", help="Slurm is meant to know fewer cards than the driver")
    add("--keep", action="store_true", help="leaves an older map in place when this one cannot be made")
    add("--slurmd", metavar="PROGRAM", default="slurmd", help="Slurm's daemon, to ask for its GPUs (%(default)s)")
    add("--slurm-conf", metavar="FILE", default="", help="slurm.conf, if it is not in the usual place")
    add("--root", metavar="FOLDER", type=Path, default=Path("/"), help="where the host's /proc and /dev are (/)")


def run(arguments: argparse.Namespace) -> int:
    """Writes the map; the exit code.

    Raises:
        Failure: the map cannot be made; an older one, which may be wrong now, has been removed unless it is to be kept.
    """
    target = None if arguments.output == "-" else Path(arguments.output)
    try:
        content = text(arguments.node or socket.gethostname().partition(".")[0], _mapped(arguments))
    except Failure as failure:
        if target and not arguments.keep and remove(target):
            raise Failure(f"{failure}; the older map {target} has been removed") from failure
        raise
    if target:
        replace(target, content)
    else:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
    return 0


def _mapped(arguments: argparse.Namespace) -> tuple[MappedGpu, ...]:
    root: Path = arguments.root
    told = gpus(told_by_slurmd(arguments.slurmd, arguments.node, arguments.slurm_conf))
    if not told:
        raise Failure("slurmd -G tells of no GPU: this node has none in gres.conf or slurm.conf")
    return joined(
        told,
        cards(root),
        gpu_instances(root),
        lambda file: minor_of(file, root),
        may_leave_cards_out=arguments.partial,
    )
