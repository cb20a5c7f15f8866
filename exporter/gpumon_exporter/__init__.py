"""gpumon-slurm-exporter: what Slurm knows of jobs, nodes and who holds which GPU, for Prometheus."""
