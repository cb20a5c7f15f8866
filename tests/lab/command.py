"""A throw-away cluster of real machines on one Linux machine, for testing gpumon.

Each node boots real systemd as PID 1 from a Debian root file system in namespaces of its own, with its own sshd, sudo,
dockerd, journald and ufw. No virtual machine, no outer docker, no systemd on this machine. It needs root, a Debian or
Ubuntu, and the packages that `lab deps` prints.

  lab up [MACHINES]     build what is missing and start a master and nodes node1, node2 ... (3 machines)
  lab down              end and remove everything; what was built stays
  lab status            one line a machine
  lab ssh NODE [CMD..]  ssh as `ops`; as another user by USER@NODE
  lab exec CMD..        run CMD at the administrator's seat, on the lab's network
  lab cut|heal NODE     pull, plug in its network cable; `svc` is the seat of the registry, DNS and packages
  lab reboot NODE       in order, until it is up again
  lab crash NODE        a power cut; `lab start NODE` boots it again
  lab stop|start NODE   power off in order, power on
  lab root NODE CMD..   run CMD as root inside, past ssh and network
  lab build             only make what clusters are made of; --force makes it all anew
  lab images            what the registry has
  lab deps              the Debian packages that this machine must have

The network exists in namespaces only: 10.77.0.1 the administrator's seat, 10.77.0.2 registry, DNS and packages,
10.77.0.10 the master, 10.77.0.11 node1 ... The machine itself has no way to it: programs get there by `lab exec`.
`docker pull` and `podman pull` work for every image of `lab images` by its real name. Machines' names are in no DNS and
no /etc/hosts: entering them is gpumon's business.

Users: ops (sudo without a password), admin (sudo asks), plain (no sudo); password labpw; one key opens all three.

Environment: GPUMON_LAB_SUITE is the Debian release where none is named; GPUMON_LAB_DIR (/var/cache/gpumon-lab) holds
what was built and what runs, on ext4 or xfs; GPUMON_LAB_RUN puts what runs elsewhere, such as a tmpfs; GPUMON_LAB_NAME
tells labs apart that run at once; GPUMON_LAB_DEBIAN is a Debian archive for where apt has none; GPUMON_LAB_SYSCTL=1
allows to raise the inotify limit for over 10 machines.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence

from lab import access, flavors, ground, keys, network
from lab.archive import NEWEST, OLDEST
from lab.cluster import Cluster
from lab.failures import LabFailed
from lab.images.build import images
from lab.places import places
from lab.plan import Plan

NOT_SEATED = ("up", "down", "build")
"""They mount, and mounts made at the seat do not reach the machine."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="lab", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name in ("up", "build"):
        verb = verbs.add_parser(name)
        verb.add_argument("machines", type=int, nargs="?", default=3)
        verb.add_argument("--suite", default=Plan().suite, help=f"Debian release ({NEWEST}; {OLDEST} is the oldest)")
        verb.add_argument(
            "--flavor", action="append", default=[], metavar="[NODE=]FLAVOR", help=", ".join(flavors.NAMES)
        )
        verb.add_argument("--gpus", type=int, default=0, help="on each node")
        verb.add_argument("--toolkit", choices=["both", "hook", "cdi", "none"], default="both")
        verb.add_argument("--host-engine", action="store_true", help="NVIDIA's runs on nodes with GPUs")
        verb.add_argument("--slurm", action="store_true", help="start it; the flavor becomes slurm")
        verb.add_argument("--cgroup", choices=["v2", "v1"], default="v2", help="v1: limits are enforced")
        verb.add_argument("--gpumon", action="store_true", help="the master has this clone's gpumon")
        verb.add_argument("--preload", action="store_true", help="docker has every image already")
        verb.add_argument("--disk", action="store_true", help="ext4 instead of an overlay")
    verbs.choices["build"].add_argument("--force", action="store_true")
    for name in ("down", "status", "images", "deps"):
        verbs.add_parser(name)
    for name in ("cut", "heal", "reboot", "crash", "start", "stop"):
        verbs.add_parser(name).add_argument("node")
    for name in ("ssh", "root", "exec"):
        verb = verbs.add_parser(name)
        if name != "exec":
            verb.add_argument("node")
        verb.add_argument("words", nargs=argparse.REMAINDER)
    return top


def plan_of(arguments: argparse.Namespace) -> Plan:
    """What `up` and `build` were told."""
    chosen = [word.rpartition("=") for word in arguments.flavor]
    general = [flavor for node, _, flavor in chosen if not node]
    return Plan(
        machines=arguments.machines,
        suite=arguments.suite,
        flavor=general[-1] if general else "slurm" if arguments.slurm else "docker",
        flavors={node: flavor for node, _, flavor in chosen if node},
        gpus=arguments.gpus,
        toolkit=arguments.toolkit,
        has_host_engine=arguments.host_engine,
        is_slurm_on=arguments.slurm,
        cgroups=arguments.cgroup,
        has_gpumon=arguments.gpumon,
        is_preloaded=arguments.preload,
        has_disks=arguments.disk,
    )


def obey(arguments: argparse.Namespace) -> int:
    """Carries one verb out; answers with the exit code."""
    lab = places()
    cluster = Cluster(lab)
    verb: str = arguments.verb
    if verb == "deps":
        print(" ".join(ground.packages()))
        return 0
    ground.look(lab)
    if os.environ.get(access.SEATED) and verb in NOT_SEATED:
        raise LabFailed(f"`lab {verb}` does not work within `lab exec`: its mounts would not reach the machine.")
    if verb == "up":
        cluster.up(plan_of(arguments))
        describe(cluster)
    elif verb == "build":
        if arguments.force:
            cluster.forget()
        cluster.build(plan_of(arguments))
    elif verb == "down":
        cluster.down()
    elif verb == "status":
        show(cluster)
    elif verb == "images":
        print("".join(f"{name}  {digest}\n" for name, digest in images(lab).items()), end="")
    elif verb == "exec":
        become(access.command(lab, arguments.words))
    elif verb == "ssh":
        cluster.node(arguments.node.rpartition("@")[2])
        become(access.ssh(lab, arguments.node, arguments.words))
    elif verb == "root":
        become(cluster.node(arguments.node).command(arguments.words))
    elif verb in ("cut", "heal") and arguments.node == "svc":
        network.plug(lab, "svc", is_in=verb == "heal")
    else:
        getattr(cluster.node(arguments.node), verb)()
    return 0


def become(argv: Sequence[str]) -> None:
    """Leaves this program for another one."""
    sys.stdout.flush()
    os.execvp(argv[0], [*argv])


def show(cluster: Cluster) -> None:
    """One line a machine."""
    for machine in cluster.machines:
        node = cluster.node(machine.name)
        state = node.run("systemctl", "is-system-running").stdout.strip() if node.pid else "off"
        cable = " cut" if node.is_cut else ""
        print(f"{machine.name:10} {machine.address:12} {machine.flavor:7} {state}{cable}")
    if not cluster.machines:
        print("No lab is up.")


def describe(cluster: Cluster) -> None:
    """How to get in, as JSON."""
    lab = cluster.lab
    facts = {
        "ssh_config": str(lab.run / "ssh_config"),
        "known_hosts": str(lab.run / "known_hosts"),
        "key": str(keys.user_key(lab)),
        "password": flavors.PASSWORD,
        "machines": {machine.name: machine.address for machine in cluster.machines},
    }
    print(json.dumps(facts, indent=1))


def main() -> int:
    """Runs the command; a failure is one sentence and exit code 1."""
    try:
        return obey(parser().parse_args())
    except LabFailed as failed:
        print(f"lab: {failed}", file=sys.stderr)
        return 1
