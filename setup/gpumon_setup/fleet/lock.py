"""A lock on the master: a cluster is set up by one at a time, and whoever comes second is told who was first."""

from __future__ import annotations

import secrets
from collections.abc import Generator
from contextlib import contextmanager
from threading import Event, Thread

from gpumon.text import shown
from gpumon_setup.failures import Locked
from gpumon_setup.host import Held, Host
from gpumon_setup.host.script import quoted
from gpumon_setup.host.sender import sender

BEAT_SECONDS = 10.0
"""How often the holder says that it is still there; after six times that, the lock is free again."""
_FILE = "/run/gpumon-setup.lock"
_SCRIPT = """
exec 9>>{file} || exit 1
if flock -n 9; then
    printf '%s\\n' {who} >{file}
    echo {token}
    while timeout {seconds:g} sh -c 'read -r _' 9>&-; do :; done
else
    printf '%s\\n' "$(head -c 300 {file})"
fi
"""


@contextmanager
def locked(master: Host) -> Generator[None]:
    """Holds the lock while the work goes on; it is gone soon after this process is, whatever ended it.

    Raises:
        Locked: somebody else holds it.
        HostError: the master cannot be asked.
    """
    token = secrets.token_hex(16)
    script = _SCRIPT.format(file=quoted(_FILE), who=quoted(sender()), token=token, seconds=6 * BEAT_SECONDS)
    held = master.hold(script)
    if held.first_line != token:
        held.release()
        holder = shown(held.first_line, 300) or "somebody who did not say who"
        raise Locked(
            f"This cluster is being set up already: by {holder}.",
            advice=f"Wait until that is done; what was broken off gives the lock back within {6 * BEAT_SECONDS:g} s.",
        )
    over = Event()
    beating = Thread(target=_beat, args=(held, over), name="gpumon-setup-lock", daemon=True)
    beating.start()
    try:
        yield
    finally:
        over.set()
        beating.join()
        held.release()


def _beat(held: Held, over: Event) -> None:
    while not over.wait(BEAT_SECONDS):
        held.beat()
