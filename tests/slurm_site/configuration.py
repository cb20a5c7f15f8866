"""The configuration files of the cluster."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

from slurm_site.layout import CLUSTER, NODES, PARTITIONS

DATABASE = "slurm_acct_db"
PASSWORD = "lab"
_SLURM_CONF = f"""\
ClusterName={CLUSTER}
SlurmctldHost={{host}}(127.0.0.1)
SlurmctldPort={{slurmctld}}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={{folder}}/munge.sock
CredType=cred/munge
StateSaveLocation={{folder}}/state
SlurmdSpoolDir={{folder}}/spool/%n
SlurmctldPidFile={{folder}}/slurmctld.pid
SlurmdPidFile={{folder}}/slurmd.%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
MailProg=/bin/true
Epilog={{folder}}/epilog
ReturnToService=2
SlurmdParameters=config_overrides
SlurmctldTimeout=300
SlurmdTimeout=300
InactiveLimit=0
KillWait=5
Waittime=0
MinJobAge=3600
MaxJobCount=60000
MaxArraySize=20001
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=5,bf_continue,batch_sched_delay=0,sched_interval=5,default_queue_depth=1000
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
PriorityType=priority/multifactor
PriorityDecayHalfLife=7-0
PriorityWeightAge=1000
PriorityWeightFairshare=10000
PriorityWeightQOS=5000
PriorityWeightTRES=gres/gpu=2000
PreemptType=preempt/qos
PreemptMode=REQUEUE
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={{slurmdbd}}
AccountingStoragePass={{folder}}/munge.sock
AccountingStorageEnforce=associations,limits,qos
AccountingStorageTRES=gres/gpu,gres/gpu:h100,gres/gpu:a100,gres/gpu:l40s,gres/shard
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
GresTypes=gpu,shard
Licenses=matlab:1
"""
_NODES = "Sockets=2 CoresPerSocket=16 ThreadsPerCore=2 RealMemory=512000 State=UNKNOWN"


def slurm_conf(folder: Path, ports: Mapping[str, int]) -> str:
    """slurm.conf; `ports` has one for each node and for slurmctld, slurmdbd and mariadbd."""
    return _SLURM_CONF.format(folder=folder, host=socket.gethostname().split(".")[0], **ports) + "\n".join(
        (f"NodeName=DEFAULT {_NODES}", *_nodes(ports), "PartitionName=DEFAULT DefMemPerCPU=1000", *PARTITIONS, "")
    )


def _nodes(ports: Mapping[str, int]) -> Iterator[str]:
    for node in NODES:
        gres = f" Gres={node.gres}" if node.gres else ""
        features = f" Feature={node.features}" if node.features else ""
        yield f"NodeName={node.name} NodeAddr=127.0.0.1 Port={ports[node.name]}{gres}{features}"


def gres_conf(devices: Path) -> str:
    """gres.conf."""
    lines = (f"NodeName={node.name} {line}" for node in NODES for line in node.devices)
    return "AutoDetect=off\n" + "\n".join(lines).replace("DEV/", f"{devices}/") + "\n"


def slurmdbd_conf(folder: Path, ports: Mapping[str, int]) -> str:
    """slurmdbd.conf."""
    return f"""\
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={ports["slurmdbd"]}
SlurmUser=root
PidFile={folder}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={ports["mariadbd"]}
StorageUser=slurm
StoragePass={PASSWORD}
StorageLoc={DATABASE}
"""


def epilog(folder: Path) -> str:
    """A script that lets a job complete for as long as the file linger/JOB is there."""
    return f"#!/bin/sh\nwhile [ -e {folder}/linger/$SLURM_JOB_ID ]; do sleep 0.1; done\n"
