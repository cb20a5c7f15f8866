"""The map as a file for node_exporter's textfile collector, replaced as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest

from gpumon_exporter.failures import Failure
from gpumon_exporter.gpu_map.joined import MappedGpu

NAME = "gpumon_slurm_gpu_info"
LABELS = ("node", "gpu", "type", "UUID", "pci_bus_id", "minor", "GPU_I_ID")


class _Once:
    """One family for prometheus_client."""

    def __init__(self, family: GaugeMetricFamily) -> None:
        self._family = family

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return (self._family,)


def text(node: str, gpus: Iterable[MappedGpu]) -> bytes:
    """The series, 1 each."""
    family = GaugeMetricFamily(NAME, "Which GPU is meant by Slurm's number of it on this node.", labels=LABELS)
    for gpu in gpus:
        instance = "" if gpu.instance is None else str(gpu.instance)
        card = gpu.card
        family.add_metric([node, str(gpu.index), gpu.type, card.uuid, card.pci_bus_id, str(card.minor), instance], 1.0)
    registry = CollectorRegistry()
    registry.register(_Once(family))
    return generate_latest(registry)


def replace(target: Path, content: bytes) -> None:
    """Puts the file in place, readable for everybody; a reader sees the old one or the new one.

    Raises:
        Failure: its folder is not there or cannot be written to.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)  # no .prom: it is not read yet
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                os.fchmod(file.fileno(), 0o644)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(target)
        except OSError:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise Failure(f"{target} cannot be written: {error.strerror}") from error


def remove(target: Path) -> bool:
    """Takes an old file away; whether there was one.

    Raises:
        Failure: it cannot be removed.
    """
    try:
        target.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise Failure(f"{target}, which may be wrong now, cannot be removed: {error.strerror}") from error
    return True
