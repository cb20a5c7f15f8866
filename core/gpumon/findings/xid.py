"""What XID errors mean: the driver's numbers in words, with how bad each is and what to do.

Source: NVIDIA, "XID Errors", docs.nvidia.com/deploy/xid-errors, and its "Analyzing Xid Errors with the Xid Catalog".
"""

from __future__ import annotations

import msgspec

from gpumon.model import Severity

_PROGRAM = "Most often a fault of the user's program, not of the GPU; look at the job's own output."
_RESET = "Drain the node and reset the GPU; if it comes again, have the card replaced."
_REBOOT = "Drain the node and reboot it; if it comes again, check seat, power and cooling, then have the card replaced."


class Xid(msgspec.Struct, frozen=True):
    """One kind of XID error."""

    words: str
    severity: Severity
    advice: str


UNKNOWN = Xid("see NVIDIA's list of XID errors", Severity.WARNING, "Look it up: docs.nvidia.com/deploy/xid-errors")
"""A code that is not listed here."""

XIDS = {
    13: Xid("graphics engine exception", Severity.NOTE, _PROGRAM),
    31: Xid("GPU memory page fault", Severity.NOTE, _PROGRAM),
    43: Xid("GPU stopped processing", Severity.NOTE, _PROGRAM),
    45: Xid("preemptive clean-up", Severity.NOTE, "Normal when a job ends or is killed, and after another error."),
    48: Xid("uncorrectable double-bit ECC error", Severity.ERROR, _RESET),
    61: Xid("internal microcontroller warning", Severity.WARNING, _RESET),
    62: Xid("internal microcontroller halt", Severity.ERROR, _RESET),
    63: Xid(
        "memory row remapping recorded", Severity.WARNING, "Reset the GPU when it is free, so that it takes effect."
    ),
    64: Xid("memory row remapping failed", Severity.ERROR, _RESET),
    74: Xid("NVLink error", Severity.ERROR, "Check `nvidia-smi nvlink -e`; drain the node and reset its GPUs."),
    79: Xid("the GPU has fallen off the bus", Severity.ERROR, _REBOOT),
    92: Xid("high rate of single-bit ECC errors", Severity.WARNING, "Watch its ECC counters; run dcgmi diag."),
    94: Xid(
        "contained memory error", Severity.WARNING, "Only the program that met it is lost; reset the GPU when free."
    ),
    95: Xid("uncontained memory error", Severity.ERROR, _RESET),
    109: Xid("context switch timeout", Severity.WARNING, _PROGRAM),
    119: Xid("GSP firmware does not answer", Severity.ERROR, _REBOOT),
    120: Xid("GSP firmware error", Severity.ERROR, _REBOOT),
    140: Xid("unrecovered ECC error", Severity.ERROR, _RESET),
    154: Xid(
        "the driver asks for a recovery action", Severity.WARNING, "See `nvidia-smi -q` for the action it asks for."
    ),
}
"""The well-known codes; 13, 31, 43 and 45 are the noise of user programs."""
