"""The GPUs of a node by the numbers that Slurm and the driver have for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from gpumon.model import GpuDevice
from gpumon.prometheus.labels import GpuJobLabels, GpuMapLabels, NodeJobLabels
from gpumon.prometheus.wire import Sample, finite
from gpumon.reading.names import NodeNames

Keys = tuple[str, ...]
"""One GPU, or all slices of a card that Slurm gives out as a whole."""


class NodeCards(msgspec.Struct):
    """The GPUs of one node as the driver counts them."""

    by_number: dict[str, Keys] = msgspec.field(default_factory=dict[str, Keys])
    """A card by its index, "3", with all its slices; a slice by itself, too: "3.7"."""
    by_card: dict[str, Keys] = msgspec.field(default_factory=dict[str, Keys])
    """The same by the card's UUID."""
    is_cut: bool = False
    """True when a card is cut into MIG slices."""
    is_numbered: bool = True
    """False when a card has no index, or two have the same one, as where two machines share a name."""

    @property
    def keys(self) -> Iterable[str]:
        """Every GPU and slice."""
        return (key for keys in self.by_card.values() for key in keys)

    def add(self, key: str, device: GpuDevice) -> None:
        """Takes in one GPU or slice."""
        card = self.by_card[device.uuid] = (*self.by_card.get(device.uuid, ()), key)
        if device.mig is not None:
            self.is_cut = True
            self.by_number[device.number] = (key,)
        number = "" if device.index is None else str(device.index)
        if not number or self.by_number.get(number, card[:-1]) != card[:-1]:
            self.is_numbered = False
        self.by_number[number] = card


def by_node(devices: Mapping[str, GpuDevice], order: Iterable[str], names: NodeNames) -> dict[str, NodeCards]:
    """The GPUs of each node, in the given order."""
    found: dict[str, NodeCards] = {}
    for key in order:
        device = devices[key]
        node = names.name(device.node)
        cards = found.get(node)
        if cards is None:
            cards = found[node] = NodeCards()
        cards.add(key, device)
    return found


class GpuMap(msgspec.Struct):
    """What Slurm's numbers mean on the nodes that say so themselves (`gpumon-slurm-exporter gpu-map`)."""

    cards: dict[str, dict[str, tuple[str, str]]] = msgspec.field(
        default_factory=dict[str, "dict[str, tuple[str, str]]"]
    )
    """By node and Slurm's number: the card's UUID, and its MIG instance or ""."""

    def keys(self, node: str, number: str, cards: NodeCards) -> Keys:
        """The GPUs that a number means; () when the map or the driver does not know them."""
        uuid, instance = self.cards[node].get(number, ("", ""))
        card = cards.by_card.get(uuid, ())
        if not instance or card == (uuid,):
            return card  # given out as a whole, or told as a whole by an exporter that knows no slices
        key = f"{uuid}/{instance}"
        return (key,) if key in card else ()


def read_map(samples: Iterable[Sample[GpuMapLabels]], names: NodeNames) -> GpuMap:
    """The maps of all nodes; a number that means two cards, because a map of before lingers, means none."""
    found = GpuMap()
    for sample in samples:
        label = sample.metric
        numbers = found.cards.setdefault(names.name(label.exported_node or label.node), {})
        place = (label.UUID, label.GPU_I_ID)
        numbers[label.gpu] = place if numbers.get(label.gpu, place) == place else ("", "")
    return found


def jobs_of_gpus(
    samples: Iterable[Sample[GpuJobLabels]], cards: Mapping[str, NodeCards], names: NodeNames
) -> dict[str, Keys]:
    """What jobstats' exporter says of each GPU: the job is the value of the series, a slice is told by its numbers."""
    of_card = {uuid: keys for node in cards.values() for uuid, keys in node.by_card.items()}
    found: dict[str, Keys] = {}
    for sample in samples:
        label, job = sample.metric, finite(sample.value[1])
        node = cards.get(names.of(node=label.node, instance=label.instance))
        keys = of_card.get(label.uuid, ())
        if label.GPU_I_ID and node is not None:
            keys = node.by_number.get(f"{label.ordinal}.{label.GPU_I_ID}", ())
        if job is not None:
            found.update(dict.fromkeys(keys, (str(int(job)),) if job else ()))
    return found


def jobs_of_nodes(samples: Iterable[Sample[NodeJobLabels]], names: NodeNames) -> dict[str, Keys]:
    """The jobs that soperator's exporter puts on each node."""
    found: dict[str, set[str]] = {}
    for sample in samples:
        found.setdefault(names.name(sample.metric.node_name), set()).add(sample.metric.job_id)
    return {node: tuple(jobs) for node, jobs in found.items()}
