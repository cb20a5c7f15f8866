"""Steps about names: where each node's name comes from, and nodes that go by several."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from gpumon.model import ClusterSnapshot
from gpumon_cli.doctor.steps import Mark, Step
from gpumon_cli.doctor.targets import TargetFacts

_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}|\[?[0-9a-fA-F]*:[0-9a-fA-F:.]+\]?")
_CONTAINER = re.compile(r"[0-9a-f]{12}")
_SHOWN = 5
_RELABEL = (
    "Give every target a `node` label with Slurm's name of the node (relabel_configs, or labels in static_configs)."
)


def label_steps(targets: Sequence[TargetFacts]) -> Iterator[Step]:
    """Which label of the targets tells the node, job by job."""
    origins: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for target in targets:
        label = "node" if target.labels.get("node") else "instance"
        origins[target.job][label] += 1
    for job, labels in sorted(origins.items()):
        if set(labels) == {"node"}:
            yield Step("labels", Mark.FINE, f"job {job}: nodes by the label `node`")
        elif len(labels) == 1:
            yield Step("labels", Mark.NOTE, f"job {job}: nodes by `instance`, or by a host label of its metrics")
        else:
            yield Step(
                "labels", Mark.DOUBT, f"job {job}: {labels['instance']} targets have no `node` label", (_RELABEL,)
            )


def name_steps(snapshot: ClusterSnapshot) -> Iterator[Step]:
    """Nodes under several spellings, under an address or a container's id, and nodes that Slurm does not know."""
    spellings: dict[str, list[str]] = {}
    for node in snapshot.nodes:
        hosts = dict.fromkeys(_host(exporter.instance) for exporter in node.exporters)
        others = [host for host in hosts if host and host != node.name]
        if others:
            spellings[node.name] = others
    if spellings:
        examples = "; ".join(f"{name} is also {', '.join(others)}" for name, others in list(spellings.items())[:_SHOWN])
        yield Step("names", Mark.NOTE, f"{_nodes(len(spellings))} under more than one name, joined: {examples}")
    yield from _unnamed(snapshot)
    yield from _strangers(snapshot)


def _unnamed(snapshot: ClusterSnapshot) -> Iterator[Step]:
    odd = [node.name for node in snapshot.nodes if _ADDRESS.fullmatch(node.name) or _CONTAINER.fullmatch(node.name)]
    if odd:
        yield Step("names", Mark.DOUBT, f"no name but an address or a container's id: {_some(odd)}", (_RELABEL,))


def _strangers(snapshot: ClusterSnapshot) -> Iterator[Step]:
    """Names that only one side knows, when there are such on both: most likely two spellings of the same nodes."""
    known = [node.name for node in snapshot.nodes if node.slurm is not None]
    silent = [node.name for node in snapshot.nodes if node.slurm is not None and not node.exporters]
    strangers = [node.name for node in snapshot.nodes if node.slurm is None and node.exporters]
    if not known:
        return
    if silent and strangers:
        yield Step(
            "names",
            Mark.DOUBT,
            f"Slurm names {_some(silent)}, of which no exporter tells; exporters name {_some(strangers)}, "
            "which Slurm does not know",
            (f"Where these are the same machines: {_RELABEL}",),
        )
    elif silent:
        yield Step("names", Mark.NOTE, f"Slurm names {_some(silent)}, of which no exporter tells")
    else:
        yield Step("names", Mark.FINE, f"all {len(known)} nodes that Slurm names are known to an exporter")


def _host(instance: str) -> str:
    """The host of "host:port"; an address in brackets stays whole."""
    host, colon, port = instance.rpartition(":")
    return host if colon and port.isdigit() else instance


def _nodes(number: int) -> str:
    return f"{number} node{' is' if number == 1 else 's are'}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
