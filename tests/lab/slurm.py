"""Slurm's files for the lab's clusters: slurmctld on the master, slurmd with its GPUs on each node."""

from __future__ import annotations

import os
from pathlib import Path

from lab.plan import Plan

CONF = """\
ClusterName=lab
SlurmctldHost={master}({master_address})
SlurmUser=slurm
StateSaveLocation=/var/spool/slurmctld
SlurmdSpoolDir=/var/spool/slurmd
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
"""
NODE_MEMORY_MEGABYTES = 1000


def conf(plan: Plan) -> str:
    """The same slurm.conf for every machine."""
    master, *nodes = (plan.machine(name) for name in plan.names)
    lines = [CONF.format(master=master.name, master_address=master.address)]
    shards = f",shard:{plan.shards}" if plan.shards else ""
    gres = f" Gres=gpu:h100:{plan.gpus}{shards}" if plan.gpus else ""
    if plan.gpus:
        lines.append(f"GresTypes=gpu{',shard' if shards else ''}\n")
    lines += [
        f"NodeName={node.name} NodeAddr={node.address} CPUs={os.cpu_count()} RealMemory={NODE_MEMORY_MEGABYTES}{gres}\n"
        for node in nodes
    ]
    lines.append("PartitionName=main Nodes=ALL Default=YES State=UP\n")
    return "".join(lines) + plan.slurm_extra


def write(root: Path, plan: Plan, name: str) -> None:
    """Configures and enables it in a machine's files."""
    folder = root / "etc" / "slurm"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "slurm.conf").write_text(conf(plan))
    # Nodes see the machine's mixture of hierarchies, of which Slurm's own choice gives up.
    (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
    gpus = plan.gpus_of(name)
    shards = f"Name=shard Count={plan.shards}\n" if plan.shards else ""
    (folder / "gres.conf").write_text(f"Name=gpu Type=h100 File=/dev/nvidia[0-{gpus - 1}]\n{shards}" if gpus else "")
    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    for unit in ("munge", "slurmctld" if name == "master" else "slurmd"):
        (wants / f"{unit}.service").symlink_to(f"/lib/systemd/system/{unit}.service")
