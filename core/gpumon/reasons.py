"""Why a job waits, in plain words: Slurm's job reason codes, as squeue(1) and job_state_reason in slurm.h list them."""

from __future__ import annotations

import re
from collections.abc import Mapping

_WORDS: Mapping[str, str] = {
    "Resources": "next in line: waits for resources to become free",
    "Priority": "jobs with a higher priority are before it",
    "Dependency": "waits for another job",
    "DependencyNeverSatisfied": "the job it depends on failed: it will never start",
    "BeginTime": "its begin time has not come",
    "JobHeldUser": "held by its user",
    "JobHeldAdmin": "held by an administrator",
    "JobArrayTaskLimit": "its array already runs as many tasks as it may",
    "Licenses": "waits for a licence",
    "Reservation": "waits for its reservation to begin",
    "ReservationDeleted": "its reservation is gone: it will never start",
    "ReqNodeNotAvail": "a node that it asks for is not available",
    "NodeDown": "a node that it asks for is down",
    "PartitionDown": "its partition is down",
    "PartitionInactive": "its partition is inactive",
    "PartitionNodeLimit": "asks for more or fewer nodes than its partition allows",
    "PartitionTimeLimit": "asks for more time than its partition allows",
    "PartitionConfig": "its partition does not allow what it asks for",
    "BadConstraints": "no node can ever give what it asks for",
    "Cleaning": "is being cleaned up after a requeue",
    "Prolog": "its prolog runs",
    "InactiveLimit": "its user's shell was idle for too long",
    "InvalidAccount": "its account is not valid",
    "InvalidQOS": "its QOS is not valid",
    "AccountNotAllowed": "its account may not use this partition",
    "QOSNotAllowed": "its QOS may not be used here",
    "JobLaunchFailure": "could not be launched: a node or a file system failed",
    "JobHoldMaxRequeue": "was requeued too often, and is held",
    "launch failed requeued held": "could not be launched, and is held",
    "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions":
        "nodes that it needs are down, drained or kept for others",
    "SchedDefer": "waits for the next round of the scheduler",
    "None": "the scheduler has not looked at it yet",
    "FrontEndDown": "no front end node is up",
    "BurstBufferResources": "waits for space in the burst buffer",
    "BurstBufferStageIn": "its files are being brought in",
    "BurstBufferOperation": "its burst buffer operation failed",
    "FedJobLock": "another cluster of the federation looks at it",
    "DeadLine": "can no longer end before its deadline",
    "ExecutingReconfigure": "slurmctld is being reconfigured",
    "MaxMemPerLimit": "asks for more memory than a limit allows",
    "OutOfMemory": "ran out of memory",
    "Preempted": "was preempted and waits to run again",
    "Resizing": "is being resized",
    "SystemFailure": "a fault of Slurm itself, the file system or the network",
    "TimeLimit": "its time limit is reached",
    "WaitingForScheduling": "the scheduler has not looked at it yet",
}  # fmt: skip
"""Codes without limits; those are put together from their parts below."""

_OWNERS = {
    "Assoc": "its account", "Association": "its account", "Account": "its account", "QOS": "its QOS",
    "User": "its user", "Job": "one job", "Node": "one node", "Partition": "its partition",
}  # fmt: skip
_THINGS = {
    "GRES": "GPUs", "GRESGpu": "GPUs", "Cpu": "CPUs", "CPU": "CPUs", "Mem": "memory", "Memory": "memory",
    "Node": "nodes", "Nodes": "nodes", "Jobs": "jobs", "Job": "jobs", "Submit": "submitted jobs",
    "SubmitJobs": "submitted jobs", "JobsAccrue": "jobs that gain priority", "Billing": "billing units",
    "Energy": "energy", "BB": "burst buffer space", "License": "licences", "Unknown": "some resource",
    "Wall": "time", "WallDuration": "time", "WallDurationPerJob": "time for one job", "GPUs": "GPUs",
}  # fmt: skip
_GRP = re.compile(r"(Assoc|Association|QOS)Grp([A-Za-z]+?)(RunMinutes|RunMins|Minutes|Mins)?(?:Limit)?")
_MAX = re.compile(r"(Assoc|Association|QOS|)Max([A-Za-z]+?)(?:Minutes|Mins)?(?:Per(User|Account|Job|Node)|)(?:Limit)?")
_MIN = re.compile(r"(Assoc|QOS|)Min([A-Za-z]+?)(?:Per[A-Za-z]+)?(?:Limit)?")


def in_words(reason: str) -> str:
    """`reason` as a person would say it; a code that is not known, as its own words.

    What Slurm adds behind a comma, such as the nodes that are not available, is kept. "" for a job that has none.
    """
    known = _WORDS.get(reason) or _WORDS.get(reason.replace("_", " "))
    if known is not None or not reason:
        return known or ""
    code, comma, rest = reason.partition(",")
    words = _WORDS.get(code) or _limit(code) or _split(code)
    return f"{words} ({rest.strip()})" if words and comma and rest.strip() else words or reason


def _limit(code: str) -> str | None:
    """The words of a code that names a limit of an association or a QOS."""
    found = _GRP.fullmatch(code)
    if found:
        of_time = " over time" if found[3] else ""
        return f"{_OWNERS[found[1]]} uses all the {_thing(found[2])} that it may{of_time}"
    found = _MAX.fullmatch(code)
    if found and (found[1] or found[3]):
        each = {"User": "its user", "Account": "its account"}.get(found[3] or "")
        of_whom = f" under {_OWNERS[found[1]]}" if found[1] else ""
        if each:
            return f"{each} uses all the {_thing(found[2])} allowed{of_whom}"
        if _thing(found[2]) == "jobs" and not found[3]:
            return f"{_OWNERS[found[1]]} runs as many jobs as it may"
        per = f" for {_OWNERS[found[3]]}" if found[3] else ""
        return f"asks for more {_thing(found[2])} than {_OWNERS.get(found[1], 'a limit')} allows{per}"
    found = _MIN.fullmatch(code)
    if found and found[1]:
        return f"asks for fewer {_thing(found[2])} than {_OWNERS[found[1]]} demands"
    return None


def _thing(word: str) -> str:
    return _THINGS.get(word) or _THINGS.get(word.rstrip("s")) or _split(word)


def _split(code: str) -> str:
    """CamelCase as words: "NodeFailure" -> "node failure"; a text with blanks stays as it is."""
    if not re.fullmatch(r"[A-Za-z]+", code):
        return code
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", code)
    return " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in words)
