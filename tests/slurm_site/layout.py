"""What the cluster consists of: nodes with GPUs of every kind that Slurm tells apart, partitions, accounts, people."""

from __future__ import annotations

from dataclasses import dataclass

CLUSTER = "lab"
CARDS = 8
"""Device files nvidia0 to nvidia7, which every node calls its own."""
SLICES = 4
"""MIG slices, all of the last card."""


@dataclass(frozen=True)
class Node:
    """One node."""

    name: str
    gres: str = ""
    """As slurm.conf wants it; empty without GPUs."""
    devices: tuple[str, ...] = ()
    """Lines of gres.conf behind its name, with DEV for the folder of device files; their order is Slurm's numbering."""
    features: str = ""
    runs: bool = True
    """Whether its slurmd is started at all."""


def _mig_slice(number: int) -> str:
    first, second = (f"DEV/nvidia-cap{cap}" for cap in slice_caps(number))
    return f"Name=gpu Type=a100_1g.5gb MultipleFiles=DEV/nvidia{CARDS - 1},{first},{second}"


def slice_caps(number: int) -> tuple[int, int]:
    """The numbers of the two capability files of a MIG slice, as the driver counts them."""
    return 9 * number + 12, 9 * number + 13


_H100 = ("Name=gpu Type=h100 File=DEV/nvidia[0-3] Cores=0-15", "Name=gpu Type=h100 File=DEV/nvidia[4-7] Cores=16-31")
NODES = (
    Node("h01", "gpu:h100:8", _H100, "h100,nvlink"),
    Node("h02", "gpu:h100:8", _H100, "h100,nvlink"),
    Node("h03", "gpu:h100:8", _H100, "h100,nvlink"),
    Node(
        "duo01",
        "gpu:a100:4,gpu:l40s:4,shard:32",
        ("Name=gpu Type=a100 File=DEV/nvidia[0-3]", "Name=gpu Type=l40s File=DEV/nvidia[4-7]", "Name=shard Count=32"),
        "a100,l40s",
    ),
    Node(
        "mig01",
        f"gpu:a100:2,gpu:a100_1g.5gb:{SLICES}",
        ("Name=gpu Type=a100 File=DEV/nvidia[0-1]", *map(_mig_slice, range(SLICES))),
        "a100,mig",
    ),
    Node("plain01", "gpu:4", ("Name=gpu File=DEV/nvidia[0-3]",)),
    Node("cpu01"),
    Node("gone01", "gpu:h100:8", _H100, "h100", runs=False),
)
PARTITIONS = (
    "PartitionName=long Nodes=h[01-03],gone01 Default=YES MaxTime=2-00:00:00 DefaultTime=01:00:00",
    "PartitionName=mixed Nodes=duo01,mig01 MaxTime=1-00:00:00 DefaultTime=01:00:00 MaxNodes=2",
    "PartitionName=short Nodes=h03,duo01 MaxTime=00:30:00 DefaultTime=00:10:00",
    "PartitionName=plain Nodes=plain01 MaxTime=UNLIMITED",
    "PartitionName=cpu Nodes=cpu01 MaxTime=7-00:00:00 DefaultTime=01:00:00",
    "PartitionName=closed Nodes=cpu01 State=DOWN",
)
ADA, BOB, CLEO, DAN, FAY = (f"gpumon-{name}" for name in ("ada", "bob", "cleo", "dan", "fay"))
PEOPLE = {ADA: "physics", BOB: "ml_nlp", CLEO: "ml_vision", DAN: "chem", FAY: "chem"}
"""Users of the operating system, made for as long as the cluster runs, and their accounts."""
STRANGER = "gpumon-eve"
"""A user of the operating system who may not submit."""
ACCOUNTS = (
    "account physics fairshare=40",
    "account chem fairshare=20",
    "account ml fairshare=60",
    "account ml_vision parent=ml fairshare=10",
    "account ml_nlp parent=ml fairshare=30",
)
QOS = ("high priority=1000", "limited priority=100", "scavenger priority=0")
LIMITS = (
    "modify qos limited set MaxTRESPerUser=gres/gpu=1",
    "modify qos high set preempt=scavenger",
    "modify account chem set GrpTRES=gres/gpu=1",
    f"modify user where name={DAN} account=chem set MaxJobs=3",
    "modify account physics,chem,ml,ml_vision,ml_nlp set qos=normal,high,limited,scavenger defaultqos=normal",
)
"""Words for sacctmgr that it understands only once slurmctld has told the database what GPUs are."""
