"""One running machine, as its power supply and console see it: past its network and its sshd."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence

from lab import cgroups, network, processes
from lab.failures import LabFailed
from lab.places import Places

NAMESPACES = ("--mount", "--uts", "--ipc", "--pid", "--net", "--cgroup", "--root", "--wd")
ENVIRONMENT = (
    *("HOME=/root", "TERM=dumb", "LC_ALL=C.UTF-8"),
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
)
SSH_ANSWERS = "exec 3<>/dev/tcp/127.0.0.1/22 && read -r -t 5 line <&3 && case $line in SSH-*) exit 0;; esac; exit 1"
PATIENCE_SECONDS = 120.0
"""Far more than a boot takes, so that a busy machine fails no test."""


class Node:
    """A machine that was laid out, on or off."""

    def __init__(self, lab: Places, name: str) -> None:
        self._lab = lab
        self._here = lab.node(name)
        self.name = name

    @property
    def pid(self) -> int | None:
        """Of its systemd as this machine counts, None while it is off."""
        try:
            pid = int((self._here / "pid").read_text())
            os.kill(pid, 0)
        except (OSError, ValueError):
            return None
        return pid

    @property
    def boots(self) -> int:
        """How often it was booted."""
        counted = self._here / "boots"
        return len(counted.read_text().split()) if counted.exists() else 0

    @property
    def is_supervised(self) -> bool:
        """False when it is off for good, until somebody starts it."""
        return (self._here / "supervisor").exists()

    @property
    def is_cut(self) -> bool:
        """Whether its cable is pulled, which outlasts a reboot."""
        return (self._here / "cut").exists()

    def command(self, argv: Sequence[str]) -> list[str]:
        """What to run here for `argv` to be run as root inside.

        Raises:
            LabFailed: it is off.
        """
        pid = self.pid
        if pid is None:
            raise LabFailed(f"{self.name} is off.")
        return ["nsenter", "--target", str(pid), *NAMESPACES, "--", "env", "-i", *ENVIRONMENT, *argv]

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Runs a command as root inside, past ssh and network; its output holds both streams."""
        return subprocess.run(
            self.command(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )

    def switch_on(self) -> None:
        """Gives it power; `wait_until_up` tells when it works."""
        if self.pid is not None:
            raise LabFailed(f"{self.name} is on already.")
        (self._here / "supervisor").touch()
        supervise = str(self._lab.run / "supervise.sh")
        processes.start(self._lab, f"power-{self.name}", ["sh", supervise, str(self._here / "settings.sh")])

    def wait_until_up(self, boots_before: int) -> None:
        """Returns when systemd has finished booting and sshd shows its banner.

        Raises:
            LabFailed: it ended again, or it takes too long.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if self.boots > boots_before:
                if not self.is_supervised:
                    break
                if self.pid is not None and self._has_booted():
                    return
            time.sleep(0.05)
        raise LabFailed(f"{self.name} did not come up; {self._lab.run}/power-{self.name}.log says more.")

    def _has_booted(self) -> bool:
        state = self.run("timeout", "20", "systemctl", "is-system-running", "--wait").stdout.strip()
        return state in ("running", "degraded") and self.run("bash", "-c", SSH_ANSWERS).returncode == 0

    def reboot(self) -> None:
        """In order, until it is up again."""
        before = self.boots
        self.run("systemctl", "reboot")
        self.wait_until_up(before)

    def start(self) -> None:
        """From off to up."""
        before = self.boots
        self.switch_on()
        self.wait_until_up(before)

    def stop(self) -> None:
        """In order, until it is off."""
        self.run("systemctl", "poweroff")
        self._wait(lambda: not self.is_supervised, "does not shut down")

    def crash(self) -> None:
        """Pulls its power: all that runs on it ends at once."""
        cgroups.kill(cgroups.group(self._lab, self.name))
        self._wait(lambda: not self.is_supervised, "does not die")

    def cut(self) -> None:
        """Pulls its network cable."""
        (self._here / "cut").touch()
        network.plug(self._lab, self.name, is_in=False)

    def heal(self) -> None:
        """Plugs its network cable in."""
        (self._here / "cut").unlink(missing_ok=True)
        network.plug(self._lab, self.name, is_in=True)

    def _wait(self, is_so: Callable[[], bool], complaint: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            if time.monotonic() > deadline:
                raise LabFailed(f"{self.name} {complaint}.")
            time.sleep(0.05)
