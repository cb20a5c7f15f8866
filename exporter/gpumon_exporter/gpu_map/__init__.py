"""`gpumon-slurm-exporter gpu-map`: which GPU each of Slurm's numbers means on this node."""

from gpumon_exporter.gpu_map.command import add_arguments, run

__all__ = ["add_arguments", "run"]
