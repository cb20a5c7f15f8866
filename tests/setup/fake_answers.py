"""What the probe would say on a machine in memory, in the probe's own words, so that they are read as real ones."""

from __future__ import annotations

import base64
import json
import re
import shlex
import time
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from gpumon_setup.facts import MADE
from gpumon_setup.host import digest_of

if TYPE_CHECKING:
    from setup.fake_host import FakeContainer, FakeHost

LOOKS = ("FILES", "CONTENTS", "UNITS", "PACKAGES", "OFFERS")
_OS = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_ID="13"\nID=debian\n'


def answered(host: FakeHost, script: str) -> str:
    """The answer to a script of the facts."""
    told = dict(_assignments(script))
    token = told["T"]
    looks = {name: set(told[name].split()) for name in LOOKS}
    sections = dict(_state(host, looks)) if "NAMES" not in told else dict(_facts(host, told["NAMES"].split(), looks))
    sections.update(host.sections)
    return "".join(f"\n{token} {name}\n{content}" for name, content in sections.items())


def _assignments(script: str) -> Iterator[tuple[str, str]]:
    for match in re.finditer(rf"^(T|NAMES|{'|'.join(LOOKS)})=(.*)$", script, re.MULTILINE):
        if "$" not in match[2]:  # the probe adds to them itself
            yield match[1], "".join(shlex.split(match[2]))


def _facts(host: FakeHost, names: Iterable[str], looks: dict[str, set[str]]) -> Iterator[tuple[str, str]]:
    yield "machine", f"{host.name} 6.12.0 x86_64\n"
    yield "os", _OS
    yield "python", "Python 3.13.5\n"
    yield "addresses", f"2: eth0    inet {host.address}/24 brd 10.77.0.255 scope global eth0\n"
    yield "ports", 'LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=7,fd=3))\n'
    yield "disks", "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 100000000 1 90000000 1% /\n"
    yield "commands", "apt-get /usr/bin/apt-get\nscontrol /usr/bin/scontrol\nsinfo /usr/bin/sinfo\n"
    yield "systemd", "yes\n"
    yield "pci", "0000:65:00.0\n" * host.gpus
    yield "slurm", "slurmd\n"
    yield "steps", "".join(f"{number} slurmstepd: [{step}]\n" for number, step in enumerate(host.job_steps, 400))
    yield "names", "".join(map(partial(_name, host), names))
    made = [(path, file.content or b"") for path, file in host.files.items() if path.startswith(f"{MADE}/")]
    yield "made", "".join(content.decode() for _, content in made)
    shared: list[str] = []
    for _, content in made:
        record: dict[str, str] = json.loads(content)
        files = dict.fromkeys(("file", "directory", "secret"), "FILES")
        target = {**files, "block": "CONTENTS", "unit": "UNITS", "package": "PACKAGES"}
        if "/90-gpumon-" in record["key"]:
            folder = record["key"].rpartition("/")[0]
            shared += [path for path in host.files if path.startswith(f"{folder}/")]
        if record["kind"] in target:
            looks[target[record["kind"]]].add(record["key"].partition("#")[0])
    yield "shared", "\n".join(shared)
    yield from _state(host, looks)
    if host.gpus:
        yield "gpus", "".join(f"{n}, GPU-{n:08x}, NVIDIA H100, 570.1, Disabled\n" for n in range(host.gpus))
        yield "gpus.code", "0\n"
        yield "toolkit", "yes\n"
        yield "cdi", "/etc/cdi/nvidia.yaml\n"
    if host.has_docker:
        yield "docker", '{"ServerVersion":"28.5.2","Runtimes":{"runc":{}}}\n'
        yield "docker.ps", "".join(_container(name, container) for name, container in host.containers.items())
        yield "docker.images", "".join(f"{image}\tsha256:{digest_of(image.encode())}\n" for image in host.images)
    if host.has_podman:
        yield "podman", "podman version 5.4.2\n"
        yield "podman.images", "".join(f"{image}\tsha256:{digest_of(image.encode())}\n" for image in host.images)
    yield "clock", f"{time.time():.6f}\n"


def _name(host: FakeHost, name: str) -> str:
    address = host.resolved.get(name)
    return f"name {name}\n" + (f"{address}  STREAM {name}\n{address}  DGRAM\n" if address else "")


def _container(name: str, container: FakeContainer) -> str:
    state = "running" if container.is_running else "exited"
    marks = (container.labels.get("io.gpumon.spec", ""), container.labels.get("io.gpumon.managed", ""))
    return "\t".join((name, state, container.image, *marks)) + "\n"


def _state(host: FakeHost, looks: dict[str, set[str]]) -> Iterator[tuple[str, str]]:
    kinds = (("file", looks["FILES"] | looks["CONTENTS"]), ("unit", looks["UNITS"]), ("package", looks["PACKAGES"]),
             ("offer", looks["OFFERS"]))  # fmt: skip
    yield "asked", "".join(f"{kind} {name}\n" for kind, names in kinds for name in names)
    if host.archive is not None:
        yield "offers", "".join(f"{name}:\n  Candidate: 1.0\n" for name in looks["OFFERS"] & host.archive)
    yield "files", "".join(_file_lines(host, looks["FILES"] | looks["CONTENTS"]))
    for path in looks["CONTENTS"]:
        file = host.files.get(path)
        if file is not None and file.content is not None:
            yield f"content {path}", base64.encodebytes(file.content).decode()
    yield "units", "\n".join(_unit(host, name) for name in looks["UNITS"])
    there = looks["PACKAGES"] & host.packages.keys()
    yield "packages", "".join(f"{name} {host.packages[name]} installed\n" for name in there)
    yield "end", ""


def _file_lines(host: FakeHost, paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        file = host.files.get(path)
        if file is None:
            continue
        yield f"is {file.mode:o} {file.owner} {'0:0' if file.owner == 'root:root' else file.owner} {path}\n"
        if file.content is not None:
            yield f"{digest_of(file.content)}  {path}\n"


def _unit(host: FakeHost, name: str) -> str:
    unit = host.units.get(name)
    file = host.files.get(f"/etc/systemd/system/{name}")
    is_loaded = unit is not None or file is not None
    is_outdated = unit is not None and file is not None and unit.read not in ("", digest_of(file.content or b""))
    return (
        f"Id={name}\nNames={name}\nLoadState={'loaded' if is_loaded else 'not-found'}\n"
        f"ActiveState={'active' if unit is not None and unit.is_active else 'inactive'}\n"
        f"UnitFileState={'enabled' if unit is not None and unit.is_enabled else 'disabled'}\n"
        f"NeedDaemonReload={'yes' if is_outdated else 'no'}\n"
    )
