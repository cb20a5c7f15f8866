"""Lays the answers of one refresh side by side: nodes with their GPUs, GPUs with their jobs, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from gpumon.live.ask import Ask
from gpumon.live.gpus import GpuReader
from gpumon.live.nodes import NodeReader, NodesShown
from gpumon.live.pulse import PulseReader
from gpumon.model import Alert, ClusterSnapshot, Dialect, Exporter, Gpu, Job, Node, Problem, Severity, Target
from gpumon.reading import nodes as reading
from gpumon.reading.gpu_dialect import gpu_dialect
from gpumon.reading.gpus import GpuReadings
from gpumon.reading.holders import Holders
from gpumon.reading.holding_problems import holding_problems
from gpumon.reading.names import NodeNames
from gpumon.reading.nodes import NodeFacts
from gpumon.reading.silence import TargetKey, exporter, kinds, listed
from gpumon.reading.slurm.dialects import SlurmFound, dialect
from gpumon.reading.slurm.reading import SlurmReading
from gpumon.reading.slurm.standing import problems as standing_problems
from gpumon.settings import Settings
from gpumon.source import Parts
from gpumon.units import age


class Picture(msgspec.Struct, frozen=True):
    """Everything one refresh has to go by."""

    settings: Settings
    label: str
    parts: Parts
    names: NodeNames
    pulse: PulseReader
    gpus: GpuReader
    nodes: NodeReader
    last_words: GpuReadings
    """What silent exporters said last."""
    held: Holders
    """Who holds which GPU."""
    shown: tuple[Gpu, ...]
    """The GPUs as they are shown."""
    jobs: tuple[Job, ...] | None
    slurm: SlurmFound | None
    """None when no exporter of Slurm speaks."""
    slurm_targets: frozenset[TargetKey]
    """The exporters that spoke of Slurm last."""
    alerts: tuple[Alert, ...] | None
    targets: tuple[Target, ...] | None
    is_simulated: bool
    asked: tuple[Ask[Any], ...]

    @property
    def failed(self) -> frozenset[str]:
        """The parts of which a request failed."""
        return frozenset(ask.part for ask in self.asked if ask.error is not None)

    @property
    def told(self) -> SlurmReading | None:
        """What of Slurm may be shown."""
        return self.slurm.told if self.slurm is not None and Parts.SLURM in self.parts else None

    @property
    def wanted(self) -> str:
        """What was asked for, in words."""
        words = {
            Parts.GPUS: "GPUs (dcgm-exporter)",
            Parts.NODES: "nodes (node_exporter)",
            Parts.SLURM: "Slurm (a Slurm exporter)",
        }
        return " or ".join(text for part, text in words.items() if part in self.parts)

    @property
    def is_empty(self) -> bool:
        """True when all of the parts that were asked for answered with nothing."""
        wanted = self.parts & (Parts.GPUS | Parts.NODES | Parts.SLURM)
        slurm = self.slurm is not None and Parts.SLURM in self.parts
        found = self.gpus.kept.devices or self.nodes.kept.labels or slurm or self.pulse.last_words is not None
        return bool(wanted) and not found and not self.failed


_NOTHING_TOLD = SlurmReading()


def assembled(picture: Picture) -> ClusterSnapshot:
    """The snapshot that these answers make."""
    last_words, gpus = picture.last_words, picture.shown
    picture.pulse.silent_nodes(picture.nodes.kept)
    told_by = _told_by(picture, last_words)
    nodes, node_problems = _nodes(picture, gpus, last_words, told_by)
    told = picture.told or _NOTHING_TOLD
    return ClusterSnapshot(
        taken_at=picture.pulse.now,
        cluster=picture.settings.cluster,
        source=picture.label,
        is_simulated=picture.is_simulated,
        gpus=gpus,
        nodes=nodes,
        jobs=picture.jobs,
        queue=told.queue if picture.told else None,
        partitions=told.partitions,
        users=told.users,
        accounts=told.accounts,
        reservations=told.reservations,
        alerts=picture.alerts,
        targets=picture.targets,
        dialects=tuple(_dialects(picture)),
        problems=(*_problems(picture, last_words, told_by), *node_problems),
        tier=picture.gpus.tier,
        scrape_interval_seconds=picture.pulse.interval_seconds,
    )


def _told_by(picture: Picture, last_words: GpuReadings) -> Mapping[TargetKey, str]:
    """What kind of exporter each target is."""
    told = {
        "dcgm": {*picture.gpus.kept.targets.values(), *last_words.targets.values()},
        "node": set(picture.nodes.kept.labels),
        "slurm": picture.slurm_targets,
    }
    return kinds(picture.pulse.pulses, told)


def _nodes(
    picture: Picture, gpus: tuple[Gpu, ...], last_words: GpuReadings, told_by: Mapping[TargetKey, str]
) -> tuple[tuple[Node, ...], tuple[Problem, ...]]:
    if Parts.NODES not in picture.parts:
        return (), ()
    down, before = picture.pulse.pulses.down, picture.nodes.shown
    if not picture.nodes.was_read and before and (before.down, before.gpu_count) == (down, len(gpus)):
        return before.nodes, before.problems
    found, problems = _nodes_now(picture, gpus, last_words, told_by)
    picture.nodes.shown = NodesShown(found, problems, down, len(gpus))
    return found, problems


def _nodes_now(
    picture: Picture, gpus: tuple[Gpu, ...], last_words: GpuReadings, told_by: Mapping[TargetKey, str]
) -> tuple[tuple[Node, ...], tuple[Problem, ...]]:
    names, pulse = picture.names, picture.pulse
    of_node: dict[str, list[str]] = {}
    for gpu in gpus:
        device = gpu.device
        of_node.setdefault(device.node, []).append(device.uuid if device.mig is None else device.key)
    exporters = _exporters(picture, last_words, told_by)
    by_node, twice = reading.targets_by_node(picture.nodes.kept, names)
    slurm = {names.name(name): facts for name, facts in picture.told.nodes.items()} if picture.told else {}
    watched = {name for name, found in exporters.items() if any(one.kind in {"dcgm", "node"} for one in found)}
    facts: dict[str, NodeFacts] = {}
    for name in {*of_node, *by_node, *slurm, *watched} - {""}:
        target = by_node.get(name)
        heard_at, is_stale = pulse.heard(target) if target else (None, False)
        facts[name] = NodeFacts(
            target, heard_at, is_stale, slurm.get(name), tuple(of_node.get(name, ())), tuple(exporters.get(name, ()))
        )
    return reading.nodes(facts, picture.nodes.kept), tuple(_told_twice(twice))


def _exporters(
    picture: Picture, last_words: GpuReadings, told_by: Mapping[TargetKey, str]
) -> dict[str, list[Exporter]]:
    told: dict[TargetKey, str] = {}
    for readings in (last_words, picture.gpus.kept):
        for key, target in readings.targets.items():
            told.setdefault(target, readings.devices[key].node)
    found: dict[str, list[Exporter]] = {}
    for target, name in picture.pulse.nodes_of(picture.names, told).items():
        found.setdefault(name, []).append(exporter(picture.pulse.pulses.by_target[target], told_by[target]))
    return found


def _told_twice(twice: Mapping[str, set[TargetKey]]) -> Iterable[Problem]:
    if twice:
        yield Problem(
            "nodes",
            f"{len(twice)} nodes are told by several node_exporter targets ({listed(twice)}); each counts once.",
            "Scrape each node_exporter once.",
            Severity.NOTE,
        )


def _dialects(picture: Picture) -> Iterable[Dialect]:
    pulse, kept, last_words, jobs = picture.pulse, picture.gpus.kept, picture.last_words, picture.jobs
    readings = kept if kept.devices else last_words

    def newest(targets: Iterable[TargetKey]) -> float | None:
        return max((at for target in targets if (at := pulse.pulses.heard_at(target)) is not None), default=None)

    gpu_targets = {*kept.targets.values(), *last_words.targets.values()}
    found = [
        gpu_dialect(readings, gpu_targets, newest(gpu_targets), picture.gpus.unread),
        reading.node_dialect(picture.nodes.kept, newest(picture.nodes.kept.labels)),
        dialect(picture.slurm, newest(picture.slurm.targets))
        if picture.slurm and Parts.SLURM in picture.parts
        else None,
        Dialect("jobs", "gpumon-slurm-exporter", f"{len(jobs)} jobs") if jobs is not None else None,
    ]
    return (one for one in found if one is not None)


_EXPORTERS = {
    "dcgm": ("gpus", "dcgm-exporter"),
    "node": ("nodes", "node_exporter"),
    "slurm": ("slurm", "Slurm exporter"),
}


def _problems(picture: Picture, last_words: GpuReadings, told_by: Mapping[TargetKey, str]) -> Iterable[Problem]:
    yield from dict.fromkeys(ask.problem for ask in picture.asked if ask.problem is not None)
    warnings = dict.fromkeys(text for ask in picture.asked for text in ask.warnings)
    for text in warnings:
        yield Problem("source", f"Prometheus remarks: {text}", "", Severity.NOTE)
    yield from _silent(picture, told_by)
    yield from _absent(picture)
    if Parts.GPUS in picture.parts:
        yield from picture.gpus.problems(last_words)
        yield from holding_problems(picture.held, picture.shown)
    if picture.slurm is not None:
        yield from picture.slurm.problems if Parts.SLURM in picture.parts else ()
        yield from _standing(picture)


def _standing(picture: Picture) -> Iterable[Problem]:
    standing = picture.slurm.standing if picture.slurm else None
    if standing is not None:
        heard_at = picture.pulse.pulses.heard_at(standing.target)
        yield from standing_problems(standing, max(0.0, picture.pulse.now - heard_at) if heard_at else 0.0)


def _silent(picture: Picture, told_by: Mapping[TargetKey, str]) -> Iterable[Problem]:
    pulse = picture.pulse
    for target in sorted(pulse.pulses.down):
        if told_by[target] not in _EXPORTERS:
            continue
        part, kind = _EXPORTERS[told_by[target]]
        since = pulse.pulses.heard_at(target)
        silence = f"has been silent for {age(pulse.now - since)}" if since else "has not answered within the last hour"
        last = "its last numbers are shown as old" if part != "slurm" else "what it told is not shown any more"
        yield Problem(
            part,
            f"The {kind} at {target[1]} {silence}" + (f"; {last}." if since is not None else "."),
            f"Is it running? The error stands with target {target[1]} of job {target[0]}.",
        )


def _absent(picture: Picture) -> Iterable[Problem]:
    """The parts of which nothing is exported."""
    parts, failed = picture.parts, picture.failed
    if Parts.GPUS in parts and not picture.gpus.kept.devices and "gpus" not in failed:
        yield Problem(
            "gpus",
            "Prometheus holds no current DCGM series.",
            "Is dcgm-exporter running on the GPU nodes, and is port 9400 in scrape_configs?",
            Severity.ERROR,
        )
    if Parts.NODES in parts and not picture.nodes.kept.labels and "nodes" not in failed:
        yield Problem(
            "nodes",
            "Prometheus holds no current node_exporter series.",
            "Is node_exporter running on the nodes, and is port 9100 in scrape_configs?",
            Severity.ERROR,
        )
    if Parts.SLURM in parts and picture.slurm is None and "slurm" not in failed:
        yield Problem(
            "slurm",
            "Prometheus holds no current Slurm series.",
            "Is a Slurm exporter running on the master, and is it in scrape_configs?",
            Severity.ERROR,
        )
