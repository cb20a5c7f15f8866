"""What the simulated cluster is built of: cards, machines, and how many of which a cluster of a given size has."""

from __future__ import annotations

from dataclasses import dataclass

from gpumon.model import Attribution

GIB = 2**30


@dataclass(frozen=True, slots=True)
class Card:
    """One type of GPU."""

    model: str
    """As the driver names it."""
    gres: str
    """As Slurm's gres.conf names its type."""
    memory_mib: int
    """Framebuffer without what the driver reserves."""
    reserved_mib: int
    idle_watts: float
    limit_watts: float
    sm_megahertz: int
    memory_megahertz: int
    idle_celsius: float
    busy_celsius: float
    """At full power, in a rack with decent air."""
    has_nvlink: bool = True
    has_memory_sensor: bool = True
    """False where the driver reports 0 °C for the memory."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One MIG instance's place on its card."""

    id: str
    profile: str
    memory_mib: int
    sevenths: int
    """How many of the card's seven compute slices it has."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One type of node."""

    prefix: str
    """What its nodes' names begin with."""
    partition: str
    card: Card | None
    cards: int
    cpus: int
    memory_bytes: int
    slices: tuple[tuple[Slice, ...], ...] = ()
    """For each card that is cut by MIG, its instances; the cards behind them are whole."""
    block: int = 1
    """So many neighbours share multi-node jobs."""
    is_debug: bool = False
    """True when it also stands in the debug partition, where people sit in front of their jobs."""
    minors: tuple[int, ...] = ()
    """For each card, N of its /dev/nvidiaN; () where that is the card's number."""
    shards: int = 0
    """So many shards its last card is given out in; 0 where no card is shared."""
    told_by: Attribution = Attribution.UUID
    """How one knows which jobs hold its GPUs: by a map, by Slurm's numbers alone, or from dcgm-exporter itself."""


H100 = Card("NVIDIA H100 80GB HBM3", "h100", 80_995, 564, 71.0, 700.0, 1980, 2619, 31.0, 72.0)
A100 = Card("NVIDIA A100-SXM4-80GB", "a100", 81_228, 690, 58.0, 400.0, 1410, 1593, 30.0, 68.0)
L40S = Card("NVIDIA L40S", "l40s", 45_459, 608, 35.0, 350.0, 2520, 9001, 29.0, 70.0, False, False)
V100 = Card("Tesla V100-SXM2-32GB", "v100", 32_497, 271, 42.0, 300.0, 1530, 877, 33.0, 66.0)

_SEVEN = tuple(Slice(str(place), "1g.10gb", 9856, 1) for place in range(7, 14))
_THREE = (
    Slice("1", "3g.40gb", 40_192, 3),
    Slice("5", "2g.20gb", 19_968, 2),
    Slice("6", "2g.20gb", 19_968, 2),
)

_AMD_BOARD = (2, 3, 0, 1, 6, 7, 4, 5)
"""Such a board counts its devices in another order than the bus."""

MACHINES = {
    "a": Machine("gpu-a", "h100", H100, 8, 128, 2048 * GIB, block=4),
    "b": Machine("gpu-b", "a100", A100, 8, 128, 1024 * GIB, block=2, minors=_AMD_BOARD),
    "m": Machine("gpu-m", "mig", A100, 4, 64, 512 * GIB, (_SEVEN, _THREE)),
    "d": Machine("gpu-d", "l40s", L40S, 4, 64, 512 * GIB, is_debug=True, shards=4, told_by=Attribution.INDEX),
    "e": Machine("gpu-e", "l40s", L40S, 8, 96, 768 * GIB, told_by=Attribution.LABEL),
    "v": Machine("gpu-v", "v100", V100, 4, 40, 384 * GIB),
    "c": Machine("cpu-", "cpu", None, 0, 128, 512 * GIB, is_debug=True),
}
"""By a letter that stands for each."""

_FIRST = "aamdcvbaadbc"
"""A dozen nodes, in the order in which a growing cluster gets them."""

_LATER = "aabaaebaabaaabeaabaababaaeab" + "abaeb" * 10 + "dvcm"
"""What larger clusters are filled up with, again and again."""


def letters(nodes: int) -> str:
    """The machines of a cluster of `nodes` nodes, one letter each, alike ones together."""
    more = max(0, nodes - len(_FIRST))
    bought = (_FIRST + _LATER * (more // len(_LATER) + 1))[:nodes]
    return "".join(letter * bought.count(letter) for letter in MACHINES)


def names(nodes: int) -> tuple[str, ...]:
    """The nodes' names in the same order: gpu-a01, gpu-a02, ..."""
    found: list[str] = []
    machines = letters(nodes)
    for letter, machine in MACHINES.items():
        count = machines.count(letter)
        width = max(2, len(str(count)))
        found += [f"{machine.prefix}{number:0{width}d}" for number in range(1, count + 1)]
    return tuple(found)
