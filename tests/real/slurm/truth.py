"""What Slurm itself says, read from the texts of scontrol and others, and never through what is tested here."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from slurm_site.site import SlurmSite

Fields = Mapping[str, str]
"""KEY -> value of one record of scontrol."""
PASSING = r" (RunTime|CPULoad|FreeMem|LastSchedEval|AccrueTime|LastBusyTime|Scheduler)=\S*"
"""What changes while nothing happens."""


@dataclass(frozen=True)
class Held:
    """GPUs of one kind that a job holds on one node."""

    node: str
    gres: str
    """gpu or shard."""
    type: str
    count: int
    indices: tuple[int, ...]


@dataclass(frozen=True)
class Job:
    """One record of `scontrol -d show job`."""

    fields: Fields
    name: str
    held: tuple[Held, ...]

    def __getitem__(self, key: str) -> str:
        """A field; empty when Slurm has nothing to say there."""
        return plain(self.fields.get(key, ""))

    @property
    def tasks(self) -> int:
        """How many jobs it is: a waiting array is one record."""
        is_array = self["JobState"] == "PENDING" and self["ArrayTaskId"]
        return len(numbers(self["ArrayTaskId"].partition("%")[0])) if is_array else 1

    @property
    def user(self) -> str:
        """Who submitted it."""
        return self["UserId"].partition("(")[0]

    @property
    def tres(self) -> Fields:
        """What it holds or asks for."""
        return tres(self["AllocTRES"] or self["ReqTRES"] or self["TRES"])

    @property
    def gpus(self) -> int:
        """GPUs and slices."""
        return int(self.tres.get("gres/gpu", 0))


@dataclass(frozen=True, repr=False)
class Truth:
    """All answers of one moment."""

    jobs: Sequence[Job]
    nodes: Sequence[Fields]
    partitions: Sequence[Fields]
    reservations: Sequence[Fields]
    reasons: Fields
    """Slurm's word for why a job waits, by its number: scontrol may have a sentence there."""
    texts: Fields
    """Answers of other commands by their name."""

    @cached_property
    def live(self) -> Sequence[Job]:
        """Jobs that have not ended."""
        return [job for job in self.jobs if job["JobState"] in ("PENDING", "RUNNING", "SUSPENDED", "COMPLETING")]


TEXTS = {
    "node cpus": ("sinfo", "-a", "-h", "-N", "-o", "%N|%T|%C"),
    "partition cpus": ("sinfo", "-a", "-h", "-o", "%R|%C"),
    "cpus": ("sinfo", "-a", "-h", "-o", "%C"),
    "shares": ("sshare", "-a", "-h", "-P", "-o", "Account,User,FairShare"),
    "accounting": (
        "sacct",
        "-a",
        "-X",
        "-n",
        "-P",
        "-S",
        "now-1hour",
        "-o",
        "JobIDRaw,User,Account,Partition,State,ExitCode,End",
    ),
}


def read(site: SlurmSite, names: Mapping[str, str]) -> Truth:
    """Asks Slurm; `names` are those that jobs were given, by their numbers, since some names look like records."""
    return Truth(
        jobs=jobs(site, names),
        nodes=_records(site, "-d", "show", "node"),
        partitions=_records(site, "show", "partition"),
        reservations=_records(site, "show", "reservation"),
        reasons=_reasons(site),
        texts={name: site.run(*command) for name, command in TEXTS.items()},
    )


def _records(site: SlurmSite, *words: str) -> list[Fields]:
    return [fields(line) for line in site.run("scontrol", "-o", *words).splitlines() if line.strip()]


def _reasons(site: SlurmSite) -> Fields:
    found = json.loads(site.run("squeue", "-a", "--json"))["jobs"]
    return {str(job["job_id"]): job["state_reason"] for job in found}


def jobs(site: SlurmSite, names: Mapping[str, str], *number: str) -> list[Job]:
    """All jobs, or one."""
    text = site.run("scontrol", "-o", "-d", "show", "job", *number)
    for token, name in sorted(names.items(), key=lambda item: -len(item[1])):
        text = text.replace(f" JobName={name} ", f" JobName={token} ")
    text = re.sub(r" SubmitLine=.*? WorkDir=", " WorkDir=", text, flags=re.DOTALL)
    return [_job(site, line, names) for line in text.split("\n") if line.strip()]


def _job(site: SlurmSite, line: str, names: Mapping[str, str]) -> Job:
    told = fields(line)
    found = re.findall(r" Nodes=(\S+) CPU_IDs=\S+ Mem=\S+ GRES=(\S*)", line)
    held = [_held(node, gres) for nodes, all_gres in found for node in hosts(site, nodes) for gres in _parts(all_gres)]
    return Job(told, names[told["JobName"]], tuple(held))


def _parts(gres: str) -> list[str]:
    return re.findall(r"[^,(]+\([^)]*\)", gres)


def _held(node: str, gres: str) -> Held:
    found = re.fullmatch(r"([a-z]+):?(.*):(\d+)\(([^)]*)\)", gres)
    assert found, gres
    name, type_, count, places = found.groups()
    return Held(node, name, type_, int(count), tuple(cards(places)))


def hosts(site: SlurmSite, nodes: str) -> list[str]:
    """The names of a hostlist, as Slurm expands it."""
    return site.run("scontrol", "show", "hostnames", nodes).split() if "[" in nodes or "," in nodes else [nodes]


def fields(line: str) -> Fields:
    """One record of `scontrol -o`; the first of two equal keys counts."""
    found = re.split(r"(?:^|\s)([A-Z][A-Za-z0-9/:]*)=", f" {re.sub(PASSING, '', line)} ")[1:]
    return {key: value.strip() for key, value in reversed([*zip(found[::2], found[1::2], strict=True)])}


def tres(text: str) -> Fields:
    """cpu=4,gres/gpu=2 as a table."""
    return dict(one.split("=") for one in text.split(",") if one)


def plain(value: str) -> str:
    """A value without Slurm's words for nothing."""
    return "" if value in ("(null)", "N/A", "None", "Unknown", "UNLIMITED", "NONE") else value


def numbers(ranges: str) -> list[int]:
    """1-3,7,10-20:5 one by one."""
    found: list[int] = []
    for part in filter(None, ranges.split(",")):
        span, _, step = part.partition(":")
        first, _, last = span.partition("-")
        found += range(int(first), int(last or first) + 1, int(step or 1))
    return found


def cards(places: str) -> list[int]:
    """IDX:0-1, or shards card by card since 23.11: 0/4,3/4,-/4."""
    if places.startswith("IDX:"):
        return [] if places == "IDX:N/A" else numbers(places.removeprefix("IDX:"))
    shares = [share.partition("/")[0] for share in places.split(",")]
    return [index for index, share in enumerate(shares) if share.isdigit() and int(share)]


def seconds(text: str) -> float | None:
    """1-02:03:04 in seconds; None when unlimited or not set."""
    if not plain(text):
        return None
    days, _, clock = text.rpartition("-")
    hours, minutes, rest = map(int, clock.split(":"))
    return int(days or 0) * 86400 + hours * 3600 + minutes * 60 + rest


def size(text: str) -> float:
    """4000M or 128G in bytes."""
    units = {"M": 2**20, "G": 2**30, "T": 2**40}
    return float(text[:-1]) * units[text[-1]] if text[-1] in units else float(text) * 2**20
