"""Slurm's GPUs and the driver's, joined by device file; what does not fit together is a failure and never a guess."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gpumon_exporter.failures import Failure
from gpumon_exporter.gpu_map.driver import Card, GpuInstance
from gpumon_exporter.gpu_map.gres import GresGpu


@dataclass(frozen=True)
class MappedGpu:
    """What one of Slurm's numbers means."""

    index: int
    """Slurm's number."""
    type: str
    card: Card
    instance: int | None
    """The MIG slice of the card; None when it is the whole card."""


def joined(
    told: Sequence[GresGpu],
    cards: Mapping[int, Card],
    instances: Mapping[int, GpuInstance],
    minor_of: Callable[[str], int],
    *,
    may_leave_cards_out: bool = False,
) -> tuple[MappedGpu, ...]:
    """Slurm's GPUs in their order, each with its card.

    Raises:
        Failure: one of them is no card of the driver, two are the same, or Slurm knows fewer cards than there are.
    """
    mapped = tuple(_mapped(index, gpu, cards, instances, minor_of) for index, gpu in enumerate(told))
    for index, gpu in enumerate(mapped):
        same = next((other for other in mapped[:index] if _collide(gpu, other)), None)
        if same:
            raise Failure(f"Slurm's GPUs {same.index} and {gpu.index} are the same one: {gpu.card.pci_bus_id}")
    used = {gpu.card.minor for gpu in mapped}
    if len(used) != len(cards) and not may_leave_cards_out:
        raise Failure(
            f"Slurm knows {len(used)} cards of this node and the driver {len(cards)}: mend gres.conf, or say --partial "
            "when Slurm is meant to leave some out"
        )
    return mapped


def _mapped(
    index: int,
    gpu: GresGpu,
    cards: Mapping[int, Card],
    instances: Mapping[int, GpuInstance],
    minor_of: Callable[[str], int],
) -> MappedGpu:
    device, *capabilities = gpu.files
    minor = minor_of(device)
    card = cards.get(minor)
    if card is None:
        known = ", ".join(f"/dev/nvidia{known}" for known in sorted(cards)) or "none"
        raise Failure(f"Slurm's GPU {index} is {device}, which the driver does not know (it knows {known})")
    return MappedGpu(index, gpu.type, card, _instance(index, minor, capabilities, instances, minor_of))


def _instance(
    index: int,
    card_minor: int,
    capabilities: Sequence[str],
    instances: Mapping[int, GpuInstance],
    minor_of: Callable[[str], int],
) -> int | None:
    """The slice that the capability files stand for: one of them is the slice's, the other its compute instance's."""
    if not capabilities:
        return None
    found = {instances[minor] for minor in map(minor_of, capabilities) if minor in instances}
    if len(found) != 1 or {instance.card_minor for instance in found} != {card_minor}:
        names = ", ".join(capabilities)
        raise Failure(f"Slurm's GPU {index} is a slice with {names}, which is no slice of /dev/nvidia{card_minor}")
    return found.pop().number


def _collide(one: MappedGpu, other: MappedGpu) -> bool:
    """Whether both are the same slice, or one is the card that the other is a slice of."""
    return one.card == other.card and (one.instance == other.instance or None in (one.instance, other.instance))
