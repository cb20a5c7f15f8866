"""What an earlier run left at work on a machine comes to its end before anything else is planned there."""

from __future__ import annotations

from gpumon_setup.failures import StillAtWork
from gpumon_setup.host import Host, script
from gpumon_setup.verbs.talk import narrate

PATIENCE_SECONDS = 60.0
"""A cut cable is noticed after 30 s; a step that is longer than this too is a large download."""
_SPARE_SECONDS = 10.0


def settle(host: Host, worker: str) -> None:
    """Waits until nobody works on a machine, and says so.

    Raises:
        StillAtWork: it takes too long.
    """
    narrate(
        f"{host.name}: another run of gpumon setup is at work there: by {worker}. "
        f"Waiting up to {PATIENCE_SECONDS:g} s for the step that it is at …"
    )
    waited = host.run(
        ("flock", "-s", "-w", f"{PATIENCE_SECONDS:g}", script.WORK, "true"), seconds=PATIENCE_SECONDS + _SPARE_SECONDS
    )
    if not waited.is_success:
        raise StillAtWork(host.name, worker)
