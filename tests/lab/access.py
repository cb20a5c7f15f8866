"""The administrator's seat: an ssh configuration that knows every machine and its key, ways to run programs there."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Generator, Sequence
from pathlib import Path

from lab import keys
from lab.failures import LabFailed
from lab.network import SEATS
from lab.places import Places
from lab.plan import Machine

CLONE_NEWNET = 0x40000000
SEATED = "GPUMON_LAB_SEAT"
"""Tells programs on the seat, and the lab's own command among them, that they are there."""
WITH_ITS_DNS = 'mount --make-rprivate /; mount --bind "$0" /etc/resolv.conf; exec "$@"'
EVERY_MACHINE = """\
Host *
  User ops
  IdentityFile {key}
  IdentitiesOnly yes
  StrictHostKeyChecking yes
  UserKnownHostsFile {known_hosts}
  ConnectTimeout 5
  BatchMode yes
  LogLevel ERROR
"""


def write(lab: Places, machines: Sequence[Machine]) -> None:
    """The files that the seat has: ssh_config, known_hosts, resolv.conf."""
    lines = [line for each in machines for line in keys.known_host_lines(lab, each.name, each.address)]
    (lab.run / "known_hosts").write_text("".join(f"{line}\n" for line in lines))
    hosts = "".join(f"Host {each.name}\n  HostName {each.address}\n" for each in machines)
    every = EVERY_MACHINE.format(key=keys.user_key(lab), known_hosts=lab.run / "known_hosts")
    (lab.run / "ssh_config").write_text(hosts + every)
    (lab.run / "resolv.conf").write_text(f"nameserver {SEATS['svc']}\n")


def command(lab: Places, argv: Sequence[str]) -> list[str]:
    """What to run for `argv` to run on the seat, with the lab's network and DNS and all else as it is here.

    Raises:
        LabFailed: no lab is up.
    """
    namespace = Path("/run/netns", lab.namespace("ctl"))
    if not namespace.exists():
        raise LabFailed("No lab is up.")
    if os.environ.get(SEATED) == lab.name:
        return list(argv)
    enter = ["nsenter", f"--net={namespace}", "unshare", "--mount"]
    told = ["env", f"{SEATED}={lab.name}", *argv]
    return [*enter, "sh", "-euc", WITH_ITS_DNS, str(lab.run / "resolv.conf"), *told]


def ssh(lab: Places, where: str, words: Sequence[str]) -> list[str]:
    """The command that opens [USER@]MACHINE by ssh from the seat."""
    user, _, machine = where.rpartition("@")
    as_user = ["-l", user] if user else []
    return command(lab, ["ssh", "-F", str(lab.run / "ssh_config"), *as_user, machine, *words])


@contextlib.contextmanager
def seated(lab: Places) -> Generator[None]:
    """Moves this thread, and the threads it starts, onto the lab's network, and back.

    Raises:
        LabFailed: no lab is up.
    """
    namespace = Path("/run/netns", lab.namespace("ctl"))
    if not namespace.exists():
        raise LabFailed("No lab is up.")
    with Path("/proc/thread-self/ns/net").open() as home:
        with namespace.open() as away:
            _enter(away.fileno())
        try:
            yield
        finally:
            _enter(home.fileno())


def _enter(namespace: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(namespace, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
