"""From DCGM samples to GPUs: one entry for each card or MIG slice, duplicates resolved, units levelled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from gpumon.model import Gpu, GpuDetail, GpuDevice, MigInstance
from gpumon.prometheus.labels import GpuKeyLabels, GpuLabels
from gpumon.prometheus.queries import GPU_METRIC_BY_NAME, GpuMetric
from gpumon.prometheus.wire import Sample, Vector, finite
from gpumon.reading.holders import Holders
from gpumon.reading.names import NodeNames
from gpumon.reading.silence import TargetKey
from gpumon.reading.throttle import WORDS, reason_of_event, reasons_of_mask
from gpumon.text import natural_key

Labels = TypeVar("Labels", bound=GpuLabels)
Values = dict[str, float]
"""A number for each GPU, by its key."""

OF_THE_CARD = frozenset(
    {
        "temperature_celsius", "power_watts", "memory_temperature_celsius", "sm_clock_megahertz",
        "memory_clock_megahertz", "energy_joules", "power_limit_watts", "pcie_replays", "xid", "xid_recent",
        "ecc_corrected", "ecc_uncorrected", "remapped_rows_corrected", "remapped_rows_uncorrected", "row_remap_failed",
        "row_remap_pending", "throttle_mask",
    }
)  # fmt: skip
"""Fields that hold for a whole card, so that its MIG slices may take them from a series without GPU_I_ID."""

NEVER_ZERO = frozenset({"temperature_celsius", "memory_temperature_celsius"})
"""Cards without a sensor report 0 °C, which no running GPU has."""


class GpuReadings(msgspec.Struct):
    """What the samples said, before it is put together; filled by the functions below, then read only."""

    devices: dict[str, GpuDevice] = msgspec.field(default_factory=dict[str, GpuDevice])
    targets: dict[str, TargetKey] = msgspec.field(default_factory=dict[str, TargetKey])
    """Who tells about each GPU."""
    values: dict[str, Values] = msgspec.field(default_factory=dict[str, Values])
    """By field, in the model's unit."""
    events: dict[str, set[str]] = msgspec.field(default_factory=dict[str, set[str]])
    """Reasons of throttling from dcgm-exporter's event counts, in words."""
    jobs: dict[str, set[str]] = msgspec.field(default_factory=dict[str, set[str]])
    """Job ids that dcgm-exporter itself knows (hpc_job)."""
    twice: dict[str, set[TargetKey]] = msgspec.field(default_factory=dict[str, set[TargetKey]])
    """GPUs that several targets tell about."""
    spellings: set[str] = msgspec.field(default_factory=set[str])
    """Peculiarities met: "hostname", "container id", "hpc_job", "jobid", "MIG"."""

    def column(self, name: str) -> Values:
        """The numbers of one field; an empty one when nothing was said."""
        return self.values.setdefault(name, {})


def read_samples(samples: Iterable[Sample[Labels]], names: NodeNames, into: GpuReadings) -> None:
    """Samples with full labels of any number of DCGM metrics; other metrics' samples are passed over."""
    devices, twice, targets = into.devices, into.twice, into.targets
    for sample in samples:
        label = sample.metric
        metric = GPU_METRIC_BY_NAME.get(label.name)
        uuid = label.UUID or label.gpu_uuid
        if metric is None or not uuid:
            continue
        key = f"{uuid}/{label.GPU_I_ID}" if label.GPU_I_ID else uuid
        target = (label.job, label.instance)
        told_by = targets.get(key)
        if told_by is None:
            devices[key] = _device(label, uuid, names, into.spellings)
            targets[key] = target
        elif told_by != target:
            twice.setdefault(key, {told_by}).add(target)
        if label.hpc_job or label.jobid:
            into.spellings.add("hpc_job" if label.hpc_job else "jobid")
            into.jobs.setdefault(key, set()).add(label.hpc_job or label.jobid)
        _put(into, metric, key, label.clock_event, sample.value[1], add=bool(label.xid or label.err_code))


def read_devices(samples: Iterable[Sample[GpuLabels]], names: NodeNames, into: GpuReadings) -> None:
    """The identities alone, from one metric grouped by every label that tells one."""
    for sample in samples:
        label = sample.metric
        if not label.UUID:
            continue
        key = f"{label.UUID}/{label.GPU_I_ID}" if label.GPU_I_ID else label.UUID
        target = (label.job, label.instance)
        told_by = into.targets.setdefault(key, target)
        if key not in into.devices:
            into.devices[key] = _device(label, label.UUID, names, into.spellings)
        elif told_by != target:
            into.twice.setdefault(key, {told_by}).add(target)
        if label.hpc_job or label.jobid:
            into.spellings.add("hpc_job" if label.hpc_job else "jobid")
            into.jobs.setdefault(key, set()).add(label.hpc_job or label.jobid)


class MetricReading(msgspec.Struct):
    """What one metric said, without the labels that it came with: those of thousands of GPUs are large."""

    values: Values = msgspec.field(default_factory=Values)
    events: dict[str, set[str]] = msgspec.field(default_factory=dict[str, set[str]])
    jobs: dict[str, set[str]] = msgspec.field(default_factory=dict[str, set[str]])
    """Job ids that dcgm-exporter itself knows."""
    spellings: set[str] = msgspec.field(default_factory=set[str])
    warnings: tuple[str, ...] = ()
    """What Prometheus remarked on the answer."""
    is_empty: bool = False
    """True when there was no sample at all."""


def read_metric(answer: Vector[GpuKeyLabels], metric: GpuMetric, keys: dict[str, str]) -> MetricReading:
    """One metric, grouped by what identifies a GPU; `keys` has each key once, so that all metrics share it."""
    found = MetricReading(warnings=answer.warnings, is_empty=not answer.samples)
    one = keys.setdefault
    if metric.field == "clock_events":
        for sample in answer.samples:
            value, key = finite(sample.value[1]), sample.metric.key
            if value is not None:
                _put_event(found.events, one(key, key), sample.metric.clock_event, value)
        return found
    column, factor = found.values, metric.factor
    may_be_zero = metric.field not in NEVER_ZERO
    for sample in answer.samples:
        label = sample.metric
        key = f"{label.UUID}/{label.GPU_I_ID}" if label.GPU_I_ID else label.UUID
        if label.hpc_job or label.jobid:
            found.spellings.add("hpc_job" if label.hpc_job else "jobid")
            found.jobs.setdefault(one(key, key), set()).add(label.hpc_job or label.jobid)
        value = finite(sample.value[1])
        if value or (value is not None and may_be_zero):
            column[one(key, key)] = value * factor
    return found


def put_jobs(found: MetricReading, into: GpuReadings) -> None:
    """The jobs that dcgm-exporter names; of a GPU that the metric does not tell they stay as they were."""
    into.jobs = {key: jobs for key, jobs in into.jobs.items() if key not in found.values}
    into.spellings |= found.spellings
    for key, jobs in found.jobs.items():
        into.jobs.setdefault(key, set()).update(jobs)


def _put(into: GpuReadings, metric: GpuMetric, key: str, event: str, text: str, *, add: bool = False) -> None:
    value = finite(text)
    if value is None or (not value and metric.field in NEVER_ZERO):
        return
    if metric.field == "clock_events":
        _put_event(into.events, key, event, value)
        return
    column = into.column(metric.field)
    value *= metric.factor
    before = column.get(key)
    if before is None:
        column[key] = value
    elif add and metric.field == "xid_recent":
        column[key] = before + value
    elif value > before:
        column[key] = value


def _put_event(events: dict[str, set[str]], key: str, event: str, count: float) -> None:
    reason = reason_of_event(event) if count else None
    events.setdefault(key, set()).update({reason} if reason else ())


def _device(label: GpuLabels, uuid: str, names: NodeNames, spellings: set[str]) -> GpuDevice:
    hostname = label.Hostname or label.hostname
    if label.hostname and not label.Hostname:
        spellings.add("hostname")
    node = names.of(node=label.node, hostname=hostname, instance=label.instance)
    if hostname and not label.node and names.of(hostname=hostname) == "":
        spellings.add("container id")
    mig = MigInstance(label.GPU_I_ID, label.GPU_I_PROFILE) if label.GPU_I_ID else None
    if mig:
        spellings.add("MIG")
    return GpuDevice(
        uuid=uuid,
        node=node,
        index=int(label.gpu) if label.gpu.isdecimal() else None,
        mig=mig,
        model=label.modelName or None,
        driver=label.DCGM_FI_DRIVER_VERSION or None,
        pci_bus_id=label.pci_bus_id or None,
        instance=label.instance,
    )


def settle_slices(readings: GpuReadings) -> None:
    """Where a card is cut by MIG, its slices stand for it: they take over what was said of the card as a whole."""
    slices: dict[str, list[str]] = {}
    for key, device in readings.devices.items():
        if device.mig:
            slices.setdefault(device.uuid, []).append(key)
    for uuid, keys in slices.items():
        readings.devices.pop(uuid, None)
        readings.targets.pop(uuid, None)
        for name, column in readings.values.items():
            of_card = column.pop(uuid, None)
            if of_card is not None and name in OF_THE_CARD:
                for key in keys:
                    column.setdefault(key, of_card)
        events = readings.events.pop(uuid, None)
        for key in keys if events is not None else ():
            readings.events.setdefault(key, set()).update(events or ())


def settle_memory(readings: GpuReadings) -> None:
    """Gives each device its framebuffer's size: as told, else used, free and reserved added up."""
    values = readings.values
    total, used = values.get("memory_total_bytes", {}), values.get("memory_used_bytes", {})
    free, reserved = values.get("memory_free_bytes", {}), values.get("memory_reserved_bytes", {})
    for key, device in readings.devices.items():
        size = total.get(key)
        if size is None and key in used and key in free:
            size = used[key] + free[key] + reserved.get(key, 0.0)
        if size and size != device.memory_total_bytes:
            readings.devices[key] = msgspec.structs.replace(device, memory_total_bytes=size)


def details(keys: Sequence[str], readings: GpuReadings, sampled_at: Sequence[float | None]) -> list[GpuDetail]:
    """The rarer facts of each GPU in `keys`; `sampled_at` says for each when they were scraped."""
    column = readings.values.get
    plain = [[*map(column(name, _NOTHING).get, keys)] for name in _PLAIN_DETAILS]
    xid, recent = (_wholes(column(name, _NOTHING), keys) for name in ("xid", "xid_recent"))
    failed, pending = (_flags(column(name, _NOTHING), keys) for name in ("row_remap_failed", "row_remap_pending"))
    reasons = [_reasons(readings, key) for key in keys]
    return [*map(GpuDetail, *plain, xid, recent, failed, pending, reasons, sampled_at)]


_NOTHING: Values = {}

_PLAIN_DETAILS = (
    "memory_free_bytes", "memory_temperature_celsius", "sm_clock_megahertz", "memory_clock_megahertz", "energy_joules",
    "power_limit_watts", "memory_copy_share", "encoder_share", "decoder_share", "sm_occupancy",
    "pcie_sent_bytes_per_second", "pcie_received_bytes_per_second", "nvlink_sent_bytes_per_second",
    "nvlink_received_bytes_per_second", "pcie_replays", "ecc_corrected", "ecc_uncorrected", "remapped_rows_corrected",
    "remapped_rows_uncorrected",
)  # fmt: skip
"""Fields of `GpuDetail` that are plain numbers, in its order: they are its first ones."""


def _wholes(column: Values, keys: Sequence[str]) -> list[int | None]:
    if not column:
        return [None] * len(keys)
    return [None if value is None else int(value) for value in map(column.get, keys)]


def _flags(column: Values, keys: Sequence[str]) -> list[bool | None]:
    if not column:
        return [None] * len(keys)
    return [None if value is None else value > 0 for value in map(column.get, keys)]


def _reasons(readings: GpuReadings, key: str) -> tuple[str, ...] | None:
    mask, events = readings.values.get("throttle_mask", {}).get(key), readings.events.get(key)
    if mask is None and events is None:
        return None
    found = set(reasons_of_mask(mask) if mask is not None else ()) | (events or set())
    return tuple(word for word in WORDS if word in found)


def in_order(devices: Mapping[str, GpuDevice]) -> tuple[str, ...]:
    """The keys by node, number and MIG instance, as people count."""
    by_node = {node: natural_key(node) for node in {device.node for device in devices.values()}}

    def place(key: str) -> tuple[object, ...]:
        device = devices[key]
        index = -1 if device.index is None else device.index
        mig = int(device.mig.id) if device.mig and device.mig.id.isdecimal() else -1
        return (by_node[device.node], index, mig, key)

    return tuple(sorted(devices, key=place))


def gpus(
    order: Sequence[str],
    readings: GpuReadings,
    detail: Sequence[GpuDetail],
    held: Holders,
    heard: Sequence[tuple[float | None, bool]],
) -> tuple[Gpu, ...]:
    """Every GPU in `order`.

    `held` says who holds them as far as that is known, `heard` for each GPU when its exporter was last heard, and
    whether that is long ago.
    """
    devices = [readings.devices[key] for key in order]

    def column(name: str) -> list[float | None]:
        return [*map(readings.values.get(name, _NOTHING).get, order)]

    engine = column("engine_active")
    busy = [
        active if device.mig or util is None else util
        for device, util, active in zip(devices, column("utilization"), engine, strict=True)
    ]
    rest = ("sm_active", "tensor_active", "dram_active", "memory_used_bytes", "temperature_celsius", "power_watts")
    sampled_at, is_stale = [at for at, _ in heard], [is_old for _, is_old in heard]
    jobs, ways = map(held.by_gpu.get, order), map(held.ways.get, order)
    return tuple(map(Gpu, devices, busy, engine, *map(column, rest), detail, jobs, sampled_at, is_stale, ways))
