"""The series of nodes, partitions and reservations that follow from what scontrol says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from real.slurm.told import Told, series
from real.slurm.truth import Fields, Truth, plain, seconds, tres

GPU = r"gpu(?::([a-z][^:,(]*))?:(\d+)"
"""gpu:8, gpu:h100:8(S:0-1), gpu:a100:2(IDX:0-1)."""
MIB = 2**20


def nodes(truth: Truth) -> Told:
    """Everything that is told node by node."""
    pairs = [(node, name) for node in truth.nodes for name in node["Partitions"].split(",")]
    return {
        "gpumon_node_info": series(*((_info(node), 1) for node in truth.nodes)),
        "gpumon_node_partition_info": series(*(({**_name(node), "partition": name}, 1) for node, name in pairs)),
        **{name: series(*((_name(node), value(node)) for node in truth.nodes)) for name, value in _NUMBERS.items()},
        **{
            name: series(
                *(({**_name(node), "type": kind}, n) for node in truth.nodes for kind, n in value(truth, node).items())
            )
            for name, value in _BY_TYPE.items()
        },
    }


def partitions(truth: Truth) -> Told:
    """Everything that is told partition by partition."""
    return {
        name: series(*(({"partition": one["PartitionName"]}, value(truth, one)) for one in truth.partitions))
        for name, value in _OF_PARTITION.items()
    } | {"gpumon_partition_info": series(*((_partition(one), 1) for one in truth.partitions))}


def reservations(truth: Truth) -> Told:
    """Everything that is told reservation by reservation."""
    return {
        name: series(*(({"reservation": one["ReservationName"]}, float(one[key])) for one in truth.reservations))
        for name, key in _OF_RESERVATION.items()
    } | {"gpumon_reservation_info": series(*((_reservation(one), 1) for one in truth.reservations))}


def gpus(text: str) -> Mapping[str, int]:
    """Gres= or GresUsed= by type."""
    return {kind: int(count) for kind, count in re.findall(rf"(?<![\w:]){GPU}", text)}


def _name(node: Fields) -> Mapping[str, str]:
    return {"node": node["NodeName"]}


def _info(node: Fields) -> Mapping[str, str]:
    state, *flags = node["State"].lower().split("+")
    why, who, _ = _reason(node)
    return {
        **_name(node),
        "state": state,
        "flags": "+".join(flags),
        "reason": why,
        "reason_user": who,
        "features": plain(node["AvailableFeatures"]),
    }


def _reason(node: Fields) -> tuple[str, str, float | None]:
    found = re.fullmatch(r"(.*) \[(\S+)@(\d+)\]", node.get("Reason", ""))
    return (found[1], found[2], float(found[3])) if found else ("", "", None)


def _shards(text: str) -> float | None:
    found = [int(count) for count in re.findall(r"shard:(?:[a-z][^:,(]*:)?(\d+)", text)]
    return sum(found) or None


def _shards_allocated(node: Fields) -> float | None:
    return float(tres(node["AllocTRES"]).get("gres/shard", 0)) if _shards(node["Gres"]) else None


def _shared(truth: Truth, node: Fields) -> Mapping[str, int]:
    """Cards of which shards are held, by type; the cards of a node lie one type after the other."""
    order = [kind for kind, count in gpus(node["Gres"]).items() for _ in range(count)]
    used = {
        index
        for job in truth.jobs
        for one in job.held
        if one.gres == "shard"
        for index in one.indices
        if one.node == node["NodeName"]
    }
    return {kind: sum(order[index] == kind for index in used) for kind in gpus(node["Gres"])}


def _allocated(node: Fields) -> Mapping[str, int]:
    used = gpus(node.get("GresUsed", ""))
    return {kind: used.get(kind, 0) for kind in gpus(node["Gres"])}


_NUMBERS: Mapping[str, Callable[[Fields], float | None]] = {
    "gpumon_node_state_since_seconds": lambda node: _reason(node)[2],
    "gpumon_node_gpus_expected": lambda node: float(tres(node["CfgTRES"]).get("gres/gpu", 0)),
    "gpumon_node_shards": lambda node: _shards(node["Gres"]),
    "gpumon_node_shards_allocated": _shards_allocated,
    "gpumon_node_cpus": lambda node: float(node["CPUTot"]),
    "gpumon_node_cpus_allocated": lambda node: float(node["CPUAlloc"]),
    "gpumon_node_memory_bytes": lambda node: float(node["RealMemory"]) * MIB,
    "gpumon_node_memory_allocated_bytes": lambda node: float(node["AllocMem"]) * MIB,
}
_BY_TYPE: Mapping[str, Callable[[Truth, Fields], Mapping[str, int]]] = {
    "gpumon_node_gpus": lambda _, node: gpus(node["Gres"]),
    "gpumon_node_gpus_allocated": lambda _, node: _allocated(node),
    "gpumon_node_gpus_shared": _shared,
}


def _partition(one: Fields) -> Mapping[str, str]:
    return {
        "partition": one["PartitionName"],
        "state": one["State"].lower(),
        "default": {"YES": "true", "NO": "false"}[one["Default"]],
        "qos": plain(one["QoS"]),
    }


def _of(truth: Truth, one: Fields) -> Sequence[Fields]:
    return [node for node in truth.nodes if one["PartitionName"] in node["Partitions"].split(",")]


_OF_PARTITION: Mapping[str, Callable[[Truth, Fields], float | None]] = {
    "gpumon_partition_max_time_seconds": lambda _, one: seconds(one["MaxTime"]),
    "gpumon_partition_default_time_seconds": lambda _, one: seconds(one["DefaultTime"]),
    "gpumon_partition_max_nodes": lambda _, one: float(one["MaxNodes"]) if plain(one["MaxNodes"]) else None,
    "gpumon_partition_nodes": lambda _, one: float(one["TotalNodes"]),
    "gpumon_partition_gpus": lambda _, one: float(tres(one["TRES"]).get("gres/gpu", 0)),
    "gpumon_partition_gpus_allocated": lambda truth, one: sum(
        sum(_allocated(node).values()) for node in _of(truth, one)
    ),
}


def _reservation(one: Fields) -> Mapping[str, str]:
    return {
        "reservation": one["ReservationName"],
        "state": one["State"],
        "nodes": plain(one["Nodes"]),
        "users": plain(one["Users"]),
        "accounts": plain(one["Accounts"]),
        "partition": plain(one["PartitionName"]),
        "flags": one["Flags"],
    }


_OF_RESERVATION = {
    "gpumon_reservation_start_time_seconds": "StartTime",
    "gpumon_reservation_end_time_seconds": "EndTime",
    "gpumon_reservation_node_count": "NodeCnt",
}
