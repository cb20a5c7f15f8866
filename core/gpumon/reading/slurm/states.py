"""Slurm's words for the states of nodes and jobs, levelled over exporters."""

from __future__ import annotations

_MARKS = {
    "*": "not_responding", "~": "powered_down", "#": "powering_up", "!": "power_down", "%": "powering_down",
    "$": "maint", "@": "reboot_requested", "^": "reboot_issued", "-": "planned",
}  # fmt: skip
"""What sinfo appends to a state (its manual's NODE STATE CODES)."""

_NODE_WORDS = {
    "alloc": "allocated", "mix": "mixed", "comp": "completing", "err": "error", "resv": "reserved", "drng": "draining",
    "drained": "drained", "noresp": "not_responding", "inval": "invalid_registration", "plnd": "planned",
}  # fmt: skip

_JOB_WORDS = {
    "canceled": "cancelled", "node_failed": "node_fail", "outofmemory": "out_of_memory", "bootfail": "boot_fail",
}  # fmt: skip


def node_state(text: str) -> tuple[str, tuple[str, ...]]:
    """State and flags of a sinfo state: "mixed-" -> ("mixed", ("planned",)), "DOWN+DRAIN" -> ("down", ("drain",))."""
    bare = text.strip().lower().rstrip("*~#!%$@^-")
    marks = tuple(_MARKS[mark] for mark in text.strip()[len(bare) :])
    state, *flags = (_NODE_WORDS.get(word, word) for word in bare.split("+"))
    return state, (*flags, *marks)


def node_word(text: str) -> str:
    """A node state as a metric's name ends in: "alloc" -> "allocated"."""
    return _NODE_WORDS.get(text, text)


def job_word(text: str) -> str:
    """A job state in lower case and in Slurm's own spelling: "CANCELED" -> "cancelled"."""
    lower = text.lower()
    return _JOB_WORDS.get(lower, lower)
