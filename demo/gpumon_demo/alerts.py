"""The alerts that the usual rules would raise about the simulated cluster: each is true in its numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gpumon.model import Alert, Gpu
from gpumon_demo.hosts import filesystems
from gpumon_demo.inventory import Host

if TYPE_CHECKING:
    from gpumon_demo.cluster import Cluster

_HOT_CELSIUS = 85
_FOR_SECONDS = 300
_SILENT_SECONDS = 180
_URGENCY = {"critical": 0, "warning": 1, "info": 2}


def alerts(cluster: Cluster) -> tuple[Alert, ...]:
    """Firing ones first, the most severe first."""
    found = [*_gpus(cluster), *_nodes(cluster), *_targets(cluster)]
    return tuple(
        sorted(
            found, key=lambda alert: (alert.state != "firing", _URGENCY[alert.severity], alert.name, alert.node or "")
        )
    )


def _alert(
    name: str, severity: str, node: str, summary: str, since: float, now: int, wait: int, **labels: str
) -> Alert:
    state = "firing" if now - since >= wait else "pending"
    told = tuple(sorted({"node": node, **labels}.items()))
    return Alert(name, state, severity, node, summary, told, since)


def _gpus(cluster: Cluster) -> Iterable[Alert]:
    simulation, now = cluster.simulation, cluster.moment
    troubles = simulation.troubles
    hot = _gpu(cluster, *troubles.hot)
    if hot is not None and (hot.temperature_celsius or 0) > _HOT_CELSIUS and hot.jobs:
        since = (cluster.job_by_id[hot.jobs[0]].started_at or now) + 60
        node, card = troubles.hot
        degrees = f"{hot.temperature_celsius:.0f}"
        text = f"GPU {card} of {node} is at {degrees} °C."
        yield _alert("GpuHot", "warning", node, text, since, now, _FOR_SECONDS, gpu=str(card))
        text = f"GPU {card} of {node} is held down for heat."
        yield _alert("GpuThermalThrottle", "warning", node, text, since, now, _FOR_SECONDS, gpu=str(card))
    node, card = troubles.remapped
    text = f"GPU {card} of {node} has memory rows waiting to be remapped; it needs a reset."
    since = float(troubles.drained_at)
    yield _alert("GpuRowRemapPending", "warning", node, text, since, now, 3600, gpu=str(card))
    if troubles.fallen is not None:
        node, card = troubles.fallen
        text = f"GPU {card} of {node} reported XID 79: it fell off the bus."
        since = float(troubles.fallen_at)
        yield _alert("GpuXidCritical", "critical", node, text, since, now, 0, gpu=str(card), xid="79")


def _gpu(cluster: Cluster, node: str, card: int) -> Gpu | None:
    told = cluster.gpus_of(cluster.simulation.host_by_name[node])
    return next((gpu for gpu in told if gpu.device.index == card and not gpu.is_stale), None)


def _nodes(cluster: Cluster) -> Iterable[Alert]:
    troubles, now = cluster.simulation.troubles, cluster.moment
    for name, since, why in (
        (troubles.drained, troubles.drained_at, "drained"),
        (troubles.fallen[0] if troubles.fallen else None, troubles.fallen_at, "drained"),
        (troubles.down, troubles.down_at, "down"),
    ):
        if name is not None:
            alert, severity = ("SlurmNodeDown", "critical") if why == "down" else ("SlurmNodeDrained", "warning")
            reason = cluster.slurm_nodes[name].reason
            yield _alert(alert, severity, name, f"{name} is {why}: {reason}", float(since), now, 900)
    host: Host = cluster.simulation.host_by_name[troubles.full_disk]
    disk = filesystems(cluster, host)[0]
    text = f"{disk.mountpoint} of {host.name} is {disk.used_share or 0:.0%} full."
    since = now - now % 43_200
    yield _alert("DiskAlmostFull", "warning", host.name, text, since, now, _FOR_SECONDS, mountpoint=disk.mountpoint)


def _targets(cluster: Cluster) -> Iterable[Alert]:
    troubles, now = cluster.simulation.troubles, cluster.moment
    since = troubles.silent_since(now)
    if since is not None:
        yield _down("dcgm", f"{troubles.silent}:9400", troubles.silent, float(since), now)
    if troubles.down is not None:
        yield _down("dcgm", f"{troubles.down}:9400", troubles.down, float(troubles.down_at), now)
        yield _down("node", f"{troubles.down}:9100", troubles.down, float(troubles.down_at), now)


def _down(job: str, instance: str, node: str, since: float, now: int) -> Alert:
    text = f"{instance} does not answer scrapes."
    return _alert("TargetDown", "warning", node, text, since, now, _SILENT_SECONDS, job=job, instance=instance)
