"""The cards and MIG slices of this machine as NVIDIA's driver tells them below /proc/driver."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gpumon_exporter.failures import Failure

_UUID = re.compile(r"GPU-[0-9a-fA-F-]{8,}")
_BUS = re.compile(r"(?:([0-9a-fA-F]{4,8}):)?([0-9a-fA-F]{2}:[0-9a-fA-F]{2}\.[0-9a-fA-F])")
_INSTANCE = re.compile(r"gpu(\d+)/gi(\d+)/access (\d+)")


@dataclass(frozen=True)
class Card:
    """One GPU."""

    minor: int
    """N of /dev/nvidiaN, which need not be its place in PCI order."""
    uuid: str
    pci_bus_id: str
    """As DCGM spells it: 00000000:07:00.0."""


@dataclass(frozen=True)
class GpuInstance:
    """A MIG slice."""

    card_minor: int
    number: int
    """DCGM's GPU_I_ID."""


def cards(root: Path) -> Mapping[int, Card]:
    """The cards by their minor numbers, from driver/nvidia/gpus/*/information.

    Raises:
        Failure: no driver, a card whose information cannot be read or has no UUID, or two with the same number.
    """
    folder = root / "proc/driver/nvidia/gpus"
    try:
        files = sorted(entry / "information" for entry in folder.iterdir())
    except OSError as error:
        raise Failure(f"NVIDIA's driver is not loaded: {folder}: {error.strerror}") from error
    found: dict[int, Card] = {}
    for file in files:
        card = _card(file)
        if card.minor in found:
            raise Failure(f"{file}: device minor {card.minor} is that of {found[card.minor].pci_bus_id}, too")
        found[card.minor] = card
    return found


def gpu_instances(root: Path) -> Mapping[int, GpuInstance]:
    """The MIG slices that may exist, by the minor numbers of their capability devices; empty without MIG."""
    try:
        table = (root / "proc/driver/nvidia-caps/mig-minors").read_text(errors="replace")
    except OSError:
        return {}
    return {int(minor): GpuInstance(int(card), int(number)) for card, number, minor in _INSTANCE.findall(table)}


def minor_of(file: str, root: Path) -> int:
    """The minor number of a device file.

    Raises:
        Failure: it is not there, or no device.
    """
    path = root / file.lstrip("/")
    try:
        found = path.stat()
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}: the card has fallen off, or gres.conf names it wrongly") from error
    if not stat.S_ISCHR(found.st_mode):
        raise Failure(f"{path} is no device file")
    return os.minor(found.st_rdev)


def _card(file: Path) -> Card:
    """The card of one information file: lines such as `Device Minor:   0`."""
    try:
        lines = file.read_text(errors="replace").splitlines()
    except OSError as error:
        raise Failure(f"{file}: {error.strerror}") from error
    told = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    minor, uuid, bus = (told.get(name, "") for name in ("Device Minor", "GPU UUID", "Bus Location"))
    place = _BUS.fullmatch(bus or file.parent.name)
    if not minor.isdecimal():
        raise Failure(f"{file} has no device minor: the card does not answer")
    if not _UUID.fullmatch(uuid):
        raise Failure(f"{file} has no UUID ({uuid or 'nothing'}): the card has not been started; run nvidia-smi once")
    if place is None:
        raise Failure(f"{file} has no bus location")
    return Card(int(minor), uuid, f"{int(place[1] or '0', 16):08X}:{place[2].upper()}")
