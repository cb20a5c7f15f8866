"""Nodes are counted once, in whatever way their GPUs are spelt."""

from __future__ import annotations

import pytest

from gpumon_exporter.failures import NoAnswer
from gpumon_exporter.slurm import nodes
from gpumon_exporter.slurm.nodes import FIELDS
from gpumon_exporter.slurm.records import NodeGpus, SlurmNode

TOKEN = "|token"
PLAIN = {
    "NodeList": "gpu01", "PartitionName": "h100", "StateComplete": "mixed", "CPUsState": "34/94/0/128",
    "Memory": "1031000", "AllocMem": "136000", "Gres": "gpu:h100:8(S:0-1)", "GresUsed": "gpu:h100:3(IDX:0-2)",
    "Features": "h100,ib", "TimeStamp": "Unknown", "User": "Unknown", "Reason": "none",
}  # fmt: skip


def told(*records: dict[str, str]) -> tuple[SlurmNode, ...]:
    """The nodes of such records."""
    answer = nodes.answer(TOKEN)
    for record in records:
        answer.feed("".join({**PLAIN, **record}[name] + TOKEN for name in FIELDS) + "\n")
    return answer.done().nodes


def gpus(has: str, uses: str) -> tuple[NodeGpus, ...]:
    """The GPUs of a node that has and uses this."""
    return told({"Gres": has, "GresUsed": uses})[0].gpus


def test_a_node_in_several_partitions_is_one_node() -> None:
    (node,) = told({}, {"PartitionName": "debug"}, {"PartitionName": "h100"})
    assert node.partitions == ("h100", "debug")
    assert (node.cpus, node.cpus_allocated, node.cpus_idle, node.cpus_other) == (128, 34, 94, 0)
    assert node.memory_allocated_bytes == 136000 * 2**20


@pytest.mark.parametrize(
    ("complete", "state", "flags"),
    [
        ("IDLE+DRAIN+PLANNED", "idle", ("drain", "planned")),
        ("mixed+maintenance+reserved", "mixed", ("maint", "reserved")),
        ("down+not_responding", "down", ("not_responding",)),
        ("allocated", "allocated", ()),
    ],
)
def test_states(complete: str, state: str, flags: tuple[str, ...]) -> None:
    (node,) = told({"StateComplete": complete})
    assert (node.state, node.flags) == (state, flags)


@pytest.mark.parametrize(("cpus", "state"), [("8/0/120/128", "mixed"), ("128/0/0/128", "allocated")])
def test_a_draining_node_is_allocated_only_when_all_of_it_is(cpus: str, state: str) -> None:
    (node,) = told({"StateComplete": "allocated+drain", "CPUsState": cpus})
    assert (node.state, node.flags) == (state, ("drain",))


@pytest.mark.parametrize(
    ("has", "uses", "found"),
    [
        ("(null)", "(null)", []),
        ("(null)", "gpu:0,shard:0", []),
        ("gpu:8", "gpu:3(IDX:0,4-5)", [NodeGpus("", 8, 3)]),
        ("gpu:8", "gpu:0(IDX:N/A)", [NodeGpus("", 8, 0)]),
        ("gpu:h100:8", "gpu:h100:0,shard:0", [NodeGpus("h100", 8, 0)]),
        (
            "gpu:a100:7,gpu:a100_1g.5gb:7",
            "gpu:a100:7(IDX:0-6),gpu:a100_1g.5gb:6(IDX:7-12)",
            [NodeGpus("a100", 7, 7), NodeGpus("a100_1g.5gb", 7, 6)],
        ),
        ("gpu:h100:4(S:0),gpu:h100:4(S:1)", "gpu:h100:5(IDX:0-4)", [NodeGpus("h100", 8, 5)]),
        ("gpu:l40s:4,shard:16", "gpu:l40s:1(IDX:0),shard:4(0/4,1/4,3/4,0/4)", [NodeGpus("l40s", 4, 1, 2)]),
        ("gpu:l40s:4,shard:16", "gpu:l40s:1(IDX:0),shard:2(IDX:1-2)", [NodeGpus("l40s", 4, 1, 2)]),
        (
            "gpu:a100:2,gpu:l40s:2,shard:16",
            "gpu:a100:0(IDX:N/A),gpu:l40s:0(IDX:N/A),shard:3(0/4,1/4,2/4,0/4)",
            [NodeGpus("a100", 2, 0, 1), NodeGpus("l40s", 2, 0, 1)],
        ),
        ("gpu:4,craynetwork:4", "gpu:4,craynetwork:0", [NodeGpus("", 4, 4)]),
    ],
)
def test_gpus_by_type(has: str, uses: str, found: list[NodeGpus]) -> None:
    assert list(gpus(has, uses)) == found


def test_shards_in_use_are_not_known_where_slurm_counts_their_cards() -> None:
    has = "gpu:l40s:4,shard:16"
    uses = ("gpu:l40s:0(IDX:N/A),shard:4(0/4,1/4,3/4,0/4)", "shard:2(IDX:1-2)", "shard:0")
    found = [told({"Gres": has, "GresUsed": one})[0] for one in uses]
    assert [node.shards for node in found] == [16, 16, 16]
    assert [node.shards_allocated for node in found] == [4, None, 0]


def test_a_reason_may_hold_anything() -> None:
    reason = "Xid 79|down\nfake01|h100|idle|0/0/0/0|1|1|gpu:8|gpu:0"
    first, second = told({"Reason": reason, "User": "root", "TimeStamp": "1795442559"}, {"NodeList": "gpu02"})
    assert (first.reason, first.reason_user, first.state_since) == (reason, "root", 1795442559.0)
    assert (second.name, second.reason, second.state_since) == ("gpu02", "", None)


@pytest.mark.parametrize("cpus", ["", "1/2/3", "N/A", "a/b/c/d"])
def test_cpus_that_are_no_numbers_are_no_answer(cpus: str) -> None:
    with pytest.raises(NoAnswer, match="CPUs"):
        told({"CPUsState": cpus})
