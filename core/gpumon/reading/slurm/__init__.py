"""Slurm's queue, nodes and users, from whichever exporter speaks of them."""
