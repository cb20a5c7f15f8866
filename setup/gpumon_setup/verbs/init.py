"""`gpumon setup init`: writes a first [setup] from what Slurm or /etc/hosts knows."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

from gpumon.config.loading import SYSTEM_FILE, named_file, read_file, user_file
from gpumon.errors import UsageError
from gpumon.text import shown
from gpumon_setup.failures import SetupError
from gpumon_setup.inventory import Draft, from_hosts, from_slurm
from gpumon_setup.verbs.codes import SetupCode
from gpumon_setup.verbs.nodes import write
from gpumon_setup.verbs.options import SetupOptions
from gpumon_setup.verbs.talk import is_agreed, narrate, put

_SECONDS = 20


def run(options: SetupOptions) -> int:
    """Shows the draft, asks, and adds it to the configuration."""
    here = socket.gethostname().partition(".")[0]
    draft = drafted(options.source, options.master or here, is_local=options.master in ("", here))
    if not draft.nodes:
        raise SetupError(
            f"{draft.source} names no machine but this one.", advice="Write [setup] by hand; see config.example.toml."
        )
    file = _file(options.config_path)
    before = file.read_text("utf-8") if file.is_file() else ""
    if any(line.strip() == "[setup]" for line in before.splitlines()):
        raise SetupError(
            f"{file} has a [setup] already.", advice="Change it there, or name another file with --config."
        )
    put(draft.text().splitlines())
    if not options.yes and not is_agreed(f"Add this to {file}?"):
        narrate("Nothing was written.")
        return SetupCode.INCOMPLETE
    write(file, f"{before.rstrip()}\n\n{draft.text()}" if before.strip() else draft.text())
    narrate(f"Written to {file}. Next: gpumon setup trust, then gpumon setup plan.")
    return SetupCode.OK


def drafted(source: str, master: str, *, is_local: bool) -> Draft:
    """The draft from a source: Slurm where it answers, else /etc/hosts."""
    scontrol = shutil.which("scontrol")
    if source in ("auto", "slurm") and scontrol:
        told = subprocess.run(  # noqa: S603  # the path is scontrol's own
            (scontrol, "-o", "show", "nodes"), capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        if told.returncode == 0 and told.stdout.strip():
            return from_slurm(told.stdout, master, is_local=is_local)
        if source == "slurm":
            raise SetupError(f"Slurm names no nodes: {shown(told.stderr.strip(), 200)}.", advice="Try --from hosts.")
    if source == "slurm":
        raise UsageError("There is no scontrol here.", advice="Run it on the master, or use --from hosts.")
    return from_hosts(Path("/etc/hosts").read_text("utf-8", "replace"), master, is_local=is_local)


def _file(path: Path | None) -> Path:
    """The configuration that holds, or that will; root's is the machine's."""
    named = named_file(path, os.environ)
    if named is not None:
        return named
    found = read_file(None, os.environ)
    if found is not None:
        return found[0]
    return SYSTEM_FILE if os.geteuid() == 0 else user_file(os.environ)
