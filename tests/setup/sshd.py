"""Real sshds on the loopback, each with keys of its own, for tests of the way to a machine."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gpumon.settings import Secret
from gpumon_setup.failures import NoPassword
from gpumon_setup.host import Passwords
from gpumon_setup.ssh import SshConfig
from needs import skipped_or_failed

USER = getpass.getuser()
_START_SECONDS = 20.0
SUDO_PASSWORD = "opens sesame"
"""Of the user `admin` of a machine with people."""

_CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
PidFile none
AuthorizedKeysFile {keys}
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
AllowTcpForwarding yes
Subsystem sftp internal-sftp
"""

_PEOPLE = r"""
mount --make-rprivate /
cd "$1"; cp -a /etc etc
mount --bind etc /etc  # whole: a single file is lost when another is renamed over it
add() {  # NAME NUMBER PASSWORD
    echo "$1:x:$2:$2::/home/$1:/bin/sh" >>/etc/passwd
    echo "$1:$(openssl passwd -6 "$3"):19000:0:99999:7:::" >>/etc/shadow
    echo "$1:x:$2:" >>/etc/group
}
add ops 4001 none; add admin 4002 "$2"; add plain 4003 "$2"
printf 'Defaults use_pty\nops ALL=(ALL) NOPASSWD: ALL\nadmin ALL=(ALL) ALL\n' >/etc/sudoers.new
chmod 440 /etc/sudoers.new; mv /etc/sudoers.new /etc/sudoers
mount -t tmpfs tmpfs /home; mkdir -p /run/sudo /var/lib/sudo
mount -t tmpfs -o mode=711 tmpfs /run/sudo; mount -t tmpfs -o mode=700 tmpfs /var/lib/sudo
cp authorized_keys /home; chmod 644 /home/authorized_keys
for name in ops admin plain; do mkdir /home/$name; chown $name: /home/$name; done
exec "$3" -D -e -f "$1/sshd_config"
"""
"""Users that exist only for what this starts: the machine's own files stay as they are."""


@dataclass(frozen=True)
class Sshd:
    """One sshd."""

    port: int
    folder: Path
    """Its keys, its configuration and its log."""

    @property
    def public_key(self) -> str:
        """What known_hosts files say behind the name."""
        return " ".join((self.folder / "host_key.pub").read_text().split()[:2])

    def known(self, name: str = "127.0.0.1") -> str:
        """The line of a known_hosts file."""
        return f"[{name}]:{self.port} {self.public_key}\n"

    def log(self) -> str:
        """What it said so far."""
        return (self.folder / "log").read_text()


@dataclass(frozen=True)
class Client:
    """The files that a user of ssh has."""

    folder: Path

    def config(self, text: str, *, keys: Sequence[str] = ("id",)) -> SshConfig:
        """A configuration in which only these keys are offered, and no agent is asked."""
        lines = "".join(f"IdentityFile {self.folder}/{key}\n" for key in keys)
        common = f"UserKnownHostsFile {self.folder}/known_hosts\nGlobalKnownHostsFile none\nIdentityAgent none\n"
        (self.folder / "config").write_text(f"{text}\nHost *\n{common}{lines}")
        return SshConfig(self.folder / "config", self.folder / "none")

    def knows(self, *lines: str) -> None:
        """Writes known_hosts."""
        (self.folder / "known_hosts").write_text("".join(lines))


def client(folder: Path) -> Client:
    """A user with one key."""
    folder.mkdir(exist_ok=True)
    make_key(folder / "id")
    return Client(folder)


def make_key(file: Path, passphrase: str = "", kind: str = "ed25519") -> None:
    """Generates a pair of keys."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "test", "-f", file],
        check=True,
        stdin=subprocess.DEVNULL,
    )


@contextmanager
def sshd(folder: Path, user: Client, *, with_people: bool = False) -> Generator[Sshd]:
    """An sshd that lets `user` in by key; stopped at the end. With people it knows ops, admin and plain."""
    program = shutil.which("sshd") or "/usr/sbin/sshd"
    if not Path(program).exists() or (with_people and not shutil.which("sudo")):
        missing = "openssh-server" if not Path(program).exists() else "sudo"
        skipped_or_failed(f"{missing} is not installed")
    if with_people and os.geteuid() != 0:
        skipped_or_failed("users of other names need root")
    folder.mkdir()
    make_key(folder / "host_key")
    shutil.copy(user.folder / "id.pub", folder / "authorized_keys")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    # sshd reads it as the user who logs in, who cannot get into this test's own folder.
    keys = "/home/authorized_keys" if with_people else f"{folder}/authorized_keys"
    (folder / "sshd_config").write_text(_CONFIG.format(port=port, folder=folder, keys=keys))
    argv: list[str | Path] = [program, "-D", "-e", "-f", folder / "sshd_config"]
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    if with_people:
        argv = ["unshare", "--mount", "sh", "-euc", _PEOPLE, "sh", folder, SUDO_PASSWORD, program]
    with (folder / "log").open("w") as log, subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=log) as process:
        try:
            _await(process, port, folder / "log")
            yield Sshd(port, folder)
        finally:
            process.terminate()
            process.wait(10)


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while "Server listening" not in log.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"sshd did not start at port {port}: {log.read_text()}")
        time.sleep(0.02)


class Answers:
    """A person at a terminal, by script; notes each question."""

    def __init__(self, **answers: str) -> None:
        self._answers = answers
        self.asked: list[str] = []

    def __call__(self, prompt: str) -> Secret:
        """The answer whose name is in the question."""
        self.asked.append(prompt)
        for word, answer in self._answers.items():
            if word in prompt:
                return Secret(answer)
        raise NoPassword(f"{prompt} has no answer.")

    def passwords(self) -> Passwords:
        """What asks this person."""
        return Passwords(self)
