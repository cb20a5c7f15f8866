"""One machine's facts: asked in one round trip, read here."""

from __future__ import annotations

import ipaddress
import json
import re
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files as package_files
from typing import Any, cast

from gpumon.text import shown
from gpumon_setup.facts import state_reading
from gpumon_setup.facts.gpu_reading import gpus
from gpumon_setup.facts.model import Disk, Engine, Facts, Firewall, Port, Slurm
from gpumon_setup.facts.sections import parted
from gpumon_setup.facts.state import Look, State
from gpumon_setup.failures import StrangeAnswer
from gpumon_setup.host import Host
from gpumon_setup.host import script as scripts
from gpumon_setup.host.script import quoted

USUAL = Look(packages=frozenset({"prometheus"}))
"""What is looked at beside all that a machine's own records name: components say by it what they want."""
_BRIDGES = re.compile(r"docker|br-|cni|podman|virbr|veth|flannel|cali|lo$")
_SECONDS = 90.0
_SECTION = r"""section() { printf '\n%s %s\n' "$T" "$*"; }"""


def read_facts(host: Host, *, names: Sequence[str] = (), look: Look = USUAL) -> Facts:
    """Everything about a machine; `names` are to be resolved there, and `look` is looked at.

    Raises:
        StrangeAnswer: it does not answer like a Linux machine.
        HostError: it cannot be asked.
    """
    token = secrets.token_hex(16)
    outcome = host.run_script(facts_script(token, names, look), seconds=_SECONDS)
    ended = time.time()
    sections = parted(outcome.out, token)
    if "clock" not in sections:
        said = shown(" ".join(outcome.err.decode("utf-8", "replace").split()) or "nothing", 200)
        raise StrangeAnswer(host.name, f"asked what kind of machine it is, it said {said}.")
    return _facts(sections, ended)


def read_state(host: Host, look: Look) -> State:
    """The state of more things; raises as `read_facts` does."""
    token = secrets.token_hex(16)
    head = f"T={token}\n{_SECTION}\n{_looking(look)}"
    script = "\n".join((head, _text("look.sh"), "section end"))
    outcome = host.run_script(script, seconds=_SECONDS)
    sections = parted(outcome.out, token)
    if "end" not in sections:
        raise StrangeAnswer(host.name, "it did not say how its files and units are.")
    return _state(sections)


def facts_script(token: str, names: Sequence[str], look: Look) -> str:
    """The whole question."""
    settings = f"T={token}\nWORK={quoted(scripts.WORK)}\nNAMES={quoted(' '.join(sorted(names)))}"
    head = f"{settings}\n{_SECTION}\n{_looking(look)}"
    return "\n".join((head, _text("probe.sh"), _text("look.sh"), _text("waited.sh")))


def _looking(look: Look) -> str:
    parts = (
        *(("FILES", look.files), ("CONTENTS", look.contents), ("UNITS", look.units)),
        *(("PACKAGES", look.packages), ("OFFERS", look.offers)),
    )
    return "\n".join(f"{name}={quoted(' '.join(sorted(words)))}" for name, words in parts)


@cache
def _text(name: str) -> str:
    return (package_files("gpumon_setup.facts") / name).read_text("utf-8")


def _facts(sections: Mapping[str, str], ended: float) -> Facts:
    os_release = dict(_assignments(sections.get("os", "")))
    machine = [*sections.get("machine", "").split(), "", "", ""]
    os_id = os_release.get("ID", "")
    python = re.search(r"Python ([0-9]+)\.([0-9]+)\.([0-9]+)", sections.get("python", ""))
    return Facts(
        hostname=machine[0],
        architecture=machine[2],
        kernel=machine[1],
        os_id=os_id,
        os_version=os_release.get("VERSION_ID", ""),
        os_like=(os_id, *os_release.get("ID_LIKE", "").split()),
        os_name=os_release.get("PRETTY_NAME", "") or "an unknown system",
        python=tuple(map(int, python.groups())) if python else None,
        clock_offset_seconds=_offset(sections, ended),
        has_systemd=bool(sections.get("systemd", "").strip()),
        commands=dict(line.split(" ", 1) for line in sections.get("commands", "").splitlines() if " " in line),
        engines=tuple(_engines(sections)),
        gpus=gpus(sections),
        slurm=_slurm(sections),
        addresses=tuple(_addresses(sections.get("addresses", ""))),
        resolved=_resolved(sections.get("names", "")),
        ports=tuple(_ports(sections.get("ports", ""))),
        disks=tuple(dict.fromkeys(_disks(sections.get("disks", "")))),
        firewalls=tuple(_firewalls(sections)),
        product=sections.get("product", "").strip(),
        worker=sections.get("work", "").strip(),
        state=_state(sections),
    )  # fmt: skip


def _state(sections: Mapping[str, str]) -> State:
    return State(
        files=state_reading.files(sections),
        units=state_reading.units(sections),
        packages=state_reading.packages(sections),
        offered=state_reading.offered(sections),
        containers=state_reading.containers(sections),
        images=state_reading.images(sections),
        made=state_reading.made(sections),
        shared=frozenset(sections.get("shared", "").splitlines()),
    )


def _resolved(text: str) -> dict[str, tuple[str, ...]]:
    """Addresses by name, from the words of getent, in its order."""
    found: dict[str, tuple[str, ...]] = {}
    name = ""
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["name"]:
            name = words[1]
            found[name] = ()
        elif "STREAM" in words and words[0] not in found[name]:
            found[name] = (*found[name], words[0])
    return found


def _offset(sections: Mapping[str, str], ended: float) -> float | None:
    """The remote clock's lead by its last word: that needs only its way here, while the first waited for a login."""
    try:
        return float(sections["clock"]) - ended
    except (KeyError, ValueError):
        return None


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, separator, value = line.partition("=")
        if separator:
            yield name.strip(), value.strip().strip("\"'")


def _engines(sections: Mapping[str, str]) -> Iterator[Engine]:
    if {"docker", "docker.info", "docker.err"} & sections.keys():
        told = _object(sections.get("docker.info") or sections.get("docker", ""))
        version = str(told.get("ServerVersion") or "")
        complaint = " ".join(sections.get("docker.err", "").split()) or "its daemon does not answer"
        devices = cast("list[Mapping[str, str]]", told.get("DiscoveredDevices") or [])
        yield Engine(
            "docker",
            version,
            "" if version else shown(complaint, 200),
            "nvidia" in cast("Mapping[str, object]", told.get("Runtimes") or {}),
            tuple(device.get("ID", "") for device in devices),
        )
    if match := re.search(r"version (\S+)", sections.get("podman", "")):
        yield Engine("podman", match[1])


def _slurm(sections: Mapping[str, str]) -> Slurm:
    found = re.search(r"slurm\S* ([0-9][0-9.]+)", sections.get("slurm-version", ""))
    nodes, jobs, conf = (sections.get(f"slurm.{name}") for name in ("nodes", "jobs", "conf"))
    metrics = re.fullmatch(r"([0-9]+) 200\s*", sections.get("slurm.metrics", ""))
    return Slurm(
        daemons=frozenset(sections.get("slurm", "").split()),
        version=found[1] if found else None,
        steps=tuple(re.findall(r"slurmstepd: \[([^\]]+)\]", sections.get("steps", ""))),
        node_gpus=None if not nodes else {name: count for name, count in map(_node_gpus, nodes.splitlines()) if name},
        node_jobs=None if not nodes or jobs is None else tuple(
            (job, where) for job, _, where in (line.partition("|") for line in jobs.splitlines()) if where
        ),
        metrics_port=int(metrics[1]) if metrics else None,
        prologs=_programs(conf, "Prolog"),
        epilogs=_programs(conf, "Epilog"),
    )  # fmt: skip


def _programs(conf: str | None, name: str) -> tuple[str, ...] | None:
    """What a key of slurm.conf names, from `scontrol show config`: one line, or since 24.11 one for each."""
    if not conf:
        return None
    found = re.findall(rf"^{name}(?:\[[0-9]+\])?\s+= (\S+)", conf, re.MULTILINE)
    return tuple(path for path in found if path != "(null)")


def _node_gpus(line: str) -> tuple[str, int]:
    """A node's name and its GPUs, from a line of `scontrol -o show nodes`."""
    name = re.match(r"NodeName=(\S+)", line)
    gres = re.search(r" Gres=(\S+)", line)
    counts = re.findall(r"(?:^|,)gpu(?::[^:,(]+)?:([0-9]+)", re.sub(r"\([^)]*\)", "", gres[1])) if gres else []
    return name[1] if name else "", sum(map(int, counts))


def _addresses(text: str) -> Iterator[ipaddress.IPv4Interface | ipaddress.IPv6Interface]:
    for line in text.splitlines():
        words = line.split()
        if len(words) > 3 and words[2] in ("inet", "inet6") and not _BRIDGES.match(words[1]):
            try:
                yield ipaddress.ip_interface(words[3])
            except ValueError:
                continue


def _ports(text: str) -> Iterator[Port]:
    for line in text.splitlines():
        words = line.split(None, 5)
        if len(words) < 5 or words[0] != "LISTEN":
            continue
        address, _, port = words[3].rpartition(":")
        who = re.search(r'\(\("([^"]*)",pid=([0-9]+)', words[5]) if len(words) > 5 else None
        if port.isdigit():
            yield Port(address.partition("%")[0], int(port), f"{who[1]} (pid {who[2]})" if who else "")


def _disks(text: str) -> Iterator[Disk]:
    for line in text.splitlines()[1:]:
        words = line.split(None, 5)
        if len(words) == 6 and words[1].isdigit() and words[3].isdigit():
            yield Disk(words[5], int(words[1]) * 1024, int(words[3]) * 1024)


def _firewalls(sections: Mapping[str, str]) -> Iterator[Firewall]:
    """Those in force; rules of nftables only where no other firewall wrote them."""
    ufw, zones, rules = (sections.get(name, "") for name in ("ufw", "firewalld", "nftables"))
    is_ufw_on = re.search(r"^ENABLED=yes", ufw, re.MULTILINE) is not None
    if is_ufw_on:
        yield Firewall("ufw", ufw)
    if zones:
        yield Firewall("firewalld", zones)
    if "hook input" in rules and not is_ufw_on and not zones:
        yield Firewall("nftables", rules, _kept_in(sections.get("nftables.unit", "")))


def _kept_in(unit: str) -> str:
    """The file that nftables.service reads, where that starts at boot."""
    found = re.search(r"argv\[\]=\S*nft -f (\S+)", unit)
    return found[1] if found and "UnitFileState=enabled" in unit else ""


def _object(text: str) -> Mapping[str, Any]:
    try:
        told: object = json.loads(text or "{}")
    except ValueError:
        return {}
    return cast("Mapping[str, Any]", told) if isinstance(told, dict) else {}
