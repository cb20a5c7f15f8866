"""What Slurm's configuration says about itself, and what it keeps from whom."""

from __future__ import annotations

import math
import os
import pwd
import re
from collections.abc import Iterable
from dataclasses import dataclass

from gpumon_exporter.slurm.spelling import count

COMMAND = ("scontrol", "show", "config")

_LINE = re.compile(r"(\w+)\s*=\s*(.*)")
_USER = re.compile(r"(?:.*\()?([0-9]+)\)?")
_KEPT_BACK = ("jobs", "nodes", "partitions", "reservations", "usage")
_MAY_SEE_ALL = ("operator", "administrator")


@dataclass(frozen=True)
class Config:
    """The part of Slurm's configuration that matters here."""

    version: str = ""
    """Empty while it is not known."""
    cluster: str = ""
    private: tuple[str, ...] = ()
    """What is shown to its owner only, of what is read here."""
    slurm_uid: int | None = None
    """The user that slurmctld runs as, who sees everything."""
    min_job_age: float = 0.0
    """Seconds for which slurmctld surely remembers a job that ended; 0 while it is not known."""
    has_accounting: bool = False
    """Whether there is a slurmdbd."""

    @property
    def release(self) -> tuple[int, ...]:
        """The version as numbers."""
        return tuple(int(part) for part in re.findall(r"[0-9]+", self.version)[:3])


def config(text: str) -> Config:
    """Slurm's configuration."""
    told = {found[1]: found[2].strip() for found in map(_LINE.match, text.splitlines()) if found}
    user = _USER.fullmatch(told.get("SlurmUser", ""))
    private = [word.strip() for word in told.get("PrivateData", "").lower().split(",")]
    return Config(
        version=told.get("SLURM_VERSION", ""),
        cluster=told.get("ClusterName", ""),
        private=tuple(word for word in _KEPT_BACK if word in private),
        slurm_uid=int(user[1]) if user else None,
        min_job_age=_min_job_age(told.get("MinJobAge", "")),
        has_accounting=told.get("AccountingStorageType", "").endswith("slurmdbd"),
    )


def _min_job_age(text: str) -> float:
    """Slurm's 0 means that it forgets none."""
    seconds = count(text)
    return 0.0 if seconds is None else seconds or math.inf


def me() -> str:
    """The name of the user that this runs as; its number when it has none."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def rights_command() -> list[str]:
    """The command that says which rights that user has in Slurm."""
    return ["sacctmgr", "-n", "-P", "show", "user", f"name={me()}", "format=AdminLevel"]


def sees_all(told: str) -> bool:
    """Whether the answer to that is a user whom Slurm shows everything."""
    return any(line.strip().lower() in _MAY_SEE_ALL for line in told.splitlines())


def is_above(slurm_uid: int | None) -> bool:
    """Whether this runs as a user from whom Slurm keeps nothing, whatever its configuration."""
    return os.geteuid() in (0, slurm_uid)


def hidden(private: Iterable[str], *, has_strangers: bool) -> tuple[str, ...]:
    """What is kept from a user of whose rights nothing is known: who sees jobs of others may see jobs."""
    return tuple(word for word in private if not (word == "jobs" and has_strangers))
