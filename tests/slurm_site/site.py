"""The cluster as tests use it: commands as any user, daemons to end, an end that leaves nothing behind."""

from __future__ import annotations

import fcntl
import pwd
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from typing_extensions import Self

from real.daemons import Failed, until
from slurm_site import database
from slurm_site.files import fill
from slurm_site.layout import ACCOUNTS, CLUSTER, LIMITS, NODES, PEOPLE, QOS, STRANGER
from slurm_site.people import make_people
from slurm_site.ports import free_ports
from slurm_site.processes import Process
from slurm_site.programs import PATH, Programs, check

LOCK = Path(tempfile.gettempdir()) / "gpumon-slurm-site.lock"
"""Held for the one cluster that may run on a machine: its users have fixed names."""
TESTS = Path(__file__).parents[1]
EXACT = {"SLURM_TIME_FORMAT": "%s", "SLURM_BITSTR_LEN": "0"}
"""Lets commands tell times in seconds since 1970 and the task numbers of an array without end."""
GONE = "fell off the bus: GPU 3, Xid 79 | see \\#81, 100 %"
"""Why the node that does not run is down."""


class SlurmSite:
    """A cluster, from `with` on; ended with it, and also when this process dies."""

    def __init__(self, programs: Programs | None = None) -> None:
        """Raises: Missing: none can run here."""
        check()
        self.programs = programs or Programs()
        lock = LOCK.open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        self.folder = self.programs.make_folder()
        self.commands = self.folder / "bin"
        """Where an exporter finds Slurm's commands."""
        self.environment: Mapping[str, str] = {
            "SLURM_CONF": f"{self.folder}/slurm.conf",
            "PATH": f"{self.commands}:{PATH}",
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
        }
        with lock:  # the guard keeps it when it is closed here
            self._guard = subprocess.Popen(
                [sys.executable, "-m", "slurm_site.guard", self.folder, *PEOPLE, STRANGER],
                env={"PATH": PATH, "PYTHONPATH": str(TESTS)},
                stdin=subprocess.PIPE,
                pass_fds=(lock.fileno(),),
                start_new_session=True,
            )
        self.ports = free_ports(("slurmctld", "slurmdbd", "mariadbd", *(node.name for node in NODES)))
        self.munged = self._daemon("munged", "--foreground", "--force", *self._munge_files())
        self.mariadbd = Process(
            database.command(self.folder / "mariadb", self.ports["mariadbd"]), self.environment, self._log("mariadbd")
        )
        self.slurmdbd = self._daemon("slurmdbd", "-D")
        self.slurmctld = self._daemon("slurmctld", "-D", "-i")  # one that was killed young has not saved all its state
        self.slurmds = {node.name: self._daemon("slurmd", "-D", "-N", node.name) for node in NODES if node.runs}

    def __enter__(self) -> Self:
        """Starts everything.

        Raises:
            Failed: something does not start.
        """
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Clears everything away."""
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._guard.wait()
        for daemon in (self.munged, self.mariadbd, self.slurmdbd, self.slurmctld, *self.slurmds.values()):
            daemon.bury()

    def run(self, name: str, *arguments: str, user: str | None = None, text: str = "") -> str:
        """What a command of Slurm prints, run by root or by somebody else.

        Raises:
            Failed: it complained.
        """
        done = self.tried(name, *arguments, user=user, text=text)
        if done.returncode:
            raise Failed(f"{name} {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def tried(
        self, name: str, *arguments: str, user: str | None = None, text: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """How a command of Slurm ends, which may fail; its output unchanged, whatever line ends are in it."""
        done = subprocess.run(
            [*self.programs.command(name, pwd.getpwnam(user).pw_uid if user else None), *arguments],
            env={**self.environment, **EXACT},
            cwd=self.folder,
            input=text.encode(),
            capture_output=True,
            timeout=120,
            check=False,
        )
        said, complained = (text.decode(errors="replace") for text in (done.stdout, done.stderr))
        return subprocess.CompletedProcess(done.args, done.returncode, said, complained)

    def submit(self, user: str, *arguments: str, script: str = "exec sleep 7200") -> str:
        """The number of a new batch job, which sleeps unless it has a script of its own."""
        return self.run(
            "sbatch",
            *("--parsable", "--output=/dev/null", f"--account={PEOPLE[user]}", *arguments),
            user=user,
            text=f"#!/bin/sh\n{script}\n",
        ).strip()

    def is_up(self) -> bool:
        """Whether slurmctld answers."""
        return "is UP" in self.tried("scontrol", "ping").stdout

    def _start(self) -> None:
        fill(self.folder, self.ports, self.programs.version)
        make_people((*PEOPLE, STRANGER))
        self.programs.enter(self.commands)
        self._start_munge_and_database()
        self.slurmctld.start()
        self.slurmctld.ready(self.is_up)
        for words in LIMITS:
            self._sacctmgr(words)
        for slurmd in self.slurmds.values():
            slurmd.start()
        self.run("scontrol", "update", "node=gone01", "state=down", f"reason={GONE}")
        until(lambda: self._idle() == set(self.slurmds), "nodes that are idle")

    def _start_munge_and_database(self) -> None:
        data = self.folder / "mariadb"
        database.make_database(data)
        self.mariadbd.start()
        self.munged.start()
        self.munged.ready(self.folder.joinpath("munge.sock").exists)
        self.mariadbd.ready(lambda: database.listens(data))
        database.let_slurmdbd_in(data)
        self.slurmdbd.start()
        self.slurmdbd.ready(lambda: _listens(self.ports["slurmdbd"]))
        self._sacctmgr(f"add cluster {CLUSTER}")
        for words in (*(f"add {one}" for one in ACCOUNTS), *(f"add qos {one}" for one in QOS)):
            self._sacctmgr(words)
        for user, account in PEOPLE.items():
            self._sacctmgr(f"add user {user} account={account}")

    def _sacctmgr(self, words: str) -> None:
        self.run("sacctmgr", "-i", *words.split())

    def _idle(self) -> set[str]:
        return set(self.run("sinfo", "-h", "-N", "-t", "idle", "-o", "%N").split())

    def _munge_files(self) -> list[str]:
        kinds = {"key-file": "munge.key", "socket": "munge.sock", "pid-file": "munged.pid", "seed-file": "munge.seed"}
        return [f"--{kind}={self.folder}/{name}" for kind, name in kinds.items()]

    def _log(self, name: str) -> Path:
        return self.folder / "log" / name

    def _daemon(self, name: str, *arguments: str) -> Process:
        return Process(
            [*self.programs.command(name), *arguments],
            self.environment,
            self._log(arguments[-1] if name == "slurmd" else name),
        )


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
