"""gpumon-slurm-exporter: what Slurm knows of jobs, nodes and who holds which GPU, for Prometheus."""

__version__ = "0.1.0"
