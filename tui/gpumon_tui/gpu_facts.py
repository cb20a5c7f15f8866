"""What the screen of one GPU says about it, in words and numbers, and why the rest is not known."""

from __future__ import annotations

from collections.abc import Iterator

from gpumon import units
from gpumon.attributions import WORDS
from gpumon.model import ClusterSnapshot, Gpu
from gpumon.settings import Settings
from gpumon.text import shown
from gpumon.units import MISSING
from gpumon_tui.tones import heat_tone, use_tone
from gpumon_tui.widgets.facts import Fact, FactLine, known

_USE_TONES = {"good": "success", "warn": "warm", "quiet": "quiet", "": "quiet"}
_HEAT_TONES = {"": "foreground", "warn": "warm", "bad": "hot"}
_MOST_JOBS = 4


def facts_of(gpu: Gpu, snapshot: ClusterSnapshot, settings: Settings) -> tuple[FactLine, ...]:
    """Everything that is to be said about a GPU, line by line."""
    lines = [
        _card(gpu, snapshot),
        *_holders(gpu, snapshot),
        _work(gpu, settings),
        _body(gpu, settings),
        _traffic(gpu, settings),
        _health(gpu),
        _missing(gpu, snapshot),
    ]
    return tuple(line for line in map(tuple, lines) if line)


def _card(gpu: Gpu, snapshot: ClusterSnapshot) -> Iterator[Fact]:
    device = gpu.device
    if gpu.is_stale:
        ago = "" if gpu.sampled_at is None else f" FOR {units.age(snapshot.taken_at - gpu.sampled_at)}"
        yield Fact("", f"SILENT{ago}", "hot", is_loud=True)
    if device.mig is not None:
        yield Fact("", f"MIG {shown(device.mig.profile or device.mig.id, 20)}", "power", is_loud=True)
    yield known("", shown(device.model or "", 40).removeprefix("NVIDIA "))
    yield Fact("UUID", shown(device.uuid, 60), "quiet")
    if device.pci_bus_id:
        yield Fact("PCI", shown(device.pci_bus_id, 20), "quiet")
    if device.driver:
        yield Fact("driver", shown(device.driver, 20), "quiet")


def _holders(gpu: Gpu, snapshot: ClusterSnapshot) -> Iterator[Iterator[Fact]]:
    if gpu.jobs is None:
        why = shown(snapshot.why_missing("jobs", "jobs"))
        yield iter([Fact("held by", f"{MISSING} ({why})", "quiet")])
    elif not gpu.jobs:
        yield iter([Fact("held by", "nobody: it is free", "quiet")])
    for number, job in enumerate((gpu.jobs or ())[:_MOST_JOBS]):
        yield _holder(job, gpu, snapshot, is_first=number == 0)


def _holder(job_id: str, gpu: Gpu, snapshot: ClusterSnapshot, *, is_first: bool) -> Iterator[Fact]:
    job = snapshot.job_by_id.get(job_id)
    yield Fact("held by job", shown(job_id if job is None else job.shown_id, 30))
    if job is not None:
        yield known("user", shown(job.user, 30))
        yield known("name", shown(job.name, 40))
        if job.started_at is not None:
            yield Fact("for", units.duration(max(0.0, snapshot.taken_at - job.started_at)))
    if is_first and gpu.idle_since is not None:
        yield Fact("", f"IDLE FOR {units.duration(snapshot.taken_at - gpu.idle_since)}", "warm", is_loud=True)
    if is_first and gpu.held_by is not None:
        yield Fact("known", WORDS[gpu.held_by], "quiet")


def _work(gpu: Gpu, settings: Settings) -> Iterator[Fact]:
    tone = _USE_TONES[use_tone(gpu, settings.thresholds)]
    yield Fact("utilization", units.share(gpu.utilization), tone, gpu.utilization)
    for label, share in (("SM", gpu.sm_active), ("tensor", gpu.tensor_active), ("DRAM", gpu.dram_active),
                         ("occupancy", gpu.detail.sm_occupancy)):  # fmt: skip
        if share is not None:
            yield Fact(label, units.share(share))


def _body(gpu: Gpu, settings: Settings) -> Iterator[Fact]:
    told, detail = settings.units, gpu.detail
    total = gpu.device.memory_total_bytes
    of = f" of {told.size(total)}" if total is not None else ""
    yield Fact("memory", f"{told.size(gpu.memory_used_bytes)}{of}", "memory", gpu.memory_share)
    heat = _HEAT_TONES[heat_tone(gpu.temperature_celsius, settings.thresholds)]
    yield known("temperature", told.degrees(gpu.temperature_celsius), heat)
    if detail.memory_temperature_celsius is not None:
        yield Fact("memory's", told.degrees(detail.memory_temperature_celsius))
    limit = f" of {units.watts(detail.power_limit_watts)}" if detail.power_limit_watts is not None else ""
    yield known("power", f"{units.watts(gpu.power_watts)}{limit}")


def _traffic(gpu: Gpu, settings: Settings) -> Iterator[Fact]:
    detail, rate = gpu.detail, settings.units.rate
    for label, hertz in (("SM clock", detail.sm_clock_megahertz), ("memory clock", detail.memory_clock_megahertz)):
        if hertz is not None:
            yield Fact(label, f"{units.count(hertz)} MHz")
    for label, sent, received in (
        ("PCIe", detail.pcie_sent_bytes_per_second, detail.pcie_received_bytes_per_second),
        ("NVLink", detail.nvlink_sent_bytes_per_second, detail.nvlink_received_bytes_per_second),
    ):
        if sent is not None or received is not None:
            yield Fact(label, f"{rate(sent)} out, {rate(received)} in")


def _health(gpu: Gpu) -> Iterator[Fact]:
    detail = gpu.detail
    if detail.xid is not None:
        yield Fact("last XID", str(detail.xid) if detail.xid else "none", "hot" if detail.xid else "quiet")
    for label, count in (("ECC uncorrected", detail.ecc_uncorrected), ("PCIe replays", detail.pcie_replays)):
        if count is not None:
            yield Fact(label, units.count(count), "hot" if count else "quiet")
    if detail.row_remap_failed:
        yield Fact("", "ROW REMAP FAILED", "hot", is_loud=True)
    if detail.row_remap_pending:
        yield Fact("", "waits for a reset to remap a row", "warm")
    if detail.throttle_reasons:
        yield Fact("clocks held down by", shown(", ".join(detail.throttle_reasons), 60), "warm")


def _missing(gpu: Gpu, snapshot: ClusterSnapshot) -> Iterator[Fact]:
    """Each reason once: half a picture must not look whole."""
    absent = {
        "utilization": gpu.utilization,
        "memory_used_bytes": gpu.memory_used_bytes,
        "temperature_celsius": gpu.temperature_celsius,
        "power_watts": gpu.power_watts,
        "sm_active": gpu.sm_active,
        "xid": gpu.detail.xid,
    }
    reasons = [snapshot.why_missing("gpus", name) for name, value in absent.items() if value is None]
    for reason in dict.fromkeys(reasons):
        yield Fact("missing:", shown(reason, 70), "quiet")
