"""MariaDB for slurmdbd: its own data folder, no password file, nothing kept after the end."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from real.daemons import Failed
from slurm_site.configuration import DATABASE, PASSWORD
from slurm_site.programs import Programs

SYSTEM = Programs()
"""Whatever Slurm it is for: MariaDB is always this system's."""
_FAST = ("--skip-innodb-doublewrite", "--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync")


def make_database(data: Path) -> None:
    """Fills an empty folder."""
    data.chmod(0o755)
    _run("chown", "mysql", str(data))
    _run("mariadb-install-db", "--user=mysql", f"--datadir={data}", "--skip-test-db", "--skip-log-bin")


def command(data: Path, port: int) -> Sequence[str]:
    """The words that run the daemon."""
    return (
        *SYSTEM.command("mariadbd"),
        "--no-defaults",
        "--user=mysql",
        f"--datadir={data}",
        f"--socket={data}/socket",
        f"--pid-file={data}/pid",
        "--bind-address=127.0.0.1",
        f"--port={port}",
        "--innodb-buffer-pool-size=128M",
        "--innodb-lock-wait-timeout=900",
        *_FAST,
    )


def listens(data: Path) -> bool:
    """Whether the daemon takes connections: on its own socket, which it opens after its port."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(f"{data}/socket") == 0


def let_slurmdbd_in(data: Path) -> None:
    """Makes the account that slurmdbd uses, and its database."""
    _run(
        "mariadb",
        "--no-defaults",
        f"--socket={data}/socket",
        "-e",
        f"create database {DATABASE}; create user slurm@'127.0.0.1' identified by '{PASSWORD}';"
        f"create user slurm@localhost identified by '{PASSWORD}';"
        f"grant all on {DATABASE}.* to slurm@'127.0.0.1'; grant all on {DATABASE}.* to slurm@localhost;",
    )


def _run(name: str, *arguments: str) -> None:
    done = subprocess.run([*SYSTEM.command(name), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{name}: {done.stderr.strip() or done.stdout.strip()}")
