"""Runs shell scripts of ours; whatever they start ends with them, even when the lab is killed."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from lab.failures import LabFailed

TAIL = 3000
"""Characters of a failed script's output that are shown."""
WITH_US = ("setpriv", "--pdeathsig", "KILL")
"""Ends a script when this process ends."""
CONTAINED = (*("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"),)
"""Gives a script mounts and processes of its own, which vanish with it."""


def script(text: str, *arguments: object, before: Sequence[str] = (), log: Path | None = None) -> str:
    """What a bash script printed, with `arguments` as $1, $2 ...; it stops at its first failing command.

    Raises:
        LabFailed: it failed; the message ends with what it printed.
    """
    done = subprocess.run(
        [*WITH_US, *before, "bash", "-euc", text, "lab", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if log:
        log.write_text(done.stdout)
    if done.returncode:
        said = done.stdout[-TAIL:].strip() or text.strip()[:TAIL]
        raise LabFailed(f"A script ended with {done.returncode}; it said at last: {said}")
    return done.stdout


def contained_script(text: str, *arguments: object, log: Path | None = None) -> str:
    """The same with mounts and processes of its own: nothing of it is left behind, however it ends."""
    return script(text, *arguments, before=CONTAINED, log=log)
