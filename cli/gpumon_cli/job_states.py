"""The states of jobs by every name that Slurm's own tools take: `R`, `RUNNING`, `running`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gpumon.errors import UsageError
from gpumon.text import shown
from gpumon_cli.nearest import meant

_BY_CODE: Mapping[str, str] = {
    "r": "running", "pd": "pending", "s": "suspended", "cg": "completing", "cf": "configuring", "cd": "completed",
    "f": "failed", "ca": "cancelled", "to": "timeout", "nf": "node_fail", "oom": "out_of_memory", "pr": "preempted",
    "bf": "boot_fail", "dl": "deadline", "lf": "launch_failed", "po": "power_up_node", "rc": "reconfig_fail",
    "rd": "resv_del_hold", "rf": "requeue_fed", "rh": "requeue_hold", "rq": "requeued", "rs": "resizing",
    "rv": "revoked", "se": "special_exit", "si": "signaling", "so": "stage_out", "st": "stopped", "ex": "expediting",
}  # fmt: skip
"""squeue(1), JOB STATE CODES: those that jobs are in most often first."""

IN_QUEUE = frozenset(("running", "pending", "suspended", "completing", "configuring"))
"""States in which an exporter tells of a job; of those that ended the accounting tells."""


def states_of(words: Sequence[str]) -> frozenset[str]:
    """The states that are meant.

    Raises:
        UsageError: one is not a state.
    """
    return frozenset(map(_state, words))


def _state(word: str) -> str:
    bare = word.lower().replace("-", "_")
    state = _BY_CODE.get(bare, bare)
    if state not in _BY_CODE.values():
        some = ", ".join(f"{name} ({code.upper()})" for code, name in list(_BY_CODE.items())[:5])
        known = meant(state, _BY_CODE.values(), f"; known are {some} and the rest of squeue's.")
        raise UsageError(f"{shown(word, 80)!r} is not a state of jobs{known}")
    return state
