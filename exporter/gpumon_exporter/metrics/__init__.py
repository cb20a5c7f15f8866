"""What a reading of Slurm is as metrics."""
