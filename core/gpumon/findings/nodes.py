"""What can be wrong with a node: out of use, silent, GPUs lost, memory or a disk nearly full."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from gpumon.findings.finding import Finding
from gpumon.model import ClusterSnapshot, Gpu, Node, Severity
from gpumon.settings import Thresholds
from gpumon.text import shown
from gpumon.units import age, count, share

Check = Callable[[Node, ClusterSnapshot, Thresholds], Iterable[Finding]]

_BROKEN = frozenset(("down", "fail", "failing", "error", "not_responding"))
_FULL = 0.99
_EXPORTERS = {"node": "node_exporter", "dcgm": "dcgm-exporter", "slurm": "the Slurm exporter"}


def lost(node: Node, snapshot: ClusterSnapshot, _: Thresholds) -> Iterator[Finding]:
    """Fewer GPUs seen than Slurm has configured, although the exporter that should see them answers."""
    configured = node.slurm.gpus_total if node.slurm else None
    answers = any(each.kind == "dcgm" and each.is_up for each in node.exporters)
    if configured is None or not answers or not snapshot.gpus:
        return
    seen = len(node.gpus)
    if seen < configured:
        yield _finding(
            node,
            Severity.ERROR,
            "lost",
            "gpus",
            f"has {count(configured)} GPUs in Slurm, but its dcgm-exporter sees {seen or 'none'}",
            "Look at `nvidia-smi` and `dmesg` there: a GPU may have fallen off the bus.",
        )


def out_of_use(node: Node, snapshot: ClusterSnapshot, _: Thresholds) -> Iterator[Finding]:
    """Slurm gives it no new jobs: down, drained, draining or failing."""
    slurm = node.slurm
    if slurm is None or not slurm.is_out_of_use:
        return
    severity = Severity.ERROR if _BROKEN & {slurm.state, *slurm.flags} else Severity.WARNING
    since = "" if slurm.since is None else f" for {age(snapshot.taken_at - slurm.since)}"
    by = f" ({shown(slurm.reason_user, 40)})" if slurm.reason_user else ""
    reason = f": {shown(slurm.reason, 200)}{by}" if slurm.reason else ""
    advice = "When it is well again: `scontrol update nodename=NAME state=resume`."
    yield _finding(node, severity, "out_of_use", "slurm", f"is {shown(slurm.words, 80)}{since}{reason}", advice)


def silent(node: Node, snapshot: ClusterSnapshot, _: Thresholds) -> Iterator[Finding]:
    """Exporters that do not answer, or whose numbers are old; a node of which nobody tells anything is one finding."""
    down = [each for each in node.exporters if not each.is_up and each.kind in _EXPORTERS]
    kinds = {each.kind for each in down}
    names = " and ".join(dict.fromkeys(_EXPORTERS[each.kind] for each in down))
    told = [each.scraped_at for each in down if each.scraped_at is not None]
    since = f" for {age(snapshot.taken_at - max(told))}" if told else ""
    if down and not any(each.is_up for each in node.exporters):
        is_expected = node.slurm is not None and node.slurm.is_out_of_use
        what = f"is silent{since}: {names} {'does' if len(kinds) == 1 else 'do'} not answer"
        advice = "Is the machine up, and on the network?"
        yield _finding(node, Severity.WARNING if is_expected else Severity.ERROR, "silent", "nodes", what, advice)
    elif down:
        what = f"has told nothing through {names}{since}"
        yield _finding(node, Severity.WARNING, "silent", "nodes", what, "Is the exporter running there?")
    old: tuple[Gpu, ...] = tuple(gpu for gpu in snapshot.gpus_of(node.name) if gpu.is_stale)
    if old and "dcgm" not in kinds:
        what = f"has {len(old)} GPU{'' if len(old) == 1 else 's'} whose numbers are old"
        yield _finding(node, Severity.WARNING, "silent", "gpus", what, "Is dcgm-exporter running there?")
    if node.is_stale and "node" not in kinds:
        what = "has old numbers: node_exporter has told nothing new"
        yield _finding(node, Severity.WARNING, "silent", "nodes", what, "Is node_exporter running there?")


def disk(node: Node, _: ClusterSnapshot, thresholds: Thresholds) -> Iterator[Finding]:
    """Disks that are nearly full."""
    for each in () if node.is_stale else node.filesystems:
        used = each.used_share
        if used is not None and used >= thresholds.disk_share:
            severity = Severity.ERROR if used >= _FULL else Severity.WARNING
            what = f"has {shown(each.mountpoint, 80)} {share(used)} full"
            yield _finding(node, severity, "disk", "nodes", what, "Make room: a full disk ends jobs and drains nodes.")


def memory(node: Node, _: ClusterSnapshot, thresholds: Thresholds) -> Iterator[Finding]:
    """Memory that programs can hardly have more of."""
    used = None if node.is_stale else node.memory_used_share
    if used is not None and used >= thresholds.memory_share:
        what = f"has {share(used)} of its memory in use"
        yield _finding(node, Severity.WARNING, "memory", "nodes", what, "Jobs there may soon be killed for lack of it.")


def _finding(node: Node, severity: Severity, kind: str, part: str, what: str, advice: str) -> Finding:
    name = shown(node.name, 80)
    return Finding(severity, kind, name, part, f"{name} {what}", advice, node.name)


NODE_CHECKS: tuple[Check, ...] = (lost, out_of_use, silent, disk, memory)
"""Each looks at one node."""
