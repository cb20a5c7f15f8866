"""Who does the same work on the same machines: gpumon, a plain script with paramiko, pyinfra, Ansible well tuned."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from eight_machines import EightMachines
from lab.hosts import LabHost

HERE = Path(__file__).parent
TASKS = HERE / "setup_tasks"
VENV = HERE.parent / ".cache" / "rivals"
GPUMON = Path(sys.executable).parent / "gpumon"
WITHOUT = ("hosts", "slurm_exporter", "gpu_map", "firewall", "grafana")
"""Of the stack, what is left away here: exporters and Prometheus are as much as one writes by hand for a comparison."""
SIZE = "--storage.tsdb.retention.size="
"""A flag of Prometheus that gpumon chooses by the machine's disk."""
CONTROL = "-o ControlMaster=auto -o ControlPersist=60s"
"""A second run within a minute finds Ansible's connections open, as for whoever works with it."""


@dataclass(frozen=True)
class Contestant:
    """One of them, for one piece of work."""

    name: str
    argv: Callable[[Sequence[LabHost]], list[str]]
    """What is typed for these machines."""
    hang_up: Callable[[], None] = lambda: None
    """Closes what it leaves open for its next run."""


def install_rivals() -> None:
    """Once, and again when the versions are others; gpumon depends on none of them."""
    wanted = (TASKS / "rivals.txt").read_text()
    noted = VENV / "rivals.txt"
    if noted.exists() and noted.read_text() == wanted:
        return
    print(f"installing Ansible and pyinfra into {VENV} ...", flush=True)
    venv.create(VENV, clear=True, with_pip=True)
    pip = (VENV / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    free = {name: value for name, value in os.environ.items() if name not in ("PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT")}
    subprocess.run([*pip, "--requirement", TASKS / "rivals.txt"], env=free, check=True)
    noted.write_text(wanted)


def of_the_beacon(ground: EightMachines) -> tuple[Contestant, ...]:
    """One file's content, and one unit that runs."""
    ours = (sys.executable, str(HERE / "setup_ours.py"), "--yes")
    floor = (sys.executable, str(HERE / "setup_floor.py"), str(ground.lab.key), str(ground.lab.known_hosts))
    return (
        Contestant("gpumon", lambda hosts: ground.argv(*ours, *_configuration(ground, hosts))),
        Contestant("floor", lambda hosts: ground.argv(*floor, *(host.address for host in hosts))),
        _pyinfra(ground, "beacon.py"),
        _ansible(ground, "beacon.yml"),
    )


def of_the_stack(ground: EightMachines) -> tuple[Contestant, ...]:
    """node_exporter, dcgm-exporter and Prometheus."""
    ours = (str(GPUMON), "setup", "--yes")
    return (
        Contestant("gpumon", lambda hosts: ground.argv(*ours, *_configuration(ground, hosts, WITHOUT))),
        _pyinfra(ground, "stack.py"),
        _ansible(ground, "stack.yml"),
    )


def keep_what_was_made(ground: EightMachines, hosts: Sequence[LabHost]) -> None:
    """Reads what gpumon wrote on machines, so that the others write the same."""
    folder = _folder(ground, hosts)
    for host in hosts[:2]:
        for path in host.root("find /etc/gpumon -type f").split():
            kept = folder / "sources" / Path(path).relative_to("/etc/gpumon")
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(host.read(path) or b"")
    flags = hosts[0].root("docker inspect -f '{{join .Args \"\\n\"}}' gpumon-prometheus").split()
    (folder / "size").write_text(next((flag for flag in flags if flag.startswith(SIZE)), ""))


def _pyinfra(ground: EightMachines, tasks: str) -> Contestant:
    command = (str(VENV / "bin" / "pyinfra"), "-y")
    ssh = ("--data", f"ssh_config_file={ground.lab.ssh_config}")

    def argv(hosts: Sequence[LabHost]) -> list[str]:
        folder = _folder(ground, hosts)
        groups = {
            "master": [(host.name, _about(folder, host)) for host in hosts[:1]],
            "gpu": [(host.name, _about(folder, host)) for host in hosts[1:]],
        }
        inventory = folder / "hosts.py"
        inventory.write_text("".join(f"{name} = {members!r}\n" for name, members in groups.items()))
        return ground.argv(*command, *ssh, str(inventory), str(TASKS / tasks))

    return Contestant("pyinfra", argv)


def _ansible(ground: EightMachines, tasks: str) -> Contestant:
    sockets = ground.folder / "ssh"
    environment = (
        "env",
        f"ANSIBLE_CONFIG={TASKS / 'ansible.cfg'}",
        f"ANSIBLE_SSH_ARGS=-F {ground.lab.ssh_config} {CONTROL}",
        f"ANSIBLE_SSH_CONTROL_PATH_DIR={sockets}",
    )
    command = (str(VENV / "bin" / "ansible-playbook"), str(TASKS / tasks), "-i")

    def argv(hosts: Sequence[LabHost]) -> list[str]:
        folder = _folder(ground, hosts)
        lines = {
            host.name: " ".join(f"{key}='{value}'" for key, value in _about(folder, host).items()) for host in hosts
        }
        told = [f"{name} {about}\n" for name, about in lines.items()]
        inventory = folder / "hosts.ini"
        inventory.write_text("".join(("[master]\n", *told[:1], "[gpu]\n", *told[1:])))
        return ground.argv(*environment, *command, str(inventory))

    def hang_up() -> None:
        for socket in sockets.glob("*"):
            subprocess.run(["ssh", "-O", "exit", "-o", f"ControlPath={socket}", "x"], capture_output=True, check=False)

    return Contestant("Ansible", argv, hang_up)


def _folder(ground: EightMachines, hosts: Sequence[LabHost]) -> Path:
    """What is written for so many machines."""
    folder = ground.folder / f"{len(hosts)}"
    folder.mkdir(exist_ok=True)
    return folder


def _about(folder: Path, host: LabHost) -> dict[str, str]:
    size = folder / "size"
    return {
        "address": host.address,
        "sources": str(folder / "sources"),
        "size": size.read_text() if size.exists() else "",
    }


def _configuration(ground: EightMachines, hosts: Sequence[LabHost], without: Sequence[str] = ()) -> tuple[str, ...]:
    """The flags that name gpumon's configuration."""
    file = _folder(ground, hosts) / "config.toml"
    told = {"master": hosts[0].name, "nodes": [host.name for host in hosts[1:]], "without": list(without)}
    file.write_text("".join(("[setup]\n", *(f"{key} = {json.dumps(value)}\n" for key, value in told.items()))))
    return "--config", str(file)
