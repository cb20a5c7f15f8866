"""Who holds GPUs, and how each type of GPU is used: the two small tables of `gpumon status`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from gpumon.model import ClusterSnapshot, Gpu
from gpumon.settings import Thresholds
from gpumon.units import MISSING


class TypeUse(msgspec.Struct, frozen=True):
    """All GPUs of one model."""

    model: str | None
    """None for GPUs whose exporter does not say; MIG profiles count as types of their own."""
    gpus: int
    busy: int | None
    """Working; None when nothing tells."""
    free: int | None
    """Held by nobody; None when nothing tells."""
    utilization_share: float | None

    @property
    def name(self) -> str:
        """As people read it."""
        return MISSING if self.model is None else self.model.removeprefix("NVIDIA ")


class Holder(msgspec.Struct, frozen=True):
    """One user and what is held."""

    user: str
    gpus: float
    idle: int | None
    """Of these, how many do not work; None when the GPUs of single jobs are not known."""
    utilization_share: float | None


def types_of(snapshot: ClusterSnapshot, thresholds: Thresholds) -> tuple[TypeUse, ...]:
    """The types of GPU in use, the most frequent one first."""
    groups: dict[str | None, list[Gpu]] = defaultdict(list)
    for gpu in snapshot.gpus:
        groups[_type(gpu)].append(gpu)
    ordered = sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0] or ""))
    return tuple(_use(model, gpus, thresholds) for model, gpus in ordered)


def holders_of(snapshot: ClusterSnapshot, thresholds: Thresholds) -> tuple[Holder, ...] | None:
    """Users who hold GPUs, the largest holder first; None when nothing tells of users."""
    seen: dict[str, list[Gpu]] = defaultdict(list)
    for gpu in snapshot.gpus:
        for user in snapshot.users_of(gpu) or ():
            seen[user].append(gpu)
    if seen:
        found = [Holder(user, len(gpus), _idle(gpus, thresholds), _mean(gpus)) for user, gpus in seen.items()]
    elif any(user.gpus_running is not None for user in snapshot.users):
        found = [Holder(user.name, user.gpus_running, None, None) for user in snapshot.users if user.gpus_running]
    else:
        known = any(gpu.jobs is not None for gpu in snapshot.gpus)
        return () if known and all(not gpu.jobs for gpu in snapshot.gpus) else None
    return tuple(sorted(found, key=lambda holder: (-holder.gpus, holder.user)))


def _type(gpu: Gpu) -> str | None:
    model, mig = gpu.device.model, gpu.device.mig
    return model if model is None or mig is None else f"{model} {mig.profile or 'MIG'}"


def _use(model: str | None, gpus: list[Gpu], thresholds: Thresholds) -> TypeUse:
    fresh = [gpu for gpu in gpus if not gpu.is_stale]
    told = [gpu for gpu in fresh if gpu.jobs is not None]
    util = [gpu.utilization for gpu in fresh if gpu.utilization is not None]
    return TypeUse(
        model=model,
        gpus=len(gpus),
        busy=sum(share >= thresholds.idle_share for share in util) if util else None,
        free=sum(not gpu.jobs for gpu in told) if told else None,
        utilization_share=_mean(gpus),
    )


def _idle(gpus: Iterable[Gpu], thresholds: Thresholds) -> int | None:
    known = [gpu.utilization for gpu in gpus if gpu.utilization is not None and not gpu.is_stale]
    return sum(share < thresholds.idle_share for share in known) if known else None


def _mean(gpus: Iterable[Gpu]) -> float | None:
    known = [gpu.utilization for gpu in gpus if gpu.utilization is not None and not gpu.is_stale]
    return sum(known) / len(known) if known else None
