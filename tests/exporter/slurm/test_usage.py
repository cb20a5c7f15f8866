"""What a node has in use is what its jobs hold, wherever Slurm's own count is in doubt and all jobs are known."""

from __future__ import annotations

from exporter_captured import Captured, rows
from gpumon_exporter.slurm import nodes
from gpumon_exporter.slurm.gpumap import GpuMap
from gpumon_exporter.slurm.nodes import Machines
from gpumon_exporter.slurm.records import GpuHold, NodeGpus, SlurmNode
from gpumon_exporter.slurm.usage import by_jobs

HELD = GpuMap(
    (
        GpuHold("1", "n1", 0, "h100", "whole"),
        GpuHold("1", "n1", 1, "h100", "whole"),
        GpuHold("2", "n1", 2, "", "shard"),
        GpuHold("3", "n1", 8, "h100_1g.10gb", "mig"),
        GpuHold("4", "n2", 0, "h100", "whole"),
    ),
    0,
    {"n1": 3},
)
NODE = SlurmNode("n1", "mixed", gpus=(NodeGpus("h100", 8, 5, 1), NodeGpus("h100_1g.10gb", 7, 0)), shards_allocated=4)


def used(unnumbered: frozenset[str], gpus: GpuMap = HELD, *, sees_jobs: bool = True) -> list[int]:
    """What is in use of each type."""
    (node,) = by_jobs(Machines((NODE,), unnumbered), gpus, sees_jobs=sees_jobs)
    assert [one.shared for one in node.gpus] == [1, 0]
    assert node.shards_allocated == 4
    return [one.allocated for one in node.gpus]


def test_numbered_gpus_are_as_slurm_counts_them() -> None:
    assert used(frozenset()) == [5, 0]
    assert used(frozenset(["n2"])) == [5, 0]


def test_others_are_counted_by_their_jobs() -> None:
    assert used(frozenset(["n1"])) == [2, 1]


def test_but_not_while_a_job_is_unknown_or_jobs_are_hidden() -> None:
    assert used(frozenset(["n1"]), GpuMap(HELD.holds, 1, {})) == [5, 0]
    assert used(frozenset(["n1"]), sees_jobs=False) == [5, 0]


def test_which_nodes_those_are() -> None:
    columns, found = rows("24.11", "sinfo")
    place = columns.index("GresUsed")
    answer = nodes.answer("|t")
    for row in found:
        answer.feed("".join(f"{field}|t" for field in row) + "\n")
    told = {row[0]: row[place] for row in found}
    assert answer.done().unnumbered == {"cpu01", "gpu07"}
    assert (told["gpu05"], told["gpu07"]) == ("gpu:h100:0(IDX:N/A)", "gpu:h100:0")


def test_after_a_restart_the_counts_of_nodes_that_have_not_come_back_are_those_of_the_jobs() -> None:
    slurm = Captured("22.05")
    reader = slurm.reader()
    before = {node.name: node.gpus for node in reader.read().nodes}
    slurm.cells["gpu:h100:8(IDX:0-7),shard:0"] = "gpu:h100:2,shard:0"
    after = {node.name: node.gpus for node in reader.read().nodes}
    assert after == before
    assert [one.allocated for one in after["gpu01"]] == [8]
