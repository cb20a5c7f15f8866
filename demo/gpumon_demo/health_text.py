"""How the Slurm exporter itself does, as gpumon's own tells it."""

from __future__ import annotations

from gpumon import __version__
from gpumon_demo.chance import draw
from gpumon_demo.cluster import Cluster
from gpumon_demo.exposition import Page

_COMMANDS = (
    "squeue", "sinfo", "scontrol show config", "scontrol show job", "sdiag", "scontrol show partition",
    "scontrol show reservation", "sshare", "sacct",
)  # fmt: skip
_READ_BEFORE_SECONDS = 2
"""The last reading of Slurm was so long ago."""


def put_health(page: Page, cluster: Cluster) -> None:
    """The exporter's own series; nothing is kept from it, and nothing is too much for it."""
    read_at = cluster.moment - _READ_BEFORE_SECONDS
    page.family("slurm_up", "gauge", "Whether Slurm answered: 1 when what is told is its last answer.", [({}, 1)])
    name, text = "gpumon_exporter_last_reading_time_seconds", "When Slurm last answered, seconds since 1970."
    page.family(name, "gauge", text, [({}, read_at)])
    name = "gpumon_exporter_reading_age_seconds"
    text = "How long ago Slurm last answered, in seconds at the time of the scrape."
    page.family(name, "gauge", text, [({}, _READ_BEFORE_SECONDS)])
    info = {"version": __version__, "slurm_version": "24.11.5", "cluster": "demo"}
    page.family("gpumon_exporter_info", "gauge", "The exporter and what it reads.", [(info, 1)])
    commands = [{"command": command} for command in _COMMANDS]
    name, text = "gpumon_exporter_command_up", "Whether a command of Slurm last went well."
    page.family(name, "gauge", text, [(command, 1) for command in commands])
    keys = (cluster.simulation.seed, cluster.moment)
    seconds = [round(0.01 + 0.05 * draw(*keys, 97, place), 3) for place in range(len(commands))]
    name, text = "gpumon_exporter_command_duration_seconds", "How long it last took, in seconds."
    page.family(name, "gauge", text, zip(commands, seconds, strict=True))
    name, text = "gpumon_exporter_command_last_success_time_seconds", "When it last went well, seconds since 1970."
    page.family(name, "gauge", text, [(command, read_at) for command in commands])
    name, text = "gpumon_exporter_left_out", "What is not told one by one because it is too much."
    page.family(name, "gauge", text, [({"what": "pending_jobs"}, 0)])
    name, text = (
        "gpumon_exporter_jobs_without_gpu_map",
        "Running jobs with GPUs of which Slurm did not tell which ones.",
    )
    page.family(name, "gauge", text, [({}, 0)])
