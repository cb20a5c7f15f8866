"""What Slurm's own commands say, as one reading."""
