"""How it is known which GPUs a job holds, in words."""

from __future__ import annotations

from collections.abc import Mapping

from gpumon.model import Attribution

WORDS: Mapping[Attribution, str] = {
    Attribution.LABEL: "dcgm-exporter names the job itself",
    Attribution.UUID: "Slurm's allocation, and the node's own map of its GPUs",
    Attribution.INDEX: "Slurm's allocation, by index: wrong where gres.conf is not in PCI order",
    Attribution.NODE: "it holds the whole node",
    Attribution.JOB_EXPORTER: "an exporter of jobs on the node says so",
}
"""Behind "known" or "known by"; each fits on a line of 80 cells."""
