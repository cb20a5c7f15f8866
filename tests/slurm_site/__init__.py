"""A real Slurm cluster on this machine, with several users and nodes, and with GPUs that are only device files."""
