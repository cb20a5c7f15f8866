"""The nodes of the simulated cluster: their GPUs, slices and shards, and the numbers that Slurm has for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gpumon.model import GpuDevice, MigInstance
from gpumon_demo.chance import draw, whole
from gpumon_demo.hardware import Card, Machine, Slice

MIB = 2.0**20
DRIVER = "570.133.20"
PARTS_WITHOUT_GPUS = 8
"""A machine without GPUs is given out in eighths."""


class Unit(NamedTuple):
    """What a job gets at least: a GPU, a MIG slice of one, or a shard of one."""

    device: GpuDevice
    """All shards of a card have the same."""
    card: int
    slice: Slice | None
    memory_mib: int
    """Of the GPU or slice; a shard's is its whole card's."""
    gain: float
    """No two cards are alike: how hard this one works where the average card works 1."""
    warmth: float
    """Degrees above or below the average card of its type."""
    number: int
    """Slurm's for the GPU or slice, from 0 on each node."""
    type: str
    """As Slurm calls it: "h100", "a100_1g.10gb"."""
    part: float = 1.0
    """Of its card."""
    is_shard: bool = False

    @property
    def share(self) -> str:
        """How a job holds it, as Slurm says it."""
        return "mig" if self.slice else "shard" if self.is_shard else "whole"

    @property
    def weight(self) -> float:
        """What its work counts for in its card's power."""
        return self.part * self.gain


@dataclass(frozen=True, slots=True)
class Host:
    """One node."""

    name: str
    number: int
    """Its place in the cluster, from 0."""
    machine: Machine
    units: tuple[Unit, ...]
    gpus: tuple[tuple[int, ...], ...]
    """For each GPU and slice the places of its units: several where jobs share it."""
    cards: tuple[tuple[int, ...], ...]
    """The same for each card."""
    types: tuple[tuple[str, int], ...]
    """Slurm's types of its GPUs by name, and how many there are of each."""

    @property
    def parts(self) -> int:
        """How many parts it is given out in."""
        return len(self.units) or PARTS_WITHOUT_GPUS


def host(name: str, number: int, machine: Machine, seed: int) -> Host:
    """The node of that name, with everything in it."""
    units = tuple(_units(name, number, machine, seed))
    gpus: dict[str, list[int]] = {}
    cards: list[list[int]] = [[] for _ in range(machine.cards)]
    for place, unit in enumerate(units):
        gpus.setdefault(unit.device.key, []).append(place)
        cards[unit.card].append(place)
    together = tuple(map(tuple, gpus.values()))
    types = Counter(units[places[0]].type for places in together)
    return Host(name, number, machine, units, together, tuple(map(tuple, cards)), tuple(sorted(types.items())))


def minor(machine: Machine, card: int) -> int:
    """N of a card's /dev/nvidiaN."""
    return machine.minors[card] if machine.minors else card


def _units(name: str, number: int, machine: Machine, seed: int) -> Sequence[Unit]:
    found: list[Unit] = []
    kind = machine.card
    if kind is None:
        return found
    after_cards = machine.cards - len(machine.slices)
    for card in range(machine.cards):
        gain = 0.95 + 0.1 * draw(seed, number, card, 11)
        warmth = -3 + 6 * draw(seed, number, card, 12)
        if card < len(machine.slices):
            for cut in machine.slices[card]:
                device = _device(name, number, card, cut, kind, seed)
                numbered = after_cards + len(found)
                label = f"{kind.gres}_{cut.profile}"
                found.append(Unit(device, card, cut, cut.memory_mib, gain, warmth, numbered, label, cut.sevenths / 7))
            continue
        shards = machine.shards if card == machine.cards - 1 else 0
        device = _device(name, number, card, None, kind, seed)
        numbered = minor(machine, card) - len(machine.slices)
        one = Unit(device, card, None, kind.memory_mib, gain, warmth, numbered, kind.gres)
        found += [one._replace(part=1 / shards, is_shard=True)] * shards if shards else [one]
    return found


def _device(name: str, number: int, card: int, part: Slice | None, kind: Card, seed: int) -> GpuDevice:
    words = [whole(1 << 16, seed, number, card, 20 + place) for place in range(8)]
    text = "".join(f"{word:04x}" for word in words)
    size = part.memory_mib + kind.reserved_mib // 7 if part else kind.memory_mib + kind.reserved_mib
    return GpuDevice(
        uuid=f"GPU-{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}",
        node=name,
        index=card,
        mig=MigInstance(part.id, part.profile) if part else None,
        model=kind.model,
        driver=DRIVER,
        pci_bus_id=f"00000000:{0x18 + card * 0x11:02X}:00.0",
        memory_total_bytes=size * MIB,
        instance=f"{name}:9400",
    )
